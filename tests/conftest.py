"""Fixtures that more than one kind of test needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.neo4j_server import Neo4jAddress

# A shared machine may be slow at any moment, and no test asserts on time.
settings.register_profile("whence", deadline=None)
settings.load_profile("whence")


@pytest.fixture(scope="session")
def neo4j_address() -> Iterator[Neo4jAddress]:
    """One Neo4j for the whole session. It never skips: no Neo4j is a failure that says what to install."""
    from tests.neo4j_server import NoNeo4j, running_neo4j  # importing the driver takes half a second

    try:
        with running_neo4j() as address:
            yield address
    except NoNeo4j as error:
        pytest.fail(str(error), pytrace=False)
