"""What the SDK costs a service under load: two servers of one FastAPI endpoint, with and without whence.

Both are real servers in processes of their own that export their spans to a third, and are driven in turns over
loopback at a fixed rate, whoever is late. A latency counts from the moment at which the request was due, so a server
that falls behind is seen to fall behind. Both are the same program; one has three lines more.

Run: ``python -m tests.bench.sdk_load [--rate 500] [--rounds 10]``
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

SERVER = """
import sys, uvicorn
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("bench")
app = FastAPI()
FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"])
import whence  # +
whence.configure()  # +
@app.get("/rank")
async def rank(user: int) -> dict[str, list[float]]:
    whence.uses_model("mlflow+https://mlflow.acme.dev#ranker@version:42")  # +
    whence.reads("s3://lake#features@iceberg:3055")  # +
    with tracer.start_as_current_span("score"):
        return {"scores": [user * number / 7 for number in range(20)]}
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
"""
PLAIN = "\n".join(line for line in SERVER.splitlines() if not line.endswith("# +"))
SINK = """
import asyncio, sys
async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\\r\\n\\r\\n")).lower()
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\\r\\n")[0]))
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n")
    except asyncio.IncompleteReadError:
        writer.close()
async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()
asyncio.run(main())
"""
REQUEST = (
    b"GET /rank?user=7 HTTP/1.1\r\nhost: shop\r\ntraceparent: 00-" + b"ab" * 16 + b"-" + b"cd" * 8 + b"-01\r\n\r\n"
)
SINK_PORT, PORTS = 14_318, {"plain": 14_319, "whence": 14_320}
CONNECTIONS = 32
WARM_UP_S, ROUND_S = 3.0, 4.0


@asynccontextmanager
async def process(code: str, port: int) -> AsyncIterator[int]:
    """A Python program that listens; its process id."""
    environ = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{SINK_PORT}", "OTEL_SERVICE_NAME": "shop"}
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(port), env=environ)
    try:
        while True:
            try:
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            except OSError:
                await asyncio.sleep(0.1)
        yield running.pid
    finally:
        running.kill()
        await running.wait()


async def ask(reader: StreamReader, writer: StreamWriter) -> None:
    """One request and its answer."""
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))


async def load(port: int, rate: int, seconds: float) -> list[float]:
    """Latencies in milliseconds at ``rate`` requests a second, each from when it was due."""
    begin, number, found = time.perf_counter() + 0.1, iter(range(int(rate * seconds))), []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for turn in number:
            due = begin + turn / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await ask(reader, writer)
            found.append((time.perf_counter() - due) * 1e3)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return found


def cpu_s(process_id: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(rate: int, rounds: int) -> dict[str, float]:
    """Both servers in turns: percentiles of all requests, the ratio of each pair of rounds, CPU time of a request."""
    percentiles: dict[str, list[tuple[float, float]]] = {name: [] for name in PORTS}
    used_s = dict.fromkeys(PORTS, 0.0)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(process(SINK, SINK_PORT))
        programs = {"plain": PLAIN, "whence": SERVER}
        ids = {name: await stack.enter_async_context(process(programs[name], PORTS[name])) for name in PORTS}
        for name in PORTS:
            await load(PORTS[name], rate, WARM_UP_S)
        for turn in range(rounds):
            for name in list(PORTS) if turn % 2 else list(PORTS)[::-1]:
                before_s = cpu_s(ids[name])
                cuts = statistics.quantiles(await load(PORTS[name], rate, ROUND_S), n=100)
                percentiles[name].append((cuts[49], cuts[98]))
                used_s[name] += cpu_s(ids[name]) - before_s
    result: dict[str, float] = {"rate, 1/s": rate}
    for index, which in enumerate(("p50", "p99")):
        for name, found in percentiles.items():
            result[f"{name} {which}, ms"] = statistics.median(pair[index] for pair in found)
        pairs = zip(percentiles["whence"], percentiles["plain"], strict=True)
        result[f"{which} ratio"] = statistics.median(ours[index] / theirs[index] for ours, theirs in pairs)
    requests = rate * ROUND_S * rounds
    return result | {f"{name} CPU of a request, us": used_s[name] / requests * 1e6 for name in PORTS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="requests a second")
    parser.add_argument("--rounds", type=int, default=10, help="turns of each server, of four seconds")
    chosen = parser.parse_args()
    found = asyncio.run(measure(chosen.rate, chosen.rounds))
    print(json.dumps({name: round(value, 3) for name, value in found.items()}, indent=2))


if __name__ == "__main__":
    main()
