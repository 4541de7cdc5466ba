"""Model values as rows of parameters, and rows of results as model values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from whence.model.change import Change
from whence.model.delta import Attribute, Entity, Example, Relation, RelationKey
from whence.model.graph import EdgeRow, ExposureRow, OperationRow
from whence.model.kinds import ChangeKind, EntityKind, Layer, RelationType
from whence.model.profile import ColumnProfile, SnapshotProfile
from whence.model.rows import EdgeRows, ExposureRows, Names, OperationRows, by_column
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


def example_row(key: RelationKey, example: Example) -> list[Any]:
    """Row of ``cypher.merge_examples``."""
    return [key.src, key.dst, key.environment, key.layer.value, f"{example.at_ns:020} {example.trace_id}"]


def to_example(text: str) -> Example:
    """The example of a relationship's property."""
    at_ns, trace_id = text.split(" ")
    return Example(int(at_ns), trace_id)


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


def to_edge_rows(found: Sequence[Row]) -> EdgeRows:
    """The table of (names of a relation, list of its counts)."""
    groups = [rows for *_, rows in found]
    relations = [to_relation_key(names) for *names, _ in found]
    return EdgeRows.counted(Names.repeated(relations, _sizes(groups)), _counts(groups, EdgeRow))


def to_operation_rows(found: Sequence[Row], nodes: Mapping[int, str]) -> OperationRows:
    """The table of (owner, operation, list of counts); ``nodes`` by owner."""
    owners, operations, groups = by_column(found, 3)
    node = Names.repeated([nodes[owner] for owner in owners], _sizes(groups))
    return OperationRows.counted(node, Names.repeated(operations, _sizes(groups)), _counts(groups, OperationRow))


def to_exposure_rows(found: Sequence[Row], service: str) -> ExposureRows:
    """The table of (operation, node, list of counts) of one service."""
    operations, nodes, groups = by_column(found, 3)
    sizes = _sizes(groups)
    names = (Names.only(service, sum(sizes)), Names.repeated(operations, sizes), Names.repeated(nodes, sizes))
    return ExposureRows.counted(names, _counts(groups, ExposureRow))


def _sizes(groups: Sequence[Sequence[Row]]) -> list[int]:
    return [len(rows) for rows in groups]


def _counts(groups: Sequence[Sequence[Row]], row: type[Any]) -> Sequence[Sequence[Any]]:
    """Columns from the start on of all groups together."""
    return by_column(chain.from_iterable(groups), len(row._fields) - row._fields.index("start_s"))


def _compact(items: Iterable[Iterable[Any]]) -> str:
    return json.dumps([list(item) for item in items], separators=(",", ":"), ensure_ascii=False)
