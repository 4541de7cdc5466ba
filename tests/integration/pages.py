"""A web server that somebody else runs: it gives what it was told to, with ETags, and redirects."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Pages:
    """What it gives by path, where it redirects to, and what it answered."""

    url: str
    texts: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Pages]:
    """Pages on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            target, text = pages.redirects.get(path), pages.texts.get(path)
            etag = f'"{hashlib.sha256(text or b"").hexdigest()}"'
            if target is not None:
                self._answer(302, location=target)
            elif text is None:
                self._answer(404)
            elif self.headers["if-none-match"] == etag:
                self._answer(304)
            else:
                self._answer(200, text, etag=etag)

        def _answer(self, status: int, text: bytes = b"", **headers: str) -> None:
            pages.answers.append(status)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pages = Pages(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
