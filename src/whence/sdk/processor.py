"""The span processor that ``configure`` adds to the application's tracer provider."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import SpanKind

from whence.sdk.tags import tag_started

_SERVES_OTHERS = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})


class UseProcessor(SpanProcessor):
    """Tags every span that starts inside a use. Costs one context look-up where there is none."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Called by OpenTelemetry in the thread that starts the span."""
        if span.kind not in _SERVES_OTHERS:
            tag_started(span, parent_context)
