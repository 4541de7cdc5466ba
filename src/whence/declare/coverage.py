"""What instrumentation shows of each service, so that "never seen" can be told from "could not have been seen"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from whence.model.graph import Dependency
from whence.model.kinds import Layer, RelationType

_DATA = frozenset({RelationType.READS, RelationType.CONSUMES})
_FAMILIES = {
    RelationType.CALLS: "calls",
    RelationType.READS: "data",
    RelationType.CONSUMES: "data",
    RelationType.USES_MODEL: "models",
}


class Shares(NamedTuple):
    """Of the dependents seen in the window, how many show calls, data accesses and models at all."""

    seen: int
    calls: int
    data: int
    models: int


class Coverage:
    """Measured on what was observed in a window."""

    def __init__(self, observed: Iterable[Dependency]) -> None:
        self._families: dict[str, set[str]] = defaultdict(set)
        for one in observed:
            if one.layer is Layer.OBSERVED:
                self._families[one.src].add(_FAMILIES.get(one.type, ""))

    def shares(self) -> Shares:
        """The figures of the whole window."""
        families = list(self._families.values())
        return Shares(len(families), *(sum(name in one for one in families) for name in ("calls", "data", "models")))

    def blind_to(self, dependent: str, type_: RelationType, dependency: str) -> str:
        """Why such a dependency would not be seen; empty where it would.

        A call is seen by either end, because the callee's span names its parent. Reading data and using a model leave
        a trace in the dependent alone, and only if its client library is instrumented: one such access shows that.
        """
        if dependent not in self._families:
            return "dependent_not_seen"
        family = _FAMILIES[type_]
        if family in self._families[dependent]:
            return ""
        if type_ is RelationType.CALLS and dependency in self._families:
            return ""
        return f"no_{family}_seen"
