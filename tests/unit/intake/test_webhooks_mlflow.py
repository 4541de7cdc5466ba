"""MLflow's deliveries to changes and registered versions."""

from __future__ import annotations

import pytest

from tests.webhook_payloads import NOW_NS, delivery, payload
from whence.errors import InvalidQuery
from whence.intake.webhooks import mlflow
from whence.model.change import Change
from whence.model.kinds import ChangeKind, EntityKind
from whence.model.times import parse_time_ns

REGISTRY = "https://mlflow.acme.dev/"


def test_alias_created_is_a_change_of_the_model_by_its_bare_name() -> None:
    at_ns = parse_time_ns("2026-11-24T00:20:41.233151Z", now_ns=0)
    receipt = mlflow.read(delivery(payload("mlflow/alias_created")))
    (change,) = receipt.delta.changes.values()
    assert receipt.event == "model_version_alias.created"
    assert change == Change(
        id=f"mlflow:model:churn@champion:1:{at_ns}",
        kind=ChangeKind.MODEL,
        subject="churn",
        effective_ns=at_ns,
        known_ns=NOW_NS,
        reported_ns=at_ns,
        to_version="1",
        summary="alias champion points to version 1",
        source="mlflow",
    )


def test_alias_created_with_a_known_registry_names_the_reference() -> None:
    (change,) = mlflow.read(delivery(payload("mlflow/alias_created"), registry=REGISTRY)).delta.changes.values()
    assert change.subject == "mlflow+https://mlflow.acme.dev#churn"


def test_alias_deleted_is_a_change_to_no_version() -> None:
    body = payload("mlflow/alias_created") | {"action": "deleted", "data": {"name": "churn", "alias": "champion"}}
    (change,) = mlflow.read(delivery(body)).delta.changes.values()
    assert (change.to_version, change.summary) == (None, "alias champion was removed")


def test_prompt_alias_created_is_a_change_of_configuration() -> None:
    (change,) = mlflow.read(
        delivery(payload("mlflow/alias_created") | {"entity": "prompt_alias"})
    ).delta.changes.values()
    assert (change.kind, change.subject) == (ChangeKind.CONFIG, "churn")


@pytest.mark.parametrize(("registry", "namespace"), [("", "mlflow://"), (REGISTRY, "mlflow+https://mlflow.acme.dev")])
def test_version_created_is_a_version_and_no_change(registry: str, namespace: str) -> None:
    delta = mlflow.read(delivery(payload("mlflow/model_version_created"), registry=registry)).delta
    version = delta.entities[f"{namespace}#churn@version:1"]
    assert set(delta.entities) == {version.base, version.key}
    assert (version.kind, version.base) == (EntityKind.MODEL_VERSION, f"{namespace}#churn")
    assert version.attribute("logged_model.id") == "m-8282d2da77644c1c8c67f136bcabe35d"
    assert (delta.changes, delta.relations) == ({}, {})


def test_version_created_from_elsewhere_keeps_no_location() -> None:
    body = payload("mlflow/model_version_created")
    body["data"] |= {"source": "https://user:password@store/model", "run_id": "cd4d"}
    (version,) = (one for one in mlflow.read(delivery(body)).delta.entities.values() if one.is_version)
    assert [(item.name, item.value) for item in version.attributes] == [("run.id", "cd4d")]


def test_prompt_version_created_keeps_no_text() -> None:
    data = {"name": "greet", "version": "3", "template": "Dear {{customer}}", "tags": {}, "description": "Dear"}
    delta = mlflow.read(
        delivery(payload("mlflow/model_version_created") | {"entity": "prompt_version", "data": data})
    ).delta
    assert set(delta.entities) == {"prompt://mlflow#greet", "prompt://mlflow#greet@version:3"}
    assert "Dear" not in repr(delta)


@pytest.mark.parametrize(
    ("entity", "action"),
    [("registered_model", "created"), ("model_version_tag", "set"), ("model_version", "deleted"), ("trace", "made")],
)
def test_other_events_are_no_change(entity: str, action: str) -> None:
    receipt = mlflow.read(delivery(payload("mlflow/registered_model_created") | {"entity": entity, "action": action}))
    assert (receipt.delta.rows, receipt.event) == (0, f"{entity}.{action}")
    assert receipt.ignored


@pytest.mark.parametrize("field", ["name", "alias", "version"])
def test_alias_without_a_field_names_it(field: str) -> None:
    body = payload("mlflow/alias_created")
    del body["data"][field]
    with pytest.raises(InvalidQuery) as refused:
        mlflow.read(delivery(body))
    assert refused.value.field == f"data.{field}"


@pytest.mark.parametrize("field", ["entity", "action", "timestamp"])
def test_event_without_a_field_names_it(field: str) -> None:
    body = payload("mlflow/alias_created")
    del body[field]
    with pytest.raises(InvalidQuery) as refused:
        mlflow.read(delivery(body))
    assert refused.value.field == field


def test_name_that_makes_too_long_a_reference_is_refused() -> None:
    body = payload("mlflow/model_version_created")
    body["data"]["name"] = "\u00e9" * 300
    with pytest.raises(InvalidQuery, match=r"data\.name"):
        mlflow.read(delivery(body))
