"""Flags of LaunchDarkly, and change events in PagerDuty's shape."""

from __future__ import annotations

import pytest

from tests.webhook_payloads import NOW_NS, delivery, payload
from whence.errors import InvalidQuery
from whence.intake.webhooks import launchdarkly, pagerduty_changes
from whence.model.change import Change
from whence.model.kinds import ChangeKind
from whence.model.times import parse_time_ns

SWITCHED_NS = parse_time_ns("2026-11-24T00:12:00Z", now_ns=0)
ENTRY = "launchdarkly:67426f1ac5e8a40a9b1c2d3e"


def test_flag_that_is_switched_is_one_change_in_each_environment() -> None:
    changes = launchdarkly.read(delivery(payload("launchdarkly/flag"))).delta.changes
    assert sorted(changes) == [f"{ENTRY}:production:new-ranking", f"{ENTRY}:staging:new-ranking"]
    assert changes[f"{ENTRY}:production:new-ranking"] == Change(
        id=f"{ENTRY}:production:new-ranking",
        kind=ChangeKind.FLAG,
        subject="new-ranking",
        effective_ns=SWITCHED_NS,
        known_ns=NOW_NS,
        reported_ns=SWITCHED_NS,
        environment="production",
        actor="release-bot@acme.dev",
        summary="turned on the flag New ranking",
        source="launchdarkly",
    )


def test_flag_that_is_made_everywhere_counts_for_every_environment() -> None:
    body = payload("launchdarkly/flag")
    body["accesses"] = [{"action": "createFlag", "resource": "proj/shop:env/*:flag/new-ranking"}]
    (change,) = launchdarkly.read(delivery(body)).delta.changes.values()
    assert change.environment == ""


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("updateDescription", "proj/shop:env/production:flag/new-ranking"),
        ("updateTags", "proj/shop:env/production:flag/new-ranking"),
        ("updateName", "proj/shop:env/test"),
        ("createMember", "member/*"),
        ("updateOn", ""),
    ],
)
def test_entries_that_change_nothing_that_is_served_are_no_change(action: str, resource: str) -> None:
    body = payload("launchdarkly/flag") | {"accesses": [{"action": action, "resource": resource}]}
    receipt = launchdarkly.read(delivery(body))
    assert receipt.delta.rows == 0
    assert receipt.ignored == "no flag was changed in what it serves"


@pytest.mark.parametrize("date", [None, "2026-11-24", -1, 10**16, True])
def test_entry_without_a_date_in_milliseconds_is_refused(date: object) -> None:
    with pytest.raises(InvalidQuery) as refused:
        launchdarkly.read(delivery(payload("launchdarkly/flag") | {"date": date}))
    assert refused.value.field == "date"


def test_change_event_with_a_revision_is_a_deployment_of_its_repository() -> None:
    (change,) = pagerduty_changes.read(delivery(payload("pagerduty-changes/change"))).delta.changes.values()
    assert (change.kind, change.subject, change.to_version) == (ChangeKind.DEPLOYMENT, "features", "v3")
    assert (change.environment, change.actor) == ("production", "release-bot")
    assert (change.url, change.summary) == ("https://ci.acme.dev/builds/2", "Deployed features v3 to production")
    assert change.effective_ns == parse_time_ns("2026-11-24T00:16:40.315Z", now_ns=0)


@pytest.mark.parametrize(
    ("details", "kind", "subject"),
    [
        ({}, ChangeKind.OTHER, "acme-build-pipeline"),
        ({"service": "checkout"}, ChangeKind.OTHER, "checkout"),
        ({"service": "checkout", "whence_entity": "otel://shop#pay"}, ChangeKind.OTHER, "otel://shop#pay"),
        ({"service": "checkout", "version": "7"}, ChangeKind.DEPLOYMENT, "checkout"),
    ],
)
def test_change_event_is_about_what_its_details_name(details: dict[str, str], kind: ChangeKind, subject: str) -> None:
    body = payload("pagerduty-changes/change")
    body["payload"]["custom_details"] = details
    (change,) = pagerduty_changes.read(delivery(body)).delta.changes.values()
    assert (change.kind, change.subject) == (kind, subject)


def test_change_events_of_equal_content_are_one_whoever_sends_them() -> None:
    sent = payload("pagerduty-changes/change")
    again = {**sent, "routing_key": "another"}
    assert pagerduty_changes.read(delivery(again)) == pagerduty_changes.read(delivery(sent))


@pytest.mark.parametrize("field", ["summary", "timestamp"])
def test_change_event_without_a_field_names_it(field: str) -> None:
    body = payload("pagerduty-changes/change")
    del body["payload"][field]
    with pytest.raises(InvalidQuery) as refused:
        pagerduty_changes.read(delivery(body))
    assert refused.value.field == f"payload.{field}"
