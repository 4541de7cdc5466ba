"""Cases for the ranking, built from facts without a store: the pure way from a delta to an answer."""

from __future__ import annotations

from collections import defaultdict, deque

from whence.model.delta import GraphDelta, Relation
from whence.model.graph import EdgeRow, ExposureRow, OperationRow, Subgraph
from whence.model.incident import Incident
from whence.model.kinds import RelationType
from whence.model.times import NS_PER_SECOND
from whence.rca.case import Case
from whence.rca.topology import names_of

HISTORY_S = 24 * 3600


def case_of(facts: GraphDelta, incident: Incident, *, as_of_ns: int | None = None, bucket_s: int = 15) -> Case:
    """The case that a store holding just these facts would give, all of them within the windows."""
    subgraph = closure_of(facts, incident.symptom.entity)
    bases = {entity.base for entity in subgraph.entities.values()}
    subjects = bases | set(names_of(bases))
    return Case(
        incident=incident,
        as_of_ns=incident.detected_ns if as_of_ns is None else as_of_ns,
        history_from_ns=incident.detected_ns - HISTORY_S * NS_PER_SECOND,
        subgraph=subgraph,
        changes=tuple(change for change in facts.changes.values() if change.subject in subjects),
        versions=tuple(
            relation
            for relation in facts.relations.values()
            if relation.key.type is RelationType.HAS_VERSION and relation.key.src in bases
        ),
        exposures=tuple(
            ExposureRow(key.service, key.operation, key.node, key.start_s, *counts[1:])
            for key, counts in facts.exposures.items()
            if key.service == incident.symptom.entity
        ),
        operations=tuple(
            OperationRow(key.node, key.operation, key.start_s, *counts[1:])
            for key, counts in facts.operations.items()
            if key.node in subgraph.entities
        ),
        edges=tuple(
            EdgeRow(key.relation, key.start_s, *counts[1:])
            for key, counts in facts.edges.items()
            if {key.relation.src, key.relation.dst} <= subgraph.entities.keys()
        ),
        profiles=tuple(profile for profile in facts.profiles.values() if profile.dataset in bases),
        bucket_s=bucket_s,
    )


def closure_of(facts: GraphDelta, root: str) -> Subgraph:
    """Everything that the root depends on, breadth first and without bounds."""
    outgoing: dict[str, list[Relation]] = defaultdict(list)
    for relation in facts.relations.values():
        outgoing[relation.key.src].append(relation)
    depth = {root: 0}
    queue = deque([root])
    kept: list[Relation] = []
    while queue:
        node = queue.popleft()
        for relation in outgoing[node]:
            kept.append(relation)
            if relation.key.dst not in depth:
                depth[relation.key.dst] = depth[node] + 1
                queue.append(relation.key.dst)
    return Subgraph(
        roots=(root,),
        entities={key: facts.entities[key] for key in depth if key in facts.entities},
        relations=tuple(sorted(kept, key=lambda relation: relation.key)),
        depth=depth,
    )
