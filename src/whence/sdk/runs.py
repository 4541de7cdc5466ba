"""``run``: one run of a batch job is one trace, and one OpenLineage run with what it read and wrote."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import Token
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

from opentelemetry import trace
from opentelemetry.context import Context, detach

from whence.sdk import active, lineage
from whence.sdk.covering import covered
from whence.sdk.guard import guarded, lose

F = TypeVar("F", bound=Callable[..., Any])


class Run:
    """One run of one job, as context manager; as decorator one for each call.

    The span is a root even where another span is current: a scheduler that starts a run is not its caller. An exception
    marks the run as failed and passes on.
    """

    def __init__(self, job: str) -> None:
        self.job = job
        self.id = str(uuid4())
        """The OpenLineage run id, as it stands in ``...@run:<id>`` versions."""
        self._touched = active.Touched(job, self.id)
        self._parent: active.Touched | None = None
        self._span: AbstractContextManager[trace.Span] | None = None
        self._token: Token[Context] | None = None

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end(kind, error, traceback)

    def __call__(self, function: F) -> F:
        """Decorate a function or coroutine function: each call is a run of its own."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            lose("a run as decorator of a generator, which it can't cover", function.__qualname__)
            return function
        return covered(function, lambda: Run(self.job))

    @guarded
    def _begin(self) -> None:
        self._parent = active.current()
        nobody = trace.set_span_in_context(trace.INVALID_SPAN)
        self._span = trace.get_tracer("whence").start_as_current_span(self.job, context=nobody)
        self._span.__enter__()
        self._token = active.begin(self._touched)
        lineage.report_run(self._touched, "START", parent=self._parent)

    @guarded
    def _end(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        active.end(self._touched)
        if self._token is not None:
            detach(self._token)
        if self._span is not None:
            self._span.__exit__(kind, error, traceback)
        lineage.report_run(self._touched, _state(error), parent=self._parent, error=error)


def run(job: str) -> Run:
    """One run of a batch job: what is read, used and written inside is linked to it and to each other.

    Gives the run, whose ``id`` may serve as a version. At its start and end the run is reported as OpenLineage events
    to ``OPENLINEAGE_URL``, else to whence at ``WHENCE_URL``; ``OPENLINEAGE_DISABLED=true`` forbids it.

    Args:
        job: Name of the job, the same for every run (``"train-ranker"``).
    """
    return Run(job)


def _state(error: BaseException | None) -> str:
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return "COMPLETE"
    return "ABORT" if isinstance(error, KeyboardInterrupt) else "FAIL"
