"""Each record counts once, and traces stay whole, whatever becomes of the consumers."""

from __future__ import annotations

import asyncio
import random
import secrets
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.kafka_topics import Topics, call_halves, kafka_metric
from tests.neo4j_server import Neo4jAddress
from tests.tcp_proxy import TcpProxy
from tests.waiting import eventually
from tests.whence_server import WhenceServer
from whence.model.refs import service_ref
from whence.otlp import Encoding
from whence.store.bolt import BoltStore
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import BucketQuery, Store

SHOP, PAY = str(service_ref("", "shop")), str(service_ref("", "pay"))
HALVES_APART = 40
PAUSE_SECONDS = 0.004


class Traffic(threading.Thread):
    """Sends calls in halves, the second some calls after the first, until it is told to end."""

    def __init__(self, topics: Topics, topic: str) -> None:
        super().__init__(daemon=True)
        self._topics, self._topic = topics, topic
        self._ending = threading.Event()
        self.calls = 0

    def run(self) -> None:
        waiting: deque[tuple[bytes, bytes]] = deque()
        while not self._ending.is_set():
            trace_id = secrets.token_bytes(16)
            first, second = call_halves(trace_id)
            self._topics.send(self._topic, first, trace_id)
            waiting.append((second, trace_id))
            self.calls += 1
            if len(waiting) > HALVES_APART:
                self._topics.send(self._topic, *waiting.popleft())
            time.sleep(PAUSE_SECONDS)
        for half in waiting:
            self._topics.send(self._topic, *half)
        self._topics.flush()

    def end(self) -> int:
        """The number of calls that were sent."""
        self._ending.set()
        self.join()
        return self.calls


def counts(store: Store) -> tuple[float, float, float]:
    """Spans of ``shop``, spans of ``pay``, calls between the two."""

    async def read() -> tuple[float, float, float]:
        await store.open()
        query = BucketQuery((SHOP, PAY), 0, 2**33)
        operations, edges = await store.operation_rows(query), await store.edge_rows(query)
        await store.close()
        by_node = {node: sum(row.calls for row in operations if row.node == node) for node in (SHOP, PAY)}
        return by_node[SHOP], by_node[PAY], sum(edge.calls for edge in edges)

    return asyncio.run(read())


@pytest.fixture
def store_settings(neo4j_address: Neo4jAddress) -> dict[str, str]:
    user, password = neo4j_address.auth or ("neo4j", "")
    return {"WHENCE_STORE": neo4j_address.uri, "WHENCE_STORE_USER": user, "WHENCE_STORE_PASSWORD": password}


@pytest.fixture
def started() -> Iterator[Callable[[WhenceServer], WhenceServer]]:
    """Starts servers and stops them in the end, whatever the test came to."""
    servers: list[WhenceServer] = []

    def start(server: WhenceServer) -> WhenceServer:
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def start_another(
    started: Callable[[WhenceServer], WhenceServer], store_settings: dict[str, str], tmp_path: Path
) -> Callable[[Topics], WhenceServer]:
    """Starts servers on one Neo4j."""
    return lambda topics: started(topics.server(tmp_path / secrets.token_hex(4), **store_settings))


def kill(consumer: WhenceServer, _successor: WhenceServer) -> None:
    consumer.kill()


def freeze(consumer: WhenceServer, successor: WhenceServer) -> None:
    """Let it believe that it has its partitions while another reads them and commits."""
    assert consumer.process is not None
    consumer.process.send_signal(signal.SIGSTOP)
    try:
        assert eventually(lambda: kafka_metric(successor, "assigned_partitions") == 4)
        before = kafka_metric(successor, "commits_total")
        assert eventually(lambda: kafka_metric(successor, "commits_total") > before + 1)
    finally:
        consumer.process.send_signal(signal.SIGCONT)


