"""What the driver's and the database's errors mean to a caller.

The driver itself repeats a managed transaction for as long as we allow when the database calls the error transient
(deadlocks, elections, leaders that moved). What arrives here got past that; the question left is whether the *caller*
may try again, and that is what the class in our error tree says. Codes are those of the Neo4j status code reference:
``Neo.{class}.{category}.{title}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    ConnectionPoolError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from whence.errors import ConfigError, QueryTimeout, StoreConflict, StoreError, StoreUnavailable


def is_timeout(error: Exception) -> bool:
    """The transaction ran past the limit that we, or the server's settings, gave it."""
    return _code(error).startswith("Neo.ClientError.Transaction.TransactionTimedOut")


def is_terminated(error: Exception) -> bool:
    """An operator, or a server that shuts down, ended the transaction; nothing is wrong with it."""
    return _code(error) in (
        "Neo.ClientError.Transaction.TransactionTerminated",
        "Neo.TransientError.Transaction.Terminated",
    )


def is_lost_race(error: Exception) -> bool:
    """Another transaction created or removed what this one was about to: a second try finds the new state.

    The server calls both cases the client's error, so the driver does not repeat them.
    """
    return _code(error) in (
        "Neo.ClientError.Statement.EntityNotFound",
        "Neo.ClientError.Schema.ConstraintValidationFailed",
    )


def is_made_already(error: Exception) -> bool:
    """Another process made the same constraint or index at the same time, in spite of ``IF NOT EXISTS``."""
    return _code(error) == "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists"


def is_lock_conflict(error: Exception) -> bool:
    """Deadlocks and lock waits that went on for longer than the driver repeats."""
    return _code(error).startswith("Neo.TransientError.Transaction.")


def is_unreachable(error: Exception) -> bool:
    """No connection, no database behind it, or not one that takes writes at this moment."""
    if isinstance(error, Neo4jError):
        return error.is_retryable() or _code(error).startswith("Neo.TransientError.")
    return isinstance(error, ServiceUnavailable | SessionExpired | ConnectionPoolError | OSError)


def is_misconfigured(error: Exception) -> bool:
    """Address, user, password or database name are wrong: only the operator can help."""
    wrong_database = _code(error) == "Neo.ClientError.Database.DatabaseNotFound"
    return wrong_database or isinstance(error, AuthError | ConfigurationError | ValueError)


_MEANINGS: tuple[tuple[Callable[[Exception], bool], type[StoreError], str], ...] = (
    (is_timeout, QueryTimeout, "the query took longer than its limit"),
    (is_terminated, StoreUnavailable, "the database ended the transaction"),
    (is_lost_race, StoreConflict, "another writer was faster"),
    (is_lock_conflict, StoreConflict, "other writers held what this one needs"),
    (is_misconfigured, StoreError, "the database refuses us"),
    (is_unreachable, StoreUnavailable, "the database can't be reached"),
)


@contextmanager
def store_errors() -> Iterator[None]:
    """The driver's errors as ours."""
    try:
        yield
    except (Neo4jError, DriverError, OSError) as error:
        raise translated(error) from error


def translated(error: Exception) -> StoreError:
    """The error of our tree that says the same."""
    for applies, kind, meaning in _MEANINGS:
        if applies(error):
            return kind(f"{meaning}: {_said(error)}")
    return StoreError(f"the database failed: {_said(error)}")


@contextmanager
def start_errors(uri: str) -> Iterator[None]:
    """Errors while connecting for the first time: what only the operator can help is a ``ConfigError``."""
    try:
        yield
    except (Neo4jError, DriverError, OSError, ValueError) as error:
        if is_misconfigured(error):
            raise ConfigError(f"the store at {uri} refuses us: {_said(error)}") from error
        raise translated(error) from error


def _said(error: Exception) -> str:
    """The message without the status codes in which the driver wraps it."""
    return (error.message or str(error)) if isinstance(error, Neo4jError) else str(error)


def _code(error: Exception) -> str:
    return (error.code or "") if isinstance(error, Neo4jError) else ""
