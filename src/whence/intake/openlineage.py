"""OpenLineage events to facts.

How this works. A run event tells what one run of a job read and wrote; job and dataset events declare the same without
a run. Two pictures are kept. The lasting one joins entities: the output is PRODUCED_BY the job and DERIVED_FROM the
inputs, the job READS the inputs. The exact one joins versions: the run READS a snapshot, the new snapshot is
PRODUCED_BY the run. Few producers name the version that they wrote, so a run that completes gives its outputs a version
of kind ``run``: a table that is rewritten every night has a version, and a change, for every night.

Only a completed run writes: what START and RUNNING say of an output's version may still be the one before. Runs of a
streaming job never complete, so there RUNNING counts too.

A model is a dataset of type MODEL. A job of type SERVICE in an ``otel://`` namespace is the service of that name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from whence.errors import InvalidQuery
from whence.intake import facets as read
from whence.intake.builder import DeltaBuilder
from whence.intake.facets import Dataset
from whence.intake.fields import Json, as_list, as_map, as_text, instant_ns, required_text
from whence.model.change import Change
from whence.model.delta import GraphDelta
from whence.model.kinds import ChangeKind, EntityKind, Layer, RelationType
from whence.model.refs import Ref, make_ref

SOURCE = "openlineage"
_SCHEMA_EVENTS = frozenset({"ALTER", "RENAME"})


def event_delta(event: object, *, now_ns: int) -> GraphDelta:
    """The facts of one run, job or dataset event; the same event again gives facts that merge to the same.

    Args:
        event: Decoded JSON.
        now_ns: When it came in.

    Raises:
        InvalidQuery: A field that the specification requires is missing or has a bad value.
    """
    fields = as_map(event)
    at_ns = instant_ns("eventTime", required_text(fields, "eventTime", ""), now_ns=now_ns)
    has_run = "run" in fields
    build = DeltaBuilder(at_ns=at_ns, now_ns=now_ns, layer=Layer.OBSERVED if has_run else Layer.DECLARED)
    if "job" in fields:
        _JobEvent(fields, build).add()
    elif "dataset" in fields:
        dataset = _dataset(as_map(fields["dataset"]), "dataset")
        _add_dataset(build, dataset)
        _add_written(build, dataset, read.version_of(dataset))
    else:
        raise InvalidQuery("job", "required: an event has a job (with or without a run) or a dataset")
    return build.build()


class _JobEvent:
    """One run or job event on its way into a delta."""

    def __init__(self, fields: Json, build: DeltaBuilder) -> None:
        job = as_map(fields["job"])
        run = as_map(fields.get("run"))
        self._build = build
        self._job = make_ref(required_text(job, "namespace", "job"), required_text(job, "name", "job"))
        self._run_id = required_text(run, "runId", "run") if "run" in fields else None
        self._state = (as_text(fields.get("eventType")) or "OTHER").upper()
        self._job_facets = as_map(job.get("facets"))
        self._run_facets = as_map(run.get("facets"))
        self._inputs = list(_datasets(fields, "inputs"))
        self._outputs = list(_datasets(fields, "outputs"))
        processing = as_text(as_map(self._job_facets.get("jobType")).get("processingType"))
        self._is_service = processing == "SERVICE" and self._job.namespace.startswith("otel://")
        self._is_streaming = processing == "STREAMING"

    def add(self) -> None:
        kind = EntityKind.SERVICE if self._is_service else EntityKind.JOB
        job = self._build.entity(self._job, kind, read.job_attributes(self._job_facets))
        run = None
        if self._run_id and not self._is_service:
            attributes = read.run_attributes(self._state, self._job_facets, self._run_facets)
            run = self._build.entity(self._job.at("run", self._run_id), EntityKind.JOB, attributes)
        read_keys = [self._add_input(dataset, job, run) for dataset in self._inputs]
        for dataset in self._outputs:
            self._add_output(dataset, job, run, read_keys)
        self._add_explicit_lineage(job)

    def _add_input(self, dataset: Dataset, job: str, run: str | None) -> str:
        """Add one input; gives back the key of what was read, as exact as it is known."""
        base = _add_dataset(self._build, dataset)
        version = read.version_of(dataset)
        exact = _add_version(self._build, dataset, version) if version is not None else base
        reads = RelationType.USES_MODEL if dataset.kind is EntityKind.MODEL else RelationType.READS
        self._build.relate(job, reads, base)
        self._build.relate(run or job, reads, exact)
        return exact

    def _add_output(self, dataset: Dataset, job: str, run: str | None, read_keys: list[str]) -> None:
        base = _add_dataset(self._build, dataset)
        self._build.relate(base, RelationType.PRODUCED_BY, job)
        derives = RelationType.TRAINED_ON if dataset.kind is EntityKind.MODEL else RelationType.DERIVED_FROM
        sources = {one.ref for one in self._inputs} if not self._has_explicit_lineage(dataset) else set()
        sources |= read.column_inputs(dataset.facets)
        sources |= {ref for kind, ref in read.explicit_inputs(_lineage(dataset.facets)) if kind == "DATASET"}
        for ref in sorted(sources):
            self._build.relate(base, derives, self._known_dataset(ref))
        version = self._written_version(dataset)
        if version is None:
            return
        key = _add_written(self._build, dataset, version)
        if key is not None and run is not None:
            self._build.relate(key, RelationType.PRODUCED_BY, run)
            for exact in read_keys if not self._has_explicit_lineage(dataset) else ():
                self._build.relate(key, derives, exact)

    def _written_version(self, dataset: Dataset) -> Ref | None:
        if self._state != "COMPLETE" and not (self._is_streaming and self._state == "RUNNING"):
            return None
        named = read.version_of(dataset)
        if named is None and self._run_id and self._state == "COMPLETE" and not self._is_service:
            return dataset.ref.at("run", self._run_id)
        return named

    def _has_explicit_lineage(self, dataset: Dataset) -> bool:
        """Whether the event says itself what feeds what; then inputs times outputs would say too much."""
        return bool(_lineage(self._job_facets) or _lineage(self._run_facets) or _lineage(dataset.facets))

    def _add_explicit_lineage(self, job: str) -> None:
        entries = as_list(_lineage(self._job_facets).get("entries"))
        for entry in map(as_map, entries + as_list(_lineage(self._run_facets).get("entries"))):
            target = read.named(entry)
            if as_text(entry.get("type")) == "DATASET":
                if target is not None:
                    self._feed_dataset(self._known_dataset(target), entry)
            else:
                self._feed_job(job if target is None else self._known_job(target), entry)

    def _feed_dataset(self, target: str, entry: Json) -> None:
        for kind, ref in read.explicit_inputs(entry):
            if kind == "JOB":
                self._build.relate(target, RelationType.PRODUCED_BY, self._known_job(ref))
            else:
                self._build.relate(target, RelationType.DERIVED_FROM, self._known_dataset(ref))

    def _feed_job(self, target: str, entry: Json) -> None:
        for kind, ref in read.explicit_inputs(entry):
            if kind == "JOB":
                self._build.relate(target, RelationType.CALLS, self._known_job(ref))
            else:
                self._build.relate(target, RelationType.READS, self._known_dataset(ref))

    def _known_dataset(self, ref: Ref) -> str:
        kinds = {dataset.ref: dataset.kind for dataset in (*self._inputs, *self._outputs)}
        return self._build.entity(ref, kinds.get(ref, EntityKind.DATASET))

    def _known_job(self, ref: Ref) -> str:
        return self._build.entity(ref, EntityKind.SERVICE if ref.namespace.startswith("otel://") else EntityKind.JOB)


def _datasets(fields: Json, side: str) -> Iterator[Dataset]:
    for index, record in enumerate(as_list(fields.get(side))):
        yield _dataset(as_map(record), f"{side}.{index}")


def _dataset(record: Json, place: str) -> Dataset:
    ref = make_ref(required_text(record, "namespace", place), required_text(record, "name", place))
    facets: dict[str, object] = {}
    for group in ("facets", "inputFacets", "outputFacets"):
        facets.update(as_map(record.get(group)))
    present = {name: facet for name, facet in facets.items() if not as_map(facet).get("_deleted")}
    return Dataset(ref, read.kind_of(present), present)


def _add_dataset(build: DeltaBuilder, dataset: Dataset) -> str:
    return build.entity(dataset.ref, dataset.kind, read.dataset_attributes(dataset.facets))


def _add_version(build: DeltaBuilder, dataset: Dataset, version: Ref) -> str:
    key = build.entity(version, dataset.kind, read.version_attributes(dataset.facets))
    profile = read.profile_of(key, dataset, build.at_ns)
    if profile is not None:
        build.profile(profile)
    return key


def _add_written(build: DeltaBuilder, dataset: Dataset, version: Ref | None) -> str | None:
    """Add a version that was written and the change that it amounts to."""
    key = _add_version(build, dataset, version) if version is not None else None
    event = read.lifecycle(dataset.facets)
    if key is None and event is None:
        return None
    identity = f"{key}|{event}" if key else f"{dataset.ref}|{event}|{build.at_ns}"
    build.change(
        Change(
            id=f"{SOURCE}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}",
            kind=_change_kind(dataset, event),
            subject=str(dataset.ref),
            effective_ns=build.at_ns,
            known_ns=build.now_ns,
            reported_ns=build.at_ns,
            to_version=version.version if version is not None else None,
            summary=event.lower() if event else None,
            source=SOURCE,
        )
    )
    return key


def _change_kind(dataset: Dataset, lifecycle: str | None) -> ChangeKind:
    if lifecycle in _SCHEMA_EVENTS:
        return ChangeKind.SCHEMA
    return ChangeKind.MODEL if dataset.kind is EntityKind.MODEL else ChangeKind.DATASET


def _lineage(facets: Json) -> Json:
    return as_map(facets.get("lineage"))
