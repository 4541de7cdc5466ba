"""Changes that did not happen: a dataset or model that is refreshed at a rhythm, and then was not."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from whence.model.change import Change
from whence.model.delta import Relation
from whence.model.kinds import ChangeKind, EntityKind
from whence.model.times import NS_PER_SECOND
from whence.rca.topology import version_text

OVERDUE_FACTOR = 1.5
"""A refresh is overdue once the age exceeds this multiple of the usual gap."""
MAX_GAPS = 20
MIN_GAPS = 3
MIN_CADENCE_NS = NS_PER_SECOND
"""Versions that follow closer were all found at once, when somebody first looked."""
IRREGULAR_SHARE = 0.25
"""Of past gaps; a series that was overdue more often than this has no rhythm and can't be late."""
_AGEING = frozenset({EntityKind.DATASET, EntityKind.MODEL})


def overdue(
    versions: Iterable[Relation], kinds: Mapping[str, EntityKind], from_ns: int, to_ns: int
) -> tuple[tuple[Change, int], ...]:
    """A synthesised change for each dataset or model whose age crossed its limit in ``[from_ns, to_ns)``.

    With it the usual gap between two versions, in nanoseconds.
    """
    series: dict[str, dict[str, int]] = defaultdict(dict)
    for relation in versions:
        key = relation.key
        if kinds.get(key.src) in _AGEING and relation.first_seen_ns < to_ns:
            first = series[key.src]
            first[key.dst] = min(first.get(key.dst, relation.first_seen_ns), relation.first_seen_ns)
    found = []
    for base, first in series.items():
        times = sorted(first.values())
        cadence = cadence_ns(times)
        if cadence is None:
            continue
        crossed = times[-1] + round(OVERDUE_FACTOR * cadence)
        if from_ns <= crossed < to_ns:
            latest = max(first.items(), key=lambda item: (item[1], item[0]))[0]
            found.append((_missed_refresh(base, version_text(latest), crossed, cadence), cadence))
    return tuple(sorted(found, key=lambda one: (one[0].effective_ns, one[0].subject)))


def cadence_ns(times: list[int]) -> int | None:
    """Usual gap between refreshes, from ascending instants; None when there is no rhythm to speak of."""
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)][-MAX_GAPS:]
    if len(gaps) < MIN_GAPS:
        return None
    usual = median(gaps)
    late = sum(gap > OVERDUE_FACTOR * usual for gap in gaps)
    return round(usual) if usual >= MIN_CADENCE_NS and late <= IRREGULAR_SHARE * len(gaps) else None


def _missed_refresh(base: str, latest: str, crossed_ns: int, cadence: int) -> Change:
    identity = f"{base}\n{latest}"
    return Change(
        id=f"stale-{hashlib.sha256(identity.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}",
        kind=ChangeKind.STALENESS,
        subject=base,
        effective_ns=crossed_ns,
        known_ns=crossed_ns,
        reported_ns=crossed_ns,
        from_version=latest,
        summary=f"no new version although one came every {cadence / NS_PER_SECOND:.0f} s before",
        source="cadence",
        recorded=False,
    )
