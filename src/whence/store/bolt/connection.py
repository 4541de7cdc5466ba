"""The driver: connecting, the one way to read and the one way to write, and what their failures mean."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from neo4j import AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction, AsyncSession, unit_of_work

from whence.errors import QueryTimeout, StoreUnavailable
from whence.store.bolt.retry import start_errors, store_errors

T = TypeVar("T")
Work = Callable[[AsyncManagedTransaction], Awaitable[T]]

_GRACE_SECONDS = 5.0
"""What a server gets beyond a limit of its own to report it, before we hang up: short of memory, it may never do."""


@dataclass(frozen=True, slots=True)
class BoltLimits:
    """How long things may take, in seconds."""

    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    write_seconds: float = 60.0
    retry_seconds: float = 5.0
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

    async def open(self, statements: Iterable[str]) -> None:
        """Connect, and run statements that change the schema, each on its own.

        Raises:
            ConfigError: The database refuses us.
            StoreUnavailable: Nothing answers there.
        """
        with start_errors(self._uri):
            self._driver = AsyncGraphDatabase.driver(
                self._uri,
                auth=self._auth,
                connection_timeout=self._limits.connect_seconds,
                max_transaction_retry_time=self._limits.retry_seconds,
                notifications_min_severity="OFF",
            )
        try:
            with start_errors(self._uri):
                await self._driver.verify_connectivity()
                for statement in statements:
                    await self._write(lambda tx, text=statement: run(tx, text))  # type: ignore[misc]
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let the pool go."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()

    async def read(self, work: Work[T]) -> T:
        """Run reads in one transaction.

        Raises:
            QueryTimeout: They took longer than the limit.
        """
        limit = self._limits.read_seconds
        try:
            with store_errors():
                async with asyncio.timeout(limit + _GRACE_SECONDS), self._session() as session:
                    return await session.execute_read(unit_of_work(timeout=limit)(work))
        except TimeoutError as error:
            raise QueryTimeout(f"the database did not answer within {limit + _GRACE_SECONDS:.0f} s") from error

    async def write(self, work: Work[T]) -> T:
        """Run writes in one transaction, again if the database calls its failure transient."""
        with store_errors():
            return await self._write(work)

    async def _write(self, work: Work[T]) -> T:
        async with self._session() as session:
            return await session.execute_write(unit_of_work(timeout=self._limits.write_seconds)(work))

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
