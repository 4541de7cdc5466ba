"""Every rename that OpenTelemetry publishes: old and new names give the same edges.

The table is the one that the installed release of the semantic conventions carries, so a new release brings its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.semconv._incubating import attributes

from tests.unit.fold.folding import closed, new_folder
from tests.unit.otlp.wire import NOW_NS, SERVICE, decode, key_values, traces_request, wire_span
from whence.model.delta import GraphDelta
from whence.model.spans import SpanKind
from whence.otlp import Encoding
from whence.otlp.vocabulary import FLAG_RENAMES, RESOURCE_RENAMES, SPAN_RENAMES

_DEPRECATED = re.compile(
    r'^\w+: Final = "([^"]+)"\n"""\nDeprecated: Replaced by `([^`]+)`(?:\.|, which has moved)', re.M
)


def upstream() -> Iterator[tuple[str, str]]:
    """(old, new) of every attribute that was plainly renamed."""
    for module in sorted(Path(next(iter(attributes.__path__))).glob("*.py")):
        yield from _DEPRECATED.findall(module.read_text())


OURS = {**SPAN_RENAMES, **FLAG_RENAMES, **RESOURCE_RENAMES}
PAIRS = sorted({*upstream(), *OURS.items()})

SPOKE_OF_THE_SERVER = frozenset({"http.server_name", "net.host.name", "net.host.port"})
"""Said on the server's span only, who serves; the new name says on a client's span whom it calls."""

CLIENTS: tuple[tuple[int, Mapping[str, object]], ...] = (
    (SpanKind.CLIENT, {"http.request.method": "GET"}),
    (
        SpanKind.CLIENT,
        {
            "db.system.name": "postgresql",
            "db.namespace": "shop",
            "db.collection.name": "orders",
            "db.operation.name": "insert",
            "server.address": "db",
            "server.port": 5432,
        },
    ),
    (
        SpanKind.PRODUCER,
        {"messaging.system": "kafka", "messaging.destination.name": "orders", "messaging.operation.type": "send"},
    ),
    (SpanKind.CLIENT, {"rpc.method": "S3/PutObject", "aws.s3.bucket": "lake", "aws.s3.key": "features/part-0"}),
    (SpanKind.CLIENT, {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}),
)
SERVER: Mapping[str, object] = {"http.request.method": "GET", "http.route": "/pay"}
FLAG: Mapping[str, object] = {"feature_flag.key": "ranker", "feature_flag.result.variant": "a"}
VALUES = {
    "db.operation.name": "delete",
    "db.system.name": "mysql",
    "deployment.environment.name": "staging",
    "http.request.method": "POST",
    "messaging.operation.type": "process",
    "messaging.destination.temporary": "true",
    "messaging.system": "rabbitmq",
    "server.port": "99",
    "url.full": "http://pay:8080/charge",
    "vcs.ref.head.revision": "9d59409acf479dfa0df1aa568182e43e43df8bbe",
}


def rows(name: str, replaced: str, value: str, encoding: Encoding, *, is_on_clients: bool) -> GraphDelta:
    """What comes of spans of all sorts, a flag and a resource that state the attribute under this name."""

    def stating(others: Mapping[str, object]) -> dict[str, object]:
        return {key: old for key, old in others.items() if key != replaced} | {name: value}

    spans = [
        wire_span(attributes=stating(others) if is_on_clients else others, kind=kind, span_id=bytes([number]) * 8)
        for number, (kind, others) in enumerate(CLIENTS, start=1)
    ]
    flag = WireSpan.Event(name="feature_flag", attributes=key_values(stating(FLAG)))
    spans.append(wire_span(attributes=stating(SERVER), span_id=b"server--", events=[flag]))
    batch = decode(traces_request(*spans, resource=stating(SERVICE)), encoding)
    assert len(batch.spans) == len(spans)
    folder = new_folder()
    folder.push(batch.spans, NOW_NS)
    return closed(folder)


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_old_name_gives_the_rows_of_the_new_one(old: str, new: str, encoding: Encoding) -> None:
    value, is_on_clients = VALUES.get(new, "stated"), old not in SPOKE_OF_THE_SERVER
    expected = rows(new, new, value, encoding, is_on_clients=is_on_clients)
    assert rows(old, new, value, encoding, is_on_clients=is_on_clients) == expected


@pytest.mark.parametrize(("old", "new"), sorted(OURS.items()))
def test_name_that_is_read_changes_the_rows(old: str, new: str) -> None:
    """Else the test above would say nothing of it."""
    value = VALUES.get(new, "stated")
    nothing = rows("unknown", new, value, Encoding.PROTOBUF, is_on_clients=True)
    assert rows(old, new, value, Encoding.PROTOBUF, is_on_clients=True) != nothing


def test_table_is_the_published_one() -> None:
    assert len(PAIRS) > 90
    assert ("db.sql.table", "db.collection.name") in PAIRS
    assert ("net.protocol.name", "network.protocol.name") in PAIRS
