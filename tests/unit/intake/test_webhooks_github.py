"""GitHub's deliveries to changes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.webhook_payloads import NOW_NS, delivery, payload
from whence.errors import DecodeError, InputError, InvalidQuery
from whence.intake.webhooks import github
from whence.model.change import Change
from whence.model.kinds import ChangeKind
from whence.model.times import parse_time_ns

STATUS = {"X-GitHub-Event": "deployment_status"}


def _change(body: object, event: str) -> Change:
    (change,) = github.read(delivery(body, {"X-GitHub-Event": event})).delta.changes.values()
    return change


def test_deployment_status_success_is_a_deployment() -> None:
    at_ns = parse_time_ns("2019-05-15T15:20:55Z", now_ns=0)
    assert _change(payload("github/deployment_status"), "deployment_status") == Change(
        id="github:deployment:145988746",
        kind=ChangeKind.DEPLOYMENT,
        subject="Hello-World",
        effective_ns=at_ns,
        known_ns=NOW_NS,
        reported_ns=at_ns,
        to_version="f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
        environment="production",
        actor="Codertocat",
        url="https://github.com/Codertocat/Hello-World",
        summary="Codertocat/Hello-World deployed from master",
        source="github",
    )


def test_deployment_status_environment_goes_by_the_name_that_spans_have() -> None:
    body = payload("github/deployment_status")
    body["deployment_status"]["environment"] = "Prod"
    assert _change(body, "deployment_status").environment == "production"


@pytest.mark.parametrize("state", ["pending", "queued", "in_progress", "waiting", "failure", "error", "inactive"])
def test_deployment_status_other_than_success_is_no_change(state: str) -> None:
    body = payload("github/deployment_status")
    body["deployment_status"]["state"] = state
    receipt = github.read(delivery(body, STATUS))
    assert receipt.delta.rows == 0
    assert receipt.ignored is not None


def test_release_published_is_a_change_to_its_tag() -> None:
    change = _change(payload("github/release"), "release")
    assert (change.id, change.kind, change.subject) == ("github:release:17372790", ChangeKind.OTHER, "Hello-World")
    assert (change.to_version, change.effective_ns) == ("0.0.1", parse_time_ns("2019-05-15T15:20:53Z", now_ns=0))
    assert change.url == "https://github.com/Codertocat/Hello-World/releases/tag/0.0.1"


def test_release_edited_is_no_change() -> None:
    receipt = github.read(delivery(payload("github/release") | {"action": "edited"}, {"X-GitHub-Event": "release"}))
    assert (receipt.delta.rows, receipt.event) == (0, "release")
    assert receipt.ignored == "only a published release counts, this one was edited"


@pytest.mark.parametrize("event", ["ping", "push", "deployment", "workflow_run", "star"])
def test_other_events_are_no_change(event: str) -> None:
    receipt = github.read(delivery(payload("github/push"), {"X-GitHub-Event": event}))
    assert (receipt.delta.rows, receipt.event) == (0, event)
    assert receipt.ignored


def test_form_encoded_delivery_equals_the_json_one() -> None:
    body = payload("github/deployment_status")
    headers = STATUS | {"Content-Type": "application/x-www-form-urlencoded"}
    form = delivery(urlencode({"payload": json.dumps(body)}).encode(), headers)
    assert github.read(form) == github.read(delivery(body, STATUS))


def test_link_that_is_no_web_address_is_left_out() -> None:
    body = payload("github/deployment_status")
    body["deployment_status"]["target_url"] = "javascript:alert(1)"
    assert _change(body, "deployment_status").url == "https://github.com/Codertocat/Hello-World"


def test_link_of_the_deployment_goes_before_the_repository() -> None:
    body = payload("github/deployment_status")
    body["deployment_status"]["target_url"] = "https://ci.example.org/runs/7"
    assert _change(body, "deployment_status").url == "https://ci.example.org/runs/7"


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ("deployment_status", "state"),
        ("deployment_status", "created_at"),
        ("deployment", "id"),
        ("deployment", "sha"),
        ("repository", "name"),
    ],
)
def test_deployment_status_without_a_field_names_it(record: str, field: str) -> None:
    body = payload("github/deployment_status")
    del body[record][field]
    with pytest.raises(InvalidQuery) as refused:
        github.read(delivery(body, STATUS))
    assert refused.value.field == f"{record}.{field}"


def test_version_beyond_a_reference_is_refused() -> None:
    body = payload("github/deployment_status")
    body["deployment"]["sha"] = "f" * 2000
    with pytest.raises(InvalidQuery, match="longer than 1024"):
        github.read(delivery(body, STATUS))


def test_delivery_without_event_header_is_refused() -> None:
    with pytest.raises(InputError, match="X-GitHub-Event"):
        github.read(delivery(payload("github/deployment_status")))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"text"', b'{"a": "\\ud800"}', b"[" * 100_000, b"{}\x00"])
def test_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        github.read(delivery(body, STATUS))


def test_form_without_payload_is_refused() -> None:
    headers = STATUS | {"Content-Type": "application/x-www-form-urlencoded"}
    with pytest.raises(DecodeError, match="payload"):
        github.read(delivery(b"a=b", headers))


@pytest.mark.parametrize("odd", [None, 7, "text", [], [{}]])
def test_records_of_another_shape_are_refused_by_name(odd: Any) -> None:
    with pytest.raises(InvalidQuery, match=r"deployment_status\.state"):
        github.read(delivery({"deployment_status": odd}, STATUS))
