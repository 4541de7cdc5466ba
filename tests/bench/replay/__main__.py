"""Command line: which sets, how, and where the figures go."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import httpx

from tests.bench.replay.grading import Result
from tests.bench.replay.incidents import Incident, IncidentSet
from tests.bench.replay.nezha import NezhaSet
from tests.bench.replay.petshop import PetshopSet
from tests.bench.replay.report import print_report, write_json
from tests.bench.replay.rootcause import RootCauseSet
from tests.bench.replay.run import Options, replay
from tests.bench.replay.target import Target, given_server, started_server

SETS = {
    "nezha": ("nezha-ob", "nezha-tt"),
    "nezha-ob": ("nezha-ob",),
    "nezha-tt": ("nezha-tt",),
    "petshop": ("petshop",),
    "rootcausebench": ("rootcausebench",),
}
Item = tuple[IncidentSet, Incident]
Server = Callable[[], AbstractContextManager[Target]]
EPILOG = """\
Sets: nezha (both applications), nezha-ob, nezha-tt, rootcausebench, petshop. Of petshop only five-minute metrics are
published; its spans are made from them, so its figures say something of the making too. Each incident gets a fresh
server, unless --url and --otlp name one that runs; then --seed is needed, so that incidents of one application don't
mix.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay, print tables on stdout and progress on stderr; 0 when all incidents got an answer."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if bool(args.url) != bool(args.otlp):
        parser.error("--url and --otlp go together")
    if args.url and args.seed is None:
        parser.error("a server that runs already needs --seed, so that incidents don't mix")
    every = [item for item in _all(args.set or ["nezha"], _incident_folder(args.data)) if _wanted(item, args.case)]
    work = _thinned(every, args.limit)
    options = Options(args.level, args.lineage, args.seed)
    server: Server = partial(given_server, args.url, args.otlp) if args.url else started_server
    results = list(_replay_all(work, server, options, jobs=1 if args.url else args.jobs))
    if results:
        print_report(results, options, seed=args.seed or 0)
    if args.json:
        write_json(args.json, results, options)
    return 0 if len(results) == len(work) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.replay",
        description="Replay published incidents into whence and score its answers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--set", action="append", choices=SETS, help="set to replay, may be given again")
    parser.add_argument("--level", choices=["change", "service"], default="change", help="what to find")
    parser.add_argument("--lineage", choices=["spans", "openlineage"], default="spans", help="how lineage is told")
    parser.add_argument("--seed", type=int, help="draw names, ids and times anew; same seed, same draw")
    parser.add_argument("--limit", type=int, help="only so many incidents, spread over the sets")
    parser.add_argument("--case", action="append", metavar="ID", help="only this incident, may be given again")
    parser.add_argument("--jobs", type=int, default=3, help="servers that run at once (default 3)")
    parser.add_argument("--url", help="API of a server that runs already")
    parser.add_argument("--otlp", help="its OTLP/HTTP address")
    parser.add_argument("--data", type=Path, help="shared data folder (default: WHENCE_SHARED_DATA or ../shared/data)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all cases with their places")
    return parser


def _incident_folder(given: Path | None) -> Path:
    beside = Path(__file__).resolve().parents[3].parent / "shared" / "data"
    return (given or Path(os.environ.get("WHENCE_SHARED_DATA", beside))) / "incidents"


def _all(names: Sequence[str], folder: Path) -> Iterator[Item]:
    for name in names:
        for incidents in map(partial(_open, folder), SETS[name]):
            yield from ((incidents, incident) for incident in incidents.incidents)


def _wanted(item: Item, case_ids: Sequence[str] | None) -> bool:
    return not case_ids or item[1].case_id in case_ids


def _thinned(items: Sequence[Item], limit: int | None) -> Sequence[Item]:
    """At most ``limit`` of them, spread evenly."""
    keep = min(limit or len(items), len(items))
    return [items[number * len(items) // keep] for number in range(keep)]


def _open(folder: Path, name: str) -> IncidentSet:
    match name:
        case "petshop":
            return PetshopSet(folder)
        case "rootcausebench":
            return RootCauseSet(folder)
        case _:
            return NezhaSet(folder, name.removeprefix("nezha-"))


def _replay_all(
    work: Sequence[Item],
    server: Server,
    options: Options,
    jobs: int,
) -> Iterator[Result]:
    def one(incidents: IncidentSet, incident: Incident) -> Result:
        with server() as target:
            return replay(incidents, incident, target, options)

    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(one, *item) for item in work]
        for number, done in enumerate(as_completed(running), start=1):
            try:
                result = done.result()
            except (RuntimeError, TimeoutError, httpx.TransportError) as error:
                print(f"[{number}/{len(work)}] failed: {error}", file=sys.stderr)
                continue
            print(f"[{number}/{len(work)}] {result.case_id} {result.verdict}", file=sys.stderr)
            yield result


if __name__ == "__main__":
    sys.exit(main())
