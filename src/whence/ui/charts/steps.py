"""The explaining graph at each of a few moments, with what differs from the first of them."""

from __future__ import annotations

from typing import NamedTuple

from whence.ui.charts.layers import Layers, layers
from whence.ui.charts.scale import Record

NAMES = {"before": "before", "change": "after the change", "onset": "it began", "noticed": "noticed"}


class Step(NamedTuple):
    """One moment: its picture, and in words what is different."""

    name: str
    at: str
    picture: Layers
    differences: tuple[str, ...]


def steps(exhibits: Record) -> tuple[Step, ...]:
    """All moments; none for answers that were frozen before there were any."""
    found = exhibits.get("steps") or []
    return tuple(_step(exhibits["graph"], found[0], one) for one in found)


def _step(graph: Record, before: Record, now: Record) -> Step:
    nodes = [_node(one, before, now) for one in graph["nodes"]]
    known, seen = _pairs(before), _pairs(now)
    edges = [
        one | {"state": "same" if (one["dependent"], one["dependency"]) in known else "added"}
        for one in graph["edges"]
        if (one["dependent"], one["dependency"]) in seen
    ]
    moved = [f"{_short(one['key'])} {one['from']} → {one['to']}" for one in nodes if one.get("to")]
    added = [
        f"{_short(one['dependent'])} needs {_short(one['dependency'])}" for one in edges if one["state"] == "added"
    ]
    return Step(NAMES[now["name"]], now["at"], layers(nodes, edges), (*moved, *added))


def _node(node: Record, before: Record, now: Record) -> Record:
    """The node with its versions at that moment; of a change only what had come about by then."""
    old, new = (", ".join(at["versions"].get(node["key"], ())) for at in (before, now))
    if old and new and old != new:
        return node | {"from": old, "to": new, "role": f"{node['role']} changed"}
    return node | {"from": None, "to": None, "kind": f"{node['kind']} {new or old}".strip()}


def _pairs(step: Record) -> set[tuple[str, str]]:
    return {(dependent, dependency) for dependent, dependency in step["edges"]}


def _short(key: str) -> str:
    return str(key.rpartition("#")[2])
