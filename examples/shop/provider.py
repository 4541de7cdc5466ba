"""The payment provider: an outside company. It knows nothing of OpenTelemetry, and has good days and bad days."""

from __future__ import annotations

import json
import os
import random
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Provider(BaseHTTPRequestHandler):
    """Takes payments. ``POST /day`` with a share of failures says what kind of day it is."""

    protocol_version = "HTTP/1.1"
    failing_share = 0.0

    def do_POST(self) -> None:
        """Answer 200, or 503 on a bad day."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/day":
            Provider.failing_share = float(body["failing_share"])
            self._answer(200)
        else:
            self._answer(503 if random.random() < Provider.failing_share else 200)  # noqa: S311 - a simulation

    def do_GET(self) -> None:
        """Say that we are here."""
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Provider).serve_forever()
