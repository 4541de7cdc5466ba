"""The fold against a second implementation: slow, recursive, one request at a time."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings

from tests.unit.fold.folding import exposures, fold
from tests.unit.fold.test_laws import traces
from whence.model.kinds import RelationType
from whence.model.spans import Span, SpanKind
from whence.testing.spans import span


class Trace:
    """One trace as a tree, with the rules of the fold written down once more."""

    def __init__(self, spans: list[Span]) -> None:
        self.by_id = {one.span_id: one for one in spans}

    def parent(self, one: Span) -> Span | None:
        return self.by_id.get(one.parent_id)

    def children(self, one: Span) -> list[Span]:
        return [child for child in self.by_id.values() if child.parent_id == one.span_id]

    def is_message(self, child: Span, parent: Span) -> bool:
        return child.kind == SpanKind.CONSUMER and (parent.kind == SpanKind.PRODUCER or self.is_remote(child, parent))

    def is_remote(self, child: Span, parent: Span) -> bool:
        return (child.source.version, child.source.environment) != (parent.source.version, parent.source.environment)

    def awaited(self, one: Span) -> list[Span]:
        return [child for child in self.children(one) if not self.is_message(child, one)]

    def is_entry(self, one: Span) -> bool:
        parent = self.parent(one)
        if parent is None:
            local = (SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER)
            return not one.parent_id or one.kind not in local
        return self.is_message(one, parent) or one.source.service != parent.source.service

    def reaches_out(self, one: Span) -> bool:
        facts = one.facts
        stated = (facts.models, facts.inputs, facts.outputs, facts.prompts, facts.flags, facts.consumes)
        return (
            any(stated)
            or self.calls_out(one)
            or any(self.is_remote(child, one) or self.reaches_out(child) for child in self.awaited(one))
        )

    def calls_out(self, one: Span) -> bool:
        """Whether the span itself is a call to a peer that nobody answered."""
        facts = one.facts
        stated = (facts.models, facts.inputs, facts.outputs, facts.prompts, facts.flags, facts.consumes)
        below = any(self.is_remote(child, one) or self.reaches_out(child) for child in self.awaited(one))
        return bool(one.kind in (SpanKind.CLIENT, SpanKind.PRODUCER) and facts.peer and not any(stated) and not below)

    def touched(self, one: Span) -> set[str]:
        facts = one.facts
        nodes = {one.source.version, *one.source.models, *one.source.inputs}
        nodes |= {*facts.models, *facts.inputs, *facts.prompts, *facts.flags, *facts.consumes}
        nodes |= {facts.peer} if self.calls_out(one) else set()
        return nodes.union(*map(self.touched, self.awaited(one)))

    def is_poor(self, one: Span) -> bool:
        return one.facts.poor or any(map(self.is_poor, self.awaited(one)))


def without_circles(spans: list[Span]) -> list[Span]:
    """Parents get lower numbers than their children, or are missing: the oracle knows no circles."""
    return [one if one.parent_id < one.span_id else one._replace(parent_id=b"") for one in spans]


def trees(spans: list[Span]) -> list[Trace]:
    return [Trace([one for one in spans if one.trace_id == trace_id]) for trace_id in {one.trace_id for one in spans}]


@settings(deadline=None, max_examples=60)
@given(traces())
def test_exposure_is_what_a_walk_from_each_entry_finds(spans: list[Span]) -> None:
    spans = without_circles(spans)
    requests: Counter[tuple[str, str, str, str]] = Counter()
    poor: Counter[tuple[str, str, str, str]] = Counter()
    for tree in trees(spans):
        for one in filter(tree.is_entry, tree.by_id.values()):
            for node in {"", *tree.touched(one)}:
                key = (one.source.service, one.operation, node, one.source.environment)
                requests[key] += 1
                poor[key] += tree.is_poor(one)
    found: Counter[tuple[str, str, str, str]] = Counter()
    found_poor: Counter[tuple[str, str, str, str]] = Counter()
    unweighted = [one._replace(weight=1.0) for one in spans]
    for exposure, counts in fold(*unweighted).exposures.items():
        found[exposure[:4]] += counts.spans
        found_poor[exposure[:4]] += int(counts.poor)
    assert found == requests
    assert +found_poor == +poor


@settings(deadline=None, max_examples=60)
@given(traces())
def test_calls_are_the_remote_children_and_the_peers(spans: list[Span]) -> None:
    spans = without_circles(spans)
    expected: Counter[tuple[str, str]] = Counter()
    for tree in trees(spans):
        for one in tree.by_id.values():
            for child in tree.awaited(one):
                if tree.is_remote(child, one):
                    expected[one.source.version, child.source.version] += 1
            if tree.calls_out(one):
                expected[one.source.version, one.facts.peer] += 1
    found: Counter[tuple[str, str]] = Counter()
    for key, counts in fold(*spans).edges.items():
        if key.relation.type is RelationType.CALLS:
            found[key.relation.src, key.relation.dst] += counts.spans
    assert found == expected


def test_oracle_agrees_on_a_trace_one_can_check_by_hand() -> None:
    delta = fold(span(1, service="web"), span(2, 1, service="cart", version="v2"))
    assert set(exposures(delta)) == {
        ("web", "GET /", ""),
        ("web", "GET /", "web@v1"),
        ("web", "GET /", "cart@v2"),
        ("cart", "GET /", ""),
        ("cart", "GET /", "cart@v2"),
    }
