"""Decode and fold on one core: ``uv run python -m tests.bench.fold``.

Requests of about 500 spans with 12 attributes are decoded and folded as the collector does it, with a drain for every
second of load. In alternating rounds of the same run, a plain loop over full protobuf objects reads the same bytes and
counts calls between services: what one would write first. Rates are by CPU time, so neighbours disturb little; the
ratio is disturbed least.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable, Sequence
from statistics import median

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.payloads import SPANS_PER_SECOND, START_NS, Request, requests
from whence.fold import SpanFolder
from whence.model.spans import Span
from whence.otlp import DecodeLimits, Encoding, decode_traces

NS = 1_000_000_000


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    gc.set_threshold(100_000, 50, 100)  # as the server does
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    payloads = list(requests(seed=1, spans=options.spans))
    rounds = [one_round(payloads) for _ in range(options.rounds)]
    for name in rounds[0]:
        rates = sorted(one[name] for one in rounds)
        print(f"{name:<22}{median(rates):>12,.0f} spans/s   ({rates[0]:,.0f} to {rates[-1]:,.0f})")
    ratio = median(one["decode + fold"] / one["plain protobuf loop"] for one in rounds)
    print(f"ratio to the plain loop {ratio:.2f}")


def one_round(payloads: Sequence[Request]) -> dict[str, float]:
    """Rates of one round, each contestant once."""
    spans = sum(payload.spans for payload in payloads)
    decoded: list[list[Span]] = []
    decode_s = seconds(lambda: decoded.extend(map(decode, payloads)))
    fold_s = seconds(lambda: fold(decoded))
    decoded.clear()
    both_s = seconds(lambda: fold(map(decode, payloads)))
    naive_s = seconds(lambda: naive([payload.body for payload in payloads]))
    return {
        "decode": spans / decode_s,
        "fold": spans / fold_s,
        "decode + fold": spans / both_s,
        "plain protobuf loop": spans / naive_s,
    }


def decode(payload: Request) -> list[Span]:
    """The spans of a request."""
    return decode_traces(payload.body, Encoding.PROTOBUF, limits=DecodeLimits(), now_ns=START_NS + 3600 * NS).spans


def fold(batches: object) -> None:
    """Push all batches at the rate of the payloads, drain once a second, and count what stays open at the end."""
    folder = SpanFolder(writer="bench", idle_ns=2 * NS, ttl_ns=60 * NS, max_open_spans=1_000_000)
    now_ns = drained_ns = START_NS
    for spans in batches:  # type: ignore[attr-defined]
        now_ns += len(spans) * NS // SPANS_PER_SECOND
        folder.push(spans, now_ns)
        if now_ns - drained_ns >= NS:
            folder.drain(now_ns)
            drained_ns = now_ns
    folder.expire(now_ns + 60 * NS)
    folder.drain(now_ns + 60 * NS)


def naive_rate(bodies: Sequence[bytes]) -> float:
    """Spans per CPU second of the plain loop."""
    spans = 0

    def run() -> None:
        nonlocal spans
        spans = naive(bodies)

    taken = seconds(run)
    return spans / taken


def naive(bodies: Sequence[bytes]) -> int:
    """The plain loop: full objects, a dict of attributes for each span, calls joined over all spans at the end."""
    callers: dict[tuple[bytes, bytes], tuple[str, str]] = {}
    waiting: list[tuple[bytes, bytes, tuple[str, str], int, bool]] = []
    for body in bodies:
        for block in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = {pair.key: pair.value for pair in block.resource.attributes}
            node = resource["service.name"].string_value, resource["service.version"].string_value
            for scope in block.scope_spans:
                for span in scope.spans:
                    attributes = {pair.key: pair.value for pair in span.attributes}
                    is_error = span.status.code == 2 or "error.type" in attributes
                    callers[span.trace_id, span.span_id] = node
                    duration_ns = span.end_time_unix_nano - span.start_time_unix_nano
                    waiting.append((span.trace_id, span.parent_span_id, node, duration_ns, is_error))
    edges: dict[tuple[object, object], tuple[int, int, int]] = {}
    for trace_id, parent_id, node, duration_ns, is_error in waiting:
        key = callers.get((trace_id, parent_id)), node
        count, errors, total_ns = edges.get(key, (0, 0, 0))
        edges[key] = count + 1, errors + is_error, total_ns + duration_ns
    return len(waiting)


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds that a piece of work takes."""
    before = time.process_time()
    work()
    return time.process_time() - before


if __name__ == "__main__":
    main()
