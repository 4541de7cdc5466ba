"""Sustained ingest through the real HTTP endpoint on one core: ``uv run python -m tests.bench.ingest``.

The server is pinned to one core, the load to another. Requests of about 500 spans with 12 attributes go over kept-alive
connections until the time is up; then the server gets time to fold and write, and the spans in the embedded store are
counted against those acknowledged. Beside it, in the same run, the plain loop over full protobuf objects.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

import httpx

from tests.bench.fold import naive_rate
from tests.bench.payloads import TRACE_MARK, requests
from tests.otlp_requests import PROTOBUF
from tests.whence_server import WhenceServer

SERVER_CORE, LOAD_CORE = 0, 1


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--engine", choices=("auto", "native", "portable"), default="auto")
    options = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE})
    bodies = [(request.body, request.spans) for request in requests(seed=1, spans=200_000)]
    with tempfile.TemporaryDirectory() as folder:
        server = WhenceServer(
            Path(folder) / "data", {"WHENCE_ENGINE": options.engine}, prefix=("taskset", "-c", str(SERVER_CORE))
        )
        report(run(server, bodies, options.seconds, options.connections), [body for body, _ in bodies])


def run(server: WhenceServer, bodies: list[tuple[bytes, int]], seconds: float, connections: int) -> dict[str, float]:
    """Drive a fresh server for ``seconds``; returns rates and totals."""
    server.start()
    assert server.process is not None
    cpu_before, began = cpu_seconds(server.process.pid), time.monotonic()
    accepted = send(server.otlp_http, bodies, began + seconds, connections)
    wall, cpu = time.monotonic() - began, cpu_seconds(server.process.pid) - cpu_before
    time.sleep(15)  # idle time of the last traces and a flush
    drained_cpu = cpu_seconds(server.process.pid) - cpu_before
    server.stop()
    stored = stored_spans(server.data_dir)
    return {"accepted": accepted, "stored": stored, "wall": wall, "cpu": cpu, "drained_cpu": drained_cpu}


def send(
    url: str, bodies: list[tuple[bytes, int]], deadline: float, connections: int, most_per_second: float = float("inf")
) -> int:
    """Send the bodies round and round, each connection its own share, with fresh ids; returns acknowledged spans."""
    totals, began = [0] * connections, time.monotonic()
    marks = [secrets.token_bytes(len(TRACE_MARK)) for _ in range(1_000)]

    def worker(number: int) -> None:
        with httpx.Client(timeout=30) as client:
            position = number
            while time.monotonic() < deadline:
                ahead = totals[number] * connections / most_per_second - (time.monotonic() - began)
                time.sleep(max(0.0, ahead))
                body, spans = bodies[position % len(bodies)]
                fresh = body.replace(TRACE_MARK, marks[position // len(bodies)])
                answer = client.post(f"{url}/v1/traces", content=fresh, headers=PROTOBUF)
                if answer.status_code == 200:
                    totals[number] += spans
                    position += connections
                else:
                    time.sleep(float(answer.headers.get("retry-after", 1)))

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(totals)


def stored_spans(data_dir: Path) -> int:
    """Spans that the store counted, over all operations."""
    with sqlite3.connect(data_dir / "whence.db") as connection:
        (total,) = connection.execute("SELECT sum(spans) FROM operation_bucket").fetchone()
    connection.close()
    return int(total)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(result: dict[str, float], bodies: list[bytes]) -> None:
    """Print what was measured."""
    naive = naive_rate(bodies[:100])
    sustained = result["accepted"] / result["wall"]
    print(f"sustained           {sustained:>12,.0f} spans/s over {result['wall']:.0f} s on one core")
    print(f"per CPU second      {result['accepted'] / result['drained_cpu']:>12,.0f} spans (until all is in the store)")
    print(f"acknowledged        {result['accepted']:>12,.0f} spans")
    print(f"in the store        {result['stored']:>12,.0f} spans")
    print(f"plain protobuf loop {naive:>12,.0f} spans/s; ratio {sustained / naive:.2f}")


if __name__ == "__main__":
    main()
