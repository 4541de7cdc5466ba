"""Who else is hit by what an answer suspects first."""

from __future__ import annotations

from whence.api.resolve import with_versions
from whence.model.answer import Answer
from whence.model.graph import Subgraph
from whence.rca.case import Case
from whence.rca.topology import base_key
from whence.store.protocol import ClosureQuery, GraphReader

MAX_NODES = 500


async def affected(reader: GraphReader, case: Case, answer: Answer) -> Subgraph | None:
    """What depended on the first suspect's subject in the time looked at; None where nobody is suspected."""
    if not answer.suspects:
        return None
    entity = await reader.entity(base_key(answer.suspects[0].path[-1]))
    if entity is None:
        return None
    query = ClosureQuery(
        await with_versions(reader, entity),
        case.history_from_ns,
        case.as_of_ns + 1,
        environment=case.incident.environment,
        known_ns=case.incident.known_ns,
        max_nodes=MAX_NODES,
    )
    return await reader.downstream(query)
