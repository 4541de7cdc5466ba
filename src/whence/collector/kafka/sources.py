"""What to read from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from whence.collector.engine import Signal
from whence.otlp import Encoding


class Content(StrEnum):
    """What the records of a topic are. The first four are what the Collector's exporter writes."""

    SPANS_PROTO = "spans_proto"
    SPANS_JSON = "spans_json"
    LOGS_PROTO = "logs_proto"
    LOGS_JSON = "logs_json"
    OPENLINEAGE = "openlineage"
    CHANGES = "changes"


OTLP = {
    Content.SPANS_PROTO: (Signal.TRACES, Encoding.PROTOBUF),
    Content.SPANS_JSON: (Signal.TRACES, Encoding.JSON),
    Content.LOGS_PROTO: (Signal.LOGS, Encoding.PROTOBUF),
    Content.LOGS_JSON: (Signal.LOGS, Encoding.JSON),
}
"""Contents that an engine reads, and as what; all others are events, complete in themselves."""


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """How to read from Kafka."""

    bootstrap: str
    """Brokers, ``host:port`` comma separated."""
    topics: Mapping[str, Content]
    group: str
    dead_letters: str
    """Topic for records that nothing can be made of."""
    journal: str
    """Topic for what follows from committed records and is not known to be stored."""
    commit_seconds: float
    client: Mapping[str, str]
    """Properties of librdkafka: security, timeouts. They go before our defaults, not before what exactness needs."""
