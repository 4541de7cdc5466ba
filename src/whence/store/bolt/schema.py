"""What lies in the database, declared once; ``cypher`` makes every constraint, index and upsert from it.

How this works:

* Entities, changes, profiles and documents are nodes with one property for each field. Relations are relationships,
  one for each (src, type, dst, environment, layer), so a person finds the graph in the browser as it is.
* Rows of counts are nodes that hang on nothing: they outnumber relations a hundred to one, and are only ever read by
  owner and time. Their key is three integers, ``(owner, start_s, share)``: ``owner`` stands for what they are read by
  (the relation, node or service), ``share`` for the rest of the row's identity. Both are 63-bit hashes that we compute,
  because with a unique key of texts each merge costs 40 % more. Among a million owners the chance that any two
  collide is one in twenty million.
"""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from whence.model.delta import EdgeCounts, EdgeKey, ExposureCounts, ExposureKey, OperationCounts, OperationKey
from whence.model.kinds import EntityKind


class NodeTable(NamedTuple):
    """Nodes of one label, one for each value of ``key``."""

    label: str
    key: tuple[str, ...]
    fields: tuple[str, ...]
    """The other properties, in the order of a row."""
    indexes: tuple[tuple[str, ...], ...] = ()
    texts: tuple[str, ...] = ()
    """Properties that are searched for parts of them."""


class CountTable(NamedTuple):
    """Rows of counts: of two values of one row, the one whose ``counts`` are the greater tuple stays."""

    label: str
    texts: tuple[str, ...]
    """Texts of the row's identity that must come back with it."""
    counts: tuple[str, ...]
    """Spans first; the names of the model's tuple."""
    sketches: frozenset[str]
    """Which of them are bytes."""


ENTITY_FIELDS = ("kind", "base", "first_seen_ns", "last_seen_ns", "attributes")
"""What an entity is made from again; the other properties serve searches."""

ENTITIES = NodeTable(
    "Entity",
    ("key",),
    (*ENTITY_FIELDS, "owner", "folded"),
    indexes=(("base",),),
    texts=("folded",),
)
"""``attributes`` is JSON; ``owner`` repeats one of them; ``folded`` is the key in ASCII lower case."""

CHANGES = NodeTable(
    "Change",
    ("id",),
    (
        "kind",
        "subject",
        "effective_ns",
        "known_ns",
        "reported_ns",
        "from_version",
        "to_version",
        "environment",
        "finished_ns",
        "actor",
        "url",
        "summary",
        "source",
        "recorded",
    ),
    indexes=(("effective_ns",), ("subject", "effective_ns")),
)
PROFILES = NodeTable(
    "Profile",
    ("version",),
    ("dataset", "at_ns", "rows", "bytes", "schema_hash", "columns"),
    indexes=(("dataset", "at_ns"),),
)
"""``columns`` is JSON."""

DOCUMENTS = NodeTable("Document", ("kind", "id"), ("created_ns", "body"), indexes=(("kind", "created_ns"),))

COUNT_KEY = ("owner", "start_s", "share")
KNOWN = "known_ns"
"""Property of a row of counts: since when its writer counts."""

EDGE_BUCKETS = CountTable("EdgeBucket", (), EdgeCounts._fields, frozenset({"latency", "gap"}))
OPERATION_BUCKETS = CountTable(
    "OperationBucket", ("operation", "environment"), OperationCounts._fields, frozenset({"self_time"})
)
EXPOSURE_BUCKETS = CountTable(
    "ExposureBucket", ("operation", "node", "environment"), ExposureCounts._fields, frozenset({"latency"})
)

NODE_TABLES = (ENTITIES, CHANGES, PROFILES, DOCUMENTS)
COUNT_TABLES = (EDGE_BUCKETS, OPERATION_BUCKETS, EXPOSURE_BUCKETS)

RELATION_KEY = ("environment", "layer")
"""Properties that belong to a relationship's identity, beside its ends and its type."""

EXAMPLE = "example"
"""Property of a relationship: nanoseconds in 20 digits, a space, the trace: texts then compare as examples do."""

RELATION_TIMES = ("first_seen_ns", "last_seen_ns", "active_until_ns", "known_ns")

KIND_LABELS = {kind: "".join(part.title() for part in kind.split("_")) for kind in EntityKind}
"""Second label of an entity, for the eyes of people; queries go by ``kind``."""


def hash63(*parts: str) -> int:
    """Non-negative integer that stands for a tuple of texts, the same in every process."""
    digest = hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def edge_id(key: EdgeKey) -> tuple[int, int, int]:
    """Key of an edge's row."""
    return hash63(*key.relation), key.start_s, hash63(key.writer)


def operation_id(key: OperationKey) -> tuple[int, int, int]:
    """Key of an operation's row."""
    return hash63(key.node), key.start_s, hash63(key.operation, key.environment, key.writer)


def exposure_id(key: ExposureKey) -> tuple[int, int, int]:
    """Key of an exposure's row."""
    return hash63(key.service), key.start_s, hash63(key.operation, key.node, key.environment, key.writer)
