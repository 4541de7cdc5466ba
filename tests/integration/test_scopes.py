"""Which scope each route and each tool needs, written down once more; and who did what."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.api import running_api
from tests.integration.test_api_errors import OPEN, routes
from whence.tokens import Scope

INGEST = {("POST", "/api/v1/changes"), ("POST", "/api/v1/lineage"), ("POST", "/api/v1/lineage/batch")}
WRITE = {
    ("POST", "/api/v1/declarations"),
    ("PUT", "/api/v1/declarations/name"),
    ("DELETE", "/api/v1/declarations/name"),
    ("POST", "/api/v1/incidents"),
    ("POST", "/api/v1/incidents/incident_id/status"),
    ("POST", "/api/v1/incidents/incident_id/entity"),
    ("POST", "/api/v1/incidents/incident_id/investigations"),
    ("POST", "/api/v1/incidents/incident_id/merge"),
    ("POST", "/api/v1/incidents/incident_id/part"),
    ("POST", "/api/v1/incidents/incident_id/split"),
    ("POST", "/api/v1/investigations/answer_id/feedback"),
}
ADMIN = {("PUT", "/api/v1/policies/name"), ("DELETE", "/api/v1/policies/name")}
QUESTIONS = {
    ("POST", "/api/v1/investigations"),
    ("POST", "/api/v1/policies/check"),
    ("POST", "/api/v1/check"),
}
"""Read, though they are posted."""


def needed(method: str, path: str) -> Scope:
    for scope, members in {Scope.INGEST: INGEST, Scope.WRITE: WRITE, Scope.ADMIN: ADMIN}.items():
        if (method, path) in members:
            return scope
    return Scope.READ


async def test_every_route_wants_its_scope_and_no_other(tmp_path: Path) -> None:
    tokens = ",".join(f"{scope}:{scope}-secret" for scope in Scope)
    seen = set()
    async with running_api(tmp_path, tokens=tokens) as api:
        for method, path in routes(tmp_path):
            if path in OPEN or "/webhooks/" in path:
                continue
            seen.add((method, path))
            for scope in Scope:
                headers = {"authorization": f"Bearer {scope}-secret"}
                response = await api.client.request(method, path, headers=headers, content=b"{")
                is_refused = response.status_code == 403
                assert is_refused is (scope is not needed(method, path)), (method, path, scope, response.status_code)
    assert seen >= INGEST | WRITE | ADMIN
    posted = {one for one in seen if one[0] != "GET"}
    assert posted <= INGEST | WRITE | ADMIN | QUESTIONS


async def test_audit_log_names_the_token_and_the_deed(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    async with running_api(tmp_path, tokens="ci@ingest:sesame,look@read:look", audit_log=log) as api:
        change = {"kind": "config", "subject": "a"}
        sender, reader = ({"authorization": f"Bearer {one}"} for one in ("sesame", "look"))
        assert (await api.client.post("/api/v1/changes", json=change, headers=sender)).status_code == 201
        assert (await api.client.post("/api/v1/changes", json=change, headers=reader)).status_code == 403
        assert (await api.client.post("/api/v1/changes", json=change)).status_code == 401
        assert (await api.client.get("/api/v1/entities", headers=reader)).status_code == 200
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [(one["token"], one["method"], one["path"], one["status"]) for one in lines]
    deed = ("POST", "/api/v1/changes")
    assert told == [("ci", *deed, 201), (None, *deed, 403), (None, *deed, 401)]
    assert "sesame" not in log.read_text()
