"""What the spans of one writer talk about, each thing one object: nodes, edges, operations, and shapes of spans.

How this works: spans repeat. Two spans that agree in source, facts, operation and kind count into the same rows, so the
rows are looked up once and kept in a ``Shape``; folding a span is then adding one to a few numbers that its shape
names. Things are compared by identity, a set of nodes is an ``int`` with one bit for each, and what is counted has a
``code`` (see ``tallies``).

A catalog lives as long as its writer, which bounds it in time; operations are bounded in number too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from whence.fold.tallies import POOR, code_of
from whence.model.delta import ALL_REQUESTS, RelationKey
from whence.model.kinds import KIND_STRENGTH, VERSION_KINDS, EntityKind, RelationType
from whence.model.refs import parse_ref
from whence.model.spans import Facts, Source, SpanKind

MAX_OPERATIONS = 200
OTHER_OPERATION = "other"
ALL_REQUESTS_BIT = 1
"""The first node stands for all requests, whatever they touched."""

_MAX_SHAPES_BY_IDENTITY = 65_536
_NEVER_NS = 1 << 63
_DERIVATION_SOURCES = (RelationType.USES_MODEL, RelationType.READS)


@dataclass(eq=False, slots=True)
class Node:
    """A version of something, or the thing itself where no version is known."""

    key: str
    base: str
    base_kind: EntityKind
    bit: int
    attributes: dict[str, str] = field(default_factory=dict)
    operations: dict[str, str] = field(default_factory=dict)
    """Operations seen on it, to the name under which they count."""

    @property
    def kind(self) -> EntityKind:
        """Kind of the node itself."""
        return self.base_kind if self.key == self.base else VERSION_KINDS[self.base_kind]


@dataclass(eq=False, slots=True)
class Sightings:
    """When something was seen, in UTC nanoseconds, and when we learned of it."""

    known_ns: int
    first_ns: int = _NEVER_NS
    last_ns: int = 0
    drained: tuple[int, int] = (_NEVER_NS, 0)
    """First and last as of the last drain."""

    def changed(self) -> bool:
        """Whether there is something to drain; then there no longer is."""
        before, self.drained = self.drained, (self.first_ns, self.last_ns)
        return before != self.drained

    def see(self, start_ns: int, end_ns: int) -> None:
        """Widen the interval."""
        if start_ns < self.first_ns:
            self.first_ns = start_ns
        if end_ns > self.last_ns:
            self.last_ns = end_ns


@dataclass(eq=False, slots=True)
class Operation:
    """One operation of one version in one environment."""

    node: Node
    name: str
    environment: str
    code: int


@dataclass(eq=False, slots=True, kw_only=True)
class Edge(Sightings):
    """A relation to count calls over. ``far`` is the end that is not the span's own service."""

    key: RelationKey
    far: Node
    code: int
    gap_code: int


@dataclass(eq=False, slots=True)
class Entry:
    """One operation of a service, whatever its version, in one environment: what requests enter."""

    service: str
    name: str
    environment: str


@dataclass(eq=False, slots=True, kw_only=True)
class Origin(Sightings):
    """A version of a service running in one environment; spans of different ones call each other."""

    node: Node
    service: str
    environment: str
    calls: dict[Origin, Edge] = field(default_factory=dict)
    """Edges to other origins, made when first called."""


@dataclass(eq=False, slots=True, kw_only=True)
class Shape(Sightings):
    """All that the spans of one source, facts, operation and kind have in common."""

    origin: Origin
    code: int
    """The operation's, with the mark of a poor outcome when such spans have one."""
    entry: Entry
    mask: int
    """Bits of the nodes that such a span touches by itself: its version, and what it reads, uses and evaluates."""
    edges: tuple[Edge, ...]
    standing: tuple[Edge, ...]
    """Edges that hold for the whole process, counted once for each request that enters."""
    peer: Edge | None
    used: int
    """Bits of models and inputs: what is made by the same service in the same trace derives from them."""
    made: tuple[Node, ...]
    is_caller: bool
    is_producer: bool
    is_consumer: bool
    is_poor: bool
    takes_messages: bool


