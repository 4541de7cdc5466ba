"""``outcome``: an answer can be useless although its status says success, and only the application knows."""

from __future__ import annotations

from opentelemetry import trace

from whence.model.names import OUTCOME_BAD, OUTCOME_REASON
from whence.sdk.guard import guarded

_MAX_REASON_CHARS = 128


@guarded
def outcome(*, bad: bool, reason: str | None = None) -> None:
    """Judge what the current span answered.

    Args:
        bad: Whether the answer was of no use: empty, a fallback, a default, out of range.
        reason: A few words that many requests share (``"no candidates"``); at most 128 characters are kept.
    """
    span = trace.get_current_span()
    span.set_attribute(OUTCOME_BAD, bad)
    if reason is not None:
        span.set_attribute(OUTCOME_REASON, reason[:_MAX_REASON_CHARS])
