"""The piece of the graph that explains an answer: the ways from the symptom to what changed, and little else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from typing_extensions import TypedDict

from whence.model.answer import Answer
from whence.model.change import Change
from whence.model.kinds import EntityKind, RelationType
from whence.rca.candidates import entity_kinds
from whence.rca.case import Case
from whence.rca.topology import Topology, base_key

MOST_NODES = 25

_PILLARS = {EntityKind.MODEL: "model", EntityKind.PROMPT: "model", EntityKind.DATASET: "data"}

NodeJson = TypedDict(
    "NodeJson",
    {
        "key": str,
        "kind": str,
        "pillar": str,
        "hops": int,
        "role": str,
        "rank": int | None,
        "from": str | None,
        "to": str | None,
        "owner": str | None,
    },
)
"""An entity. ``pillar``: code, model or data. ``role``: symptom, suspect, ruled_out or between."""


class EdgeJson(TypedDict):
    """``dependent`` needs ``dependency``; versions are told as their entities."""

    dependent: str
    dependency: str
    types: list[str]


class ExplainingJson(TypedDict):
    """At most 25 nodes, the nearest to the symptom first; ``left_out`` counts what was considered beyond them."""

    nodes: list[NodeJson]
    edges: list[EdgeJson]
    left_out: int


def explaining(case: Case, topology: Topology, answer: Answer) -> ExplainingJson:
    """The sub-graph: the best suspects' paths first, then the rest, then those of what was ruled out."""
    chosen: dict[str, None] = {topology.symptom: None}
    left_out = 0
    for path in _paths(topology, answer):
        added = [key for key in path if key not in chosen]
        if len(chosen) + len(added) <= MOST_NODES:
            chosen |= dict.fromkeys(added)
        else:
            left_out += 1
    nodes = sorted(_nodes(chosen, case, topology, answer), key=lambda node: (node["hops"], node["key"]))
    return {"nodes": nodes, "edges": _edges(chosen, case, topology), "left_out": left_out}


def _paths(topology: Topology, answer: Answer) -> Iterator[tuple[str, ...]]:
    for suspect in answer.suspects:
        yield tuple(topology.base(key) for key in suspect.path)
    for subject in dict.fromkeys(base_key(one.change.subject) for one in answer.ruled_out):
        if subject in topology.reach:
            yield topology.reach[subject].path


def _nodes(chosen: Iterable[str], case: Case, topology: Topology, answer: Answer) -> Iterator[NodeJson]:
    kinds = entity_kinds(case, topology)
    suspects = {topology.base(one.path[-1]): one for one in reversed(answer.suspects)}
    ruled_out = {base_key(one.change.subject): one.change for one in answer.ruled_out}
    for key in chosen:
        suspect = suspects.get(key)
        change = suspect.change if suspect is not None else ruled_out.get(key)
        entity = case.subgraph.entities.get(key)
        kind = kinds.get(key, EntityKind.EXTERNAL)
        yield {
            "key": key,
            "kind": kind.value,
            "pillar": _PILLARS.get(kind, "code"),
            "hops": len(topology.reach[key].path) - 1 if key in topology.reach else 0,
            "role": _role(key, topology, change, is_suspect=suspect is not None),
            "rank": suspect.rank if suspect is not None else None,
            "from": change.from_version if change is not None else None,
            "to": change.to_version if change is not None else None,
            "owner": entity.attribute("owner") if entity is not None else None,
        }


def _role(key: str, topology: Topology, change: Change | None, *, is_suspect: bool) -> str:
    if is_suspect:
        return "suspect"
    if key == topology.symptom:
        return "symptom"
    return "between" if change is None else "ruled_out"


def _edges(chosen: Iterable[str], case: Case, topology: Topology) -> list[EdgeJson]:
    kept = frozenset(chosen)
    types: dict[tuple[str, str], set[str]] = {}
    for relation in case.subgraph.relations:
        if relation.key.type is RelationType.HAS_VERSION:
            continue
        src, dst = topology.base(relation.key.src), topology.base(relation.key.dst)
        if src != dst and src in kept and dst in kept:
            types.setdefault((src, dst), set()).add(relation.key.type.value)
    return [
        {"dependent": src, "dependency": dst, "types": sorted(names)} for (src, dst), names in sorted(types.items())
    ]
