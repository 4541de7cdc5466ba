"""All exhibits of one answer."""

from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import TypedDict

from whence.exhibits.explaining import ExplainingJson, explaining
from whence.exhibits.series import MOST_CONTRASTS, ContrastJson, ImpactJson, PointJson, RequestSeries
from whence.exhibits.steps import StepJson, steps_of
from whence.model.answer import Answer
from whence.model.graph import Subgraph
from whence.model.times import format_time
from whence.rca.candidates import arrivals, gather
from whence.rca.case import Case
from whence.rca.topology import Topology


class AffectedJson(TypedDict):
    """An entity that depends on what was changed, however indirectly."""

    key: str
    kind: str
    owner: str | None


class ExhibitsJson(TypedDict):
    """Everything that is shown beside an answer and is not in it."""

    investigation: str
    detected_at: str
    bucket_seconds: int
    impact: ImpactJson
    requests: list[PointJson]
    contrasts: list[ContrastJson]
    """Of the best suspects, in their order, where requests met both sides."""
    graph: ExplainingJson
    steps: list[StepJson]
    """The same graph at a few moments."""
    affected: list[AffectedJson]


def exhibits_of(case: Case, answer: Answer, answer_id: str, downstream: Subgraph | None = None) -> ExhibitsJson:
    """Make the exhibits of an answer to a case.

    Args:
        case: What was read.
        answer: The answer to it.
        answer_id: Its id.
        downstream: What depends on the first suspect's subject.

    Cost: O(rows of requests) for each of the best suspects, and O(relations) once; no I/O.
    """
    topology = Topology(case.subgraph, case.incident.symptom.entity)
    series = RequestSeries(case, topology)
    candidates = {
        one.change.id: one for one in gather(case, topology, arrivals(case, topology), series.observed.onset.high_ns)
    }
    graph = explaining(case, topology, answer)
    best = [candidates[one.change.id] for one in answer.suspects[:MOST_CONTRASTS] if one.change.id in candidates]
    return {
        "investigation": answer_id,
        "detected_at": format_time(case.incident.detected_ns),
        "bucket_seconds": case.bucket_s,
        "impact": series.impact(answer.onset, answer.as_of_ns),
        "requests": series.everything(),
        "contrasts": [found for found in map(series.contrast, best) if found is not None],
        "graph": graph,
        "steps": steps_of(case, topology, answer, graph),
        "affected": list(_affected(downstream)) if downstream is not None else [],
    }


def _affected(downstream: Subgraph) -> Iterator[AffectedJson]:
    """Entities alone, by key; the roots are no dependents of theirs."""
    entities = downstream.entities
    roots = {entities[key].base for key in downstream.roots if key in entities}
    for key in sorted({one.base for one in entities.values()} - roots):
        known = entities.get(key)
        kind = known.kind if known is not None else next(one.kind for one in entities.values() if one.base == key)
        owner = known.attribute("owner") if known is not None else None
        yield {"key": key, "kind": kind.value.removesuffix("_version"), "owner": owner}
