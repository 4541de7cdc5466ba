"""The other end of a call, as the caller knows it: a service by name, else ``net://#host:port``.

The host and port are all that is taken from a URL.
"""

from __future__ import annotations

from whence.otlp.attributes import Stated
from whence.otlp.references import key_of

HOST_NAMESPACE = "net://"


def peer_of(stated: Stated) -> str:
    """Key of the peer; empty when the attributes name none."""
    name = stated.text("service.peer.name")
    if name:
        return key_of(f"otel://{stated.text('service.peer.namespace')}", name)
    name = stated.text("peer.service")
    if name:
        return key_of("otel://", name)
    server = server_of(stated.text("server.address"), stated.text("server.port")) or stated.text("url.full")
    return key_of(HOST_NAMESPACE, server) if server else ""


def server_of(address: str, port: str) -> str:
    """``host:port``, lower case. Some instrumentation glues the port to the address and then repeats it."""
    address = address.strip().lower()
    host, colon, glued = address.rpartition(":")
    if colon and glued.isdigit() and (":" not in host or host.endswith("]")):
        return address
    if ":" in address and not address.startswith("["):
        address = f"[{address}]"
    return f"{address}:{port}" if address and port else address
