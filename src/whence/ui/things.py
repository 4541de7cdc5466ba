"""The API's graph of versions, told in things: readers think of services, models and datasets. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from whence.ui.shown import Record

_PILLARS = {"model": "model", "prompt": "model", "dataset": "data"}
_VERSION_KINDS = {"run": "job"}
_VERSION_SUFFIX = "_version"

Edge = tuple[str, str]


def entity_graph(found: Record, most_hops: int) -> Record:
    """Nodes (with hops and pillar) and edges between entities, up to some hops from the one that was asked for."""
    base_of: dict[str, str] = {one["key"]: one["base"] for one in found["entities"]}
    edges: dict[Edge, set[str]] = defaultdict(set)
    for relation in found["relations"]:
        src, dst = (base_of.get(relation[end], relation[end]) for end in ("dependent", "dependency"))
        if src != dst:
            edges[str(src), str(dst)].add(relation["type"])
    root = str(base_of.get(found["entity"], found["entity"]))
    hops = _hops(edges, root)
    nodes = {one["base"]: _node(one, hops.get(one["base"], 0), root) for one in found["entities"]}
    near = [node for node in nodes.values() if node["hops"] <= most_hops]
    told = [{"dependent": ends[0], "dependency": ends[1], "types": sorted(edges[ends])} for ends in sorted(edges)]
    return {"nodes": sorted(near, key=lambda one: (one["hops"], one["key"])), "edges": told}


def with_differences(graph: Record, differences: Record) -> Record:
    """The graph with what came and what changed version since the other time marked, and what went named."""
    nodes = {one["key"]: dict(one) for one in graph["nodes"]}
    for shift in differences["versions"]:
        if shift["entity"] in nodes:
            before, after = (", ".join(_version(key) for key in shift[side]) for side in ("before", "after"))
            nodes[shift["entity"]] |= {"from": before, "to": after, "role": "changed"}
    for one in differences["added"]["entities"]:
        if one["base"] in nodes:
            nodes[one["base"]]["role"] = "added"
    added = {(one["dependent"], one["dependency"]) for one in differences["added"]["relations"]}
    edges = [_marked(one, added) for one in graph["edges"]]
    removed = sorted({one["base"] for one in differences["removed"]["entities"]})
    return {"nodes": list(nodes.values()), "edges": edges, "removed": removed}


def _marked(edge: Record, added: set[Edge]) -> Record:
    return edge | {"state": "added"} if (edge["dependent"], edge["dependency"]) in added else edge


def _node(entity: Record, hops: int, root: str) -> Record:
    kind = entity["kind"].removesuffix(_VERSION_SUFFIX)
    kind = _VERSION_KINDS.get(kind, kind)
    role = "symptom" if entity["base"] == root else "between"
    return {"key": entity["base"], "kind": kind, "pillar": _PILLARS.get(kind, "code"), "hops": hops, "role": role}


def _hops(edges: Iterable[Edge], root: str) -> dict[str, int]:
    """Hops from the root, whichever way the relations point. The API counts the step to a version as one, we don't."""
    beside: dict[str, set[str]] = defaultdict(set)
    for src, dst in edges:
        beside[src].add(dst)
        beside[dst].add(src)
    hops, frontier = {root: 0}, [root]
    while frontier:
        following = sorted({one for key in frontier for one in beside[key]} - hops.keys())
        hops |= dict.fromkeys(following, hops[frontier[0]] + 1)
        frontier = following
    return hops


def _version(key: str) -> str:
    return key.rpartition("@")[2].partition(":")[2] or key
