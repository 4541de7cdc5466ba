"""Which service a resource is, and which version of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.unit.otlp.wire import decode, source_of, traces_request, wire_span

SHA = "9d59409acf479dfa0df1aa568182e43e43df8bbe"
DIGEST = "0b" * 32
CART: Mapping[str, object] = {"service.namespace": "shop", "service.name": "cart"}


@pytest.mark.parametrize(
    ("attributes", "version"),
    [
        ({}, ""),
        ({"service.version": "2.4.1"}, "@version:2.4.1"),
        ({"service.version": "latest"}, ""),
        ({"service.version": "main", "vcs.ref.head.revision": "HEAD"}, ""),
        ({"service.version": "2.4.1", "vcs.ref.head.revision": SHA}, f"@git:{SHA}"),
        ({"service.version": "2.4.1", "vcs.ref.head.revision": SHA.upper()}, f"@git:{SHA}"),
        ({"service.version": "2.4.1", "vcs.ref.head.revision": "9f1c2ab"}, "@version:2.4.1"),
        ({"vcs.ref.head.revision": "9f1c2ab"}, "@git:9f1c2ab"),
        ({"vcs.repository.ref.revision": SHA}, f"@git:{SHA}"),
        (
            {"service.version": "2", "container.image.repo_digests": [f"ghcr.io/shop/cart@sha256:{DIGEST}"]},
            f"@sha256:{DIGEST}",
        ),
        ({"service.version": "2", "container.image.id": f"sha256:{DIGEST}"}, f"@sha256:{DIGEST}"),
        ({"service.version": "9f1c2ab", "faas.version": "17"}, "@git:9f1c2ab"),
        ({"service.version": "2.4.1", "faas.version": "17"}, "@version:17"),
        ({"service.version": "20261123"}, "@version:20261123"),
        ({"service.version": "2.4.1+dirty @x"}, "@version:2.4.1+dirty%20%40x"),
        ({"container.image.tags": ["v7", "latest"]}, ""),
    ],
)
def test_version_is_the_surest_one_stated(attributes: Mapping[str, object], version: str) -> None:
    assert source_of({**CART, **attributes}).version == f"otel://shop#cart{version}"


@pytest.mark.parametrize(
    ("attributes", "service"),
    [
        ({"service.name": "cart"}, "otel://#cart"),
        ({"service.name": "cart", "service.namespace": ""}, "otel://#cart"),
        ({"service.name": "Cart", "service.namespace": "Shop"}, "otel://Shop#Cart"),
        ({"service.name": "unknown_service:java", "k8s.deployment.name": "cart"}, "otel://#cart"),
        ({"k8s.namespace.name": "shop", "k8s.statefulset.name": "cart"}, "otel://shop#cart"),
        ({"service.namespace": "a", "k8s.namespace.name": "b", "k8s.deployment.name": "cart"}, "otel://a#cart"),
        ({"faas.name": "resize"}, "otel://#resize"),
    ],
)
def test_service_is_namespace_and_name(attributes: Mapping[str, object], service: str) -> None:
    assert source_of(attributes).service == service


@pytest.mark.parametrize("resource", [{}, {"service.name": ""}, {"service.name": "x" * 1024, "service.version": "1"}])
def test_service_without_a_usable_name_is_rejected(resource: Mapping[str, object]) -> None:
    batch = decode(traces_request(wire_span(), resource=resource))
    assert batch.rejections.counts == (("unknown_service", 1),)


def test_version_too_long_for_a_key_is_left_out() -> None:
    assert source_of({**CART, "service.version": "x" * 1020}).version == "otel://shop#cart"


@pytest.mark.parametrize(
    ("raw", "environment"),
    [
        ("prod", "production"),
        ("Production", "production"),
        ("stg", "staging"),
        ("DEV", "development"),
        ("eu-1", "eu-1"),
    ],
)
def test_environment_is_brought_to_one_spelling(raw: str, environment: str) -> None:
    assert source_of({**CART, "deployment.environment.name": raw}).environment == environment


def test_environment_under_its_new_name_wins() -> None:
    both = {"deployment.environment": "old", "deployment.environment.name": "new"}
    assert source_of({**CART, **both}).environment == "new"
    assert source_of({**CART, "deployment.environment": "old"}).environment == "old"


def test_source_keeps_what_helps_people_and_nothing_else() -> None:
    source = source_of(
        {
            **CART,
            "service.version": "2.4.1",
            "service.criticality": "high",
            "vcs.ref.head.revision": SHA,
            "vcs.repository.url.full": "https://me:secret@git.shop.dev/cart.git?x=1",
            "container.image.tags": ["v7", "stable"],
            "process.command_args": ["--password", "x"],
            "host.name": "node-7",
        }
    )
    assert dict(source.attributes) == {
        "service.version": "2.4.1",
        "service.criticality": "high",
        "vcs.ref.head.revision": SHA,
        "vcs.repository.url.full": "https://git.shop.dev/cart.git",
        "container.image.tags": "v7 stable",
    }


def test_source_states_models_and_inputs_for_the_whole_process() -> None:
    source = source_of(
        {
            **CART,
            "whence.models": "mlflow+https://ml.shop.dev#ranker@version:7 broken",
            "whence.inputs": ["S3://lake#features@iceberg:3"],
        }
    )
    assert source.models == ("mlflow+https://ml.shop.dev#ranker@version:7",)
    assert source.inputs == ("s3://lake#features@iceberg:3",)
