"""Exporters as the ``OTEL_*`` variables name them, found the way OpenTelemetry's own configurator does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from whence.sdk.guard import lose


def exporters(signal: str) -> Iterator[Any]:
    """New exporters of ``traces`` or ``logs``; OTLP unless ``OTEL_<signal>_EXPORTER`` says otherwise."""
    for name in os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").split(","):
        wanted = _entry_point_name(name.strip(), signal)
        found = tuple(entry_points(group=f"opentelemetry_{signal}_exporter", name=wanted))
        if found:
            yield found[0].load()()
        elif wanted != "none":
            lose(f"an exporter of {signal} that is not installed", wanted)


def _entry_point_name(exporter: str, signal: str) -> str:
    if exporter not in ("", "otlp"):
        return exporter
    specific = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL")
    protocol = specific or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    return "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
