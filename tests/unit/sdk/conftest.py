from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import whence
from whence.sdk import lineage
from whence.sdk.sender import Report

_exporter = InMemorySpanExporter()


@pytest.fixture(scope="session")
def provider() -> TracerProvider:
    """The application's own provider, set once: OpenTelemetry allows no second one in a process."""
    own = TracerProvider()
    own.add_span_processor(SimpleSpanProcessor(_exporter))
    trace.set_tracer_provider(own)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHENCE_HEARTBEAT_SECONDS", "0")
        patch.setenv("WHENCE_INSTRUMENT", "none")
        whence.configure()
    return own


@pytest.fixture
def spans(provider: TracerProvider) -> Iterator[InMemorySpanExporter]:
    """What the application exported during the test."""
    _exporter.clear()
    yield _exporter
    _exporter.clear()


@pytest.fixture
def tracer(provider: TracerProvider) -> trace.Tracer:
    return provider.get_tracer("application")


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sign of pytest in the environment."""
    monkeypatch.delenv("PYTEST_VERSION")


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """What would leave as lineage, instead of leaving."""
    reports: list[Report] = []

    def send(*report: Any) -> None:
        reports.append(Report(*report))

    monkeypatch.setattr(lineage, "send", send)
    return reports
