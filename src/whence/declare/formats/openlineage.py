"""OpenLineage events in a file: those without a run declare, and so does the explicit ``lineage`` facet of a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whence.declare.statements import Edge, Statements
from whence.intake.facets import explicit_inputs, named
from whence.intake.fields import Json, as_list, as_map, as_text
from whence.model.kinds import RelationType


def is_declaration(value: Any) -> bool:
    """Whether decoded JSON is one job event, or a list of them."""
    return any(_is_job_event(as_map(event)) for event in _events(value))


def read(value: Any, path: str, *, text: str) -> Statements:
    """Statements of the job events in a file; a line is where the job's name first stands."""
    edges: list[Edge] = []
    for event in map(as_map, _events(value)):
        if _is_job_event(event):
            edges += _edges(event, text, path)
    return Statements(edges=tuple(dict.fromkeys(edges)))


def _edges(event: Json, text: str, path: str) -> Iterator[Edge]:
    job = as_map(event.get("job"))
    own = named(job)
    line = _line(text, as_text(job.get("name")) or "")
    entries = as_list(as_map(as_map(job.get("facets")).get("lineage")).get("entries"))
    for entry in map(as_map, entries):
        target = named(entry) or own
        is_dataset = as_text(entry.get("type")) == "DATASET"
        for kind, ref in explicit_inputs(entry):
            if target is not None:
                yield Edge(str(target), _type(kind, is_dataset=is_dataset), str(ref), path, line)
    for record in as_list(event.get("inputs")) if not entries else ():
        read_from = named(as_map(record))
        if own is not None and read_from is not None:
            yield Edge(str(own), RelationType.READS, str(read_from), path, line)


def _type(kind: str, *, is_dataset: bool) -> RelationType:
    if is_dataset:
        return RelationType.PRODUCED_BY if kind == "JOB" else RelationType.DERIVED_FROM
    return RelationType.CALLS if kind == "JOB" else RelationType.READS


def _events(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_job_event(event: Json) -> bool:
    return "job" in event and "run" not in event and "eventTime" in event


def _line(text: str, name: str) -> int:
    return text.count("\n", 0, max(text.find(f'"{name}"'), 0)) + 1
