"""OTLP over HTTP: ``POST /v1/traces`` and ``/v1/logs``, protobuf and JSON, plain, gzip and zstd.

A bare ASGI application: a framework would cost more per request than folding it. Answers follow the OTLP specification
1.11: errors are ``google.rpc.Status`` in the request's encoding, a body over the limit is 413, throttling is 429 with
``Retry-After``. ``/v1/metrics`` is answered politely and not stored, since SDKs send it to the same address by default.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from whence.collector.engine import Request, Signal
from whence.collector.gate import Gate
from whence.collector.ingest import IngestOf
from whence.errors import DecodeError, Forbidden, InputError, LimitExceeded, Overloaded, Unauthenticated, WhenceError
from whence.otlp import Encoding, unzstd
from whence.otlp.replies import encode_status, encode_success

log = logging.getLogger("whence.collector")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_SIGNALS = {"/v1/traces": Signal.TRACES, "/v1/logs": Signal.LOGS, "/v1/metrics": Signal.METRICS}
_IGNORED_PATHS = frozenset({"/v1development/profiles"})
_CONTENT_TYPES = {"application/x-protobuf": Encoding.PROTOBUF, "application/json": Encoding.JSON}
_MEDIA = {encoding: name for name, encoding in _CONTENT_TYPES.items()}
_PLAIN = "text/plain; charset=utf-8"

# google.rpc.Code
_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED, _UNAUTHENTICATED, _PERMISSION_DENIED = 3, 8, 16, 7
_INTERNAL = 13

_STATUS: dict[type[WhenceError], tuple[int, int]] = {
    Overloaded: (429, _RESOURCE_EXHAUSTED),
    LimitExceeded: (413, _RESOURCE_EXHAUSTED),
    InputError: (400, _INVALID_ARGUMENT),
    Unauthenticated: (401, _UNAUTHENTICATED),
    Forbidden: (403, _PERMISSION_DENIED),
}
"""Most specific first: HTTP status and ``google.rpc.Code``."""


class Reply(NamedTuple):
    """One HTTP answer."""

    status: int
    media: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class OtlpHttpApp:
    """The ASGI application of the receiver."""

    def __init__(self, ingest_of: IngestOf, *, max_body_bytes: int, gate: Gate | None = None) -> None:
        self._ingest_of = ingest_of
        self._max_body_bytes = max_body_bytes
        self._gate = gate or Gate()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Lifespan and websocket scopes are not ours."""
        if scope["type"] != "http":
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        reply = _refuse_early(scope, headers) or await self._answer(scope["path"], headers, receive)
        await send({"type": "http.response.start", "status": reply.status, "headers": _head(reply)})
        await send({"type": "http.response.body", "body": reply.body})

    async def _answer(self, path: str, headers: dict[bytes, str], receive: Receive) -> Reply:
        encoding = _CONTENT_TYPES[_media_type(headers)]
        try:
            grant = self._gate.admit(headers.get(b"authorization"))
            body = await _read_body(receive, headers, self._max_body_bytes)
            self._gate.charge(grant.name, len(body))
            if path in _IGNORED_PATHS:
                return Reply(200, _MEDIA[encoding], b"{}" if encoding is Encoding.JSON else b"")
            compression = _compression(headers)
            if compression == "zstd":
                body = await asyncio.to_thread(unzstd, body, self._max_body_bytes)
            ingest = await self._ingest_of(grant.tenant)
            outcome = await ingest.submit(Request(_SIGNALS[path], encoding, compression == "gzip", body))
        except (InputError, Overloaded, Unauthenticated, Forbidden) as error:
            return _failure(error, encoding)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("a request failed")
            return Reply(503, _MEDIA[encoding], encode_status(_INTERNAL, "internal error", encoding), (_RETRY,))
        return Reply(200, _MEDIA[encoding], encode_success(_SIGNALS[path].name, outcome.rejections, encoding))


_RETRY = (b"retry-after", b"2")


def _refuse_early(scope: Scope, headers: dict[bytes, str]) -> Reply | None:
    if scope["path"] not in _SIGNALS and scope["path"] not in _IGNORED_PATHS:
        return Reply(404, _PLAIN, b"404 not found; traces go to /v1/traces, logs to /v1/logs\n")
    if scope["method"] != "POST":
        return Reply(405, _PLAIN, b"405 method not allowed, supported: [POST]\n", ((b"allow", b"POST"),))
    if _media_type(headers) not in _CONTENT_TYPES:
        return Reply(
            415, _PLAIN, b"415 unsupported media type, supported: [application/json, application/x-protobuf]\n"
        )
    if _compression(headers) not in ("identity", "gzip", "zstd", ""):
        encoding = _CONTENT_TYPES[_media_type(headers)]
        return _failure(DecodeError("unsupported Content-Encoding, supported: gzip, zstd"), encoding)
    return None


async def _read_body(receive: Receive, headers: dict[bytes, str], limit: int) -> bytes:
    announced = headers.get(b"content-length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise LimitExceeded(f"the body is larger than {limit} bytes")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DecodeError("the client went away in the middle of the body")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise LimitExceeded(f"the body is larger than {limit} bytes")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _failure(error: WhenceError, encoding: Encoding) -> Reply:
    status, code = next(row for kind, row in _STATUS.items() if isinstance(error, kind))
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if isinstance(error, Overloaded):
        headers = ((b"retry-after", str(error.retry_after_seconds).encode()),)
    if isinstance(error, Unauthenticated):
        headers = ((b"www-authenticate", b"Bearer"),)
    return Reply(status, _MEDIA[encoding], encode_status(code, str(error), encoding), headers)


def _compression(headers: dict[bytes, str]) -> str:
    return headers.get(b"content-encoding", "identity").strip().lower()


def _media_type(headers: dict[bytes, str]) -> str:
    return headers.get(b"content-type", "").partition(";")[0].strip().lower()


def _head(reply: Reply) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", reply.media.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *reply.headers,
    ]
