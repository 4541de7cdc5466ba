"""A web server that somebody else runs: it takes what is posted to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Listener:
    """Where it listens and what came in: path, content type, decoded body."""

    url: str
    heard: list[tuple[str, str, Any]] = field(default_factory=list)
    failures_left: int = 0
    """So many requests are answered with 503 first."""
    replies: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """Status and body by path; others are answered with 204."""
    tokens: set[str] = field(default_factory=set)
    """What came in ``Authorization``."""


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            failing = listener.failures_left > 0
            listener.failures_left -= failing
            status, reply = (503, None) if failing else listener.replies.get(self.path, (204, None))
            if not failing:
                listener.heard.append((self.path, self.headers["content-type"], json.loads(body)))
                listener.tokens.add(self.headers["authorization"])
            sent = b"" if reply is None else json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_PATCH = do_POST

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
