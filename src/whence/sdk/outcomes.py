"""``outcome``: an answer can be useless although its status says success, and only the application knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from opentelemetry import trace

from whence.model.names import OUTCOME_BAD, OUTCOME_REASON
from whence.sdk.covering import covered
from whence.sdk.guard import guarded

F = TypeVar("F", bound=Callable[..., Any])

_MAX_REASON_CHARS = 128


class Outcome:
    """A judgement: given at once, and as a decorator at every call of the function (a fallback, say)."""

    __slots__ = ("_bad", "_reason")

    def __init__(self, *, bad: bool, reason: str | None) -> None:
        self._bad = bad
        self._reason = reason
        self._judge()

    def __enter__(self) -> None:
        """The enclosed code makes the answer that was judged."""

    def __exit__(self, *error: object) -> None:
        """Nothing is left to do."""

    def __call__(self, function: F) -> F:
        """Decorate a function: who calls it answers so."""
        return covered(function, lambda: Outcome(bad=self._bad, reason=self._reason))

    @guarded
    def _judge(self) -> None:
        span = trace.get_current_span()
        span.set_attribute(OUTCOME_BAD, self._bad)
        if self._reason is not None:
            span.set_attribute(OUTCOME_REASON, self._reason[:_MAX_REASON_CHARS])


def outcome(*, bad: bool, reason: str | None = None) -> Outcome:
    """Judge what the current span answered. A plain call, a context manager, or a decorator of a fallback.

    Args:
        bad: Whether the answer was of no use: empty, a fallback, a default, out of range.
        reason: A few words that many requests share (``"no candidates"``); at most 128 characters are kept.
    """
    return Outcome(bad=bad, reason=reason)