class Catalog:
    """Makes each thing once. ``clock_ns`` is stamped on what is learned; the owner moves it."""

    def __init__(self) -> None:
        self.clock_ns = 0
        self.nodes = [Node(ALL_REQUESTS, ALL_REQUESTS, EntityKind.EXTERNAL, ALL_REQUESTS_BIT)]
        """By number of their bit."""
        self.counted: list[Operation | Edge] = []
        """By number of their code."""
        self.origins: dict[tuple[str, str], Origin] = {}
        self.shapes: dict[tuple[Source, Facts, str, int], Shape] = {}
        self.edges: dict[RelationKey, Edge] = {}
        self._nodes: dict[str, Node] = {}
        self._operations: dict[tuple[Node, str, str], Operation] = {}
        self._entries: dict[tuple[str, str, str], Entry] = {}
        self.by_identity: dict[tuple[int, int, str, int], Shape] = {}
        """Shortcut by ``id`` of source and facts."""
        self._alive: list[tuple[Source, Facts]] = []
        """Owners of those ids, so that no other object can come by them."""

    def shape(self, source: Source, facts: Facts, operation: str, kind: int) -> Shape:
        """The shape of such spans. For the hot path, look into ``by_identity`` first."""
        origin = self.origin(source)
        key = (source, facts, counted_name(origin.node, operation), kind)
        shape = self.shapes.get(key)
        if shape is None:
            shape = self.shapes[key] = self._new_shape(origin, key)
        if len(self._alive) >= _MAX_SHAPES_BY_IDENTITY:
            self._alive.clear()
            self.by_identity.clear()
        self._alive.append((source, facts))
        self.by_identity[id(source), id(facts), operation, kind] = shape
        return shape

    def origin(self, source: Source) -> Origin:
        """The origin of a source's spans."""
        key = (source.version, source.environment)
        origin = self.origins.get(key)
        if origin is None:
            node = self.node(source.version, EntityKind.SERVICE)
            origin = self.origins[key] = Origin(
                known_ns=self.clock_ns, node=node, service=source.service, environment=source.environment
            )
        for name, value in source.attributes:
            present = origin.node.attributes.get(name, "")
            origin.node.attributes[name] = max(present, value)  # whatever the order in which instances report
        return origin

    def operation(self, origin: Origin, name: str) -> Operation:
        """The operation of an origin that counts under a name."""
        key = (origin.node, name, origin.environment)
        operation = self._operations.get(key)
        if operation is None:
            code = code_of(len(self.counted))
            operation = self._operations[key] = Operation(origin.node, name, origin.environment, code)
            self.counted.append(operation)
        return operation

    def call(self, caller: Origin, callee: Origin) -> Edge:
        """The ``CALLS`` relation between two origins."""
        edge = caller.calls.get(callee)
        if edge is None:
            edge = caller.calls[callee] = self.edge(caller, RelationType.CALLS, callee.node)
        return edge

    def edge(self, origin: Origin, kind: RelationType, far: Node) -> Edge:
        """The relation between an origin and a node: from the node for what the origin produced, else to it."""
        src, dst = origin.node.key, far.key
        if kind is RelationType.PRODUCED_BY:
            src, dst = dst, src
        key = RelationKey(src, kind, dst, origin.environment)
        edge = self.edges.get(key)
        if edge is None:
            code, gap_code = code_of(len(self.counted)), code_of(len(self.counted) + 1)
            edge = self.edges[key] = Edge(key=key, far=far, code=code, gap_code=gap_code, known_ns=self.clock_ns)
            self.counted += (edge, edge)
        return edge

    def node(self, key: str, base_kind: EntityKind) -> Node:
        """The node of a canonical key. What the surest sighting says decides its kind."""
        node = self._nodes.get(key)
        if node is None:
            base = str(parse_ref(key).base)
            node = self._nodes[key] = Node(key, base, base_kind, 1 << len(self.nodes))
            self.nodes.append(node)
        else:
            node.base_kind = max(node.base_kind, base_kind, key=_strength)
        return node

    def _new_shape(self, origin: Origin, key: tuple[Source, Facts, str, int]) -> Shape:
        source, facts, name, kind = key
        edges = self._edges_of(origin, facts)
        standing = self._dependencies(origin, source.models, source.inputs)
        needed = [edge for edge in (*edges, *standing) if edge.key.type is not RelationType.PRODUCED_BY]
        peer = self.node(facts.peer, EntityKind.EXTERNAL) if facts.peer else None
        return Shape(
            known_ns=self.clock_ns,
            origin=origin,
            code=self.operation(origin, name).code | (POOR if facts.poor else 0),
            entry=self._entry(origin, name),
            mask=origin.node.bit | _bits(needed),
            edges=edges,
            standing=standing,
            peer=self.edge(origin, RelationType.CALLS, peer) if peer else None,
            used=_bits([edge for edge in needed if edge.key.type in _DERIVATION_SOURCES]),
            made=tuple(edge.far for edge in edges if edge.key.type is RelationType.PRODUCED_BY),
            is_caller=kind in (SpanKind.CLIENT, SpanKind.PRODUCER),
            is_producer=kind == SpanKind.PRODUCER,
            is_consumer=kind == SpanKind.CONSUMER,
            is_poor=facts.poor,
            takes_messages=bool(facts.consumes),
        )

    def _edges_of(self, origin: Origin, facts: Facts) -> tuple[Edge, ...]:
        return (
            *self._dependencies(origin, facts.models, facts.inputs),
            *self._related(origin, RelationType.CONSUMES, EntityKind.DATASET, facts.consumes),
            *self._related(origin, RelationType.USES_PROMPT, EntityKind.PROMPT, facts.prompts),
            *self._related(origin, RelationType.EVALUATES, EntityKind.FLAG, facts.flags),
            *self._related(origin, RelationType.PRODUCED_BY, EntityKind.DATASET, facts.outputs),
        )

    def _dependencies(self, origin: Origin, models: tuple[str, ...], inputs: tuple[str, ...]) -> tuple[Edge, ...]:
        return (
            *self._related(origin, RelationType.USES_MODEL, EntityKind.MODEL, models),
            *self._related(origin, RelationType.READS, EntityKind.DATASET, inputs),
        )

    def _related(self, origin: Origin, kind: RelationType, far: EntityKind, keys: tuple[str, ...]) -> list[Edge]:
        return [self.edge(origin, kind, self.node(key, far)) for key in keys]

    def _entry(self, origin: Origin, name: str) -> Entry:
        key = (origin.service, name, origin.environment)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = Entry(*key)
        return entry


def counted_name(node: Node, operation: str) -> str:
    """Name under which an operation counts: its own, or ``other`` once a version has too many."""
    names = node.operations
    if operation in names:
        return names[operation]
    if len(names) >= MAX_OPERATIONS:
        return OTHER_OPERATION
    names[operation] = operation
    return operation


def bits_of(mask: int) -> Iterator[int]:
    """Numbers of the bits in a set of nodes, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _bits(edges: list[Edge]) -> int:
    bits = 0
    for edge in edges:
        bits |= edge.far.bit
    return bits


def _strength(kind: EntityKind) -> tuple[int, str]:
    return KIND_STRENGTH.get(kind, 2), kind
