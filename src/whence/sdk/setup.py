"""``configure``: join the OpenTelemetry set-up that is there, or make one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from whence.model.names import ENVIRONMENT, SERVICE_NAME, SERVICE_VERSION
from whence.sdk.guard import guarded, lose
from whence.sdk.leaving import Leaving
from whence.sdk.processor import UseProcessor
from whence.sdk.resource import detected, stated_attributes

_lock = threading.Lock()
_joined: list[trace.TracerProvider] = []
"""By identity: not every provider can be hashed."""


@guarded
def configure(
    *, service_name: str | None = None, service_version: str | None = None, environment: str | None = None
) -> None:
    """Start to tag spans. Call once at start, after any OpenTelemetry set-up of your own; more calls change nothing.

    Where the application has a tracer provider, our span processor is added to it, its resource learns the code version
    that it lacks, and the arguments are ignored. Where it has none, one is made that exports by OTLP as the ``OTEL_*``
    variables say, to ``http://localhost:4318`` unless they name another place.

    Args:
        service_name: Instead of ``OTEL_SERVICE_NAME``.
        service_version: Instead of ``service.version`` in ``OTEL_RESOURCE_ATTRIBUTES``.
        environment: Instead of ``deployment.environment.name`` there.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return
    with _lock:
        provider = trace.get_tracer_provider()
        if isinstance(provider, trace.ProxyTracerProvider):
            stated = {SERVICE_NAME: service_name, SERVICE_VERSION: service_version, ENVIRONMENT: environment}
            provider = _make_provider({name: value for name, value in stated.items() if value})
            trace.set_tracer_provider(provider)
        else:
            _complete(provider)
        _join(provider)


def _make_provider(stated: dict[str, str]) -> TracerProvider:
    resource = detected(stated.keys() | stated_attributes(os.environ)).merge(Resource.create(stated))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    Leaving(provider)
    for exporter in _exporters():
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _join(provider: trace.TracerProvider) -> None:
    if any(joined is provider for joined in _joined):
        return
    add_span_processor = getattr(provider, "add_span_processor", None)
    if add_span_processor is None:
        lose("a tracer provider that takes no span processors", type(provider).__qualname__)
        return
    add_span_processor(UseProcessor())
    _joined.append(provider)


@guarded
def _complete(provider: trace.TracerProvider) -> None:
    """Tell the provider's resource which code runs, where its maker did not.

    OpenTelemetry has no public way to add to a resource; it uses this one itself after a fork. Releases that lack it
    learn the code version from ``OTEL_EXPERIMENTAL_RESOURCE_DETECTORS=whence,otel``.
    """
    home = getattr(provider, "provider", provider)  # Logfire wraps OpenTelemetry's
    update, resource = getattr(home, "_update_resource", None), getattr(home, "resource", None)
    if update is None or resource is None:
        return
    present = resource.attributes
    found = detected(present.keys()).attributes
    update(Resource({name: value for name, value in found.items() if name not in present}))


def _exporters() -> Iterator[Any]:
    """What ``OTEL_TRACES_EXPORTER`` names, found the way OpenTelemetry's own configurator does."""
    for name in os.environ.get("OTEL_TRACES_EXPORTER", "otlp").split(","):
        wanted = _entry_point_name(name.strip())
        found = tuple(entry_points(group="opentelemetry_traces_exporter", name=wanted))
        if found:
            yield found[0].load()()
        elif wanted != "none":
            lose("a trace exporter that is not installed", wanted)


def _entry_point_name(exporter: str) -> str:
    if exporter not in ("", "otlp"):
        return exporter
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    return "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
