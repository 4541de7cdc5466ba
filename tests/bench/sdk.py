"""What the SDK costs its host, beside plain OpenTelemetry in the same process.

Requests of two FastAPI applications alternate in batches, so that whatever else the machine does hits both: one is
instrumented by OpenTelemetry alone, the other has whence on top and names one model and one dataset per request. They
are driven through ASGI without sockets, which leaves nothing to hide behind: a real server's latency is larger.

Run: ``python -m tests.bench.sdk``
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_LOGS_EXPORTER": "none"}

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.propagate import get_global_textmap, set_global_textmap
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import whence

MODEL, DATASET = "mlflow+https://mlflow.acme.dev#ranker@version:42", "s3://lake#features@iceberg:3055"
BATCHES, REQUESTS_PER_BATCH, CALLS = 60, 50, 20_000
SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "path": "/rank",
    "raw_path": b"/rank",
    "query_string": b"user=7",
    "headers": [(b"host", b"shop"), (b"traceparent", b"00-" + b"ab" * 16 + b"-" + b"cd" * 8 + b"-01")],
    "scheme": "http",
    "server": ("shop", 80),
    "client": ("10.0.0.1", 5000),
}


class Discard(SpanExporter):
    """Takes spans and forgets them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def application(provider: TracerProvider, touch: Callable[[], None]) -> FastAPI:
    """One endpoint that scores twenty products."""
    app = FastAPI()
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider, exclude_spans=["receive", "send"])
    tracer = provider.get_tracer("bench")

    @app.get("/rank")
    async def rank(user: int) -> dict[str, list[float]]:
        touch()
        with tracer.start_as_current_span("score"):
            return {"scores": [user * number / 7 for number in range(20)]}

    return app


async def ask(app: Any) -> int:
    """Nanoseconds that one request takes."""
    done = asyncio.Event()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.body":
            done.set()

    start = time.perf_counter_ns()
    await app(dict(SCOPE), receive, send)
    assert done.is_set()
    return time.perf_counter_ns() - start


async def endpoint() -> dict[str, float]:
    """Latencies of both, and the ratios."""
    plain, tagged = (TracerProvider(), TracerProvider())
    for provider in (plain, tagged):
        provider.add_span_processor(BatchSpanProcessor(Discard()))
    plain_textmap = get_global_textmap()
    trace.set_tracer_provider(tagged)
    whence.configure()
    whence_textmap = get_global_textmap()

    def touch() -> None:
        whence.uses_model(MODEL)
        whence.reads(DATASET)

    sides = [(application(plain, lambda: None), plain_textmap), (application(tagged, touch), whence_textmap)]
    found: list[list[int]] = [[], []]
    gc.disable()
    for batch in range(BATCHES):
        for side in (0, 1) if batch % 2 else (1, 0):
            app, textmap = sides[side]
            set_global_textmap(textmap)
            times = [await ask(app) for _ in range(REQUESTS_PER_BATCH)]
            if batch >= 4:  # the first ones import and compile
                found[side].extend(times)
        gc.collect()
    gc.enable()
    without, with_whence = (statistics.quantiles(times, n=100) for times in found)
    return {
        "plain p50 us": without[49] / 1e3,
        "plain p99 us": without[98] / 1e3,
        "whence p50 us": with_whence[49] / 1e3,
        "whence p99 us": with_whence[98] / 1e3,
        "p50 ratio": with_whence[49] / without[49],
        "p99 ratio": with_whence[98] / without[98],
    }


def cost(call: Callable[[], object]) -> float:
    """Nanoseconds of one call, the best of many small rounds."""
    rounds = []
    for _ in range(CALLS // 200):
        start = time.perf_counter_ns()
        for _ in range(200):
            call()
        rounds.append(time.perf_counter_ns() - start)
    return min(rounds) / 200


def calls() -> dict[str, float]:
    """Cost of each way to use a verb. ``first`` is the first use on a span, which sets the attribute."""
    tracer = trace.get_tracer("bench")

    def enclosing() -> None:
        with whence.reads(DATASET):
            pass

    def span() -> None:
        with tracer.start_as_current_span("request"):
            pass

    def tagged_span() -> None:
        with tracer.start_as_current_span("request"):
            whence.reads(DATASET)

    found = {
        "an empty call, ns": cost(lambda: None),
        "current span of OpenTelemetry, ns": cost(trace.get_current_span),
        "reads, no span, ns": cost(lambda: whence.reads(DATASET)),
    }
    with tracer.start_as_current_span("request"):
        found["uses_model, again on a span, ns"] = cost(lambda: whence.uses_model(MODEL))
        found["reads, again on a span, ns"] = cost(lambda: whence.reads(DATASET))
        found["with reads, ns"] = cost(enclosing)
    found["reads, first on a span, ns"] = cost(tagged_span) - cost(span)
    return found


_OPENTELEMETRY = "import opentelemetry.sdk.trace.export, opentelemetry.exporter.otlp.proto.http.trace_exporter"
_WHENCE = "from whence import configure, uses_model, reads, writes, change, outcome, run"


def import_time() -> dict[str, float]:
    """Milliseconds that the SDK adds to importing OpenTelemetry, the best of three."""
    code = f"import time\n{_OPENTELEMETRY}\nt = time.perf_counter()\n{_WHENCE}\nprint(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    return {"import over OpenTelemetry, ms": min(float(one.stdout) for one in runs) * 1e3}


def main() -> None:
    found = {**asyncio.run(endpoint()), **calls(), **import_time()}
    print(json.dumps({name: round(value, 3 if "ratio" in name else 1) for name, value in found.items()}, indent=2))


if __name__ == "__main__":
    main()
