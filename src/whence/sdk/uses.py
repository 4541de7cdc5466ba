"""``uses_model``, ``reads`` and ``writes``: which versions of models and data a piece of code touches.

How it works: a use counts in the process's table of edges and puts its reference on the current span, both at once. As
a context manager or decorator it also puts it into the OpenTelemetry context, from where ``UseProcessor`` copies it
onto every span that starts inside.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextvars import Token
from types import TracebackType
from typing import Any, TypeVar

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import get_current_span

from whence.model.names import INPUTS, MODELS, OUTPUTS
from whence.sdk import active
from whence.sdk.covering import covered
from whence.sdk.edges import Edge, edge_to
from whence.sdk.guard import fault, guarded
from whence.sdk.tags import add_reference, context_with

F = TypeVar("F", bound=Callable[..., Any])


class Use:
    """One use of one reference: a fact about the current span, a context manager, and a decorator.

    Decorates functions, coroutine functions and generators of both kinds. One object serves one ``with`` at a time, but
    any number of concurrent calls of a function that it decorates. Without a sound reference it does nothing.
    """

    __slots__ = ("_edge", "_token")

    def __init__(self, edge: Edge | None) -> None:
        self._edge = edge
        self._token: Token[Context] | None = None

    def __enter__(self) -> None:
        if self._edge is None:
            return
        try:
            self._token = attach(context_with(self._edge.attribute, self._edge.ref))
        except Exception as error:  # noqa: BLE001 - the wall
            fault("use of a reference", error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._edge is not None and isinstance(error, Exception) and not isinstance(error, _ENDS):
            self._edge.errors += 1
        if self._token is not None:
            detach(self._token)
            self._token = None

    def __call__(self, function: F) -> F:
        """Decorate a function: each call is a use of its own, and decorating is none."""
        edge = self._edge
        if edge is None:
            return function
        edge.count -= 1
        return covered(function, lambda: _use(edge.attribute, edge.ref))


def _use(attribute: str, ref: str) -> Use:
    """The hot path: the second use in one context does nothing but count."""
    try:
        edge = edge_to(attribute, ref)
        edge.use()
        context = get_current()
        if edge.tagged() is not context:
            add_reference(get_current_span(context), attribute, ref)
            edge.tagged = weakref.ref(context)
        if active.running and (run := active.current()) is not None:
            run.add(attribute, ref)
    except Exception as error:  # noqa: BLE001 - the wall
        fault("use of a reference", error)
        return Use(None)
    return Use(edge)


_ENDS = (StopIteration, StopAsyncIteration)
"""How generators say that they are done."""


def uses_model(ref: str) -> Use:
    """The enclosed code, or from a plain call the current span, is served by this version of a model.

    Args:
        ref: ``namespace#name@kind:version``, at most 256 characters (``file#shop/ranker@version:v42``).
    """
    return _use(MODELS, ref)


def reads(ref: str) -> Use:
    """The enclosed code, or from a plain call the current span, reads this snapshot of a dataset.

    Args:
        ref: ``namespace#name@kind:version``, at most 256 characters (``s3://lake#features@iceberg:3055``).
    """
    return _use(INPUTS, ref)


def writes(ref: str, *, profile: object = None) -> Use:
    """The enclosed code, or from a plain call the current span, writes this snapshot or model version.

    Args:
        ref: ``namespace#name@kind:version``, at most 256 characters.
        profile: The table that is written (pandas, polars or Arrow), to be told in numbers: rows, schema, and of each
            column nulls, distinct values, least, greatest, mean and quantiles. Text is never sent. Needs
            ``whence[profiles]`` and takes up to half a second.
    """
    use = _use(OUTPUTS, ref)
    if profile is not None:
        _report_profile(ref, profile)
    return use


@guarded
def _report_profile(ref: str, table: object) -> None:
    from whence.sdk.lineage import report_snapshot  # neither is needed by those who never profile
    from whence.sdk.profiles import profile_facets

    facets = profile_facets(table)
    run = active.current()
    if run is not None:
        run.add(OUTPUTS, ref, facets)
    else:
        report_snapshot(ref, facets)
