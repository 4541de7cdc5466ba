"""What a fault does to requests: when, where, how often, and how it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

FAILS, SLOW, POOR = "errors", "latency", "quality"


@dataclass(frozen=True, slots=True)
class Effect:
    """Requests that meet all of ``needs`` at ``place`` are hurt there."""

    place: str
    """Name of the service."""
    shows: str
    share: float
    """Of those requests."""
    from_ns: int
    until_ns: int | None = None
    needs: tuple[tuple[str, frozenset[str]], ...] = ()
    """Things by reference, with the versions of which any will do. Empty: nothing that is recorded is needed."""
    tenant: str | None = None
    instance: int | None = None
    operation: str | None = None
    slower: float = 4.0
    """Factor on the time of its own, where it shows as latency."""

    def hurts(self, met: Mapping[str, str], at_ns: int) -> bool:
        """Whether a request that met these versions is at risk."""
        if at_ns < self.from_ns or (self.until_ns is not None and at_ns >= self.until_ns):
            return False
        return all(met.get(thing) in versions for thing, versions in self.needs)

    def ending(self, at_ns: int) -> Effect:
        """The same, mended at an instant."""
        return replace(self, until_ns=at_ns)
