"""The law of all sources: deliveries in any order, repeated, and late give the same facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhook_payloads import NOW_NS, delivery, payload
from whence.intake.webhooks import SOURCES
from whence.model.alert import Alert
from whence.model.delta import GraphDelta, merge, merge_all
from whence.model.times import NS_PER_SECOND

Sent = tuple[str, dict[str, Any], Mapping[str, str]]


def _later(name: str, **fields: Any) -> dict[str, Any]:
    """The same payload with other words in it: a correction, or the next state."""
    return {**payload(name), **fields}


def _deployed_again() -> dict[str, Any]:
    again = payload("github/deployment_status")
    again["deployment_status"] |= {"created_at": "2019-05-15T15:25:00Z", "target_url": "https://ci.example.org/8"}
    return again


DELIVERIES: list[Sent] = [
    ("github", payload("github/deployment_status"), {"X-GitHub-Event": "deployment_status"}),
    ("github", _deployed_again(), {"X-GitHub-Event": "deployment_status"}),
    ("github", payload("github/release"), {"X-GitHub-Event": "release"}),
    ("github", payload("github/push"), {"X-GitHub-Event": "push"}),
    ("gitlab", payload("gitlab/deployment"), {}),
    ("gitlab", _later("gitlab/deployment", status="running"), {}),
    ("gitlab", payload("gitlab/pipeline"), {}),
    ("gitlab", payload("gitlab/release"), {}),
    ("gitlab", payload("gitlab/tag_push"), {}),
    ("argocd", payload("argocd/deployed"), {}),
    ("flux", payload("flux/kustomization"), {}),
    ("flux", payload("flux/helmrelease"), {}),
    ("launchdarkly", payload("launchdarkly/flag"), {}),
    ("pagerduty-changes", payload("pagerduty-changes/change"), {}),
    ("otel-cicd", payload("otel-cicd/deploy"), {}),
    ("mlflow", payload("mlflow/alias_created"), {}),
    ("mlflow", payload("mlflow/model_version_created"), {}),
    ("mlflow", _later("mlflow/model_version_created", timestamp="2026-11-24T00:20:42Z"), {}),
    ("cdevents", payload("cdevents/service_deployed"), {}),
    ("cdevents", payload("cdevents/artifact_published"), {}),
    ("cdevents", payload("cdevents/incident_detected"), {}),
    ("alertmanager", payload("alertmanager/firing"), {}),
    ("alertmanager", payload("alertmanager/resolved"), {}),
]
NUMBERS = list(range(len(DELIVERIES)))


def _facts(sequence: list[tuple[int, int]]) -> tuple[GraphDelta, frozenset[Alert]]:
    """What deliveries amount to, without when they came; each is its number and how many seconds late it was."""
    deltas: list[GraphDelta] = []
    alerts: set[Alert] = set()
    for number, late_s in sequence:
        source, body, headers = DELIVERIES[number]
        sent = replace(delivery(body, headers), now_ns=NOW_NS + late_s * NS_PER_SECOND)
        receipt = SOURCES[source].read(sent)
        deltas.append(receipt.delta)
        alerts.update(receipt.alerts)
    total = merge_all(deltas)
    changes = {key: replace(change, known_ns=0) for key, change in total.changes.items()}
    return replace(total, changes=changes), frozenset(alerts)


EXPECTED = _facts([(number, 0) for number in NUMBERS])


@given(
    order=st.permutations(NUMBERS),
    repeated=st.lists(st.sampled_from(NUMBERS), max_size=10),
    late_s=st.lists(st.integers(0, 86_400), min_size=len(NUMBERS) + 10, max_size=len(NUMBERS) + 10),
)
@settings(max_examples=100, deadline=None)
def test_any_order_repetition_and_delay_gives_the_same_graph(
    order: list[int], repeated: list[int], late_s: list[int]
) -> None:
    assert _facts(list(zip([*order, *repeated], late_s, strict=False))) == EXPECTED


def test_every_source_that_tells_of_changes_is_among_them() -> None:
    told = {source for source, *_ in DELIVERIES}
    assert set(SOURCES) - told == {"alert", "grafana", "pagerduty"}


def test_first_arrival_is_when_a_change_was_known() -> None:
    early, late = (
        SOURCES["gitlab"].read(replace(delivery(payload("gitlab/deployment")), now_ns=at_ns)).delta
        for at_ns in (NOW_NS, NOW_NS + NS_PER_SECOND)
    )
    (change,) = merge(late, early).changes.values()
    assert change.known_ns == NOW_NS
