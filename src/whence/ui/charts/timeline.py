"""What happened when, in lanes: code, model, data, config, infrastructure, people; and the band in which it began."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import NamedTuple

from whence.ui.charts.scale import Band, Record, Scale, band, seconds

LANES = ("code", "model", "data", "config", "infra", "people")
LANE_OF = {
    "deployment": "code",
    "model": "model",
    "dataset": "data",
    "schema": "data",
    "staleness": "data",
    "config": "config",
    "flag": "config",
    "infrastructure": "infra",
    "other": "people",
}
LEFT, WIDTH, ROW_HEIGHT, TOP, FOOT = 60.0, 900.0, 26.0, 20.0, 22.0
LEAST_BACK, MOST_BACK = 60.0, 86_400.0
APART = 24.0
"""Marks of one lane that would lie closer are put below each other."""
MOST_ROWS = 6
LEADING = 3
"""Suspects that must be on the picture."""
_STEPS = (5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 28_800)
_MOST_TICKS = 7


class Mark(NamedTuple):
    """One thing that happened."""

    x: float
    y: float
    role: str
    """suspect, ruled_out, or said (by a person)."""
    label: str
    """Rank of a suspect; empty for the rest."""
    title: str


class Timeline(NamedTuple):
    """The whole picture; ``earlier`` counts what lies before its left edge."""

    lanes: tuple[tuple[str, float], ...]
    marks: tuple[Mark, ...]
    onset: Band
    detected: float
    ticks: tuple[tuple[float, str], ...]
    earlier: int
    width: float
    bottom: float
    """Where the lanes end."""
    height: float


class _Event(NamedTuple):
    at: float
    lane: str
    role: str
    label: str
    title: str


def timeline(answer: Record, detected_at: str, said: Iterable[Record] = ()) -> Timeline:
    """Lanes over all changes of an answer and what people said of it.

    Args:
        answer: As the API gives it.
        detected_at: When it was noticed.
        said: Verdicts on the answer.
    """
    events = [*_changes(answer), *_verdicts(said)]
    onset = answer["onset"]
    across = _axis(answer, detected_at, events)
    shown = [one for one in events if across.low <= one.at <= across.high]
    rows, heights = _rows(shown, across), {}
    for lane in LANES:
        heights[lane] = ROW_HEIGHT * (1 + max((row for event, row in rows if event.lane == lane), default=0))
    tops = dict(zip(LANES, accumulate([TOP, *heights.values()]), strict=False))
    began = band(seconds(onset["low"]), seconds(onset["high"]), across)
    return Timeline(
        lanes=tuple(tops.items()),
        marks=tuple(_mark(event, tops[event.lane] + ROW_HEIGHT * (row + 0.5), across) for event, row in rows),
        onset=Band(LEFT + began.x, began.width),
        detected=LEFT + across(seconds(detected_at)),
        ticks=_ticks(across),
        earlier=sum(one.at < across.low for one in events),
        width=LEFT + WIDTH + 10,
        bottom=TOP + sum(heights.values()),
        height=TOP + sum(heights.values()) + FOOT,
    )


def _rows(events: Sequence[_Event], across: Scale) -> list[tuple[_Event, int]]:
    """A row within its lane for each event, so that no two lie on each other; what is left over shares the last."""
    ends: dict[tuple[str, int], float] = {}
    placed = []
    for event in sorted(events, key=lambda one: (one.at, one.title)):
        x = across(event.at)
        free = (row for row in range(MOST_ROWS) if x - ends.get((event.lane, row), -APART) >= APART)
        row = next(free, MOST_ROWS - 1)
        ends[event.lane, row] = x
        placed.append((event, row))
    return placed


def _mark(event: _Event, y: float, across: Scale) -> Mark:
    return Mark(LEFT + across(event.at), y, event.role, event.label, event.title)


def _changes(answer: Record) -> list[_Event]:
    suspects = [(one["change"], "suspect", str(one["rank"])) for one in answer["suspects"]]
    others = [(one["change"], "ruled_out", "") for one in answer["ruled_out"]]
    return [
        _Event(seconds(change["effective_at"]), LANE_OF.get(change["kind"], "people"), role, label, _title(change))
        for change, role, label in (*suspects, *others)
    ]


def _verdicts(said: Iterable[Record]) -> list[_Event]:
    return [_Event(seconds(one["at"]), "people", "said", "", f"said: {one['verdict']}") for one in said]


def _title(change: Record) -> str:
    name = change["subject"].rpartition("#")[2]
    return f"{change['kind']} {name} {change['from'] or '?'} → {change['to'] or '?'}, {change['effective_at']}"


def _axis(answer: Record, detected_at: str, events: Sequence[_Event]) -> Scale:
    """Far enough back for the leading suspects, and no further: a day at most."""
    onset = seconds(answer["onset"]["at"])
    leading = [seconds(one["change"]["effective_at"]) for one in answer["suspects"][:LEADING]]
    back = min(max(LEAST_BACK, onset - min([onset, *leading])), MOST_BACK) * 1.1
    end = max([seconds(detected_at), *(one.at for one in events if one.at < onset + back)])
    return Scale(onset - back, end + back * 0.08, WIDTH)


def _ticks(across: Scale) -> tuple[tuple[float, str], ...]:
    length = across.high - across.low
    step = next((one for one in _STEPS if length / one <= _MOST_TICKS), _STEPS[-1])
    pattern = "%H:%M:%S" if step < 60 else "%H:%M"
    first = (int(across.low) // step + 1) * step
    instants = range(first, int(across.high) + 1, step)
    return tuple((LEFT + across(at), datetime.fromtimestamp(at, UTC).strftime(pattern)) for at in instants)
