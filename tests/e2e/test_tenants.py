"""What is told with the token of one tenant is in no answer to another's, on any route; and it outlives a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import grpc
import httpx
import pytest

from tests.neo4j_server import Neo4jAddress
from tests.otlp_requests import PROTOBUF, add_span, resource, traces
from tests.waiting import eventually
from tests.whence_server import WhenceServer, running_whence
from whence.ui.routes import VIEWS

MARK = "zebra"
SERVICE = f"otel://#{MARK}-shop"
TOKENS = "zoo/all@zoo-secret,farm/all@farm-secret,plain-secret"
FAST = {"WHENCE_TRACE_IDLE_SECONDS": "0.2", "WHENCE_FLUSH_SECONDS": "0.2", "WHENCE_TOKENS": TOKENS}
ZOO, FARM, NAMELESS = ({"authorization": f"Bearer {one}-secret"} for one in ("zoo", "farm", "plain"))
SPANS = 40
POLICY = f"""\
whence: 1
policies:
  - name: {MARK}-rule
    because: the law
    forbid: label == "{MARK}" && "{MARK}" in dependent.purposes
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhenceServer]:
    with running_whence(tmp_path_factory.mktemp("tenants") / "data", **FAST) as running:
        yield running


@pytest.fixture(scope="module")
def told(server: WhenceServer) -> dict[str, str]:
    """Everything that one tenant can tell, by every way in; ids and names for the parameters of routes."""
    assert send(server, ZOO, f"{MARK}-shop").status_code == 200
    assert eventually(lambda: is_known(server, ZOO, f"{MARK}-shop"))
    change = posted(server, "changes", {"kind": "config", "subject": SERVICE, "title": f"{MARK} change"})
    event = {
        "eventTime": "2026-01-01T00:00:00Z",
        "eventType": "COMPLETE",
        "run": {"runId": "01234567-89ab-7def-8123-456789abcdef"},
        "job": {"namespace": "jobs", "name": f"{MARK}-job"},
        "outputs": [{"namespace": "postgres://db:5432", "name": f"shop.{MARK}"}],
    }
    posted(server, "lineage", event)
    declared = f"whence: 1\nthings:\n  - {{name: {MARK}-shop, owner: {MARK}-team, calls: [{MARK}-other]}}\n"
    put(server, f"declarations/{MARK}.yaml", declared)
    put(server, f"policies/{MARK}.yaml", POLICY)
    incident = posted(server, "incidents", {"entity": SERVICE, "title": f"{MARK} hurts"})
    answer = posted(server, "investigations", {"symptom": {"entity": SERVICE, "signal": "errors"}})
    ids = {"incident_id": incident["id"], "answer_id": answer["id"], "change_id": change["id"]}
    return {"ref": SERVICE, "name": f"{MARK}.yaml", **ids}


def send(server: WhenceServer, headers: dict[str, str], service: str) -> httpx.Response:
    block = resource(service, "v1")
    for _ in range(SPANS):
        add_span(block, f"GET /{service}")
    body = traces(block).SerializeToString()
    return httpx.post(f"{server.otlp_http}/v1/traces", content=body, headers={**PROTOBUF, **headers}, timeout=30)


