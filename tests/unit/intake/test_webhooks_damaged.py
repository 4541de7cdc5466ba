"""Real payloads with one part replaced by anything: a receipt or an error of the tree, never anything else."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhook_payloads import delivery, payload
from whence.errors import InputError
from whence.intake.webhooks import SOURCES
from whence.model.delta import merge

PAYLOADS = {
    "github/deployment_status": {"X-GitHub-Event": "deployment_status"},
    "github/release": {"X-GitHub-Event": "release"},
    "gitlab/deployment": {},
    "gitlab/pipeline": {},
    "gitlab/release": {},
    "argocd/deployed": {},
    "flux/kustomization": {},
    "launchdarkly/flag": {},
    "pagerduty-changes/change": {},
    "otel-cicd/deploy": {},
    "mlflow/alias_created": {},
    "mlflow/model_version_created": {},
    "cdevents/service_deployed": {},
    "cdevents/artifact_published": {},
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=600),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def _paths(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name)
            yield from _paths(inner, (*path, name))


def _replaced(body: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    damaged = copy.deepcopy(body)
    place = damaged
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return damaged


@pytest.mark.parametrize("name", PAYLOADS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_payload_is_read_or_refused_by_name(name: str, data: st.DataObject) -> None:
    body = payload(name)
    damaged = _replaced(body, data.draw(st.sampled_from(sorted(_paths(body)))), data.draw(ANYTHING))
    source = SOURCES[name.partition("/")[0]]
    one = delivery(damaged, PAYLOADS[name])
    try:
        receipt = source.read(one)
    except InputError:
        return
    assert (receipt.delta.rows == 0) == (receipt.ignored is not None)
    assert merge(receipt.delta, source.read(one).delta) == receipt.delta
    for change in receipt.delta.changes.values():
        assert change.subject
        assert len(change.id) <= 256
        assert change.url is None or change.url.startswith(("https://", "http://"))
        assert all(len(text) <= 4096 for text in (change.subject, change.environment, change.summary or ""))
