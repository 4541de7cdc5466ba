"""CDEvents, in every wrapping, to changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webhook_payloads import NOW_NS, delivery, payload
from whence.errors import InvalidQuery
from whence.intake.webhooks import cdevents
from whence.model.change import Change
from whence.model.kinds import ChangeKind
from whence.model.times import parse_time_ns

DIGEST = "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"
CONTEXT = {
    "specversion": "0.5.1",
    "id": "271069a8",
    "source": "/argocd/prod",
    "timestamp": "2026-11-23T10:00:00Z",
}


def _event(name: str, subject_id: str, **content: Any) -> dict[str, Any]:
    context = CONTEXT | {"type": f"dev.cdevents.{name}.0.3.0"}
    return {"context": context, "subject": {"id": subject_id, "content": content}}


def _change(event: object) -> Change:
    (change,) = cdevents.read(delivery(event)).delta.changes.values()
    return change


def test_service_deployed_is_a_deployment_of_the_digest() -> None:
    at_ns = parse_time_ns("2023-03-20T14:27:05.315384Z", now_ns=0)
    assert _change(payload("cdevents/service_deployed")) == Change(
        id="cdevents:service.deployed:/event/source/123:271069a8-fc18-44f1-b38f-9d70a1695819",
        kind=ChangeKind.DEPLOYMENT,
        subject="mySubject123",
        effective_ns=at_ns,
        known_ns=NOW_NS,
        reported_ns=at_ns,
        to_version=DIGEST,
        environment="test123",
        summary="service.deployed mySubject123 by /event/source/123",
        source="cdevents",
    )


@pytest.mark.parametrize("name", ["service.upgraded", "service.rolledback"])
def test_service_replaced_is_a_deployment_of_its_artifact(name: str) -> None:
    event = _event(name, "scoring", environment={"id": "production"}, artifactId="pkg:oci/scoring@v41")
    change = _change(event)
    assert (change.kind, change.subject, change.to_version) == (ChangeKind.DEPLOYMENT, "scoring", "v41")
    assert change.environment == "production"


@pytest.mark.parametrize(
    ("specification", "subject_type"),
    [({"version": "0.4.1"}, {"type": "service"}), ({"specversion": "0.5.1"}, {}), ({"specversion": "0.6.0-draft"}, {})],
)
@pytest.mark.parametrize("name", ["service_deployed", "artifact_published", "incident_detected"])
def test_events_of_every_version_of_the_specification_say_the_same(
    name: str, specification: dict[str, str], subject_type: dict[str, str]
) -> None:
    """0.4 has ``context.version`` and ``subject.type``; 0.5 renamed the one and dropped the other."""
    event = payload(f"cdevents/{name}")
    expected = cdevents.read(delivery(event))
    context = {key: value for key, value in event["context"].items() if key not in ("version", "specversion")}
    subject = {key: value for key, value in event["subject"].items() if key != "type"}
    changed = event | {"context": context | specification, "subject": subject | subject_type}
    assert cdevents.read(delivery(changed)) == expected


def test_service_removed_is_a_deployment_of_nothing() -> None:
    change = _change(_event("service.removed", "scoring", environment={"id": "production"}))
    assert (change.kind, change.subject, change.to_version) == (ChangeKind.DEPLOYMENT, "scoring", None)


@pytest.mark.parametrize(
    ("subject_id", "subject"),
    [
        ("risk/scoring", "scoring"),
        ("otel://risk#scoring", "otel://risk#scoring"),
        ("otel://risk#scoring@version:v1", "otel://risk#scoring"),
        ("a#b#c", "a#b#c"),
        ("/", "/"),
    ],
)
def test_service_id_is_a_reference_or_a_path_that_ends_in_the_name(subject_id: str, subject: str) -> None:
    assert _change(_event("service.deployed", subject_id)).subject == subject


def test_artifact_published_is_a_change_named_by_its_package_url() -> None:
    change = _change(payload("cdevents/artifact_published"))
    assert (change.kind, change.subject, change.to_version) == (ChangeKind.OTHER, "myapp", "234fd47e07d1004f0aed9c")
    assert change.actor == "mybot-myapp"


def test_change_merged_is_a_change_of_the_repository() -> None:
    change = _change(_event("change.merged", "pr-7", repository={"id": "acme/scoring", "source": "https://git"}))
    assert (change.kind, change.subject) == (ChangeKind.OTHER, "scoring")


def test_environment_goes_by_the_name_that_spans_have() -> None:
    event = _event("service.deployed", "scoring", environment={"id": "prod"}, artifactId="pkg:oci/scoring@v41")
    assert _change(event).environment == "production"


def test_environment_modified_is_a_change_of_infrastructure() -> None:
    change = _change(_event("environment.modified", "production", uri="https://example.org/env"))
    assert (change.kind, change.environment) == (ChangeKind.INFRASTRUCTURE, "production")
    assert change.url == "https://example.org/env"


@pytest.mark.parametrize(
    ("name", "is_firing"), [("incident.detected", True), ("incident.reported", True), ("incident.resolved", False)]
)
def test_incident_is_an_alert_and_no_change(name: str, is_firing: bool) -> None:
    receipt = cdevents.read(delivery(_event(name, "incident-123", service={"id": "ns/shop"})))
    assert (receipt.delta.rows, receipt.event, receipt.ignored) == (0, name, None)
    (alert,) = receipt.alerts
    assert (alert.key, alert.is_firing, alert.names) == ("incident-123", is_firing, ("shop",))


@pytest.mark.parametrize(
    "event_type",
    ["dev.cdevents.pipelinerun.finished.0.2.0", "dev.cdeventsx.mlflow-model.promoted.0.1.0", "com.example.thing"],
)
def test_events_that_are_not_read_are_no_change(event_type: str) -> None:
    event = _event("service.deployed", "scoring")
    event["context"]["type"] = event_type
    receipt = cdevents.read(delivery(event))
    assert receipt.delta.rows == 0
    assert receipt.ignored


def test_wrappings_of_one_event_give_one_receipt() -> None:
    event = payload("cdevents/service_deployed")
    attributes = {"specversion": "1.0", "id": "1", "source": "/event/source/123", "type": event["context"]["type"]}
    binary = {f"ce-{name}": value for name, value in attributes.items()} | {"Content-Type": "application/json"}
    structured = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    bare = cdevents.read(delivery(event))
    assert cdevents.read(delivery(event, binary)) == bare
    assert cdevents.read(delivery(attributes | {"data": event}, structured)) == bare


@pytest.mark.parametrize("event_type", ["service.deployed.0.1.0", "service.deployed.0.4.0-draft", "service.deployed"])
def test_version_of_the_vocabulary_is_not_looked_at(event_type: str) -> None:
    event = _event("service.deployed", "scoring")
    event["context"]["type"] = f"dev.cdevents.{event_type}"
    assert _change(event).kind is ChangeKind.DEPLOYMENT


@pytest.mark.parametrize("field", ["type", "id", "source", "timestamp"])
def test_context_without_a_field_names_it(field: str) -> None:
    event = _event("service.deployed", "scoring")
    del event["context"][field]
    with pytest.raises(InvalidQuery) as refused:
        cdevents.read(delivery(event))
    assert refused.value.field == f"context.{field}"


def test_structured_event_without_a_field_names_its_place() -> None:
    event = _event("service.deployed", "")
    with pytest.raises(InvalidQuery) as refused:
        cdevents.read(delivery({"specversion": "1.0", "data": event}))
    assert refused.value.field == "data.subject.id"


def test_long_ids_are_shortened_alike() -> None:
    event = _event("service.deployed", "scoring")
    event["context"]["id"] = "x" * 500
    ids = {_change(event).id, _change(event).id}
    assert len(ids) == 1
    assert len(ids.pop()) <= 256
