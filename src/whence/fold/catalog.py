"""What the spans of one writer talk about, each thing one object: nodes, relations, operations, and shapes of spans.

How this works: spans repeat. Two spans that agree in source, facts, operation and kind count into the same rows, so
the rows are looked up once and kept in a ``Shape``; folding spans is then arithmetic on the numbers of their shapes. A
set of nodes is an ``int`` with one bit for each.

A catalog lives as long as its writer, which bounds it in time; operations are bounded in number too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from whence.model.delta import RelationKey
from whence.model.kinds import KIND_STRENGTH, VERSION_KINDS, EntityKind, RelationType
from whence.model.refs import parse_ref
from whence.model.spans import Facts, Source, SpanKind

MAX_OPERATIONS = 200
OTHER_OPERATION = "other"
_MAX_SHAPES_BY_IDENTITY = 65_536


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
class Edge:
    """A relation to count calls over. ``far`` is the end that is not the span's own service."""

    key: RelationKey
    far: Node
    known_ns: int
    number: int


@dataclass(eq=False, slots=True)
class Operation:
    """One operation of one version in one environment."""

    node: Node
    name: str
    environment: str
    known_ns: int
    number: int


@dataclass(eq=False, slots=True)
class Entry:
    """One operation of a service, whatever its version, in one environment: what requests enter."""

    service: str
    name: str
    environment: str
    number: int


@dataclass(eq=False, slots=True)
class Exposure:
    """Requests into an entry that touched a node (None: whatever they touched)."""

    entry: Entry
    node: Node | None


@dataclass(eq=False, slots=True)
class Origin:
    """A version of a service running in one environment; spans of different ones call each other."""

    node: Node
    service: str
    environment: str
    number: int


@dataclass(eq=False, slots=True)
class Shape:
    """All that the spans of one source, facts, operation and kind have in common."""

    number: int
    origin: Origin
    operation: Operation
    entry: Entry
    mask: int
    """Bits of the nodes that such a span touches by itself: its version, and what it reads, uses and evaluates."""
    edges: tuple[Edge, ...]
    standing: tuple[Edge, ...]
    """Edges that hold for the whole process, counted once for each request that enters."""
    peer: Edge | None
    is_caller: bool
    takes_messages: bool
    is_consumer: bool
    is_producer: bool
    poor: bool
    used: tuple[Node, ...]
    """Models and inputs: what the outputs of the same service in the same trace derive from."""
    made: tuple[Node, ...]
    """Outputs."""


