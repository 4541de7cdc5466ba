"""Topics of a test, what is written to them, and whence processes that read them."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path

import httpx
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.otlp_requests import add_span, resource, traces
from tests.unit.otlp.wire import body_of
from tests.waiting import WAIT_SECONDS
from tests.whence_server import WhenceServer
from whence.otlp import Encoding

FAST = {
    "WHENCE_KAFKA_COMMIT_SECONDS": "1",
    "WHENCE_KAFKA_CLIENT": "session.timeout.ms=6000,transaction.timeout.ms=6000",
    "WHENCE_FLUSH_SECONDS": "0.2",
}


class Topics:
    """Topics with names of their own at one broker."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.tag = secrets.token_hex(4)
        self.dead_letters = f"dead-{self.tag}"
        self._producer = Producer({"bootstrap.servers": address})
        self._contents: dict[str, str] = {}

    def make(self, content: str, partitions: int = 1) -> str:
        """A new topic that whence reads as this content."""
        name = f"{content.replace('_', '-')}-{self.tag}"
        admin = AdminClient({"bootstrap.servers": self.address})
        for future in admin.create_topics([NewTopic(name, partitions)]).values():
            future.result()
        self._contents[name] = content
        return name

    def send(self, topic: str, value: bytes, key: bytes | None = None) -> None:
        self._producer.produce(topic, value, key)
        self._producer.poll(0)

    def flush(self) -> None:
        assert self._producer.flush(WAIT_SECONDS) == 0

    def server(self, data_dir: Path, **environment: str) -> WhenceServer:
        """A whence that reads all topics made so far, in one group with its siblings; not started."""
        named = {
            "WHENCE_KAFKA_BOOTSTRAP": self.address,
            "WHENCE_KAFKA_TOPICS": ",".join(f"{content}:{topic}" for topic, content in self._contents.items()),
            "WHENCE_KAFKA_GROUP": f"group-{self.tag}",
            "WHENCE_KAFKA_JOURNAL": f"journal-{self.tag}",
            "WHENCE_KAFKA_DEAD_LETTERS": self.dead_letters,
        }
        return WhenceServer(data_dir, {**named, **FAST, **environment})

    def dead(self, count: int) -> list[Message]:
        """So many dead letters, oldest first."""
        settings = {"bootstrap.servers": self.address, "group.id": "looking", "isolation.level": "read_committed"}
        consumer = Consumer(settings)
        consumer.assign([TopicPartition(self.dead_letters, 0, 0)])
        found: list[Message] = []
        deadline = time.monotonic() + WAIT_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                found.append(message)
        consumer.close()
        return found


def kafka_metric(server: WhenceServer, name: str) -> float:
    """Sum of a metric of the consumer over its labels."""
    text = httpx.get(f"{server.api}/metrics", timeout=30).text
    return sum(float(value) for value in re.findall(rf"^whence_kafka_{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


def call_halves(
    trace_id: bytes, encoding: Encoding = Encoding.PROTOBUF, start_ns: int | None = None
) -> tuple[bytes, bytes]:
    """Two requests of one trace: a client span of ``shop``, and the server span of ``pay`` that answered it."""
    caller, callee = resource("shop"), resource("pay")
    span_id = add_span(caller, "POST /pay", trace_id=trace_id, start_ns=start_ns)
    caller.scope_spans[0].spans[0].kind = Span.SPAN_KIND_CLIENT
    add_span(callee, "pay", trace_id=trace_id, parent_id=span_id, start_ns=start_ns)
    return body_of(traces(caller), encoding), body_of(traces(callee), encoding)
