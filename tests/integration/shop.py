"""A shop with an incident in it: ``ranker`` goes from v40 to v41, and ``checkout``, which calls it, begins to fail."""

from __future__ import annotations

from collections.abc import Iterator

from whence.model.delta import GraphDelta
from whence.model.kinds import EntityKind, RelationType
from whence.testing.graphs import Fact, attributes, delta, edge, entity, exposure, key, link, operation, relation

CHECKOUT, RANKER = key("checkout"), key("ranker")
CHECKOUT_V1, RANKER_V40, RANKER_V41 = key("checkout", "v1"), key("ranker", "v40"), key("ranker", "v41")
ROLL_OUT, END = 900, 1500
"""Seconds after the start: when v41 comes, and when someone asks."""
_BUCKET = 15
_REQUESTS = 60
_BAD_SHARE = 0.3


def shop() -> GraphDelta:
    """Everything that spans told of the shop."""
    facts = [
        entity(CHECKOUT, attributes=attributes(owner="team-shop")),
        entity(RANKER, attributes=attributes(owner="team-ranking")),
        _version(CHECKOUT_V1, CHECKOUT),
        _version(RANKER_V40, RANKER),
        _version(RANKER_V41, RANKER),
        relation(link(CHECKOUT, CHECKOUT_V1, RelationType.HAS_VERSION), 0, END),
        relation(link(RANKER, RANKER_V40, RelationType.HAS_VERSION), 0, ROLL_OUT),
        relation(link(RANKER, RANKER_V41, RelationType.HAS_VERSION), ROLL_OUT, END),
        relation(link(CHECKOUT_V1, RANKER_V40), 0, ROLL_OUT),
        relation(link(CHECKOUT_V1, RANKER_V41), ROLL_OUT, END),
    ]
    rows = [_bucket(second) for second in range(0, END, _BUCKET)]
    return delta(*facts, *(fact for bucket in rows for fact in bucket))


def healed(begin: int, end: int) -> GraphDelta:
    """What spans tell once v40 is back: as before."""
    rows = [_requests(second, RANKER_V40, 0.0) for second in range(begin, end, _BUCKET)]
    again = relation(link(RANKER, RANKER_V40, RelationType.HAS_VERSION), begin, end)
    return delta(again, *(fact for bucket in rows for fact in bucket))


def _version(of: str, base: str) -> Fact:
    return entity(of, EntityKind.SERVICE_VERSION, base=base)


def _bucket(second: int) -> Iterator[Fact]:
    ranker = RANKER_V40 if second < ROLL_OUT else RANKER_V41
    yield from _requests(second, ranker, 0.0 if second < ROLL_OUT else _REQUESTS * _BAD_SHARE)


def _requests(second: int, ranker: str, bad: float) -> Iterator[Fact]:
    more = {"errors": bad}
    yield exposure(CHECKOUT, "", second, _REQUESTS, operation="POST /pay", **more)
    yield exposure(CHECKOUT, CHECKOUT_V1, second, _REQUESTS, operation="POST /pay", **more)
    yield exposure(CHECKOUT, ranker, second, _REQUESTS, operation="POST /pay", **more)
    yield edge(link(CHECKOUT_V1, ranker), second, _REQUESTS, errors=bad, origin_errors=bad)
    yield operation(CHECKOUT_V1, second, _REQUESTS, operation="POST /pay", errors=bad)
    yield operation(ranker, second, _REQUESTS, operation="POST /rank", errors=bad, origin_errors=bad)
