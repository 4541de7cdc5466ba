"""The store contract: what every store promises, in words. ``tests/contract`` holds every store to it.

Two roles, so that the API can't write what it should only read and the collector can't read. One class may play both.

Promises of all methods:

* Keys are compared byte for byte. Whatever text comes in (quotes, braces, non-ASCII) goes out unchanged.
* Windows are half-open ``[from, to)``. A relation is *active in a window* if ``first_seen_ns < to`` and
  ``active_until_ns >= from``.
* ``environment`` None means every environment; a string means that one, and what named none (``""``), which may be of
  any. Counts are of exactly that one. A relation of a lasting type counts in every environment.
* ``known_ns`` None means all that is known now; else only what had been learned by then.
* Results are complete or say that they are not (``Subgraph.truncated``, ``Page.cursor``). Empty is not an error.
* Returned objects are the caller's. No cursor or transaction stays open after a call returns.
* What a writer counted was learned when ``store.rules.writer_known_ns`` says; cursors are those of ``store.rules``.
* Errors: ``StoreUnavailable`` and ``StoreConflict`` may be retried with the same arguments; ``QueryTimeout`` may not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from whence.model.change import Change
from whence.model.delta import Entity, Example, GraphDelta, Relation, RelationKey
from whence.model.graph import Dependency, Subgraph
from whence.model.kinds import EntityKind, Layer, RelationType
from whence.model.profile import SnapshotProfile
from whence.model.rows import EdgeRows, ExposureRows, OperationRows

MAX_HOPS = 12
MAX_NODES = 10_000
MAX_PAGE = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list in a total order, and the opaque cursor of the next one (None: this was the last)."""

    items: tuple[T, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class ClosureQuery:
    """A bounded walk from ``roots`` along relations active in ``[from_ns, to_ns)``.

    Roots that are not stored are left out. ``types`` empty means all types. ``max_hops`` in [0, MAX_HOPS]; 0 gives the
    roots alone. ``max_nodes`` cuts nearest first: every node at depth d is in before any at depth d + 1, and within
    one depth they come in order of key. Only this cut sets ``truncated``; a walk that ends at ``max_hops`` went as far
    as it was asked to. The relations given are all those that the query admits from a node of depth below ``max_hops``
    to another (or the same) node of the result; downstream, the dependency's depth counts.
    """

    roots: tuple[str, ...]
    from_ns: int
    to_ns: int
    environment: str | None = None
    types: frozenset[RelationType] = frozenset()
    layers: frozenset[Layer] = frozenset({Layer.OBSERVED, Layer.DECLARED, Layer.INFERRED})
    max_hops: int = 8
    max_nodes: int = 2_000
    known_ns: int | None = None


@dataclass(frozen=True, slots=True)
class DependencyQuery:
    """Relations of the whole graph that are active in ``[from_ns, to_ns)``. ``types`` empty means all types."""

    from_ns: int
    to_ns: int
    environment: str | None = None
    types: frozenset[RelationType] = frozenset()
    layers: frozenset[Layer] = frozenset(Layer)
    known_ns: int | None = None


@dataclass(frozen=True, slots=True)
class BucketQuery:
    """Rows of counts of buckets that start in ``[from_s, to_s)``. ``nodes`` empty gives nothing."""

    nodes: tuple[str, ...]
    from_s: int
    to_s: int
    environment: str | None = None
    known_ns: int | None = None
    latency: bool = True
    """Whether sketches of the latency of calls are read; they are empty where not."""


@dataclass(frozen=True, slots=True)
class ExposureQuery:
    """Exposure rows of requests into ``service`` (its entity key), every operation or one.

    ``nodes`` None gives all nodes. The rows of ``ALL_REQUESTS`` come along in either case.
    """

    service: str
    from_s: int
    to_s: int
    operation: str | None = None
    nodes: tuple[str, ...] | None = None
    environment: str | None = None
    known_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeQuery:
    """Changes that took effect in ``[from_ns, to_ns)``, latest first (ties by id).

    ``subjects`` None means all. A change whose subject is still a bare name is matched by the names that belong to
    ``subjects`` (``store.rules.subject_names``). ``environment`` also admits changes that named no environment.
    """

    from_ns: int
    to_ns: int
    subjects: tuple[str, ...] | None = None
    environment: str | None = None
    known_ns: int | None = None
    limit: int = MAX_PAGE
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """Entities (versions only when ``kinds`` names a version kind), whose key holds every word of ``text``.

    ASCII case doesn't matter. Empty ``text`` lists all. Ordered by key.
    """

    text: str = ""
    kinds: frozenset[EntityKind] = frozenset()
    owner: str | None = None
    base: str | None = None
    """Only versions of this entity, the latest first seen first (then the order is by that, descending, then key)."""
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON text kept under (kind, id): frozen answers, feedback, incidents, declarations, policies."""

    kind: str
    id: str
    created_ns: int
    body: str


class Compacted(NamedTuple):
    """One step of a compaction: the start whose rows were looked at, and how many of them were folded."""

    start_s: int
    rows: int


@runtime_checkable
class Compactable(Protocol):
    """A store that can keep counts of long ago in wider buckets. The embedded one can; Neo4j can't yet."""

    async def compact(self, after_s: int, before_s: int, width_s: int) -> Compacted | None:
        """Fold the rows of the first start in ``(after_s, before_s)`` into buckets of ``width_s``; None: there is none.

        Only whole wide buckets before ``before_s`` are folded. Sums over them stay as they were; entities, relations
        and changes are not touched. All or nothing, and idempotent. A folded row is known from when all of it was,
        rounded up to ``width_s``. A row that a writer sends again, or late, for a wide bucket into which rows of it
        were folded, is not taken: nothing counts twice.
        """


class GraphWriter(Protocol):
    """The collector's side."""

    async def upsert(self, delta: GraphDelta) -> None:
        """Merge a delta by the laws of ``model.delta.merge``, all or nothing, durable on return.

        Idempotent: the same delta again changes nothing, also from two writers at once. ``HAS_VERSION`` relations and
        entities that a relation or row names must be in some delta before or with it; a relation or row that names an
        unknown entity creates it as ``EXTERNAL`` (``store.rules.placeholder``).

        Raises:
            StoreUnavailable: Not written, or not known whether it was; send the same delta again.
        """


class GraphReader(Protocol):
    """The API's side."""

    async def upstream(self, query: ClosureQuery) -> Subgraph:
        """What the roots depend on: outgoing relations, breadth first. Cycles and self-relations are fine."""

    async def downstream(self, query: ClosureQuery) -> Subgraph:
        """What depends on the roots: incoming relations, breadth first."""

    async def dependencies(self, query: DependencyQuery) -> Sequence[Dependency]:
        """All relations, one for each pair of *entities*, type, environment and layer, in any order.

        Seen times span those relations that the query admits. Cost: a scan of all relations.
        """

    async def edge_rows(self, query: BucketQuery) -> EdgeRows:
        """Counts of relations whose *both* ends are in ``query.nodes``, in any order."""

    async def examples(self, nodes: Sequence[str]) -> Mapping[RelationKey, Example]:
        """The latest known trace over each relation whose *both* ends are in ``nodes``, of those that have one."""

    async def operation_rows(self, query: BucketQuery) -> OperationRows:
        """What each of ``query.nodes`` did by itself, in any order."""

    async def exposure_rows(self, query: ExposureQuery) -> ExposureRows:
        """Requests into an entry by the versions that they touched, in any order."""

    async def changes(self, query: ChangeQuery) -> Page[Change]:
        """Recorded changes."""

    async def change(self, change_id: str) -> Change | None:
        """One recorded change."""

    async def versions(self, bases: Sequence[str], environment: str | None, known_ns: int | None) -> Sequence[Relation]:
        """The ``HAS_VERSION`` relations of some entities over all time, in any order; the base of inferred changes."""

    async def profiles(self, datasets: Sequence[str], before_ns: int, limit: int) -> Sequence[SnapshotProfile]:
        """Up to ``limit`` latest profiles taken before an instant for each dataset, in any order."""

    async def entity(self, key: str) -> Entity | None:
        """One entity or version, by its exact key."""

    async def entities(self, keys: Sequence[str]) -> Sequence[Entity]:
        """Those of some entities and versions that are stored, by their exact keys, in any order."""

    async def named(self, name: str) -> tuple[Entity, ...]:
        """Entities (no versions) whose key is ``name`` or ends with ``#name``; exact, sorted by key, at most 20."""

    async def nearest(self, name: str, limit: int) -> tuple[str, ...]:
        """Keys of entities (no versions) whose names look like ``name``, best first; for error messages."""

    async def search(self, query: SearchQuery) -> Page[Entity]:
        """Find entities."""

    async def document(self, kind: str, document_id: str) -> Document | None:
        """One document."""

    async def documents(self, kind: str, limit: int, cursor: str | None) -> Page[Document]:
        """Documents of a kind, latest created first (ties by id)."""

    async def ping(self) -> None:
        """Cheap liveness check; raises ``StoreUnavailable``."""

    async def counts(self) -> dict[str, int]:
        """Rows per table or label, for diagnostics: entities, relations, changes, ..."""


class DocumentWriter(Protocol):
    """Who may keep documents."""

    async def save(self, document: Document) -> None:
        """Create or replace one document, durable on return."""

    async def delete(self, kind: str, document_id: str) -> None:
        """Remove one document for good; one that is not there is no error."""


class Store(GraphWriter, GraphReader, DocumentWriter, Protocol):
    """A whole store, as ``main`` opens it."""

    async def open(self) -> None:
        """Connect, create the schema, and warm the queries up. Call once, first."""

    async def close(self) -> None:
        """Let go of everything. Safe to call twice."""
