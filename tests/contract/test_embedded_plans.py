"""How SQLite means to run each read: by seeking, in the order written, without sorting a page of a list.

A changed word can turn a seek into a scan, which no small test would notice.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from whence.store.embedded import records, rows, search, walks
from whence.store.embedded.schema import prepare

SCAN_OF_A_TABLE = re.compile(r"SCAN (?!j\b|word\b|moment\b|wanted\b|json_each\b|CONSTANT ROW)")

SEEKS = {
    walks.UPSTREAM: "sqlite_autoindex_relation_1 (src=?)",
    walks.DOWNSTREAM: "relation_dst (dst=?)",
    rows.RELATIONS_AMONG: "sqlite_autoindex_relation_1 (src=?)",
    rows.EDGE_ROWS: "SEARCH b USING PRIMARY KEY (start=? AND relation=?)",
    rows.OPERATION_ROWS: "SEARCH b USING PRIMARY KEY (start=? AND node=?)",
    rows.EXPOSURE_ROWS: "SEARCH b USING PRIMARY KEY (start=? AND service=?",
    rows.VERSIONS: "sqlite_autoindex_relation_1 (src=? AND type=?)",
    records.LIST_CHANGES: "change_effective (effective>? AND effective<?)",
    records.LIST_CHANGES_OF: "change_subject (subject=? AND effective>? AND effective<?)",
    records.LIST_PROFILES: "profile_dataset (dataset=? AND at<?)",
    records.LIST_DOCUMENTS: "document_created (kind=?",
    search.NAMESAKES: "entity_name (name=?)",
    search.ENTITIES: "entity_plain (key>?)",
    search.ENTITIES_AND_VERSIONS: "sqlite_autoindex_entity_1 (key>?)",
    search.OWNED: "attribute_owner (value=?)",
    search.OWNED_WITH_VERSIONS: "attribute_owner (value=?)",
    search.VERSIONS_OF: "entity_version (base=?",
}
SORTED_BY_INDEX = (
    records.LIST_CHANGES,
    records.LIST_PROFILES,
    records.LIST_DOCUMENTS,
    search.ENTITIES,
    search.ENTITIES_AND_VERSIONS,
    search.VERSIONS_OF,
)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    prepare(connection, Path(":memory:"))
    yield connection
    connection.close()


def plan(connection: sqlite3.Connection, statement: str) -> str:
    values: tuple[int, ...] | dict[str, int] = (1,) * statement.count("?") or defaultdict(lambda: 1)
    return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values))


@pytest.mark.parametrize("statement", SEEKS)
def test_read_seeks_and_never_scans_a_table(connection: sqlite3.Connection, statement: str) -> None:
    found = plan(connection, statement)
    assert SEEKS[statement] in found, found
    assert not SCAN_OF_A_TABLE.search(found), found


@pytest.mark.parametrize("statement", SORTED_BY_INDEX)
def test_list_comes_in_order_without_sorting(connection: sqlite3.Connection, statement: str) -> None:
    assert "TEMP B-TREE" not in plan(connection, statement)
