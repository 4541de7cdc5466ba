"""A graph in columns: the symptom on the right, what it depends on to the left of it, hop by hop, in pillar bands.

Computed on the server: the picture is the same for everybody, can be tested, and needs no script.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from whence.ui.charts.scale import Record

PILLARS = ("code", "model", "data")
COLUMN, ROW, BOX_WIDTH, BOX_HEIGHT, LEFT, PAD = 204.0, 54.0, 160.0, 40.0, 58.0, 12.0
_LABEL_CHARS = 21
_SHORT = 24
"""Columns of so few rows are never folded."""
_WIDE = 1.6


class Box(NamedTuple):
    """One node."""

    node: Record
    x: float
    y: float
    width: float
    height: float
    title: str
    detail: str


class Line(NamedTuple):
    """One relation, as an SVG path from the dependency to its dependent: the way that trouble takes."""

    path: str
    title: str
    state: str
    """same, added or removed."""


class BandBox(NamedTuple):
    """One pillar's stretch of the picture."""

    name: str
    y: float
    height: float


class Layers(NamedTuple):
    """The picture."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    bands: tuple[BandBox, ...]
    width: float
    height: float


def layers(nodes: Sequence[Record], edges: Iterable[Record], *, root_left: bool = False) -> Layers:
    """Place nodes and edges. O(V log V + E).

    Args:
        nodes: ``key``, ``kind``, ``hops``, ``pillar``, and ``from`` and ``to`` where the version changed.
        edges: ``dependent``, ``dependency``, ``types``.
        root_left: What has no hops stands on the left: for what depends on it.
    """
    edges = list(edges)
    rows = _rows(nodes, edges)
    most = _most_rows(rows)
    column_of, columns = _columns(nodes, rows, most)
    rows = {key: row % most for key, row in rows.items()}
    bands = _bands(nodes, rows)
    top_of = {one.name: one.y for one in bands}
    boxes = {
        node["key"]: Box(
            node=node,
            x=LEFT + (column_of[node["key"]] if root_left else columns - 1 - column_of[node["key"]]) * COLUMN,
            y=top_of[node["pillar"]] + PAD / 2 + rows[node["key"]] * ROW,
            width=BOX_WIDTH,
            height=BOX_HEIGHT,
            title=clip(node["key"].rpartition("#")[2]),
            detail=_detail(node),
        )
        for node in nodes
    }
    lines = [_line(edge, boxes) for edge in edges if edge["dependent"] in boxes and edge["dependency"] in boxes]
    height = bands[-1].y + bands[-1].height if bands else ROW
    return Layers(tuple(boxes.values()), tuple(lines), bands, LEFT + columns * COLUMN, height)


def places(picture: Layers) -> Record:
    """The picture as JSON, for what draws it in the browser."""
    return {
        "width": picture.width,
        "height": picture.height,
        "boxes": [_place(box) for box in picture.boxes],
        "lines": [{"path": line.path, "added": line.state == "added"} for line in picture.lines],
    }


def _place(box: Box) -> Record:
    named = {"key": box.node["key"], "role": box.node["role"], "pillar": box.node["pillar"]}
    return named | {name: value for name, value in box._asdict().items() if name != "node"}


def clip(text: str) -> str:
    """Text that fits into a box; of a long name the end says more."""
    return text if len(text) <= _LABEL_CHARS else f"…{text[-_LABEL_CHARS + 1 :]}"


def _rows(nodes: Sequence[Record], edges: Iterable[Record]) -> dict[str, int]:
    """Row of each node within its band and column: as its dependents lie, so that few lines cross."""
    dependents: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        dependents[edge["dependency"]].append(edge["dependent"])
    rows: dict[str, int] = {}
    cells: dict[tuple[int, str], list[str]] = defaultdict(list)
    for node in nodes:
        cells[node["hops"], node["pillar"]].append(node["key"])
    for cell in sorted(cells, key=lambda one: (one[0], PILLARS.index(one[1]))):
        ordered = sorted(cells[cell], key=lambda key: (_mean(dependents[key], rows), key))
        rows |= {key: row for row, key in enumerate(ordered)}
    return rows


def _most_rows(rows: Mapping[str, int]) -> int:
    """Rows of a column at most: a longer one is folded, so that the picture has about the shape of a window."""
    longest = max(rows.values(), default=0) + 1
    return max(_SHORT, round(math.sqrt(longest * COLUMN / ROW / _WIDE)))


def _columns(nodes: Sequence[Record], rows: Mapping[str, int], most: int) -> tuple[dict[str, int], int]:
    """Column of each node, counted from the root, and how many there are; a hop takes as many as its cells need."""
    widths: dict[int, int] = defaultdict(int)
    for node in nodes:
        widths[node["hops"]] = max(widths[node["hops"]], rows[node["key"]] // most + 1)
    first, columns = {}, 0
    for hops in sorted(widths):
        first[hops], columns = columns, columns + widths[hops]
    return {node["key"]: first[node["hops"]] + rows[node["key"]] // most for node in nodes}, max(columns, 1)


def _mean(keys: Sequence[str], rows: Mapping[str, int]) -> float:
    known = [rows[key] for key in keys if key in rows]
    return sum(known) / len(known) if known else 0.0


def _bands(nodes: Sequence[Record], rows: Mapping[str, int]) -> tuple[BandBox, ...]:
    bands, y = [], 0.0
    for pillar in PILLARS:
        deepest = max((rows[node["key"]] for node in nodes if node["pillar"] == pillar), default=None)
        if deepest is not None:
            height = (deepest + 1) * ROW + PAD
            bands.append(BandBox(pillar, y, height))
            y += height
    return tuple(bands)


def _detail(node: Record) -> str:
    if node.get("from") or node.get("to"):
        return clip(f"{node.get('from') or '?'} → {node.get('to') or '?'}")
    return str(node["kind"]).replace("_", " ")


def _line(edge: Record, boxes: Mapping[str, Box]) -> Line:
    start, end = boxes[edge["dependency"]], boxes[edge["dependent"]]
    y1, y2 = start.y + start.height / 2, end.y + end.height / 2
    if start.x == end.x:
        x, bulge = start.x, start.x - 30
        path = f"M {x} {y1} C {bulge} {y1}, {bulge} {y2}, {x} {y2}"
    else:
        x1, x2 = (start.x + start.width, end.x) if start.x < end.x else (start.x, end.x + end.width)
        middle = (x1 + x2) / 2
        path = f"M {x1} {y1} C {middle} {y1}, {middle} {y2}, {x2} {y2}"
    words = ", ".join(name.lower().replace("_", " ") for name in edge["types"])
    title = f"{end.title} {words} {start.title}"
    return Line(path, title, edge.get("state", "same"))
