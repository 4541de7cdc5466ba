"""What a store may fail, owned by the tests: empty until a store earns an entry, with a reason, and strict.

A store does not declare its own weaknesses, because one that misjudges itself would turn a failure into a skip.
"""

from __future__ import annotations

from typing import NamedTuple


class Excuse(NamedTuple):
    """One required case that one store fails, why, and with which error."""

    store: str
    """Name of the test class."""
    case: str
    """Name of the test, without parameters."""
    reason: str
    raises: type[BaseException]


EXCUSES: tuple[Excuse, ...] = ()
