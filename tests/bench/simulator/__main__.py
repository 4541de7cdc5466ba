"""Command line: how many cases, how they get to whence, and where the figures go."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tests.bench.simulator.delivery import Outcome, deliver
from tests.bench.simulator.explain import explained
from tests.bench.simulator.faults import CLASSES
from tests.bench.simulator.judging import Judged, judge
from tests.bench.simulator.over_http import deliver_over_http
from tests.bench.simulator.report import print_report, write_json
from tests.bench.simulator.story import Case, draw_case

END_NS = 1_790_000_000 * 1_000_000_000
"""End of all cases that run on a made-up clock."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which case to run, and how."""

    case_id: str
    fault: str | None
    is_control: bool
    over: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run cases, print tables on stdout and progress on stderr; 0 when all got an answer."""
    args = _parser().parse_args(arguments)
    if args.explain:
        print(explain(_wanted(args.explain, args)))
        return 0
    seed = args.seed or secrets.token_hex(4)
    print(f"seed {seed}", file=sys.stderr)
    wanted = [_wanted(f"{seed}-{number}", args) for number in range(args.seeds)]
    judged = list(_run_all(wanted, args.jobs))
    if judged:
        print(f"seed {seed}")
        print_report(judged)
    if args.json:
        write_json(args.json, judged, seed)
    return 0 if len(judged) == len(wanted) else 1


def explain(wanted: Wanted) -> str:
    """The whole answer to one case beside its truth."""
    case, outcome = _played(wanted)
    return explained(case, outcome)


def run(wanted: Wanted) -> Judged:
    """Draw, deliver and judge one case."""
    began = time.perf_counter()
    case, outcome = _played(wanted)
    return judge(case, outcome, time.perf_counter() - began)


def _played(wanted: Wanted) -> tuple[Case, Outcome]:
    end_ns = time.time_ns() if wanted.over == "http" else END_NS
    case = draw_case(wanted.case_id, end_ns, fault=wanted.fault, is_control=wanted.is_control)
    return case, deliver_over_http(case) if wanted.over == "http" else deliver(case)


def _wanted(case_id: str, args: argparse.Namespace) -> Wanted:
    return Wanted(case_id, args.fault, args.control, args.over)


def _run_all(wanted: Sequence[Wanted], jobs: int) -> Iterator[Judged]:
    with ProcessPoolExecutor(jobs) as pool:
        running = {pool.submit(run, one): one.case_id for one in wanted}
        for number, done in enumerate(as_completed(running), start=1):
            try:
                judged = done.result()
            except (RuntimeError, TimeoutError) as error:
                print(f"\n{running[done]} failed: {error}", file=sys.stderr)
                continue
            _show_progress(number, len(wanted))
            yield judged


def _show_progress(number: int, total: int) -> None:
    filled = 40 * number // total
    end = "\n" if number == total else "\r"
    print(f"[{'#' * filled}{'.' * (40 - filled)}] {number}/{total}", end=end, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.simulator",
        description="Measure the ranking on made-up systems that break.",
        epilog=f"Faults: {', '.join(CLASSES)}.",
    )
    parser.add_argument("--seeds", type=int, default=60, metavar="N", help="number of cases (default 60)")
    parser.add_argument("--seed", help="draw the same cases again; fresh ones when absent")
    parser.add_argument("--fault", choices=CLASSES, help="only this class of fault")
    parser.add_argument("--control", action="store_true", help="tell every change of another thing and time")
    parser.add_argument("--over", choices=["process", "http"], default="process", help="how it gets to whence")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures and all cases")
    parser.add_argument("--explain", metavar="CASE", help="print one case and its answer; --fault as it was run")
    return parser


if __name__ == "__main__":
    sys.exit(main())
