"""Facts of every metric, drawn from changes, versions and calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from whence.kpis.figures import Fact, percentile, seconds
from whence.model.change import Change
from whence.model.delta import Entity, Relation
from whence.model.kinds import ChangeKind, EntityKind
from whence.model.refs import parse_ref

PRODUCTION = "production"
_RUN = "@run:"
_SORTS = {"fea": "features_shipped", "fix": "bug_fixes"}
"""How a summary begins, by the habit of conventional commits."""
LATE = 2.0
"""A refresh is late if it took so many times its dataset's median."""
_USUAL = 3
"""Intervals from which a usual one can be told."""


class Use(NamedTuple):
    """Calls of one node to a model or dataset, over the counted part of the window."""

    relation: Relation
    calls: float
    errors: float
    median_ms: float | None


def code_facts(changes: Sequence[Change], versions: Iterable[Relation], failed: Collection[str]) -> Iterator[Fact]:
    """Releases, lead times, failures and times to restore.

    Args:
        changes: Of any kind, in any order. That a batch job ran again is no release of it.
        versions: ``HAS_VERSION`` relations of services.
        failed: Ids of changes that an investigation found likely, or a person confirmed.
    """
    versions = list(versions)
    runs = {(one.key.src, parse_ref(one.key.dst).version) for one in versions if _RUN in one.key.dst}
    rolled_out = (
        one for one in changes if one.kind is ChangeKind.DEPLOYMENT and (one.subject, one.to_version) not in runs
    )
    releases = sorted(rolled_out, key=lambda one: one.effective_ns)
    for release in releases:
        yield Fact("releases", release.subject, release.effective_ns, 1.0, release.id)
        sort = _SORTS.get((release.summary or "").lower()[:3])
        if sort is not None:
            yield Fact(sort, release.subject, release.effective_ns, 1.0, release.id)
        has_failed = release.id in failed
        yield Fact("change_failure", release.subject, release.effective_ns, float(has_failed), release.id)
        restored = _next(release, releases) if has_failed else None
        if restored is not None:
            took = seconds(release.effective_ns, restored.effective_ns)
            yield Fact("time_to_restore", release.subject, release.effective_ns, took, restored.id)
    yield from _lead_times(versions)


def _next(release: Change, releases: Iterable[Change]) -> Change | None:
    """The release of the same service that came next."""
    later = (one for one in releases if one.subject == release.subject and one.effective_ns > release.effective_ns)
    return next(later, None)


def _lead_times(versions: Iterable[Relation]) -> Iterator[Fact]:
    """A version that ran somewhere else before production was on its way so long."""
    first: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for one in versions:
        if one.key.environment:
            first[one.key.src, one.key.dst][one.key.environment] = one.first_seen_ns
    for (service, version), seen in first.items():
        elsewhere = [at for environment, at in seen.items() if environment != PRODUCTION]
        if PRODUCTION in seen and elsewhere and min(elsewhere) < seen[PRODUCTION]:
            took = seconds(min(elsewhere), seen[PRODUCTION])
            yield Fact("lead_time", service, seen[PRODUCTION], took, version)


def model_facts(
    uses: Iterable[Use], born: Mapping[str, int], trained_on: Mapping[str, Sequence[str]], end_ns: int
) -> Iterator[Fact]:
    """Versions shipped, latency, failures, staleness, and the way from data to serving.

    Args:
        uses: Of versions of models.
        born: When each version of a model or dataset was first heard of.
        trained_on: Versions of datasets by the version of a model that was trained on them.
        end_ns: End of the window.
    """
    first_use: dict[str, int] = {}
    for use in uses:
        version, at_ns = use.relation.key.dst, use.relation.first_seen_ns
        first_use[version] = min(first_use.get(version, at_ns), at_ns)
        yield from _calls("latency", "failures", use, end_ns)
    for version, at_ns in sorted(first_use.items()):
        model = entity_of(version)
        yield Fact("versions_shipped", model, at_ns, 1.0, version)
        yield Fact("staleness", model, end_ns - 1, seconds(min(born.get(version, at_ns), at_ns), end_ns), version)
        snapshots = [born[one] for one in trained_on.get(version, ()) if one in born]
        if snapshots and max(snapshots) <= at_ns:
            yield Fact("data_to_serving", model, at_ns, seconds(max(snapshots), at_ns), version)


def data_facts(
    snapshots: Iterable[Entity], written: Collection[str], uses: Iterable[Use], end_ns: int
) -> Iterator[Fact]:
    """Refreshes, their intervals, the late ones, failed assertions, access latency and freshness.

    Args:
        snapshots: Versions of datasets.
        written: Keys of those that are known to have been written; where a dataset has any, those merely read are no
            refreshes of it.
        uses: Reads of datasets.
        end_ns: End of the window.
    """
    by_dataset: dict[str, list[Entity]] = defaultdict(list)
    for one in snapshots:
        if one.kind is EntityKind.DATASET_VERSION and one.first_seen_ns < end_ns:
            by_dataset[one.base].append(one)
    for dataset, known in sorted(by_dataset.items()):
        came = [one for one in known if one.key in written] or known
        came.sort(key=lambda one: (one.first_seen_ns, one.key))
        yield from _refreshes(dataset, came)
        yield Fact("freshness", dataset, end_ns - 1, seconds(came[-1].first_seen_ns, end_ns), came[-1].key)
    for use in uses:
        yield from _calls("access_latency", None, use, end_ns)


def _refreshes(dataset: str, snapshots: Sequence[Entity]) -> Iterator[Fact]:
    pairs = list(zip(snapshots, snapshots[1:], strict=False))
    gaps = [seconds(earlier.first_seen_ns, later.first_seen_ns) for earlier, later in pairs]
    usual = percentile(sorted(gaps), 0.5) if len(gaps) >= _USUAL else None
    for snapshot in snapshots:
        yield Fact("refreshes", dataset, snapshot.first_seen_ns, 1.0, snapshot.key)
        if snapshot.attribute("failed_assertions"):
            yield Fact("quality_incidents", dataset, snapshot.first_seen_ns, 1.0, snapshot.key)
    for (_, snapshot), gap in zip(pairs, gaps, strict=True):
        yield Fact("refresh_interval", dataset, snapshot.first_seen_ns, gap, snapshot.key)
        if usual is not None and gap >= LATE * usual:
            yield Fact("late_refreshes", dataset, snapshot.first_seen_ns, gap, snapshot.key)


def _calls(latency: str, failures: str | None, use: Use, end_ns: int) -> Iterator[Fact]:
    if use.calls <= 0:
        return
    subject, user = entity_of(use.relation.key.dst), use.relation.key.src
    if use.median_ms is not None:
        yield Fact(latency, subject, end_ns - 1, use.median_ms, user, use.calls)
    if failures is not None:
        yield Fact(failures, subject, end_ns - 1, use.errors / use.calls, user, use.calls)


def entity_of(key: str) -> str:
    """Key of the entity of a version, as references are written."""
    namespace, hash_sign, name = key.partition("#")
    return f"{namespace}{hash_sign}{name.partition('@')[0]}"
