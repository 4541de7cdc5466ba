"""Closures: breadth first, one statement for each hop, the frontier handed over as one JSON array of ids.

Decision: no recursive statement. It would expand a node once for every depth at which it is met; here each node is
expanded once, and the bound on nodes is a slice.
"""

# Statements are put together from constants of this file alone; values are parameters.
# ruff: noqa: S608

from __future__ import annotations

import json
from collections.abc import Mapping

from whence.model.delta import Relation
from whence.model.environments import UNNAMED
from whence.model.graph import Subgraph
from whence.store.embedded.reading import Reading, Row
from whence.store.protocol import ClosureQuery

_ACTIVE = """
  AND r.first < :to AND r.until >= :from AND (:known IS NULL OR r.known <= :known)
  AND r.layer IN (SELECT value FROM json_each(:layers))
  AND (:types IS NULL OR r.type IN (SELECT value FROM json_each(:types)))
  AND (:environment IS NULL OR r.environment IN (:environment, :unnamed)
    OR r.type IN (SELECT value FROM json_each(:lasting)))
"""
_COLUMNS = "r.src, r.type, r.dst, r.environment, r.layer, r.first, r.last, r.until, r.known"
UPSTREAM = f"SELECT r.dst, {_COLUMNS} FROM json_each(:frontier) j CROSS JOIN relation r ON r.src = j.value {_ACTIVE}"
DOWNSTREAM = f"SELECT r.src, {_COLUMNS} FROM json_each(:frontier) j CROSS JOIN relation r ON r.dst = j.value {_ACTIVE}"

_FIRST_BY_KEY = "SELECT e.id FROM json_each(?) j CROSS JOIN entity e ON e.id = j.value ORDER BY e.key LIMIT ?"


def walk(reading: Reading, step: str, query: ClosureQuery) -> Subgraph:
    """The closure along ``step``: ``UPSTREAM`` or ``DOWNSTREAM``.

    Cost: one seek for each node and one row for each relation met, also for those that the bound on nodes cuts off.
    """
    roots = reading.ids(query.roots)
    frontier = nearest = _first_by_key(reading, list(roots.values()), query.max_nodes)
    truncated = len(nearest) < len(roots)
    depth = dict.fromkeys(nearest, 0)
    met: list[Row] = []
    values = _values(reading, query)
    for hop in range(1, query.max_hops + 1):
        if not frontier:
            break
        rows = reading.rows(step, {**values, "frontier": json.dumps(frontier)})
        met += rows
        new = [node for node in dict.fromkeys(row[0] for row in rows) if node not in depth]
        frontier = _first_by_key(reading, new, query.max_nodes - len(depth))
        truncated = truncated or len(frontier) < len(new)
        depth.update(dict.fromkeys(frontier, hop))
    return _subgraph(reading, roots, depth, met, truncated)


def _values(reading: Reading, query: ClosureQuery) -> dict[str, object]:
    terms = reading.terms
    return {
        "from": query.from_ns,
        "to": query.to_ns,
        "known": query.known_ns,
        "layers": json.dumps(terms.ids(query.layers)),
        "types": json.dumps(terms.ids(query.types)) if query.types else None,
        "environment": reading.environment_id(query.environment),
        "unnamed": terms.id(UNNAMED),
        "lasting": reading.lasting_types(),
    }


def _first_by_key(reading: Reading, nodes: list[int], room: int) -> list[int]:
    if len(nodes) <= room:
        return nodes
    return [row[0] for row in reading.rows(_FIRST_BY_KEY, (json.dumps(nodes), room))]


def _subgraph(
    reading: Reading, roots: Mapping[str, int], depth: Mapping[int, int], met: list[Row], truncated: bool
) -> Subgraph:
    entities = reading.entities(depth)
    keys = {node: entity.key for node, entity in entities.items()}
    relations = [
        Relation(reading.relation_key(row[1:6], keys), *row[6:]) for row in met if row[1] in depth and row[3] in depth
    ]
    return Subgraph(
        roots=tuple(key for key, node in roots.items() if node in depth),
        entities={entity.key: entity for entity in entities.values()},
        relations=tuple(sorted(relations, key=lambda one: one.key)),
        depth={keys[node]: hops for node, hops in depth.items()},
        truncated=truncated,
    )
