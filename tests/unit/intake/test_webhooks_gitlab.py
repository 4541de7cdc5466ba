"""GitLab's deliveries to changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webhook_payloads import NOW_NS, delivery, payload
from whence.errors import InvalidQuery
from whence.intake.webhooks import gitlab
from whence.model.change import Change
from whence.model.delta import merge
from whence.model.kinds import ChangeKind
from whence.model.times import parse_time_ns

COMMIT = "9d59409acf479dfa0df1aa568182e43e43df8bbe"
AT_NS = parse_time_ns("2026-11-24T00:12:00Z", now_ns=0)


def _change(body: dict[str, Any]) -> Change:
    (change,) = gitlab.read(delivery(body)).delta.changes.values()
    return change


def test_deployment_that_succeeded_is_a_deployment_of_the_whole_commit() -> None:
    assert _change(payload("gitlab/deployment")) == Change(
        id="gitlab:shop/ranking:job:7961",
        kind=ChangeKind.DEPLOYMENT,
        subject="ranking",
        effective_ns=AT_NS,
        known_ns=NOW_NS,
        reported_ns=AT_NS,
        to_version=COMMIT,
        environment="production",
        actor="release-bot",
        url="https://gitlab.acme.dev/shop/ranking/-/jobs/7961",
        summary="Rank by margin",
        source="gitlab",
    )


@pytest.mark.parametrize("status", ["created", "running", "failed", "canceled", "blocked", "approved"])
def test_deployment_in_any_other_state_is_no_change(status: str) -> None:
    receipt = gitlab.read(delivery(payload("gitlab/deployment") | {"status": status}))
    assert receipt.delta.rows == 0
    assert status in (receipt.ignored or "")


def test_deployment_by_the_api_goes_by_its_own_id_and_short_commit() -> None:
    body = payload("gitlab/deployment") | {"deployable_id": None, "deployable_url": None, "commit_url": None}
    change = _change(body)
    assert (change.id, change.to_version) == ("gitlab:shop/ranking:deployment:1208", "9d59409a")
    assert change.url == "https://gitlab.acme.dev/shop/ranking"


def test_pipeline_is_the_deployments_of_its_jobs_and_nothing_else() -> None:
    (change,) = gitlab.read(delivery(payload("gitlab/pipeline"))).delta.changes.values()
    assert (change.id, change.subject, change.to_version) == ("gitlab:shop/ranking:job:7961", "ranking", COMMIT)
    assert (change.environment, change.effective_ns) == ("production", AT_NS)


def test_pipeline_that_deploys_nothing_is_no_change() -> None:
    body = payload("gitlab/pipeline")
    body["builds"] = body["builds"][:1]
    assert gitlab.read(delivery(body)).ignored == "none of its jobs has deployed anything"


def test_deployment_and_pipeline_of_one_job_are_one_change_in_either_order() -> None:
    told = [gitlab.read(delivery(payload(f"gitlab/{name}"))).delta for name in ("deployment", "pipeline")]
    assert merge(*told) == merge(*reversed(told))
    assert list(merge(*told).changes) == ["gitlab:shop/ranking:job:7961"]


def test_release_is_a_change_to_its_tag_that_runs_nowhere_yet() -> None:
    change = _change(payload("gitlab/release"))
    assert (change.kind, change.to_version, change.environment) == (ChangeKind.OTHER, "v2.4.1", "")
    assert gitlab.read(delivery(payload("gitlab/release") | {"action": "update"})).ignored


@pytest.mark.parametrize("kind", ["push", "tag_push", "build", "feature_flag", "merge_request", "wiki_page"])
def test_other_hooks_are_no_change_and_say_why(kind: str) -> None:
    receipt = gitlab.read(delivery(payload("gitlab/tag_push") | {"object_kind": kind}))
    assert (receipt.event, receipt.delta.rows) == (kind, 0)
    assert receipt.ignored


@pytest.mark.parametrize("field", ["object_kind", "status", "status_changed_at"])
def test_deployment_without_a_field_names_it(field: str) -> None:
    body = payload("gitlab/deployment")
    del body[field]
    with pytest.raises(InvalidQuery) as refused:
        gitlab.read(delivery(body))
    assert refused.value.field == field


def test_job_that_deployed_without_saying_when_names_its_place() -> None:
    body = payload("gitlab/pipeline")
    body["builds"][1]["finished_at"] = None
    with pytest.raises(InvalidQuery) as refused:
        gitlab.read(delivery(body))
    assert refused.value.field == "builds.1.finished_at"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-24 00:12:00 UTC", "2026-11-24T00:12:00Z"),
        ("2026-11-24 01:12:00 +0100", "2026-11-24T00:12:00Z"),
        ("2026-11-23T19:12:00.5-05:00", "2026-11-24T00:12:00.5Z"),
    ],
)
def test_times_are_read_in_every_way_that_gitlab_writes_them(written: str, meant: str) -> None:
    change = _change(payload("gitlab/deployment") | {"status_changed_at": written})
    assert change.effective_ns == parse_time_ns(meant, now_ns=0)
