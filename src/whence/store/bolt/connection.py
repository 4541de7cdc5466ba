"""The driver: connecting, the one way to read and the one way to write, and what their failures mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from neo4j import AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction, AsyncSession, unit_of_work
from neo4j.exceptions import ClientError

from whence.errors import QueryTimeout, StoreConflict, StoreUnavailable
from whence.store.bolt.retry import is_made_already, start_errors, store_errors

T = TypeVar("T")
Work = Callable[[AsyncManagedTransaction], Awaitable[T]]

_GRACE_SECONDS = 5.0
"""What a server gets beyond a limit to report that it was reached."""


@dataclass(frozen=True, slots=True)
class BoltLimits:
    """How long things may take, in seconds."""

    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    write_seconds: float = 120.0
    """Also ends, for the others that wait for its locks, a transaction whose process hangs."""
    retry_seconds: float = 15.0
    """For how long the driver repeats a transaction that the database calls transient."""


DEFAULT_LIMITS = BoltLimits()


class Connection:
    """One driver with its pool. Belongs to the event loop in which it was opened."""

    def __init__(self, uri: str, auth: tuple[str, str] | None, database: str | None, limits: BoltLimits) -> None:
        self._uri = uri
        self._auth = auth
        self._database = database
        self._limits = limits
        self._driver: AsyncDriver | None = None

    async def open(self, schema: Iterable[str]) -> None:
        """Connect, and run the statements that make the schema.

        Raises:
            ConfigError: The database refuses us.
            StoreUnavailable: Nothing answers there.
        """
        with start_errors(self._uri):
            self._driver = AsyncGraphDatabase.driver(
                self._uri,
                auth=self._auth,
                connection_timeout=self._limits.connect_seconds,
                connection_acquisition_timeout=2 * self._limits.connect_seconds,
                max_transaction_retry_time=self._limits.retry_seconds,
                notifications_min_severity="OFF",
            )
            await self._driver.verify_connectivity()
            for statement in schema:
                await self._apply(statement)

    async def close(self) -> None:
        """Let the pool go."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()

    async def ping(self) -> None:
        """Hear from the database, at the first try and soon, or raise."""
        with store_errors():
            async with asyncio.timeout(2 * self._limits.connect_seconds), self._session() as session:
                await (await session.run("RETURN 1")).consume()

    async def read(self, work: Work[T]) -> T:
        """Run reads in one transaction, again if the database calls its failure transient.

        Raises:
            QueryTimeout: They took longer than the limit.
        """
        limit = self._limits.read_seconds
        with store_errors():
            async with self._hanging_up_after(limit), self._session() as session:
                return await session.execute_read(unit_of_work(timeout=limit)(work))

    async def write(self, work: Work[T]) -> T:
        """Run writes in one transaction, again if the database calls its failure transient.

        Raises:
            StoreConflict: They took longer than the limit, most likely to wait for others.
        """
        limit = self._limits.write_seconds
        try:
            with store_errors():
                async with self._hanging_up_after(limit), self._session() as session:
                    return await session.execute_write(unit_of_work(timeout=limit)(work))
        except QueryTimeout as error:
            raise StoreConflict(str(error)) from error

    async def _apply(self, statement: str) -> None:
        """Run a statement that changes the schema; another process may be doing the same."""
        async with self._session() as session:
            try:
                await session.execute_write(run, statement)
            except ClientError as error:
                if not is_made_already(error):
                    raise

    @asynccontextmanager
    async def _hanging_up_after(self, limit: float) -> AsyncIterator[None]:
        """Give up on a server that does not keep a limit of its own: short of memory, it may never do."""
        patience = limit + self._limits.retry_seconds + _GRACE_SECONDS
        try:
            async with asyncio.timeout(patience):
                yield
        except TimeoutError as error:
            raise QueryTimeout(f"the database did not answer within {patience:.0f} s") from error

    def _session(self) -> AsyncSession:
        if self._driver is None:
            raise StoreUnavailable("the store is not open")
        return self._driver.session(database=self._database)


async def run_collected(tx: AsyncManagedTransaction, text: str, parameters: Mapping[str, Any]) -> list[Any]:
    """Run one statement that returns a single list, and give the list."""
    ((items,),) = await run(tx, text, parameters)
    return list(items)


async def run(tx: AsyncManagedTransaction, text: str, parameters: Mapping[str, Any] | None = None) -> list[list[Any]]:
    """Run one statement to its end and give all its rows."""
    result = await tx.run(text, parameters)  # type: ignore[arg-type]
    return await result.values()
