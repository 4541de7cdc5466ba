"""The window of time, and the clocks, that a read may name."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Query

from whence.api.context import Ctx
from whence.errors import InvalidQuery
from whence.intake.fields import instant_ns
from whence.model.environments import environment_name
from whence.model.times import NS_PER_SECOND

DEFAULT_WINDOW_SECONDS = 86_400

_TIME_FORMS = "RFC 3339, or relative to now such as -2h"


class Window(NamedTuple):
    """``[from_ns, to_ns)`` in one environment, seen with what was known by ``known_ns``."""

    from_ns: int
    to_ns: int
    environment: str | None
    """None: every environment."""
    known_ns: int | None
    """None: all that is known now."""


def _window(
    context: Ctx,
    from_: Annotated[
        str | None, Query(alias="from", description=f"Start: {_TIME_FORMS}. A day before the end.")
    ] = None,
    to: Annotated[str | None, Query(description=f"End, exclusive: {_TIME_FORMS}. Now.")] = None,
    environment: Annotated[
        str | None, Query(max_length=256, description="This one, and what named none; all when absent.")
    ] = None,
    known_at: Annotated[str | None, Query(description="Only what had been learned by then.")] = None,
) -> Window:
    now = context.clock()
    # One second more: what happens right now belongs into a window that ends now.
    to_ns = instant_ns("to", to, now_ns=now) if to else now + NS_PER_SECOND
    from_ns = instant_ns("from", from_, now_ns=now) if from_ else max(0, to_ns - DEFAULT_WINDOW_SECONDS * NS_PER_SECOND)
    if from_ns > to_ns:
        raise InvalidQuery("from", "is after 'to'")
    known_ns = instant_ns("known_at", known_at, now_ns=now) if known_at else None
    asked = None if environment is None else environment_name(environment)
    return Window(from_ns, to_ns, asked, known_ns)


WindowDep = Annotated[Window, Depends(_window)]
