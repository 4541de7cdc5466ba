"""Service graph metrics: who called whom, as the Collector's servicegraph connector, Tempo or Beyla counted it.

Only ``traces_service_graph_request_total`` is read. ``client`` and ``server`` name the two services; dimensions of the
connector (``client_service.version`` and the like, also with underscores) say more of either. Databases and hosts that
were only guessed at have no service at the other end and are left out, and so is every other metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import NamedTuple

from whence.model import names
from whence.model.spans import Rejections, ReportedCalls, Source
from whence.otlp import json_requests as wire
from whence.otlp import schema
from whence.otlp.attributes import Stated, parse, plain_value, text_of
from whence.otlp.batches import BAD_TIME, MAX_FUTURE_NS, UNKNOWN_SERVICE, DecodeLimits, Encoding, Findings
from whence.otlp.json_requests import integer, member, plain_json
from whence.otlp.spans import Memory

REQUESTS = frozenset({"traces_service_graph_request_total", "traces_service_graph_request"})
_SENT_ON = frozenset({"", "messaging_system"})
"""Connection types with a service at either end."""
_TEMPORALITIES = {"AGGREGATION_TEMPORALITY_DELTA": 1, "AGGREGATION_TEMPORALITY_CUMULATIVE": 2}
_DELTA = 1


class MetricBatch(NamedTuple):
    """What the metrics of one request say of calls."""

    reported: list[ReportedCalls]
    records: int
    """Data points that were accepted, whether or not they say anything of calls."""
    rejections: Rejections


class _Point(NamedTuple):
    start_ns: int
    time_ns: int
    value: float
    is_delta: bool
    attributes: Mapping[str, object]


def decode_metrics(body: bytes, encoding: Encoding, memory: Memory, limits: DecodeLimits, now_ns: int) -> MetricBatch:
    """Read an ``ExportMetricsServiceRequest``; arguments and errors as in ``decode_traces``."""
    findings = Findings()
    read: Callable[[bytes, DecodeLimits, Findings], Iterator[_Point]]
    read = _points_of_json if encoding is Encoding.JSON else _points_of_protobuf
    reported, records = [], 0
    for point in read(body, limits, findings):
        call = _call(point, memory, now_ns, findings)
        records += 1
        if call is not None:
            reported.append(call)
    return MetricBatch(reported, records - findings.rejections().total, findings.rejections())


def _points_of_protobuf(body: bytes, limits: DecodeLimits, findings: Findings) -> Iterator[_Point]:
    del findings  # protobuf can only be wrong as a whole
    blocks = parse(schema.MetricsRequest, body).resource_metrics
    sums = [one.sum for block in blocks for scope in block.scope_metrics for one in scope.metrics if _counts(one.name)]
    limits.check_records(sum(len(one.data_points) for one in sums))
    for one in sums:
        for raw in one.data_points:
            pairs = (parse(schema.KeyValue, pair) for pair in raw.attributes)
            yield _Point(
                raw.start_time_unix_nano,
                raw.time_unix_nano,
                raw.as_double or float(raw.as_int),
                one.aggregation_temporality == _DELTA,
                {text_of(pair.key): plain_value(pair.value) for pair in pairs},
            )


def _points_of_json(body: bytes, limits: DecodeLimits, findings: Findings) -> Iterator[_Point]:
    blocks = wire.read_request(body, wire.MetricsRequest, findings).resource_metrics or []
    metrics = [one for block in blocks for scope in block.scope_metrics or () for one in scope.metrics or ()]
    sums = [one.sum for one in metrics if one.sum is not None and (one.name or "") in REQUESTS]
    limits.check_records(sum(len(one.data_points or ()) for one in sums))
    for one in sums:
        temporality = member(one.aggregation_temporality, _TEMPORALITIES, findings)
        for raw in one.data_points or ():
            yield _Point(
                integer(raw.start_time_unix_nano),
                integer(raw.time_unix_nano),
                _number(raw.as_double) or float(integer(raw.as_int)),
                temporality == _DELTA,
                {pair.key: plain_json(pair.value) for pair in raw.attributes or ()},
            )


def _call(point: _Point, memory: Memory, now_ns: int, findings: Findings) -> ReportedCalls | None:
    if str(point.attributes.get("connection_type", "")) not in _SENT_ON:
        return None
    if not 0 < point.time_ns <= now_ns + MAX_FUTURE_NS:
        findings.rejected[BAD_TIME] += 1
        return None
    caller, callee = (_end(point.attributes, side, memory) for side in ("client", "server"))
    if caller is None or callee is None:
        findings.rejected[UNKNOWN_SERVICE] += 1
        return None
    return ReportedCalls(
        _series(point.attributes), caller, callee, point.start_ns, point.time_ns, point.value, point.is_delta
    )


def _end(attributes: Mapping[str, object], side: str, memory: Memory) -> Source | None:
    """What is said of one end of a call, read like a resource."""
    words = memory.resource_words
    by_underscores = {key.replace(".", "_"): key for key in words.keys}
    said = {names.SERVICE_NAME: attributes.get(side)}
    for name, value in attributes.items():
        key = name.removeprefix(f"{side}_")
        if key != name:
            said[by_underscores.get(key, key)] = value
    stated = (words.attribute(key, value) for key, value in said.items() if value is not None)
    source, _ = memory.resources.source(Stated(tuple(filter(None, stated))))
    return source


def _series(attributes: Mapping[str, object]) -> bytes:
    """What tells one counter from all others, whatever order its attributes come in."""
    text = repr(sorted((name, str(value)) for name, value in attributes.items()))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _counts(name: bytes) -> bool:
    return text_of(name) in REQUESTS


def _number(value: float | str | None) -> float:
    try:
        return float(value or 0.0)
    except ValueError:
        return 0.0