@pytest.mark.neo4j
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("happens", [kill, freeze])
def test_two_consumers_one_going_and_one_joining_count_every_span_and_every_call_once(
    happens: Callable[[WhenceServer, WhenceServer], None],
    kafka_address: str,
    make_bolt_store: Callable[[], BoltStore],
    start_another: Callable[[Topics], WhenceServer],
) -> None:
    topics = Topics(kafka_address)
    topic = topics.make("spans_proto", partitions=4)
    first, second = start_another(topics), start_another(topics)
    assert eventually(lambda: [kafka_metric(one, "assigned_partitions") for one in (first, second)] == [2, 2])
    traffic = Traffic(topics, topic)
    traffic.start()
    assert eventually(lambda: kafka_metric(first, "commits_total") > 1 and kafka_metric(second, "commits_total") > 1)
    time.sleep(random.uniform(0, 1.5))
    happens(first, second)
    third = start_another(topics)
    assert eventually(lambda: kafka_metric(third, "commits_total") > 1)
    calls = traffic.end()

    assert eventually(lambda: min(counts(make_bolt_store())) >= calls), (counts(make_bolt_store()), calls)
    for server in (first, second, third):
        server.stop()
    assert counts(make_bolt_store()) == (calls, calls, calls)


@pytest.mark.slow
def test_json_without_keys_over_many_partitions_is_paired_by_one_consumer_even_if_killed(
    kafka_address: str, started: Callable[[WhenceServer], WhenceServer], tmp_path: Path
) -> None:
    topics = Topics(kafka_address)
    topic = topics.make("spans_json", partitions=3)
    server = started(topics.server(tmp_path / "data"))
    halves = [call_halves(secrets.token_bytes(16), Encoding.JSON) for _ in range(60)]
    for first, _ in halves:
        topics.send(topic, first)
    topics.flush()
    assert eventually(lambda: kafka_metric(server, "records_without_key_total") == 60)
    assert eventually(lambda: kafka_metric(server, "open_spans") == 60)
    server.kill()
    for _, second in halves:
        topics.send(topic, second)
    topics.flush()
    server.start()
    assert eventually(lambda: kafka_metric(server, "lag_records") == 0 and kafka_metric(server, "commits_total") > 1)
    server.stop()
    server.start()
    store = EmbeddedStore(tmp_path / "data" / "whence.db")
    assert eventually(lambda: counts(store) == (60, 60, 60)), counts(store)


@pytest.mark.neo4j
@pytest.mark.slow
def test_store_that_is_away_stops_the_reading_and_gets_everything_once_when_it_is_back(
    kafka_address: str,
    neo4j_address: Neo4jAddress,
    make_bolt_store: Callable[[], BoltStore],
    store_settings: dict[str, str],
    started: Callable[[WhenceServer], WhenceServer],
    tmp_path: Path,
) -> None:
    where = urlsplit(neo4j_address.uri)
    proxy = TcpProxy(where.hostname or "127.0.0.1", where.port or 7687)
    topics = Topics(kafka_address)
    topic = topics.make("spans_proto", partitions=2)
    settings = store_settings | {"WHENCE_STORE": f"bolt://127.0.0.1:{proxy.port}", "WHENCE_TRACE_IDLE_SECONDS": "1"}
    server = started(topics.server(tmp_path / "data", **settings))
    send_calls(topics, topic, 50)
    assert eventually(lambda: counts(make_bolt_store()) == (50, 50, 50))
    proxy.cut()
    send_calls(topics, topic, 50)
    assert eventually(lambda: "the store did not take" in server.log.read_text())
    send_calls(topics, topic, 50)
    proxy.restore()
    assert eventually(lambda: min(counts(make_bolt_store())) >= 150), counts(make_bolt_store())
    server.stop()
    assert counts(make_bolt_store()) == (150, 150, 150)
    proxy.cut()


def send_calls(topics: Topics, topic: str, count: int) -> None:
    for _ in range(count):
        trace_id = secrets.token_bytes(16)
        for half in call_halves(trace_id):
            topics.send(topic, half, trace_id)
    topics.flush()
