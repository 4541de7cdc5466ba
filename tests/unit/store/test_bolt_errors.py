"""What each of the driver's and the database's errors means to a caller."""

from __future__ import annotations

import pytest
from neo4j.exceptions import AuthError, DriverError, Neo4jError, ServiceUnavailable, SessionExpired

from whence.errors import ConfigError, QueryTimeout, StoreConflict, StoreError, StoreUnavailable
from whence.store.bolt.retry import start_errors, store_errors, translated


def from_server(code: str) -> Neo4jError:
    """The error that the driver makes of a code; it has no public way to make one."""
    return Neo4jError._hydrate_neo4j(code=f"Neo.{code}", message="said the server")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ClientError.Transaction.TransactionTimedOut", QueryTimeout),
        ("ClientError.Transaction.TransactionTimedOutClientConfiguration", QueryTimeout),
        ("ClientError.Transaction.TransactionTerminated", StoreUnavailable),
        ("ClientError.Statement.EntityNotFound", StoreConflict),
        ("ClientError.Schema.ConstraintValidationFailed", StoreConflict),
        ("TransientError.Transaction.DeadlockDetected", StoreConflict),
        ("TransientError.Transaction.LockAcquisitionTimeout", StoreConflict),
        ("TransientError.General.DatabaseUnavailable", StoreUnavailable),
        ("TransientError.General.MemoryPoolOutOfMemoryError", StoreUnavailable),
        ("ClientError.Cluster.NotALeader", StoreUnavailable),
        ("ClientError.Security.Unauthorized", StoreError),
        ("ClientError.Statement.SyntaxError", StoreError),
        ("DatabaseError.General.UnknownError", StoreError),
    ],
)
def test_error_of_the_server_becomes_ours(code: str, kind: type[StoreError]) -> None:
    found = translated(from_server(code))
    assert type(found) is kind
    assert "said the server" in str(found)


@pytest.mark.parametrize("error", [ServiceUnavailable("gone"), SessionExpired("gone"), ConnectionResetError("gone")])
def test_error_of_the_connection_says_unavailable(error: Exception) -> None:
    with pytest.raises(StoreUnavailable, match="gone"), store_errors():
        raise error


def test_misuse_of_the_driver_is_not_to_be_tried_again() -> None:
    with pytest.raises(StoreError) as caught, store_errors():
        raise DriverError("closed")
    assert not caught.value.retryable


def test_refused_password_at_the_start_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigError, match="bolt://db"), start_errors("bolt://db"):
        raise AuthError("wrong password")


def test_our_own_errors_pass_through() -> None:
    with pytest.raises(QueryTimeout, match="late"), store_errors():
        raise QueryTimeout("late")
