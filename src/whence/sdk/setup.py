"""``configure``: join the OpenTelemetry set-up that is there, or make one."""

from __future__ import annotations

import os
import threading

from opentelemetry import trace
from opentelemetry.propagate import get_global_textmap, set_global_textmap
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from whence.model.names import ENVIRONMENT, SERVICE_NAME, SERVICE_VERSION
from whence.sdk import instrument
from whence.sdk.callers import CallerPropagator
from whence.sdk.exporters import exporters
from whence.sdk.guard import guarded, lose
from whence.sdk.heartbeat import Heartbeat, has_pipeline, interval_seconds
from whence.sdk.leaving import Farewell, on_leaving
from whence.sdk.processor import UseProcessor
from whence.sdk.resource import detected, resource_of, stated_attributes

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")
_lock = threading.Lock()
_telling: list[Heartbeat] = []
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
        if any(joined is provider for joined in _joined):
            return
        is_ours = isinstance(provider, trace.ProxyTracerProvider)
        if is_ours:
            stated = {SERVICE_NAME: service_name, SERVICE_VERSION: service_version, ENVIRONMENT: environment}
            provider = _make_provider({name: value for name, value in stated.items() if value})
            trace.set_tracer_provider(provider)
        else:
            _complete(provider)
        _join(provider)
        _tell_edges(is_ours=is_ours)
        instrument.enable()


@guarded
def _tell_edges(*, is_ours: bool) -> None:
    """Start the heartbeat and send our identity along, once for each process."""
    seconds = interval_seconds()
    if seconds and not _telling and (has_pipeline() or _exports_directly(is_ours=is_ours)):
        heartbeat = Heartbeat(seconds)
        _telling.append(heartbeat)
        set_global_textmap(CallerPropagator(get_global_textmap(), heartbeat.own_id))


def _exports_directly(*, is_ours: bool) -> bool:
    """Whether there is a place for the heartbeat of an application without a logs pipeline.

    It is where our own spans go, or what the variables name. Where the application exports its spans by code, to a
    place that only it knows, there is none.
    """
    if os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return is_ours or any(name in os.environ for name in _ENDPOINTS)


def _make_provider(stated: dict[str, str]) -> TracerProvider:
    resource = detected(stated.keys() | stated_attributes(os.environ)).merge(Resource.create(stated))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    on_leaving(Farewell(provider.shutdown))
    for exporter in exporters("traces"):
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _join(provider: trace.TracerProvider) -> None:
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
    resource = resource_of(provider)
    update = getattr(getattr(provider, "provider", provider), "_update_resource", None)
    if update is None or resource is None:
        return
    present = resource.attributes
    found = detected(present.keys()).attributes
    update(Resource({name: value for name, value in found.items() if name not in present}))
