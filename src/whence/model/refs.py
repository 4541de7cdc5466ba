"""The one reference grammar of all three pillars.

``namespace "#" name [ "@" kind ":" version ]``, for instance::

    otel://shop#ranker                        a service
    otel://shop#ranker@version:v41            one version of it
    s3://lake#warehouse/features@iceberg:305  one snapshot of a dataset

Namespace and name are OpenLineage's. A ``Ref`` holds plain text; the wire form percent-encodes only ``%``, ``#``, white
space, control and non-ASCII characters, and ``@`` after the ``#``, so a reference is ASCII and never holds a space.
``parse`` also brings a namespace to its canonical form, so that two spellings of one thing are one key.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from whence.errors import InvalidReference

MAX_REF_CHARS = 1024
ALIAS_KIND = "alias"
"""Kind of a mutable name (``main``, ``latest``, ``champion``): shown, never used as a version key."""

_PLAIN = re.compile(r"[!\"$&-~]*")
_KIND = re.compile(r"[a-z][a-z0-9]*\Z")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)\Z", re.DOTALL)
_SCHEME_ALIASES = {"postgresql": "postgres", "s3a": "s3", "s3n": "s3"}
_CASE_SENSITIVE_AUTHORITY = frozenset({"s3", "gs", "lakefs", "otel"})
_AT_IS_NOT_USER_INFO = frozenset({"abfss", "abfs", "wasb", "wasbs", "otel"})
_KEEPS_LEADING_SLASH = frozenset({"file", "hdfs"})
_DEFAULT_PORTS = {
    "postgres": 5432,
    "mysql": 3306,
    "kafka": 9092,
    "mssql": 1433,
    "oracle": 1521,
    "redis": 6379,
    "mongodb": 27017,
    "cassandra": 9042,
    "trino": 8080,
    "clickhouse": 8123,
    "milvus": 19530,
}
_MUTABLE_VERSIONS = frozenset({"main", "master", "head", "latest", ""})


class Ref(NamedTuple):
    """A parsed reference; plain text, canonical namespace. ``kind`` and ``version`` are both set or both None."""

    namespace: str
    name: str
    kind: str | None = None
    version: str | None = None

    @property
    def base(self) -> Ref:
        """The same thing without its version."""
        return self if self.kind is None else Ref(self.namespace, self.name)

    def at(self, kind: str, version: str) -> Ref:
        """One version of this thing."""
        return Ref(self.namespace, self.name, kind, version)

    @property
    def is_alias(self) -> bool:
        """Whether the version is a mutable name, which must not serve as a key."""
        return self.kind == ALIAS_KIND

    def __str__(self) -> str:
        """The wire form; parses back to an equal ``Ref``."""
        text = f"{_escape(self.namespace, keep_at=True)}#{_escape(self.name)}"
        return text if self.kind is None else f"{text}@{self.kind}:{_escape(self.version or '')}"


def parse_ref(text: str) -> Ref:
    """Read a reference and bring it to canonical form.

    Raises:
        InvalidReference: The text breaks the grammar; the error carries the position.
    """
    if len(text) > MAX_REF_CHARS:
        raise InvalidReference(text, MAX_REF_CHARS, f"longer than {MAX_REF_CHARS} characters")
    for position, char in enumerate(text):
        if not "!" <= char <= "~":
            raise InvalidReference(text, position, "white space, control or non-ASCII character")
    namespace, hash_sign, rest = text.partition("#")
    if not hash_sign or not namespace:
        raise InvalidReference(text, 0, "expected namespace#name")
    if "#" in rest:
        raise InvalidReference(text, text.rindex("#"), "a second '#'")
    name, at_sign, tail = rest.partition("@")
    if not name:
        raise InvalidReference(text, len(namespace) + 1, "empty name")
    if not at_sign:
        return make_ref(unquote(namespace), unquote(name))
    kind, version = _parse_version(text, len(namespace) + len(name) + 2, tail)
    return make_ref(unquote(namespace), unquote(name)).at(kind, version)


def make_ref(namespace: str, name: str) -> Ref:
    """A version-less reference from plain text, in canonical form."""
    canonical = canonical_namespace(namespace)
    scheme = canonical.partition(":")[0]
    is_object_store = "://" in canonical and scheme not in _KEEPS_LEADING_SLASH and scheme != "otel"
    return Ref(canonical, name.lstrip("/") or name if is_object_store else name)


def service_ref(namespace: str, name: str) -> Ref:
    """The reference of an OpenTelemetry service; environment is no part of it."""
    return Ref(f"otel://{namespace}", name)


@lru_cache(maxsize=4096)
def canonical_namespace(namespace: str) -> str:
    """Lower-case scheme and host, no user info or query, default port added, one spelling per scheme."""
    match = _SCHEME.match(namespace)
    if match is None:
        return namespace.rstrip("/") or namespace
    scheme = _SCHEME_ALIASES.get(match[1].lower(), match[1].lower())
    authority, slash, path = (match[2] if scheme == "otel" else match[2].partition("?")[0]).partition("/")
    if scheme not in _AT_IS_NOT_USER_INFO:
        authority = authority.rpartition("@")[2]
    if scheme not in _CASE_SENSITIVE_AUTHORITY:
        authority = authority.lower()
    port = _DEFAULT_PORTS.get(scheme)
    if port is not None and authority and ":" not in authority and "," not in authority:
        authority = f"{authority}:{port}"
    tail = (slash + path).rstrip("/")
    return f"{scheme}://{authority}{tail}"


def is_mutable_version(version: str) -> bool:
    """Whether a version string names a moving target (``main``, ``HEAD``, ``latest``) instead of a version."""
    return version.strip().lower() in _MUTABLE_VERSIONS


def _parse_version(text: str, start: int, tail: str) -> tuple[str, str]:
    if "@" in tail:
        raise InvalidReference(text, start + tail.index("@"), "a second '@'")
    kind, colon, version = tail.partition(":")
    if not _KIND.match(kind):
        raise InvalidReference(text, start, "version kind must match [a-z][a-z0-9]*")
    if not colon or not version:
        raise InvalidReference(text, start + len(kind), "expected kind:version")
    return kind, unquote(version)


def _escape(text: str, *, keep_at: bool = False) -> str:
    if text.isascii() and _PLAIN.fullmatch(text) and (keep_at or "@" not in text):
        return text
    return "".join(
        char
        if "!" <= char <= "~" and char not in "%#" and (char != "@" or keep_at)
        else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in text
    )
