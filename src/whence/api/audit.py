"""Who did what: one JSON line for each request that isn't a plain read, to a file that never outgrows its bounds."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whence.errors import ConfigError

FILE_BYTES, FILES_KEPT = 10_000_000, 9
_PLAIN_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_CHARS = 500


class Audit:
    """Notes each request once it is answered, also those that were refused. No body and no secret is kept."""

    def __init__(self, app: ASGIApp, log: AuditLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in _PLAIN_READS:
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._log.add(_line(scope, state.get("caller"), status))


class AuditLog:
    """Adds lines to a file, and begins another one when it is full. The file is open only while a line is written."""

    def __init__(self, file: Path) -> None:
        """See that lines can be added.

        Raises:
            ConfigError: They can't.
        """
        try:
            file.open("ab").close()
        except OSError as error:
            raise ConfigError(f"WHENCE_AUDIT_LOG: {error}") from None
        self._handler = RotatingFileHandler(
            file, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8", delay=True
        )

    def add(self, line: str) -> None:
        """Add one line; what can't be written is told on stderr and doesn't fail the request."""
        self._handler.handle(logging.makeLogRecord({"msg": line}))
        self._handler.close()


def _line(scope: Scope, caller: str | None, status: int) -> str:
    client = scope.get("client")
    return json.dumps(
        {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "token": caller,
            "client": client[0] if client else None,
            "method": scope["method"],
            "path": scope["path"][:_MOST_CHARS],
            "status": status,
        }
    )