class Catalog:
    """Makes each thing once. ``clock_ns`` is stamped on what is learned; the owner moves it."""

    def __init__(self) -> None:
        self.clock_ns = 0
        self.nodes: list[Node] = []
        """By number of their bit."""
        self.edges: list[Edge] = []
        """By number, as are the lists below."""
        self.operations: list[Operation] = []
        self.origins: list[Origin] = []
        self.shapes: list[Shape] = []
        self.entries: list[Entry] = []
        self.exposures: list[Exposure] = []
        self._exposures: dict[tuple[int, int], int] = {}
        self._nodes: dict[str, Node] = {}
        self._edges: dict[RelationKey, Edge] = {}
        self._origins: dict[tuple[str, str], Origin] = {}
        self._operations: dict[tuple[Node, str, str], Operation] = {}
        self._entries: dict[tuple[str, str, str], Entry] = {}
        self._shapes: dict[tuple[Source, Facts, str, int], Shape] = {}
        self.by_identity: dict[tuple[int, int, str, int], int] = {}
        """Numbers of shapes by ``id`` of source and facts, operation and kind."""
        self._alive: list[tuple[Source, Facts]] = []
        """Owners of those ids, so that no other object can come by them."""

    def shape(self, source: Source, facts: Facts, operation: str, kind: int) -> Shape:
        """The shape of such spans. Look into ``by_identity`` first."""
        origin = self.origin(source)
        name = counted_name(origin.node, operation)
        key = (source, facts, name, kind)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = self._new_shape(origin, key)
            self.shapes.append(shape)
        if len(self._alive) >= _MAX_SHAPES_BY_IDENTITY:
            self._alive.clear()
            self.by_identity.clear()
        self._alive.append((source, facts))
        self.by_identity[id(source), id(facts), operation, kind] = shape.number
        return shape

    def origin(self, source: Source) -> Origin:
        """The origin of a source's spans."""
        key = (source.version, source.environment)
        origin = self._origins.get(key)
        if origin is None:
            node = self.node(source.version, EntityKind.SERVICE)
            origin = self._origins[key] = Origin(node, source.service, source.environment, len(self.origins))
            self.origins.append(origin)
        for name, value in source.attributes:
            present = origin.node.attributes.get(name, "")
            origin.node.attributes[name] = max(present, value)  # whatever the order in which instances report
        return origin

    def operation(self, origin: Origin, name: str) -> Operation:
        """The operation of an origin that counts under a name."""
        key = (origin.node, name, origin.environment)
        operation = self._operations.get(key)
        if operation is None:
            number = len(self.operations)
            operation = self._operations[key] = Operation(origin.node, name, origin.environment, self.clock_ns, number)
            self.operations.append(operation)
        return operation

    def edge(self, origin: Origin, kind: RelationType, far: Node, *, points_here: bool = False) -> Edge:
        """The relation from an origin to a node, or the other way round."""
        src, dst = (far.key, origin.node.key) if points_here else (origin.node.key, far.key)
        key = RelationKey(src, kind, dst, origin.environment)
        edge = self._edges.get(key)
        if edge is None:
            edge = self._edges[key] = Edge(key, far, self.clock_ns, len(self.edges))
            self.edges.append(edge)
        return edge

    def known(self, key: str) -> Node:
        """The node of a key that was met before."""
        return self._nodes[key]

    def node(self, key: str, base_kind: EntityKind) -> Node:
        """The node of a canonical key."""
        node = self._nodes.get(key)
        if node is not None:
            node.base_kind = max(node.base_kind, base_kind, key=_strength)
        else:
            base = str(parse_ref(key).base)
            node = self._nodes[key] = Node(key, base, base_kind, 1 << len(self.nodes))
            self.nodes.append(node)
        return node

    def _new_shape(self, origin: Origin, key: tuple[Source, Facts, str, int]) -> Shape:
        source, facts, name, kind = key
        edges = self._edges_of(origin, facts)
        standing = self._dependencies(origin, source.models, source.inputs)
        mask = origin.node.bit
        for edge in (*edges, *standing):
            mask |= 0 if edge.key.type is RelationType.PRODUCED_BY else edge.far.bit
        peer = self.node(facts.peer, EntityKind.EXTERNAL) if facts.peer else None
        return Shape(
            number=len(self.shapes),
            origin=origin,
            operation=self.operation(origin, name),
            entry=self._entry(origin, name),
            mask=mask,
            edges=edges,
            standing=standing,
            peer=self.edge(origin, RelationType.CALLS, peer) if peer else None,
            is_caller=kind in (SpanKind.CLIENT, SpanKind.PRODUCER),
            takes_messages=bool(facts.consumes),
            is_consumer=kind == SpanKind.CONSUMER,
            is_producer=kind == SpanKind.PRODUCER,
            poor=facts.poor,
            used=tuple(edge.far for edge in (*edges, *standing) if edge.key.type in _DERIVATION_SOURCES),
            made=tuple(edge.far for edge in edges if edge.key.type is RelationType.PRODUCED_BY),
        )

    def _edges_of(self, origin: Origin, facts: Facts) -> tuple[Edge, ...]:
        dataset = EntityKind.DATASET
        return (
            *self._dependencies(origin, facts.models, facts.inputs),
            *(self.edge(origin, RelationType.CONSUMES, self.node(key, dataset)) for key in facts.consumes),
            *(self.edge(origin, RelationType.USES_PROMPT, self.node(key, EntityKind.PROMPT)) for key in facts.prompts),
            *(self.edge(origin, RelationType.EVALUATES, self.node(key, EntityKind.FLAG)) for key in facts.flags),
            *(
                self.edge(origin, RelationType.PRODUCED_BY, self.node(key, dataset), points_here=True)
                for key in facts.outputs
            ),
        )

    def _dependencies(self, origin: Origin, models: tuple[str, ...], inputs: tuple[str, ...]) -> tuple[Edge, ...]:
        return (
            *(self.edge(origin, RelationType.USES_MODEL, self.node(key, EntityKind.MODEL)) for key in models),
            *(self.edge(origin, RelationType.READS, self.node(key, EntityKind.DATASET)) for key in inputs),
        )

    def _entry(self, origin: Origin, name: str) -> Entry:
        key = (origin.service, name, origin.environment)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = Entry(*key, len(self.entries))
            self.entries.append(entry)
        return entry

    def exposure(self, entry: int, node: int) -> int:
        """Number of the exposure of an entry to a node, by their numbers; node -1 stands for none."""
        number = self._exposures.get((entry, node))
        if number is None:
            number = self._exposures[entry, node] = len(self.exposures)
            self.exposures.append(Exposure(self.entries[entry], self.nodes[node] if node >= 0 else None))
        return number


_DERIVATION_SOURCES = (RelationType.USES_MODEL, RelationType.READS)


def _strength(kind: EntityKind) -> tuple[int, str]:
    return KIND_STRENGTH.get(kind, 2), kind


def counted_name(node: Node, operation: str) -> str:
    """Name under which an operation counts: its own, or ``other`` once a version has too many."""
    names = node.operations
    if operation in names:
        return names[operation]
    if len(names) >= MAX_OPERATIONS:
        return OTHER_OPERATION
    names[operation] = operation
    return operation
