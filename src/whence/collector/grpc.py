"""OTLP over gRPC: ``Export`` of the services of traces, logs and metrics; bytes go to the engine unparsed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from whence.collector.engine import Request, Signal
from whence.collector.gate import Gate
from whence.collector.ingest import IngestOf
from whence.errors import ConfigError, Forbidden, InputError, LimitExceeded, Overloaded, Unauthenticated
from whence.otlp import Encoding
from whence.otlp.replies import encode_retry_info, encode_status, encode_success
from whence.tls import Tls
from whence.tokens import Grant

log = logging.getLogger("whence.collector")

_PACKAGE = "opentelemetry.proto.collector"
_SERVICES: dict[str, Signal] = {
    f"{_PACKAGE}.trace.v1.TraceService": Signal.TRACES,
    f"{_PACKAGE}.logs.v1.LogsService": Signal.LOGS,
    # SDKs send metrics to the same address by default; of them only counted calls are of use.
    f"{_PACKAGE}.metrics.v1.MetricsService": Signal.METRICS,
}
_UNAVAILABLE = 14
Context = grpc.aio.ServicerContext[bytes, bytes]
Export = Callable[[bytes, Context], Awaitable[bytes]]


def create_server(
    ingest_of: IngestOf, *, address: str, max_body_bytes: int, gate: Gate | None = None, tls: Tls | None = None
) -> grpc.aio.Server:
    """A server bound to ``address`` (host:port), not yet started. Larger messages get RESOURCE_EXHAUSTED from gRPC.

    ``tls`` is what it is served with; None serves it in the clear.

    Raises:
        ConfigError: The port is taken.
    """
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", max_body_bytes),
            ("grpc.so_reuseport", 0),
        ]
    )
    gate = gate or Gate()
    for service, signal in _SERVICES.items():
        handler = grpc.unary_unary_rpc_method_handler(_export(ingest_of, signal, gate))  # raw bytes both ways
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {"Export": handler})])
    try:
        port = server.add_insecure_port(address) if tls is None else server.add_secure_port(address, _credentials(tls))
    except RuntimeError:
        port = 0
    if not port:
        raise ConfigError(f"can't listen for OTLP over gRPC on {address}; is another whence or Collector there?")
    return server


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    authorities = tls.client_ca.read_bytes() if tls.client_ca is not None else None
    pair = (tls.key.read_bytes(), tls.cert.read_bytes())
    return grpc.ssl_server_credentials([pair], authorities, require_client_auth=authorities is not None)


def _export(ingest_of: IngestOf, signal: Signal, gate: Gate) -> Export:
    async def export(body: bytes, context: Context) -> bytes:
        grant = await _admitted(context, gate)
        try:
            gate.charge(grant.name, len(body))
            ingest = await ingest_of(grant.tenant)
            outcome = await ingest.submit(Request(signal, Encoding.PROTOBUF, False, body))
        except Overloaded as error:
            await _throttle(context, error)
        except LimitExceeded as error:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
        except InputError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return encode_success(signal.name, outcome.rejections, Encoding.PROTOBUF)

    return export


async def _admitted(context: Context, gate: Gate) -> Grant:
    """Its token, nameless if none is needed; ends the call where it may not send."""
    metadata: dict[str, Any] = dict(context.invocation_metadata() or ())
    header = metadata.get("authorization")
    try:
        return gate.admit(header if isinstance(header, str) else None)
    except Unauthenticated as error:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))
    except Forbidden as error:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))


async def _throttle(context: Context, error: Overloaded) -> None:
    """UNAVAILABLE with the delay where the standard puts it and where the Python exporter looks for it."""
    delay = encode_retry_info(error.retry_after_seconds)
    status = encode_status(_UNAVAILABLE, str(error), Encoding.PROTOBUF, retry_after_seconds=error.retry_after_seconds)
    context.set_trailing_metadata((("grpc-status-details-bin", status), ("google.rpc.retryinfo-bin", delay)))
    await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
