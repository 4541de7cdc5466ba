"""Decode and fold on one core: ``uv run python -m tests.bench.fold``.

Requests of about 500 spans with 12 attributes are decoded and folded as the collector does it, with a drain for every
second of load, by each engine that is there. In alternating rounds of the same run, a plain loop over full protobuf
objects reads the same bytes and counts calls between services: what one would write first. Rates are by CPU time, so
neighbours disturb little; the ratio is disturbed least.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from statistics import median

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.payloads import SPANS_PER_SECOND, START_NS, Request, requests
from whence.collector import engine as collector
from whence.collector.engine import Batch, Engine, Signal
from whence.collector.engines import FoldOptions, make_engine
from whence.otlp import DecodeLimits, Encoding

NS = 1_000_000_000
PLAIN_LOOP = "plain protobuf loop"


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    gc.set_threshold(100_000, 50, 100)  # as the server does
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    payloads = list(requests(seed=1, spans=options.spans))
    engines = ["portable"] + ["native"] * (find_spec("whence._native") is not None)
    rounds = [one_round(payloads, engines) for _ in range(options.rounds)]
    for name in rounds[0]:
        rates = sorted(one[name] for one in rounds)
        print(f"{name:<26}{median(rates):>12,.0f} spans/s   ({rates[0]:,.0f} to {rates[-1]:,.0f})")
    for engine in engines:
        ratio = median(one[f"{engine}: decode + fold"] / one[PLAIN_LOOP] for one in rounds)
        print(f"{engine}: ratio to the plain loop {ratio:.2f}")


def one_round(payloads: Sequence[Request], engines: Sequence[str]) -> dict[str, float]:
    """Rates of one round, each contestant once."""
    spans = sum(payload.spans for payload in payloads)
    rates: dict[str, float] = {}
    for name in engines:
        decoded: list[Batch] = []
        rates[f"{name}: decode"] = spans / seconds(lambda: decode(new_engine(name), payloads, decoded.append))  # noqa: B023
        rates[f"{name}: fold"] = spans / seconds(lambda: fold(new_engine(name), decoded))  # noqa: B023
        decoded.clear()
        rates[f"{name}: decode + fold"] = spans / seconds(lambda: run(new_engine(name), payloads))  # noqa: B023
    rates[PLAIN_LOOP] = spans / seconds(lambda: naive([payload.body for payload in payloads]))
    return rates


def new_engine(name: str) -> Engine:
    """An engine that has seen nothing yet."""
    options = FoldOptions(bucket_s=15, idle_ns=2 * NS, ttl_ns=60 * NS, max_open_spans=1_000_000)
    return make_engine(name, options, DecodeLimits())


def decode(engine: Engine, payloads: Iterable[Request], take: Callable[[Batch], object]) -> None:
    """Read all requests."""
    for payload in payloads:
        request = collector.Request(Signal.TRACES, Encoding.PROTOBUF, False, payload.body)
        take(engine.decode(request, START_NS + 3600 * NS))


def fold(engine: Engine, batches: Iterable[Batch]) -> None:
    """Push all batches at the rate of the payloads, drain once a second, and count what stays open at the end."""
    clock = Clock(engine)
    for batch in batches:
        clock.apply(batch)
    clock.end()


def run(engine: Engine, payloads: Iterable[Request]) -> None:
    """Read and fold one request after the other, as the collector does."""
    clock = Clock(engine)
    decode(engine, payloads, clock.apply)
    clock.end()


class Clock:
    """Lets the time pass for an engine that folds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._now_ns = self._drained_ns = START_NS

    def apply(self, batch: Batch) -> None:
        """Fold a batch once the time has passed in which its spans arrive."""
        self._now_ns += batch.records * NS // SPANS_PER_SECOND
        self._engine.apply(batch, self._now_ns)
        if self._now_ns - self._drained_ns >= NS:
            self._engine.drain(self._now_ns)
            self._drained_ns = self._now_ns

    def end(self) -> None:
        """Count what is still open."""
        self._now_ns += 60 * NS
        self._engine.expire(self._now_ns)
        self._engine.drain(self._now_ns)


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
