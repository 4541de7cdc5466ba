"""A server that speaks as much of Kubernetes' API as a watcher of workloads asks for: lists, and watches of them.

It stands in for a cluster where none can be had. A list answers with a resource version; a watch streams one JSON
object a line from that version on, and answers 410 for versions that are forgotten.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_ANNOTATION = "resource.opentelemetry.io/"
Item = dict[str, Any]


def replica_set(
    name: str,
    number: int,
    created_at: str,
    *,
    image: str,
    uid: str | None = None,
    notes: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Item:
    """What a Deployment makes for each version of its pods; ``notes`` are annotations of the pods."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name}-{number}",
            "namespace": "shop",
            "uid": uid or f"{name}-{number}",
            "creationTimestamp": created_at,
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [_owner("Deployment", name)],
        },
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": _template(name, image, notes or {}, labels or {}),
        },
    }


def controller_revision(name: str, number: int, created_at: str, *, image: str) -> Item:
    """What a StatefulSet makes for each version of its pods."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{name}-{number}",
            "namespace": "shop",
            "uid": f"{name}-{number}",
            "creationTimestamp": created_at,
            "ownerReferences": [_owner("StatefulSet", name)],
        },
        "revision": number,
        "data": {"spec": {"template": {**_template(name, image, {}, {}), "$patch": "replace"}}},
    }


def _owner(kind: str, name: str) -> Item:
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}


def _template(name: str, image: str, notes: Mapping[str, str], labels: Mapping[str, str]) -> Item:
    return {
        "metadata": {
            "labels": {"app": name, **labels},
            "annotations": {f"{_ANNOTATION}{key}": value for key, value in notes.items()},
        },
        "spec": {"containers": [{"name": name, "image": image}]},
    }


class Cluster:
    """What is in the cluster, and what happened to it; one version for each happening."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.refuses = 0
        """Status that every request is answered with; 0 for none."""
        self._changed = threading.Condition()
        self._events: list[tuple[str, str, Item]] = []
        self._forgotten = 0
        self._is_over = False

    def put(self, resource: str, item: Item, *, event: str = "ADDED") -> None:
        """Let something happen to an object of ``replicasets`` or ``controllerrevisions``."""
        with self._changed:
            self._events.append((resource, event, item))
            self._changed.notify_all()

    def forget(self) -> None:
        """Break off all watches, and remember no version before now."""
        with self._changed:
            self._forgotten = len(self._events)
            self._changed.notify_all()

    def end(self) -> None:
        """Break off all watches for good."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def listed(self, resource: str) -> Item:
        """Answer to a list: the latest state of each object."""
        with self._changed:
            latest = {item["metadata"]["uid"]: item for name, _, item in self._events if name == resource}
            return {
                "apiVersion": "apps/v1",
                "kind": "List",
                "metadata": {"resourceVersion": str(len(self._events))},
                "items": list(latest.values()),
            }

    def watched(self, resource: str, version: int) -> Iterator[Item]:
        """What happens after a version, until the watch is broken off."""
        forgotten = self._forgotten
        if version < forgotten:
            yield {
                "type": "ERROR",
                "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"},
            }
            return
        while not self._is_over and self._forgotten == forgotten:
            new = self._after(version)
            for number, (name, event, item) in enumerate(new, start=version + 1):
                if name == resource:
                    stamped = {**item, "metadata": {**item["metadata"], "resourceVersion": str(number)}}
                    yield {"type": event, "object": stamped}
            version += len(new)

    def _after(self, version: int) -> list[tuple[str, str, Item]]:
        """What happened after a version; waits for something, but not for ever."""
        with self._changed:
            if len(self._events) == version:
                self._changed.wait(timeout=1)
            return self._events[version:]


@contextmanager
def cluster(directory: Path) -> Iterator[Cluster]:
    """A cluster on a free port, and a kubeconfig that leads there."""
    here = Cluster(directory / "kubeconfig.json")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            resource, query = parts.path.rpartition("/")[2], parse_qs(parts.query)
            if here.refuses:
                self.send_error(here.refuses)
            elif query.get("watch") in (["True"], ["true"], ["1"]):
                self._stream(here.watched(resource, int(query["resourceVersion"][0])))
            else:
                body = json.dumps(here.listed(resource)).encode()
                self._begin({"Content-Length": str(len(body))})
                self.wfile.write(body)

        def _begin(self, headers: Mapping[str, str]) -> None:
            self.send_response(200)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def _stream(self, events: Iterator[Item]) -> None:
            self._begin({"Transfer-Encoding": "chunked"})
            for event in events:
                line = json.dumps(event).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here.kubeconfig.write_text(json.dumps(_kubeconfig(f"http://127.0.0.1:{server.server_port}")))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        here.end()
        server.shutdown()
        server.server_close()
        thread.join()


def _kubeconfig(address: str) -> Item:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": {"server": address}}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "current-context": "here",
    }
