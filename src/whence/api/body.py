"""Bounds on request bodies, as sent and after gzip, before any route or parser sees them."""

from __future__ import annotations

import zlib

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whence.api.errors import problem
from whence.errors import DecodeError, InputError, LimitExceeded

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class BodyLimit:
    """ASGI middleware: reads the body up to a limit, unpacks gzip up to the same limit, and hands it on whole.

    Memory for one request stays below twice the limit.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 400 or 413."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
        except InputError as error:
            await problem(error, instance=scope["path"])(scope, receive, send)
            return
        await self._app(_plain(scope, len(body)), _replay(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        if int(headers.get("content-length") or 0) > self._max_bytes:
            raise LimitExceeded(f"the body is larger than {self._max_bytes} bytes")
        raw = bytearray()
        more = True
        while more:
            message = await receive()
            raw += message.get("body", b"")
            if len(raw) > self._max_bytes:
                raise LimitExceeded(f"the body is larger than {self._max_bytes} bytes")
            more = message["type"] == "http.request" and message.get("more_body", False)
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding == "identity":
            return bytes(raw)
        if encoding == "gzip":
            return gunzip(bytes(raw), self._max_bytes)
        raise DecodeError(f"unsupported Content-Encoding {encoding[:40]!r}, supported: gzip, identity")


def gunzip(data: bytes, max_bytes: int) -> bytes:
    """Unpack one gzip stream.

    Raises:
        DecodeError: It is not gzip, or ends too early.
        LimitExceeded: It would unpack to more than ``max_bytes``; no more than that is ever held.
    """
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        plain = stream.decompress(data, max_bytes + 1)
    except zlib.error as error:
        raise DecodeError(f"the body is not gzip: {error}") from None
    if len(plain) > max_bytes:
        raise LimitExceeded(f"the body unpacks to more than {max_bytes} bytes")
    if not stream.eof:
        raise DecodeError("the gzip body ends too early")
    return plain


def _plain(scope: Scope, length: int) -> Scope:
    """The scope of the same request as if it had been sent uncompressed."""
    dropped = {b"content-encoding", b"content-length", b"transfer-encoding"}
    headers = [(name, value) for name, value in scope["headers"] if name not in dropped]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode())]}


def _replay(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body once and then what the connection says (that the client is gone)."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
