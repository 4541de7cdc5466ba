"""The store goes away under load: what was acknowledged arrives later, and what can't be kept is refused."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.neo4j_server import Neo4jAddress
from tests.otlp_requests import PROTOBUF, some_spans
from tests.tcp_proxy import TcpProxy
from tests.waiting import eventually
from tests.whence_server import WhenceServer, running_whence

SPANS = 400


def send(server: WhenceServer, service: str) -> httpx.Response:
    body = some_spans(service, SPANS)
    return httpx.post(f"{server.otlp_http}/v1/traces", content=body, headers=PROTOBUF, timeout=30)


def is_known(server: WhenceServer, service: str) -> bool:
    answer = httpx.get(f"{server.api}/api/v1/entities", params={"q": service}, timeout=30)
    return answer.status_code == 200 and bool(answer.json()["items"])


@pytest.mark.neo4j
@pytest.mark.slow
def test_store_down_refuses_with_retry_after_and_delivers_what_was_acknowledged(
    neo4j_address: Neo4jAddress, tmp_path: Path
) -> None:
    parts = urlsplit(neo4j_address.uri)
    proxy = TcpProxy(parts.hostname or "127.0.0.1", parts.port or 7687)
    user, password = neo4j_address.auth or ("neo4j", "")
    environment = {
        "WHENCE_STORE": f"bolt://127.0.0.1:{proxy.port}",
        "WHENCE_STORE_USER": user,
        "WHENCE_STORE_PASSWORD": password,
        "WHENCE_TRACE_IDLE_SECONDS": "0.2",
        "WHENCE_FLUSH_SECONDS": "0.2",
        "WHENCE_SPOOL_MAX_BYTES": "400000",
    }
    with running_whence(tmp_path / "data", **environment) as server:
        assert send(server, "before").status_code == 200
        assert eventually(lambda: is_known(server, "before"))

        proxy.cut()
        acknowledged, refused = [], None
        for number in range(200):
            answer = send(server, f"during-{number}")
            if answer.status_code != 200:
                refused = answer
                break
            acknowledged.append(f"during-{number}")
        assert acknowledged
        assert refused is not None
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 5
        read = httpx.get(f"{server.api}/api/v1/entities", params={"q": "before"}, timeout=60)
        assert read.status_code == 503
        assert 0 < int(read.headers["retry-after"]) <= 5

        proxy.restore()
        assert eventually(lambda: all(is_known(server, service) for service in acknowledged))
        assert eventually(lambda: send(server, "after").status_code == 200)
    proxy.cut()
