"""Upsert: one delta merged into the database, in one transaction, by the laws of ``model.delta``.

How this works: rows of counts and relations are merged by their statements, which compare under the row's lock.
Entities, changes and profiles are few and their laws are richer, so they are locked, read, merged by the model's own
functions, and written back.

Every statement gets its rows sorted by key, and entities are locked before the relations between them, so that two
transactions always lock in the same order and never wait for each other in a circle. Rows of counts go first: no two
writers share one, so the locks that other writers wait for are held for the last moments only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from neo4j import AsyncManagedTransaction

from whence.model.delta import (
    EdgeCounts,
    EdgeKey,
    ExposureCounts,
    ExposureKey,
    GraphDelta,
    OperationCounts,
    OperationKey,
    Relation,
    merge_change,
    merge_entity,
    merge_profile,
)
from whence.model.kinds import RelationType
from whence.store.bolt import cypher, schema
from whence.store.bolt.connection import run, run_collected
from whence.store.bolt.rows import (
    Row,
    change_row,
    entity_row,
    example_row,
    profile_row,
    relation_row,
    to_change,
    to_entity,
    to_profile,
)
from whence.store.bolt.undescribed import undescribed_entities, undescribed_relations
from whence.store.rules import writer_known_ns

MAX_BATCH = 1_000
"""Rows in one statement; beyond it the cost of a row no longer falls."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Merging(Generic[T]):
    """How the nodes of one table are merged by the model."""

    table: schema.NodeTable
    to_row: Callable[[T], list[Any]]
    from_row: Callable[[Row], T]
    merge: Callable[[T, T], T]


_ENTITIES = _Merging(schema.ENTITIES, entity_row, to_entity, merge_entity)
_CHANGES = _Merging(schema.CHANGES, change_row, to_change, merge_change)
_PROFILES = _Merging(schema.PROFILES, profile_row, to_profile, merge_profile)


async def write_delta(tx: AsyncManagedTransaction, delta: GraphDelta) -> None:
    """Merge a delta."""
    await _merge_counts(tx, schema.EDGE_BUCKETS, map(_edge_row, delta.edges.items()))
    await _merge_counts(tx, schema.OPERATION_BUCKETS, map(_operation_row, delta.operations.items()))
    await _merge_counts(tx, schema.EXPOSURE_BUCKETS, map(_exposure_row, delta.exposures.items()))
    await _merge_nodes(tx, _PROFILES, delta.profiles)
    await _merge_nodes(tx, _CHANGES, delta.changes)
    await _merge_entities(tx, delta)
    await _each_type(tx, cypher.merge_relations, _typed(delta.relations.values()))
    await _each_type(tx, cypher.create_relations, _typed(undescribed_relations(delta)))
    await _each_type(
        tx, cypher.merge_examples, ((key.type, example_row(key, one)) for key, one in delta.examples.items())
    )


async def _merge_counts(tx: AsyncManagedTransaction, table: schema.CountTable, rows: Iterable[list[Any]]) -> None:
    await _in_batches(tx, cypher.merge_counts(table), sorted(rows))


async def _merge_entities(tx: AsyncManagedTransaction, delta: GraphDelta) -> None:
    undescribed = undescribed_entities(delta)
    changed = await _merge_nodes(tx, _ENTITIES, {**undescribed, **delta.entities}, only_create=undescribed.keys())
    relabelled = [
        [after.key, schema.KIND_LABELS[after.kind]]
        for before, after in changed
        if before is None or before.kind != after.kind
    ]
    await _in_batches(tx, cypher.RELABEL_ENTITIES, relabelled)


async def _merge_nodes(
    tx: AsyncManagedTransaction, how: _Merging[T], given: Mapping[str, T], *, only_create: Collection[str] = ()
) -> list[tuple[T | None, T]]:
    """Merge values into the nodes of their keys; those of ``only_create`` leave a node that exists as it is.

    Returns:
        What was (None: nothing) and what is now, for every node that is not as it was.
    """
    changed: list[tuple[T | None, T]] = []
    for keys in _batches(sorted(given)):
        for row in await run_collected(tx, cypher.lock_nodes(how.table), {"keys": keys}):
            key, is_new = row[0], row[1] is None
            if is_new:
                changed.append((None, given[key]))
            elif key not in only_create:
                before = how.from_row(row)
                after = how.merge(before, given[key])
                if after != before:
                    changed.append((before, after))
    await _in_batches(tx, cypher.write_nodes(how.table), [how.to_row(after) for _, after in changed])
    return changed


async def _each_type(
    tx: AsyncManagedTransaction,
    statement: Callable[[RelationType], str],
    rows: Iterable[tuple[RelationType, list[Any]]],
) -> None:
    """Run one statement for each relation type that occurs, with the rows of that type."""
    by_type: defaultdict[RelationType, list[list[Any]]] = defaultdict(list)
    for type_, row in rows:
        by_type[type_].append(row)
    for type_ in sorted(by_type):
        await _in_batches(tx, statement(type_), sorted(by_type[type_]))


def _typed(relations: Iterable[Relation]) -> Iterator[tuple[RelationType, list[Any]]]:
    return ((relation.key.type, relation_row(relation)) for relation in relations)


async def _in_batches(tx: AsyncManagedTransaction, text: str, rows: Sequence[list[Any]]) -> None:
    for batch in _batches(rows):
        await run(tx, text, {"rows": batch})


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[at : at + MAX_BATCH] for at in range(0, len(items), MAX_BATCH))


def _edge_row(item: tuple[EdgeKey, EdgeCounts]) -> list[Any]:
    key, counts = item
    return [*schema.edge_id(key), writer_known_ns(key.writer), *counts]


def _operation_row(item: tuple[OperationKey, OperationCounts]) -> list[Any]:
    key, counts = item
    return [*schema.operation_id(key), writer_known_ns(key.writer), key.operation, key.environment, *counts]


def _exposure_row(item: tuple[ExposureKey, ExposureCounts]) -> list[Any]:
    key, counts = item
    known_ns = writer_known_ns(key.writer)
    return [*schema.exposure_id(key), known_ns, key.operation, key.node, key.environment, *counts]
