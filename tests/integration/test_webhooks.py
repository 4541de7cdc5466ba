"""Webhooks over HTTP onto the embedded store: who gets in, what is answered, and what the graph is afterwards."""

from __future__ import annotations

import hmac
import itertools
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.webhook_payloads import NOW_NS, NOW_S, github_signature, mlflow_signature, payload
from whence.api import create_app
from whence.errors import ConfigError
from whence.intake.webhooks import SOURCES
from whence.model.change import Change
from whence.model.delta import Entity
from whence.settings import Settings
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import ChangeQuery, SearchQuery

SHARED = Path(os.environ.get("WHENCE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "payloads"
ALL_TIME = ChangeQuery(from_ns=0, to_ns=2**62)
SECRETS = ("github:hub-secret", "mlflow:flow-secret")
DEPLOYMENT = {"X-GitHub-Event": "deployment_status"}
GITHUB_FILES = {
    "deployment": "deployment_payload.json",
    "deployment_status": "deployment_status_payload.json",
    "push": "push_payload.json",
    "release": "release_published.payload.json",
    "workflow_run": "workflow_run_completed.payload.json",
}


@asynccontextmanager
async def _whence(folder: Path, **settings: Any) -> AsyncIterator[tuple[httpx.AsyncClient, EmbeddedStore]]:
    store = EmbeddedStore(folder / "whence.db")
    await store.open()
    app = create_app(store=store, settings=Settings(**settings), ingest=None, clock=lambda: NOW_NS)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://whence/api/v1/webhooks/") as client:
        yield client, store
    await store.close()


async def _post(client: httpx.AsyncClient, source: str, body: object, headers: Mapping[str, str]) -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post(source, content=raw, headers={"Content-Type": "application/json", **headers})


async def _stored(store: EmbeddedStore) -> tuple[list[Change], list[Entity]]:
    changes = await store.changes(ALL_TIME)
    entities = await store.search(SearchQuery(limit=200))
    versions = [one for entity in entities.items for one in (await store.search(SearchQuery(base=entity.key))).items]
    return list(changes.items), [*entities.items, *versions]


async def test_deployment_unsigned_on_an_open_service_is_recorded_with_a_warning(tmp_path: Path) -> None:
    async with _whence(tmp_path) as (client, store):
        answer = await _post(client, "github", payload("github/deployment_status"), DEPLOYMENT)
        assert answer.status_code == 201
        assert answer.json() == {
            "source": "github",
            "event": "deployment_status",
            "changes": ["github:deployment:145988746"],
            "entities": [],
            "incidents": [],
            "ignored": None,
            "verified": False,
            "warning": "no secret is set for github, so nobody can tell who sent this: "
            "set WHENCE_WEBHOOK_SECRETS=github:<secret>",
        }
        change = await store.change("github:deployment:145988746")
        assert change is not None
        assert change.subject == "Hello-World"


async def test_event_that_is_no_change_is_answered_with_the_reason(tmp_path: Path) -> None:
    async with _whence(tmp_path) as (client, store):
        answer = await _post(client, "github", {"zen": "Design for failure."}, {"X-GitHub-Event": "ping"})
        assert (answer.status_code, answer.json()["event"]) == (202, "ping")
        assert answer.json()["ignored"] == "the webhook works; a ping is no change"
        assert await _stored(store) == ([], [])


async def test_registered_version_is_found_and_no_change(tmp_path: Path) -> None:
    async with _whence(tmp_path, mlflow_registry="https://mlflow.acme.dev") as (client, store):
        answer = await _post(client, "mlflow", payload("mlflow/model_version_created"), {})
        assert answer.status_code == 201
        base = "mlflow+https://mlflow.acme.dev#churn"
        assert answer.json()["entities"] == [base, f"{base}@version:1"]
        assert await store.entity(f"{base}@version:1") is not None
        assert await store.versions([base], None, None) == []
        assert (await store.changes(ALL_TIME)).items == ()


async def test_signed_deliveries_pass_without_a_token(tmp_path: Path) -> None:
    async with _whence(tmp_path, webhook_secrets=SECRETS, tokens=("token",)) as (client, _):
        body = json.dumps(payload("github/deployment_status"), indent=1).encode()
        answer = await _post(client, "github", body, DEPLOYMENT | github_signature(body, "hub-secret"))
        assert (answer.status_code, answer.json()["verified"], answer.json()["warning"]) == (201, True, None)
        body = json.dumps(payload("mlflow/alias_created")).encode()
        answer = await _post(client, "mlflow", body, mlflow_signature(body, "flow-secret"))
        assert (answer.status_code, answer.json()["verified"]) == (201, True)


def _grafana_headers(body: bytes, secret: str, signed_at_s: int = NOW_S) -> dict[str, str]:
    digest = hmac.new(secret.encode(), f"{signed_at_s}:".encode() + body, "sha256").hexdigest()
    return {"X-Grafana-Alerting-Signature": digest, "X-Grafana-Alerting-Timestamp": str(signed_at_s)}


async def test_grafana_that_signs_needs_no_token_and_is_refused_once_it_is_replayed(tmp_path: Path) -> None:
    body = json.dumps(payload("alertmanager/firing")).encode()
    async with _whence(tmp_path, webhook_secrets=("grafana:alert-secret",), tokens=("token",)) as (client, _):
        answer = await _post(client, "grafana", body, _grafana_headers(body, "alert-secret"))
        assert (answer.status_code, answer.json()["verified"]) == (201, True)
        replayed = _grafana_headers(body, "alert-secret", NOW_S - 301)
        for headers in ({}, replayed, {"Authorization": "Bearer token"}):
            assert (await _post(client, "grafana", body, headers)).status_code == 401


async def test_grafana_that_does_not_sign_brings_a_token(tmp_path: Path) -> None:
    async with _whence(tmp_path, tokens=("token",)) as (client, _):
        body = payload("alertmanager/firing")
        assert (await _post(client, "grafana", body, {})).status_code == 401
        answer = await _post(client, "grafana", body, {"Authorization": "Bearer token"})
        assert (answer.status_code, answer.json()["verified"]) == (201, True)


@pytest.mark.parametrize(("secret", "status"), [("old", 201), ("new", 201), ("older", 401)])
async def test_source_may_have_two_secrets_while_they_are_rotated(tmp_path: Path, secret: str, status: int) -> None:
    async with _whence(tmp_path, webhook_secrets=("github:old", "mlflow:x", "github:new"), tokens=("t",)) as (
        client,
        _,
    ):
        body = json.dumps(payload("github/deployment_status")).encode()
        answer = await _post(client, "github", body, DEPLOYMENT | github_signature(body, secret))
        assert answer.status_code == status


async def test_deliveries_that_nobody_vouches_for_are_refused_and_counted(tmp_path: Path) -> None:
    github, mlflow = (
        json.dumps(payload(name)).encode() for name in ("github/deployment_status", "mlflow/alias_created")
    )
    refused: list[tuple[str, bytes, Mapping[str, str], str]] = [
        ("github", github, {}, "missing"),
        ("github", github, github_signature(github, "flow-secret"), "wrong"),
        ("github", github + b" ", github_signature(github, "hub-secret"), "wrong"),
        ("github", b"not even JSON", {}, "missing"),
        ("mlflow", mlflow, {}, "missing"),
        ("mlflow", mlflow, mlflow_signature(mlflow, "flow-secret", signed_at_s=NOW_S - 301), "stale"),
    ]
    async with _whence(tmp_path, webhook_secrets=SECRETS) as (client, store):
        for source, body, headers, _ in refused:
            answer = await _post(client, source, body, DEPLOYMENT | dict(headers))
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Signature")
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["type"] == "/problems/bad-signature"
        assert await _stored(store) == ([], [])
        metrics = (await client.get("http://whence/metrics")).text
        for source, reason, count in (("github", "missing", 2), ("github", "wrong", 2), ("mlflow", "stale", 1)):
            assert f'whence_webhook_rejections_total{{source="{source}",reason="{reason}"}} {count}\n' in metrics


async def test_source_without_secret_is_refused_where_tokens_are_set(tmp_path: Path) -> None:
    async with _whence(tmp_path, tokens=("token",)) as (client, _):
        headers = DEPLOYMENT | {"Authorization": "Bearer token"}
        answer = await _post(client, "github", payload("github/deployment_status"), headers)
        assert answer.status_code == 401
        assert "WHENCE_WEBHOOK_SECRETS=github:<secret>" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("authorization", "status"), [("", 401), ("Bearer wrong", 401), ("Bearer reader", 403), ("Bearer sender", 201)]
)
async def test_cdevents_need_a_token_that_may_ingest(tmp_path: Path, authorization: str, status: int) -> None:
    async with _whence(tmp_path, tokens=("read:reader", "ingest:sender")) as (client, _):
        headers = {"Authorization": authorization} if authorization else {}
        answer = await _post(client, "cdevents", payload("cdevents/service_deployed"), headers)
        assert answer.status_code == status
        if status == 201:
            assert answer.json()["verified"] is True
        else:
            scrape = await client.get("http://whence/metrics", headers={"Authorization": "Bearer reader"})
            assert 'whence_webhook_rejections_total{source="cdevents",reason="token"} 1\n' in scrape.text


async def test_unknown_source_lists_the_known_ones(tmp_path: Path) -> None:
    async with _whence(tmp_path) as (client, _):
        answer = await _post(client, "gitea", {}, {})
        assert answer.status_code == 404
        assert answer.json()["detail"] == f"there is no webhook source 'gitea'; known: {', '.join(sorted(SOURCES))}"


@pytest.mark.parametrize(
    ("source", "body", "status", "place"),
    [
        ("github", b"{", 400, None),
        ("github", b'{"deployment_status": {"state": "success"}}', 422, "/deployment_status/created_at"),
        ("mlflow", b"{}", 422, "/entity"),
        ("cdevents", b'{"specversion": "1.0", "data": {}}', 422, "/data/context/type"),
    ],
)
async def test_body_that_cannot_be_read_is_a_problem_that_names_the_field(
    tmp_path: Path, source: str, body: bytes, status: int, place: str | None
) -> None:
    async with _whence(tmp_path) as (client, _):
        answer = await _post(client, source, body, DEPLOYMENT)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
        assert [one["pointer"] for one in answer.json().get("errors", [])] == ([place] if place else [])


async def test_deliveries_out_of_order_and_twice_leave_the_same_graph(tmp_path: Path) -> None:
    first = payload("github/deployment_status")
    again = payload("github/deployment_status")
    again["deployment_status"] |= {"created_at": "2019-05-15T15:25:00Z", "target_url": "https://ci.example.org/8"}
    moved = payload("mlflow/alias_created") | {"timestamp": "2026-11-24T00:20:50Z"}
    moved["data"]["version"] = "2"
    version = payload("mlflow/model_version_created")
    late = version | {"timestamp": "2026-11-24T00:20:42Z", "data": version["data"] | {"run_id": "cd4d"}}
    deliveries = [
        ("github", first),
        ("github", again),
        ("mlflow", payload("mlflow/alias_created")),
        ("mlflow", moved),
        ("mlflow", version),
        ("mlflow", late),
        ("cdevents", payload("cdevents/service_deployed")),
    ]
    graphs = []
    for number, order in enumerate(itertools.islice(itertools.permutations(deliveries), 0, 5040, 720)):
        (tmp_path / str(number)).mkdir()
        async with _whence(tmp_path / str(number)) as (client, store):
            for source, body in (*order, *order[:3], order[0]):
                assert (await _post(client, source, body, DEPLOYMENT)).status_code == 201
            graphs.append(await _stored(store))
    assert all(graph == graphs[0] for graph in graphs)
    changes, entities = graphs[0]
    assert (len(changes), len(entities)) == (4, 2)
    deployed = next(change for change in changes if change.source == "github")
    assert deployed.url == "https://ci.example.org/8"


@pytest.mark.parametrize("secret", ["cdevents:secret", "gitea:secret"])
def test_secret_that_would_never_be_used_stops_the_start(tmp_path: Path, secret: str) -> None:
    settings = Settings(webhook_secrets=(secret,))
    with pytest.raises(
        ConfigError,
        match="alert, flux, github, gitlab, grafana, launchdarkly, mlflow, pagerduty, pagerduty-changes are",
    ):
        create_app(store=EmbeddedStore(tmp_path / "whence.db"), settings=settings, ingest=None, clock=lambda: NOW_NS)


def _captured() -> Iterator[tuple[str, bytes, Mapping[str, str]]]:
    """Source, body and headers of every real delivery."""
    for path in (SHARED / "third-party" / "cdevents").glob("*.json"):
        yield "cdevents", path.read_bytes(), {}
    for event, name in GITHUB_FILES.items():
        yield "github", (SHARED / "third-party" / "github" / name).read_bytes(), {"X-GitHub-Event": event}
    folder = SHARED / "mlflow" / "webhooks"
    for line in (folder / "index.jsonl").read_text().splitlines():
        sent = json.loads(line)
        path = folder / f"{sent['n']:04}_mlflow-webhook.json"
        if path.exists():
            yield "mlflow", path.read_bytes(), {k: v for k, v in sent["headers"].items() if k.startswith("X-")}


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no captured payloads in {SHARED}")
async def test_every_captured_payload_is_taken(tmp_path: Path) -> None:
    events = {}
    async with _whence(tmp_path) as (client, _):
        for source, body, headers in _captured():
            answer = await _post(client, source, body, headers)
            events[answer.json().get("event", answer.text)] = answer.status_code
    assert events == {
        "service.deployed": 201,
        "service.upgraded": 201,
        "service.rolledback": 201,
        "artifact.published": 201,
        "change.merged": 201,
        "environment.modified": 201,
        "incident.detected": 201,
        "incident.resolved": 201,
        "deployment": 202,
        "deployment_status": 201,
        "push": 202,
        "release": 201,
        "workflow_run": 202,
        "registered_model.created": 202,
        "model_version.created": 201,
        "model_version_alias.created": 201,
    }


MAPPINGS = """
zabbix:
  alerts: body.problems
  id: alert.eventid
  status: 'alert.value == "1" ? "firing" : "resolved"'
  title: alert.name
"""


async def test_alerts_of_an_unknown_tool_open_incidents_as_the_operators_file_says(tmp_path: Path) -> None:
    (tmp_path / "mappings.yaml").write_text(MAPPINGS)
    async with _whence(tmp_path, alert_mappings=tmp_path / "mappings.yaml") as (client, _):
        body = {
            "problems": [{"eventid": "1", "value": "1", "name": "slow"}, {"eventid": "2", "value": "0", "name": "b"}]
        }
        taken = await _post(client, "alert?mapping=zabbix", body, {})
        assert (taken.status_code, len(taken.json()["incidents"])) == (201, 2)
        for address in ("alert?mapping=nagios", "github?mapping=zabbix"):
            refused = await _post(client, address, body, {})
            assert refused.status_code == 404
            assert "zabbix" in refused.text


@pytest.mark.parametrize("text", ["zabbix: [", "zabbix: 3", "zabbix: {id: a}", "- a"])
async def test_mappings_that_can_not_work_are_refused_at_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "mappings.yaml").write_text(text)
    with pytest.raises(ConfigError, match="WHENCE_ALERT_MAPPINGS"):
        async with _whence(tmp_path, alert_mappings=tmp_path / "mappings.yaml"):
            raise AssertionError("it started")
