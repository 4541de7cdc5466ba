"""Memory at half of the highest rate for many minutes: ``uv run python -m tests.bench.soak --minutes 30``.

A fresh server, pinned to one core, first takes as many spans as it can; then half as many in each second. Its resident
memory is read every second. Growth compares the median of the last tenth of the time with that of the tenth after the
warm-up. The times in the spans repeat, so the store holds the same rows all the time: what grows is the process.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from tests.bench.ingest import LOAD_CORE, SERVER_CORE, send
from tests.bench.payloads import requests
from tests.whence_server import WhenceServer

CONNECTIONS = 4
SECONDS_BETWEEN_SAMPLES = 1.0


class Samples(threading.Thread):
    """Reads the resident memory of a process, in bytes, until it is told to end."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/statm")
        self._end = threading.Event()
        self.taken: list[int] = []

    def run(self) -> None:
        while not self._end.wait(SECONDS_BETWEEN_SAMPLES):
            self.taken.append(int(self._status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))

    def end(self) -> list[int]:
        """All that was read."""
        self._end.set()
        self.join()
        return self.taken


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="at half the highest rate, the warm-up included")
    parser.add_argument("--warm-up-minutes", type=float, default=6)
    parser.add_argument("--seconds-at-most", type=float, default=20, help="to find the highest rate")
    options = parser.parse_args()
    if not 0 <= options.warm_up_minutes < options.minutes:
        parser.error("--warm-up-minutes must be less than --minutes")
    os.sched_setaffinity(0, {LOAD_CORE})
    bodies = [(request.body, request.spans) for request in requests(seed=1, spans=200_000)]
    with tempfile.TemporaryDirectory() as folder:
        server = WhenceServer(Path(folder) / "data", prefix=("taskset", "-c", str(SERVER_CORE)))
        server.start()
        try:
            soak(server, bodies, options)
        finally:
            server.stop()


def soak(server: WhenceServer, bodies: list[tuple[bytes, int]], options: argparse.Namespace) -> None:
    """Measure the highest rate, then load a server with half of it."""
    assert server.process is not None
    url, began = server.otlp_http, time.monotonic()
    highest = send(url, bodies, began + options.seconds_at_most, CONNECTIONS) / options.seconds_at_most
    samples, began = Samples(server.process.pid), time.monotonic()
    samples.start()
    sent = send(url, bodies, began + 60 * options.minutes, CONNECTIONS, highest / 2)
    wall, taken = time.monotonic() - began, samples.end()
    warm = taken[round(len(taken) * options.warm_up_minutes / options.minutes) :]
    tenth = max(1, len(warm) // 10)
    first, last = median(warm[:tenth]), median(warm[-tenth:])
    print(f"highest rate        {highest:>12,.0f} spans/s")
    print(f"sent                {sent / wall:>12,.0f} spans/s for {wall / 60:.1f} minutes")
    print(f"resident memory     {first / 1e6:>12,.1f} MB after {options.warm_up_minutes:g} minutes")
    print(f"                    {last / 1e6:>12,.1f} MB at the end, {max(warm) / 1e6:,.1f} MB at most since")
    print(f"growth              {100 * (last / first - 1):>12.2f} %")


if __name__ == "__main__":
    main()
