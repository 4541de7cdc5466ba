"""Statements made from the declared schema: constraints, indexes, upserts.

Names come from ``schema`` and the closed vocabularies, never from data; values are parameters, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from whence.model.kinds import RelationType
from whence.store.bolt.schema import (
    COUNT_KEY,
    COUNT_TABLES,
    EXAMPLE,
    KIND_LABELS,
    KNOWN,
    NODE_TABLES,
    RELATION_KEY,
    RELATION_TIMES,
    CountTable,
    NodeTable,
)

_LOCK = "SET n.lock = true REMOVE n.lock"
"""Takes a node's write lock, so that nothing read after it can change until the transaction ends; leaves nothing.

Only a set does it. Removing a property that no node ever had takes no lock, and of ``SET n.x = n.x`` the old value is
read before the lock is there and written after. What comes next must read through a list of what was locked, because
the planner is free to read properties of a variable that it has already as early as it likes.
"""

RELABEL_ENTITIES = (
    f"UNWIND $rows AS row MATCH (n:Entity {{key: row[0]}}) REMOVE n:{':'.join(KIND_LABELS.values())} SET n:$(row[1])"
)
"""Give entities the label of their kind; ``$rows`` hold key and label."""


def schema_statements() -> Iterator[str]:
    """Constraints and indexes of every table, until all can be used; they may run again and again."""
    for table in NODE_TABLES:
        yield _unique(table.label, table.key)
        for properties in table.indexes:
            yield _index("INDEX", table.label, properties)
        for name in table.texts:
            yield _index("TEXT INDEX", table.label, (name,))
    for counts in COUNT_TABLES:
        yield _unique(counts.label, COUNT_KEY)
    yield "CALL db.awaitIndexes()"


def lock_nodes(table: NodeTable) -> str:
    """Create the nodes of ``$keys`` that are missing, lock all, and return what they hold.

    A node that was just created comes back with nulls beside its key.
    """
    key = table.key[0]
    return (
        f"UNWIND $keys AS key MERGE (n:{table.label} {{{key}: key}}) {_LOCK} "
        "WITH collect(n) AS locked UNWIND locked AS n "
        f"RETURN collect([{properties('n', (key, *table.fields))}])"
    )


def write_nodes(table: NodeTable) -> str:
    """Set every field of nodes; ``$rows`` hold the key and then the fields."""
    key = table.key[0]
    return f"UNWIND $rows AS row MATCH (n:{table.label} {{{key}: row[0]}}) SET {_assigned('n', table.fields, 1)}"


def merge_relations(type_: RelationType) -> str:
    """Widen relations of one type; ``$rows`` hold src, dst, environment, layer, first, last, until, known, id.

    A property that is set to an expression of itself is locked before it is read, so no widening gets lost.
    """
    return (
        f"{create_relations(type_)} "
        f"ON MATCH SET {_kept('r', 'first_seen_ns', '<', 4)}, {_kept('r', 'last_seen_ns', '>', 5)}, "
        f"{_kept('r', 'active_until_ns', '>', 6)}, {_kept('r', 'known_ns', '<', 7)}"
    )


def create_relations(type_: RelationType) -> str:
    """Create those relations of one type that are missing; ``$rows`` as in ``merge_relations``."""
    return (
        "UNWIND $rows AS row MATCH (a:Entity {key: row[0]}) MATCH (b:Entity {key: row[1]}) "
        f"MERGE (a)-[r:{type_.value} {{{_pattern(RELATION_KEY, 2)}}}]->(b) "
        f"ON CREATE SET {_assigned('r', (*RELATION_TIMES, 'id'), 4)}"
    )


def merge_examples(type_: RelationType) -> str:
    """Replace examples of relations of one type by later ones; ``$rows`` hold src, dst, environment, layer, example.

    Setting the property to an expression of itself locks it first, as above.
    """
    old = f"coalesce(r.{EXAMPLE}, '')"
    return (
        "UNWIND $rows AS row MATCH (a:Entity {key: row[0]}) MATCH (b:Entity {key: row[1]}) "
        f"MATCH (a)-[r:{type_.value} {{{_pattern(RELATION_KEY, 2)}}}]->(b) "
        f"SET r.{EXAMPLE} = CASE WHEN row[4] > {old} THEN row[4] ELSE {old} END"
    )


def merge_counts(table: CountTable) -> str:
    """Replace rows of counts by greater ones; ``$rows`` hold the key, known_ns, the texts, and then the counts.

    Rows almost always differ in spans, the first count, so the rest is compared only if they don't.
    """
    texts_at = len(COUNT_KEY) + 1
    counts_at = texts_at + len(table.texts)
    spans = table.counts[0]
    created = ", ".join((f"n.{spans} = -1", *_each_assigned("n", (KNOWN, *table.texts), len(COUNT_KEY))))
    return (
        f"UNWIND $rows AS row MERGE (n:{table.label} {{{_pattern(COUNT_KEY, 0)}}}) ON CREATE SET {created} {_LOCK} "
        "WITH collect([n, row]) AS locked UNWIND locked AS pair WITH pair[0] AS n, pair[1] AS row "
        f"WHERE row[{counts_at}] > n.{spans} OR "
        f"(row[{counts_at}] = n.{spans} AND {_given_counts(table, counts_at)} > {_stored_counts(table)}) "
        f"SET {_assigned('n', table.counts, counts_at)}"
    )


def properties(node: str, names: Iterable[str]) -> str:
    """Properties of a node as a list of expressions."""
    return ", ".join(f"{node}.{name}" for name in names)


def _unique(label: str, key: Iterable[str]) -> str:
    name = f"{label.lower()}_key"
    return f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE ({properties('n', key)}) IS UNIQUE"


def _index(what: str, label: str, names: tuple[str, ...]) -> str:
    name = "_".join((label.lower(), *names))
    return f"CREATE {what} {name} IF NOT EXISTS FOR (n:{label}) ON ({properties('n', names)})"


def _pattern(names: Iterable[str], at: int) -> str:
    return ", ".join(f"{name}: row[{i}]" for i, name in enumerate(names, at))


def _each_assigned(node: str, names: Iterable[str], at: int) -> Iterator[str]:
    return (f"{node}.{name} = row[{i}]" for i, name in enumerate(names, at))


def _assigned(node: str, names: Iterable[str], at: int) -> str:
    return ", ".join(_each_assigned(node, names, at))


def _kept(node: str, name: str, better: str, at: int) -> str:
    return f"{node}.{name} = CASE WHEN row[{at}] {better} {node}.{name} THEN row[{at}] ELSE {node}.{name} END"


def _given_counts(table: CountTable, at: int) -> str:
    return _comparable(table, (f"row[{i}]" for i in range(at, at + len(table.counts))))


def _stored_counts(table: CountTable) -> str:
    return _comparable(table, (f"n.{name}" for name in table.counts))


def _comparable(table: CountTable, values: Iterable[str]) -> str:
    """List that sorts like the model's tuple. Cypher compares bytes as signed numbers, so they become unsigned."""
    named = zip(table.counts, values, strict=True)
    parts = (f"[byte IN {value} | (byte + 256) % 256]" if name in table.sketches else value for name, value in named)
    return f"[{', '.join(parts)}]"
