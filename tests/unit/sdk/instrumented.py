"""Fixtures of the tests of instrumentors: all of them on, and a request's span that says what it was told."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from whence.sdk import instrument


@pytest.fixture(autouse=True)
def instrumented(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WHENCE_INSTRUMENT", "all")
    instrument.enable()
    yield
    instrument.disable()


class Request:
    """A request's span, and what it says once it has ended."""

    def __init__(self, spans: InMemorySpanExporter, tracer: Tracer) -> None:
        self._spans = spans
        self._tracer = tracer

    def __enter__(self) -> None:
        self._spans.clear()
        self._span = self._tracer.start_as_current_span("request")
        self._span.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._span.__exit__(*error)

    def __getitem__(self, attribute: str) -> set[str]:
        (span,) = self._spans.get_finished_spans()
        found = (span.attributes or {}).get(attribute, ())
        assert isinstance(found, tuple)
        return set(map(str, found))


@pytest.fixture
def request_(spans: InMemorySpanExporter, tracer: Tracer) -> Request:
    return Request(spans, tracer)


def by_content(path: Path) -> str:
    return f"file#{path}@sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
