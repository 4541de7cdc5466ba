"""Just enough of the interfaces of S3, Google Cloud Storage and lakeFS for their real clients to keep one object."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar
from urllib.parse import unquote, urlsplit

_UPLOAD = "/upload/1"


class _Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: ClassVar[dict[str, bytes]]

    def log_message(self, *arguments: object) -> None:
        """Quiet."""

    def body(self) -> bytes:
        """What was sent, in pieces or at once."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class S3Stub(_Stub):
    """Buckets keep one version of each object, ``v1``; the bucket ``plain`` keeps none."""

    def do_PUT(self) -> None:
        self.objects[self.key] = self.body()
        self.answer(200, b"", **self.labels)

    def do_GET(self) -> None:
        if self.key in self.objects:
            self.answer(200, self.objects[self.key], **self.labels)
        else:
            self.answer(404)

    do_HEAD = do_GET

    @property
    def key(self) -> str:
        return urlsplit(self.path).path

    @property
    def labels(self) -> dict[str, str]:
        tag = {"ETag": f'"{hashlib.md5(self.objects[self.key]).hexdigest()}"'}
        return tag if self.key.startswith("/plain/") else tag | {"x_amz_version_id": "v1"}


class GcsStub(_Stub):
    """Every object is of one generation."""

    def do_POST(self) -> None:
        """An upload begins with its description, and goes on with its content at an address that the answer names."""
        body = self.body()
        if self.path != _UPLOAD:
            self.answer(200, Location=f"http://{self.headers['Host']}{_UPLOAD}")
            return
        self.objects["object"] = body
        self.answer(200, self.metadata, Content_Type="application/json")

    def do_GET(self) -> None:
        is_content = "alt=media" in self.path or unquote(self.path).startswith("/download")
        self.answer(200, self.objects["object"] if is_content else self.metadata, Content_Type="application/json")

    @property
    def metadata(self) -> bytes:
        size = str(len(self.objects["object"]))
        found = {"name": "scores.csv", "bucket": "lake", "generation": "1700000000000001", "size": size}
        return json.dumps(found).encode()


COMMIT = "5e" * 32


class LakeFsStub(_Stub):
    """One repository, whose branches all stand for one commit."""

    def do_POST(self) -> None:
        self.body()
        self.answer(201, self.stats, Content_Type="application/json")

    def do_GET(self) -> None:
        answers = {"/commits/": self.commit, "/objects": b"user\n1\n", "/config": b"{}"}
        body = next((answer for part, answer in answers.items() if part in self.path), b"")
        self.answer(200 if body else 404, body, Content_Type="application/json")

    do_HEAD = do_GET

    @property
    def commit(self) -> bytes:
        empty: dict[str, object] = {"parents": [], "committer": "", "message": "", "creation_date": 1, "metadata": {}}
        return json.dumps({**empty, "id": COMMIT, "meta_range_id": ""}).encode()

    @property
    def stats(self) -> bytes:
        found = {"path": "a.csv", "path_type": "object", "physical_address": "x", "checksum": "c", "mtime": 1}
        return json.dumps(found).encode()


@contextmanager
def running(kind: type[_Stub]) -> Iterator[str]:
    """A store that is empty, and its address."""
    handler = type("Handler", (kind,), {"objects": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
