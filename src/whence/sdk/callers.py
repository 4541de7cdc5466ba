"""Who calls whom, told along with every request in ``tracestate``: ``whence=<short id>:<span id>``.

The short id names one version of the calling service; the heartbeat of that service says which. If the span id is the
parent's, the caller called directly; if not, somebody without whence stands between. Nothing else leaves, and it works
for requests that are not sampled.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from opentelemetry.context import Context
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, get_current_span, set_span_in_context

from whence.sdk.edges import CALLERS, edge_to
from whence.sdk.guard import guarded

KEY = "whence"
_MEMBER = re.compile(r"([0-9a-f]{8}):([0-9a-f]{16})")


class CallerPropagator(TextMapPropagator):
    """Wraps the application's propagator: adds our member on the way out, and looks for it on the way in."""

    def __init__(self, inner: TextMapPropagator, own_id: Callable[[], str]) -> None:
        self._inner = inner
        self._own_id = own_id

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """See ``TextMapPropagator.extract``."""
        extracted = self._inner.extract(carrier, context, getter)
        _note_caller(extracted)
        return extracted

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """See ``TextMapPropagator.inject``."""
        self._inner.inject(carrier, self._marked(context) or context, setter)

    @property
    def fields(self) -> set[str]:
        """See ``TextMapPropagator.fields``."""
        return self._inner.fields

    @guarded
    def _marked(self, context: Context | None) -> Context | None:
        """The context as it leaves; only for this one carrier."""
        span = get_current_span(context).get_span_context()
        if not span.is_valid:
            return None
        member = f"{self._own_id()}:{span.span_id:016x}"
        state = span.trace_state.delete(KEY) if KEY in span.trace_state else span.trace_state
        marked = SpanContext(span.trace_id, span.span_id, span.is_remote, span.trace_flags, state.add(KEY, member))
        return set_span_in_context(NonRecordingSpan(marked), context)


@guarded
def _note_caller(context: Context) -> None:
    span = get_current_span(context).get_span_context()
    member = _MEMBER.fullmatch(span.trace_state.get(KEY) or "")
    if member is not None and member[2] == f"{span.span_id:016x}":
        edge_to(CALLERS, member[1]).use()
