"""Every error, from every route, in one shape; tokens, sizes and health."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from tests.integration.api import Api, problem_of, running_api
from whence.api import create_app
from whence.errors import StoreUnavailable
from whence.metrics import Metric, Sample, counter
from whence.settings import Settings
from whence.store.embedded import EmbeddedStore

OPEN = {"/healthz", "/readyz", "/problems", "/problems/code"}


def routes(tmp_path: Path) -> Iterator[tuple[str, str]]:
    app = create_app(store=EmbeddedStore(tmp_path / "unused.db"), settings=Settings(), ingest=None, clock=lambda: 0)
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            yield method.upper(), path.replace("{", "").replace("}", "")
    assert not [route for route in app.routes if isinstance(route, APIRoute) and not route.include_in_schema]


async def test_every_route_answers_errors_in_the_one_shape(api: Api, tmp_path: Path) -> None:
    for method, path in routes(tmp_path):
        response = await api.client.request(method, path, content=b"{", headers={"content-type": "application/json"})
        if response.is_error:
            problem_of(response)
        wrong = await api.client.request("PATCH", path)
        assert problem_of(wrong)["status"] == 405


async def test_every_route_but_health_wants_a_token(tmp_path: Path) -> None:
    tokens = "read:look,ingest:sesame"
    async with running_api(tmp_path, tokens=tokens) as api:
        for method, path in routes(tmp_path):
            if path in OPEN or "/webhooks/" in path:  # a webhook brings a signature instead
                continue
            refused = await api.client.request(method, path)
            assert (problem_of(refused)["status"], refused.headers["www-authenticate"]) == (401, "Bearer")
            guessed = await api.client.request(method, path, headers={"authorization": "Bearer guess"})
            assert problem_of(guessed)["status"] == 401


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("GET", "/api/v1/entities", "look", 200),
        ("GET", "/api/v1/entities", "sesame", 403),
        ("GET", "/metrics", "look", 200),
        ("POST", "/api/v1/changes", "look", 403),
        ("POST", "/api/v1/changes", "sesame", 201),
        ("POST", "/api/v1/lineage", "look", 403),
        ("POST", "/api/v1/investigations", "sesame", 403),
        ("POST", "/api/v1/investigations/inv-0/feedback", "look", 403),
        ("POST", "/api/v1/investigations/inv-0/feedback", "judge", 404),
    ],
)
async def test_token_does_what_its_scopes_say(tmp_path: Path, method: str, path: str, token: str, status: int) -> None:
    async with running_api(tmp_path, tokens="read:look,ingest:sesame,write:judge") as api:
        bodies = {"/api/v1/changes": {"kind": "config", "subject": "a"}, "/api/v1/lineage": {}}
        body = bodies.get(path, {"verdict": "unknown"})
        headers = {"authorization": f"Bearer {token}"}
        response = await api.client.request(method, path, headers=headers, json=body if method == "POST" else None)
        assert response.status_code == status


async def test_unknown_path_is_not_found_in_the_one_shape(api: Api) -> None:
    await api.problem("GET", "/api/v1/planets", 404)


async def test_body_that_is_not_json_gets_400(api: Api) -> None:
    headers = {"content-type": "application/json"}
    await api.problem("POST", "/api/v1/changes", 400, content=b"{kind:", headers=headers)


async def test_body_without_its_type_is_told_what_to_send(api: Api) -> None:
    problem = await api.problem("POST", "/api/v1/changes", 415, content=b'{"kind": "config"}')
    assert "application/json" in problem["detail"]


async def test_gzip_body_is_unpacked(api: Api) -> None:
    body = gzip.compress(json.dumps({"kind": "config", "subject": "a", "id": "c"}).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert (await api.client.post("/api/v1/changes", content=body, headers=headers)).status_code == 201


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"x" * 5000, "identity", 413),
        (gzip.compress(b"x" * 10_000_000), "gzip", 413),
        (gzip.compress(b"x" * 1000)[:-9], "gzip", 400),
        (b"plain", "gzip", 400),
        (b"{}", "br", 400),
    ],
)
async def test_body_beyond_a_limit_or_badly_packed_is_refused(
    tmp_path: Path, body: bytes, encoding: str, status: int
) -> None:
    async with running_api(tmp_path, max_body_bytes=4096) as api:
        headers = {"content-type": "application/json", "content-encoding": encoding}
        await api.problem("POST", "/api/v1/changes", status, content=body, headers=headers)


async def test_body_of_unknown_length_is_bounded_too(tmp_path: Path) -> None:
    async def endless() -> Iterator[bytes]:  # type: ignore[misc]
        while True:
            yield b"x" * 1000

    async with running_api(tmp_path, max_body_bytes=4096) as api:
        await api.problem("POST", "/api/v1/changes", 413, content=endless())


class Receivers:
    def __init__(self, *, ready: bool) -> None:
        self.ready = ready

    def is_ready(self) -> bool:
        return self.ready

    def metrics(self) -> Sequence[Metric]:
        return [counter("whence_accepted_bytes_total", "Bytes.", Sample(7))]


async def test_service_is_ready_once_store_and_receivers_are(tmp_path: Path) -> None:
    receivers = Receivers(ready=False)
    async with running_api(tmp_path, ingest=receivers) as api:
        assert await api.get("/healthz") == {"status": "ok"}
        waiting = await api.client.get("/readyz")
        assert problem_of(waiting)["status"] == 503
        assert int(waiting.headers["retry-after"]) <= 5
        receivers.ready = True
        assert await api.get("/readyz") == {"status": "ready"}


async def test_metrics_show_the_store_and_the_receivers(tmp_path: Path) -> None:
    async with running_api(tmp_path, ingest=Receivers(ready=True)) as api:
        response = await api.client.get("/metrics")
        assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert 'whence_store_rows{kind="changes"} 0' in response.text
        assert "whence_accepted_bytes_total 7" in response.text


async def test_store_that_is_gone_gets_503_with_a_short_retry_after(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone() -> None:
        raise StoreUnavailable("the store is gone")

    monkeypatch.setattr(api.store, "ping", gone)
    response = await api.client.get("/readyz")
    assert problem_of(response)["status"] == 503
    assert 0 < int(response.headers["retry-after"]) <= 5


async def test_defect_of_ours_gets_500_without_its_details(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> None:
        raise RuntimeError("sesame")

    monkeypatch.setattr(api.store, "ping", broken)
    response = await api.client.get("/readyz")
    assert problem_of(response)["status"] == 500
    assert "sesame" not in response.text


async def test_openapi_document_is_served_and_knows_every_noun(api: Api) -> None:
    document = await api.get("/openapi.json")
    assert {"/api/v1/changes", "/api/v1/investigations", "/api/v1/upstream"} <= document["paths"].keys()
    assert "HTTPValidationError" not in json.dumps(document)


async def test_type_of_an_error_leads_to_its_meaning(api: Api) -> None:
    problem = await api.problem("GET", "/api/v1/changes/dep-0", 404)
    kind = await api.get(problem["type"])
    assert (kind["type"], kind["status"], kind["title"]) == (problem["type"], 404, problem["title"])
    assert kind["meaning"]
    assert kind in await api.get("/problems")
    await api.problem("GET", "/problems/unheard-of", 404)