def posted(server: WhenceServer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(f"{server.api}/api/v1/{path}", json=body, headers=ZOO, timeout=60)
    assert answer.is_success, answer.text
    return dict(answer.json()) if answer.content else {}


def put(server: WhenceServer, path: str, text: str) -> None:
    answer = httpx.put(f"{server.api}/api/v1/{path}", content=text, headers=ZOO, timeout=60)
    assert answer.is_success, answer.text


def is_known(server: WhenceServer, headers: dict[str, str], service: str) -> bool:
    answer = httpx.get(f"{server.api}/api/v1/entities", params={"q": service}, headers=headers, timeout=30)
    return bool(answer.json()["items"])


def test_no_route_tells_another_tenant(server: WhenceServer, told: dict[str, str]) -> None:
    schema = httpx.get(f"{server.api}/openapi.json", headers=ZOO).json()
    paths = [path for path, methods in schema["paths"].items() if "get" in methods]
    paths += [path.replace(":path", "") for path, _, methods in VIEWS if methods == ["GET"]]
    asked = {"entity": SERVICE, "ref": SERVICE, "q": MARK, "nodeId": SERVICE}
    own = set()
    with httpx.Client(base_url=server.api, timeout=60, params=asked) as client:
        for path in paths:
            address = path
            for name, value in told.items():
                address = address.replace(f"{{{name}}}", quote(value, safe=""))
            answer = client.get(address, headers=ZOO)
            assert answer.status_code < 500, answer.text
            if tells(answer):
                own.add(path)
            for others in (FARM, NAMELESS, {"cookie": "whence_token=farm-secret"}):
                answer = client.get(address, headers=others)
                assert answer.status_code < 500
                assert not tells(answer), (path, answer.text[:2000])
    assert len(own) >= 20, own


def tells(answer: httpx.Response) -> bool:
    """Whether something is in there that the question did not hold."""
    text = unquote(answer.text).replace(SERVICE, "")
    return f"{MARK}-" in text or f"{MARK} " in text


def test_no_route_changes_what_is_anothers(server: WhenceServer, told: dict[str, str]) -> None:
    incident, answer = f"/api/v1/incidents/{told['incident_id']}", f"/api/v1/investigations/{told['answer_id']}"
    deeds: list[tuple[str, dict[str, Any]]] = [
        (f"{incident}/status", {"status": "resolved"}),
        (f"{incident}/entity", {"entity": SERVICE}),
        (f"{incident}/investigations", {}),
        (f"{incident}/split", {"alerts": [{"source": "x", "key": "y"}]}),
        (f"{answer}/feedback", {"verdict": "unknown"}),
    ]
    for path, body in deeds:
        assert httpx.post(f"{server.api}{path}", json=body, headers=FARM).status_code == 404, path
    for name in ("declarations", "policies"):
        httpx.delete(f"{server.api}/api/v1/{name}/{told['name']}", headers=FARM)
        assert told["name"] in httpx.get(f"{server.api}/api/v1/{name}", headers=ZOO).text
    found = httpx.post(
        f"{server.api}/api/v1/investigations",
        json={"symptom": {"entity": SERVICE, "signal": "errors"}},
        headers=FARM,
    )
    assert found.status_code == 404


def test_both_ways_in_lead_to_the_tenant_of_the_token(server: WhenceServer) -> None:
    assert send(server, FARM, "barn").status_code == 200
    block = resource("stable", "v1")
    add_span(block)
    method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    with grpc.insecure_channel(server.otlp_grpc) as channel:
        export = channel.unary_unary(method, request_serializer=None, response_deserializer=None)
        export(traces(block).SerializeToString(), metadata=tuple(FARM.items()), timeout=30)
    assert eventually(lambda: all(is_known(server, FARM, name) for name in ("barn", "stable")))
    assert not any(is_known(server, others, name) for others in (ZOO, NAMELESS) for name in ("barn", "stable"))


def test_visitor_sees_the_tenant_of_the_token_that_was_typed_in(server: WhenceServer, told: dict[str, str]) -> None:
    with httpx.Client(base_url=server.api, follow_redirects=True, timeout=30) as browser:
        assert "token" in browser.get("/catalogue").text
        browser.post("/login", data={"token": "farm-secret"})
        assert MARK not in browser.get("/catalogue").text
        browser.post("/login", data={"token": "zoo-secret"})
        assert told["ref"] in browser.get("/catalogue").text


def test_tenant_that_a_file_names_later_is_there_and_outlives_a_kill(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("plain-secret\n")
    settings = {**FAST, "WHENCE_TOKENS": "", "WHENCE_TOKENS_FILE": str(tokens), "WHENCE_FLUSH_SECONDS": "3600"}
    with running_whence(tmp_path / "data", **settings) as server:
        assert send(server, FARM, "barn").status_code == 401
        tokens.write_text("plain-secret\nfarm/all@farm-secret\n")
        assert eventually(lambda: send(server, FARM, "barn").status_code == 200)
        server.kill()
        server.start()
        assert eventually(lambda: is_known(server, FARM, "barn"))
        assert not is_known(server, NAMELESS, "barn")


@pytest.mark.neo4j
def test_tenant_without_a_database_is_told_so_at_the_start(neo4j_address: Neo4jAddress, tmp_path: Path) -> None:
    user, password = neo4j_address.auth or ("neo4j", "")
    store = {"WHENCE_STORE": neo4j_address.uri, "WHENCE_STORE_USER": user, "WHENCE_STORE_PASSWORD": password}
    server = WhenceServer(tmp_path / "data", {**FAST, **store})
    with pytest.raises(AssertionError, match="whence-farm.*CREATE DATABASE"):
        server.start()
