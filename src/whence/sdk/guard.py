"""The wall between whence and its host, and the count of everything that was lost behind it."""

from __future__ import annotations

import functools
import logging
import os
from collections import Counter
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_logger = logging.getLogger("whence")
_losses: Counter[str] = Counter()


def guarded(function: Callable[P, R]) -> Callable[P, R | None]:
    """Make a function of ours safe to call from an application: a fault is answered with None, see ``fault``."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the wall
            fault(function.__qualname__, error)
            return None

    return wrapper


def fault(place: str, error: Exception) -> None:
    """Count a fault of ours, and log the first of each place. To be called where the error is being handled.

    Under pytest the error is raised instead, so that a wrong reference fails the application's tests and not its users.
    """
    if "PYTEST_VERSION" in os.environ:
        raise error
    lose(f"fault in {place}", error)


def lose(reason: str, detail: object = "") -> None:
    """Count one thing that was lost. The first of each reason is logged as a warning, the rest stay quiet."""
    _losses[reason] += 1
    if _losses[reason] == 1:
        _logger.warning("whence: %s: %s", reason, detail)


def losses() -> dict[str, int]:
    """What was lost so far in this process, by reason."""
    return dict(_losses)
