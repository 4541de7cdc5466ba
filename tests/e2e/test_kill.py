"""``kill -9`` in the middle of ingest: what was acknowledged is there after a restart, once, even if sent again."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.otlp_requests import PROTOBUF, some_spans
from tests.whence_server import WhenceServer
from whence.model.refs import service_ref
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import BucketQuery

SPANS_PER_REQUEST = 20
ROUNDS = 4


class Sender(threading.Thread):
    """Sends requests, each for a service of its own, until the server goes away. Notes which were acknowledged."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.prefix = name
        self.sent: list[str] = []
        self.acknowledged: list[str] = []
        self.unanswered = b""

    def run(self) -> None:
        with httpx.Client(timeout=10) as client:
            for number in range(100_000):
                service = f"{self.prefix}-{number}"
                self.sent.append(service)
                body = some_spans(service, SPANS_PER_REQUEST)
                try:
                    answer = client.post(f"{self.url}/v1/traces", content=body, headers=PROTOBUF)
                except httpx.TransportError:
                    self.unanswered = body
                    return
                if answer.status_code == 200:
                    self.acknowledged.append(service)


def spans_in_store(data_dir: Path, services: list[str]) -> dict[str, int]:
    return asyncio.run(read_counts(data_dir, services))


async def read_counts(data_dir: Path, services: list[str]) -> dict[str, int]:
    store = EmbeddedStore(data_dir / "whence.db")
    await store.open()
    keys = {str(service_ref("", service)): service for service in services}
    rows = await store.operation_rows(BucketQuery(tuple(keys), 0, 2**33))
    await store.close()
    counts = dict.fromkeys(services, 0)
    for row in rows:
        counts[keys[row.node]] += round(row.calls)
    return counts


@pytest.mark.slow
def test_killed_server_keeps_what_it_acknowledged_and_counts_it_once(tmp_path: Path) -> None:
    fast = {"WHENCE_TRACE_IDLE_SECONDS": "0.3", "WHENCE_FLUSH_SECONDS": "0.2"}
    server = WhenceServer(tmp_path / "data", fast)
    random_ = random.Random()
    senders: list[Sender] = []
    for round_ in range(ROUNDS):
        server.start()
        pair = [Sender(server.otlp_http, f"r{round_}s{index}") for index in range(2)]
        senders += pair
        for sender in pair:
            sender.start()
        time.sleep(random_.uniform(0.4, 2.0))
        server.kill()
        for sender in pair:
            sender.join(timeout=20)
    server.start()
    time.sleep(2)  # what was open when it was killed is folded: span ids alone no longer tell
    for sender in senders:
        assert send_again(server, sender.unanswered) == 200
    time.sleep(2)
    server.stop()

    acknowledged = [service for sender in senders for service in sender.acknowledged]
    sent = [service for sender in senders for service in sender.sent]
    assert len(acknowledged) > 50
    counts = spans_in_store(server.data_dir, sent)
    assert {service: counts[service] for service in acknowledged} == dict.fromkeys(acknowledged, SPANS_PER_REQUEST)
    assert set(counts.values()) <= {0, SPANS_PER_REQUEST}
    assert {counts[sender.sent[-1]] for sender in senders} == {SPANS_PER_REQUEST}


@pytest.mark.slow
def test_request_sent_again_later_counts_once_over_segments_and_a_kill(tmp_path: Path) -> None:
    fast = {"WHENCE_TRACE_IDLE_SECONDS": "0.3", "WHENCE_FLUSH_SECONDS": "0.2"}
    server = WhenceServer(tmp_path / "data", fast)
    body = some_spans("shop", SPANS_PER_REQUEST)
    for stop in (server.kill, server.stop, server.kill):
        server.start()
        assert [send_again(server, body), send_again(server, body)] == [200, 200]
        time.sleep(1.5)
        assert send_again(server, body) == 200
        stop()
    server.start()
    time.sleep(1)
    server.stop()
    assert spans_in_store(server.data_dir, ["shop"]) == {"shop": SPANS_PER_REQUEST}


def send_again(server: WhenceServer, body: bytes) -> int:
    return httpx.post(f"{server.otlp_http}/v1/traces", content=body, headers=PROTOBUF, timeout=10).status_code
