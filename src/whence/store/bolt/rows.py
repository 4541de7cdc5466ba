"""Model values as rows of parameters, and rows of results as model values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from whence.model.change import Change
from whence.model.delta import Attribute, Entity, Relation, RelationKey
from whence.model.kinds import ChangeKind, EntityKind, Layer, RelationType
from whence.model.profile import ColumnProfile, SnapshotProfile
from whence.store.bolt.schema import CHANGES, hash63
from whence.store.protocol import Document
from whence.store.rules import ascii_lower

Row = Sequence[Any]


def entity_row(entity: Entity) -> list[Any]:
    """Fields of ``schema.ENTITIES``."""
    return [
        entity.key,
        entity.kind.value,
        entity.base,
        entity.first_seen_ns,
        entity.last_seen_ns,
        _compact(entity.attributes),
        entity.attribute("owner"),
        ascii_lower(entity.key),
    ]


def to_entity(row: Row) -> Entity:
    """The entity of a row that begins with its key and ``schema.ENTITY_FIELDS``."""
    key, kind, base, first, last, attributes = row[:6]
    known = tuple(Attribute(*item) for item in json.loads(attributes))
    return Entity(key, EntityKind(kind), base, first, last, known)


def relation_row(relation: Relation) -> list[Any]:
    """Row of ``cypher.merge_relations``."""
    key = relation.key
    return [
        key.src,
        key.dst,
        key.environment,
        key.layer.value,
        relation.first_seen_ns,
        relation.last_seen_ns,
        relation.active_until_ns,
        relation.known_ns,
        hash63(*key),
    ]


def to_relation(row: Row) -> Relation:
    """The relation of (src, type, dst, environment, layer, first, last, until, known)."""
    return Relation(to_relation_key(row[:5]), *row[5:9])


def to_relation_key(row: Row) -> RelationKey:
    """The key of (src, type, dst, environment, layer)."""
    src, type_, dst, environment, layer = row
    return RelationKey(src, RelationType(type_), dst, environment, Layer(layer))


def change_row(change: Change) -> list[Any]:
    """Fields of ``schema.CHANGES``, which bear the model's names."""
    return [getattr(change, name) for name in (*CHANGES.key, *CHANGES.fields)]


def to_change(row: Row) -> Change:
    """The change of a row with the fields of ``schema.CHANGES``."""
    fields = dict(zip((*CHANGES.key, *CHANGES.fields), row, strict=True))
    return Change(**{**fields, "kind": ChangeKind(fields["kind"])})


def profile_row(profile: SnapshotProfile) -> list[Any]:
    """Fields of ``schema.PROFILES``."""
    columns = [[getattr(column, name) for name in ColumnProfile.__slots__] for column in profile.columns]
    return [
        profile.version,
        profile.dataset,
        profile.at_ns,
        profile.rows,
        profile.bytes,
        profile.schema_hash,
        _compact(columns),
    ]


def to_profile(row: Row) -> SnapshotProfile:
    """The profile of a row with the fields of ``schema.PROFILES``."""
    version, dataset, at_ns, count, size, schema_hash, columns = row
    measured = tuple(ColumnProfile(*column) for column in json.loads(columns))
    return SnapshotProfile(version, dataset, at_ns, count, size, schema_hash, measured)


def to_document(row: Row) -> Document:
    """The document of (kind, id, created_ns, body)."""
    return Document(*row)


def _compact(items: Iterable[Iterable[Any]]) -> str:
    return json.dumps([list(item) for item in items], separators=(",", ":"), ensure_ascii=False)
