"""Spans of pipelines to changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webhook_payloads import NOW_NS, delivery, payload
from whence.errors import InvalidQuery
from whence.intake.webhooks import otel_cicd
from whence.model.change import Change
from whence.model.kinds import ChangeKind

AT_NS = 1_795_479_120_000_000_000
REPOSITORY = "vcs.repository.url.full"


def _body(**stated: str | None) -> dict[str, Any]:
    """The payload with other attributes on the span of the deployment."""
    body = payload("otel-cicd/deploy")
    block = body["resourceSpans"][0]
    for part in (block["resource"], block["scopeSpans"][0]["spans"][1]):
        part["attributes"] = [one for one in part["attributes"] if one["key"] not in stated]
    added = [{"key": key, "value": {"stringValue": text}} for key, text in stated.items() if text is not None]
    block["scopeSpans"][0]["spans"][1]["attributes"] += added
    return body


def _change(body: dict[str, Any]) -> Change:
    (change,) = otel_cicd.read(delivery(body)).delta.changes.values()
    return change


def test_task_that_deployed_is_a_deployment_and_its_run_is_none() -> None:
    assert _change(payload("otel-cicd/deploy")) == Change(
        id="otel-cicd:5b8efff798038103d269b633813fc60c:eee19b7ec3c1b175",
        kind=ChangeKind.DEPLOYMENT,
        subject="ranking",
        effective_ns=AT_NS,
        known_ns=NOW_NS,
        reported_ns=AT_NS,
        to_version="9d59409acf479dfa0df1aa568182e43e43df8bbe",
        environment="production",
        actor="buildkite",
        url="https://ci.acme.dev/ranking/431#7961",
        summary="deploy production",
        source="otel-cicd",
    )


@pytest.mark.parametrize("result", ["failure", "error", "timeout", "cancellation", "skip"])
def test_task_that_did_not_succeed_is_no_change(result: str) -> None:
    receipt = otel_cicd.read(delivery(_body(**{"cicd.pipeline.task.run.result": result})))
    assert receipt.delta.rows == 0
    assert receipt.ignored == "none of the spans is a deployment that succeeded"


@pytest.mark.parametrize("kind", ["build", "test", None])
def test_task_of_another_type_is_no_change(kind: str | None) -> None:
    assert otel_cicd.read(delivery(_body(**{"cicd.pipeline.task.type": kind}))).ignored


def test_sync_that_succeeded_is_a_deployment() -> None:
    body = _body(
        **{"cicd.pipeline.task.type": None, "cicd.pipeline.action.name": "SYNC", "cicd.pipeline.result": "success"}
    )
    assert _change(body).subject == "ranking"


@pytest.mark.parametrize(
    ("stated", "subject"),
    [
        ({"deployment.name": "ranker"}, "ranker"),
        ({"vcs.repository.name": "rank"}, "rank"),
        ({REPOSITORY: "https://gitlab.acme.dev/shop/ranking.git"}, "ranking"),
        ({REPOSITORY: None}, "ranking main"),
    ],
)
def test_subject_is_the_most_telling_name_there_is(stated: dict[str, str | None], subject: str) -> None:
    assert _change(_body(**stated)).subject == subject


def test_span_that_names_nothing_is_refused_by_its_place() -> None:
    with pytest.raises(InvalidQuery) as refused:
        otel_cicd.read(delivery(_body(**{REPOSITORY: None, "cicd.pipeline.name": None})))
    assert refused.value.field == "resourceSpans.0.scopeSpans.0.spans.1.attributes.cicd.pipeline.name"


@pytest.mark.parametrize("end", [None, "soon", "-1", 0, "99999999999999999999", 1.5])
def test_deployment_without_a_time_is_refused_by_its_place(end: object) -> None:
    body = payload("otel-cicd/deploy")
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["endTimeUnixNano"] = end
    with pytest.raises(InvalidQuery) as refused:
        otel_cicd.read(delivery(body))
    assert refused.value.field == "resourceSpans.0.scopeSpans.0.spans.1.endTimeUnixNano"


def test_time_may_be_a_number() -> None:
    body = payload("otel-cicd/deploy")
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["endTimeUnixNano"] = AT_NS
    assert _change(body).effective_ns == AT_NS
