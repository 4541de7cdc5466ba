"""``whence doctor app``: what a process started here would send, what is missing, and what to do about it.

Runs in the application's environment and directory, also as ``python -m whence.sdk.doctor`` where nothing but the SDK
is installed. It sends nothing: of the places that data goes to, it only asks whether somebody listens.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from opentelemetry.sdk.resources import Resource

from whence.model.names import ENVIRONMENT, IMAGE_DIGESTS, REVISION, SERVICE_NAME, SERVICE_VERSION
from whence.sdk import instrument
from whence.sdk.heartbeat import interval_seconds
from whence.sdk.resource import detected, stated_attributes

_CONNECT_SECONDS = 2.0
_PORTS = {"http": 80, "https": 443}


class Finding(NamedTuple):
    """One thing that was looked at; ``advice`` is empty where nothing is to be done."""

    what: str
    detail: str
    advice: str = ""


def findings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """All of them, in the order in which data comes about. Takes seconds where a place does not answer."""
    resource = detected(stated_attributes(environ)).merge(Resource.create()).attributes
    yield _service(resource)
    yield _version(resource)
    yield _environment(resource)
    yield _spans()
    yield _place("spans go to", _otlp_address(environ), "start `whence serve`, or set OTEL_EXPORTER_OTLP_ENDPOINT")
    yield _heartbeat()
    yield _place(
        "changes and runs go to",
        environ.get("WHENCE_URL", "http://127.0.0.1:8484"),
        "start `whence serve`, or set WHENCE_URL",
    )
    yield _instrumentors()
    yield _profiles()


def main() -> int:
    """Print what was found, as JSON with ``--json``; 1 when something is to be done."""
    found = list(findings(os.environ))
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps([one._asdict() for one in found]) + "\n")
    else:
        for one in found:
            sys.stdout.write(f"{'!!' if one.advice else 'ok'}  {one.what}: {one.detail}\n")
            sys.stdout.write(f"      -> {one.advice}\n" if one.advice else "")
    return 1 if any(one.advice for one in found) else 0


def _service(resource: Mapping[str, Any]) -> Finding:
    name = str(resource.get(SERVICE_NAME, ""))
    is_named = bool(name) and not name.startswith("unknown_service")
    return Finding("service", name if is_named else "has no name", "" if is_named else "set OTEL_SERVICE_NAME")


def _version(resource: Mapping[str, Any]) -> Finding:
    for attribute in (REVISION, IMAGE_DIGESTS, SERVICE_VERSION):
        if resource.get(attribute):
            version = str(resource.get(SERVICE_VERSION, ""))
            dirty = ", with changes that nobody committed" if version.endswith("+dirty") else ""
            return Finding("code version", f"{attribute} = {resource[attribute]}{dirty}")
    advice = (
        "set service.version in OTEL_RESOURCE_ATTRIBUTES, or WHENCE_IMAGE, or let the build write whence-build.json: "
        '{"vcs.ref.head.revision": "<commit>"}'
    )
    return Finding("code version", "unknown: deploys will not be seen", advice)


def _environment(resource: Mapping[str, Any]) -> Finding:
    name = resource.get(ENVIRONMENT)
    advice = "" if name else f"set {ENVIRONMENT} in OTEL_RESOURCE_ATTRIBUTES"
    return Finding("environment", str(name or "unknown"), advice)


def _spans() -> Finding:
    names = sorted(one.name for one in entry_points(group="opentelemetry_instrumentor"))
    advice = "" if names else "pip install opentelemetry-distro && opentelemetry-bootstrap -a install"
    return Finding("instrumentation that makes spans", ", ".join(names) or "none is installed", advice)


def _otlp_address(environ: Mapping[str, str]) -> str:
    stated = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    return stated or f"http://localhost:{4317 if protocol == 'grpc' else 4318}"


def _place(what: str, address: str, advice: str) -> Finding:
    parts = urlsplit(address if "://" in address else f"http://{address}")
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    try:
        port = parts.port or _PORTS.get(parts.scheme, 80)
        socket.create_connection((parts.hostname or "localhost", port), _CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        return Finding(what, f"{shown}, where nobody listens ({error})", advice)
    return Finding(what, f"{shown}, where somebody listens")


def _heartbeat() -> Finding:
    seconds = interval_seconds()
    if seconds:
        return Finding("edges of unsampled requests", f"are told every {seconds} s")
    return Finding("edges of unsampled requests", "are not told", "unset WHENCE_HEARTBEAT_SECONDS")


def _instrumentors() -> Finding:
    there = [name for name in instrument.wanted() if find_spec(name) is not None]
    return Finding("models and data are told by", ", ".join(there) or "your own calls alone")


def _profiles() -> Finding:
    state = "can be taken" if find_spec("narwhals") else "need `pip install whence[profiles]`"
    return Finding("profiles of written tables", state)


if __name__ == "__main__":
    sys.exit(main())
