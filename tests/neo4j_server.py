"""A real Neo4j for tests: one that is given, one in a container, or one started from its published jars.

Everything in its database is deleted, again and again: point ``WHENCE_TEST_NEO4J_URI`` at nothing that you need.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import neo4j
from neo4j.exceptions import Neo4jError, ServiceUnavailable

from tests.jars import JarsMissing, cached_jars
from tests.jvm import NoServer, find_java, kept_alive
from tests.whence_server import free_ports

VERSION = "5.26.30"
RECIPE = Path(__file__).parent / "neo4j_jars"
START_TIMEOUT_SECONDS = 120
HEAP = "512m"

_CONF = """\
dbms.security.auth_enabled=false
dbms.usage_report.enabled=false
server.bolt.listen_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.heap.initial_size={heap}
server.memory.heap.max_size={heap}
server.memory.pagecache.size=128m
dbms.cypher.min_replan_interval=1h
"""
"""Without the last line every test that fills the empty database would have all queries planned again."""
_OPENED_PACKAGES = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")


class Neo4jAddress(NamedTuple):
    """Where a Neo4j listens, and who we are to it (None: it asks nobody)."""

    uri: str
    auth: tuple[str, str] | None


@contextmanager
def running_neo4j() -> Iterator[Neo4jAddress]:
    """A Neo4j that answers queries, for as long as the context lasts.

    Raises:
        NoServer: None is given, no container engine answers, and the jars or Java are missing.
    """
    with ExitStack() as stack:
        address = _given_address() or _in_container(stack) or _from_jars(stack)
        yield address


def _given_address() -> Neo4jAddress | None:
    uri = os.environ.get("WHENCE_TEST_NEO4J_URI")
    if not uri:
        return None
    user = os.environ.get("WHENCE_TEST_NEO4J_USER", "neo4j")
    password = os.environ.get("WHENCE_TEST_NEO4J_PASSWORD")
    return Neo4jAddress(uri, (user, password) if password else None)


def _in_container(stack: ExitStack) -> Neo4jAddress | None:
    if not _container_engine_answers():
        return None
    from testcontainers.neo4j import Neo4jContainer

    container = stack.enter_context(Neo4jContainer(f"neo4j:{VERSION}-community"))
    return Neo4jAddress(container.get_connection_url(), (container.username, container.password))


def _container_engine_answers() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


def _from_jars(stack: ExitStack) -> Neo4jAddress:
    try:
        jars = cached_jars(RECIPE, f"neo4j-{VERSION}")
    except JarsMissing as error:
        raise NoServer(
            f"Tests need a Neo4j: set WHENCE_TEST_NEO4J_URI, or start a container engine, or install Maven ({error})"
        ) from error
    home = Path(tempfile.mkdtemp(prefix="whence-neo4j-"))
    (port,) = free_ports(1)
    (home / "conf").mkdir()
    (home / "conf" / "neo4j.conf").write_text(_CONF.format(port=port, heap=HEAP))
    command = _server_command(find_java(), jars, home)
    stack.enter_context(kept_alive(command, home, lambda lives: _wait_until_ready(port, lives)))
    return Neo4jAddress(f"bolt://127.0.0.1:{port}", None)


def _server_command(java: str, jars: Path, home: Path) -> list[str]:
    return [
        java,
        f"-Xms{HEAP}",
        f"-Xmx{HEAP}",
        "-XX:+UseSerialGC",
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED_PACKAGES),
        "-Dio.netty.tryReflectionSetAccessible=true",
        f"-Djna.tmpdir={home}",
        "-cp",
        f"{jars}/*",
        "org.neo4j.server.CommunityEntryPoint",
        f"--home-dir={home}",
        f"--config-dir={home}/conf",
    ]


def _wait_until_ready(port: int, lives: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and lives():
        try:
            with neo4j.GraphDatabase.driver(f"bolt://127.0.0.1:{port}") as driver, driver.session() as session:
                session.run("RETURN 1").consume()
        except (ServiceUnavailable, Neo4jError):
            time.sleep(0.25)
        else:
            return True
    return False


def empty(address: Neo4jAddress) -> None:
    """Delete everything but the schema, which the next test needs again."""
    with neo4j.GraphDatabase.driver(address.uri, auth=address.auth) as driver, driver.session() as session:
        session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS").consume()
