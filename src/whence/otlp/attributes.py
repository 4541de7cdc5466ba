"""Attributes in whatever encoding to a small interned object, or to nothing when nobody wants them.

How this works: a request repeats the same attributes over and over, byte for byte. ``AttributeCache`` maps the bytes of
one protobuf key-value pair to its ``Attribute``, so a known one costs one dict lookup in C, wanted or not. Equal
attributes are one object, which makes a tuple of them a cheap cache key for everything that is derived from them.

Every cache here is bounded: a key with ever-changing values stops being cached, and a full cache starts afresh.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError as ProtobufError

from whence.errors import DecodeError
from whence.otlp import schema

MAX_TEXT_CHARS = 1024
_MAX_CACHED = 65_536
_MAX_CACHED_WANTED = 4_096
_MAX_CACHED_UNWANTED = 128
_MAX_CACHED_BYTES = 512

_KEY_FIRST = 0x0A
"""The tag of the key, which every known encoder writes first; the other order is read the long way."""
_ONE_BYTE_LENGTH = 0x7F
_URL_KEYS = frozenset({b"url.full", b"http.url"})
_SIZE = rb"(?:[\x80-\xff]?[\x00-\x7f])"
_URL_HEAD = re.compile(
    rb"\n\x08(?:url\.full|http\.url)\x12" + _SIZE + rb"\n" + _SIZE + rb"((?:https?|wss?|grpc)://[^/?#\s]*)"
)
"""A key-value pair up to the end of its URL's host and port."""
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "grpc": 443}

Values = tuple[str, ...]


class Attribute:
    """One wanted attribute under its current name. Compared by identity: see ``Vocabulary.attribute``."""

    __slots__ = ("is_old", "key", "values")

    def __init__(self, key: str, values: Values, *, is_old: bool) -> None:
        self.key = key
        self.values = values
        self.is_old = is_old


class Vocabulary:
    """The keys that one kind of record is read for, and the attributes seen so far, each one object."""

    def __init__(self, keys: frozenset[str], renames: Mapping[str, str]) -> None:
        self._names = {key: (key, False) for key in keys} | {old: (new, True) for old, new in renames.items()}
        self.keys = frozenset(self._names)
        self._interned: dict[tuple[str, Values, bool], Attribute] = {}

    def wants(self, key: str) -> bool:
        """Whether a key, old or new, is read at all."""
        return key in self._names

    def attribute(self, key: str, value: object) -> Attribute | None:
        """The attribute, or None when its key is not wanted or its value is empty. Equal ones are the same object."""
        named = self._names.get(key)
        if named is None:
            return None
        name, is_old = named
        reduce = _REDUCED.get(name)
        values = texts_of(value) if reduce is None else tuple(filter(None, map(reduce, texts_of(value))))
        if not values:
            return None
        return self.interned(name, values, is_old=is_old)

    def interned(self, name: str, values: Values, *, is_old: bool = False) -> Attribute:
        """The one object that stands for an attribute, also for one that a decoder derived and no sender may state."""
        if len(self._interned) >= _MAX_CACHED:
            self._interned.clear()
        return self._interned.setdefault((name, values, is_old), Attribute(name, values, is_old=is_old))


class AttributeCache(dict[bytes, Attribute | None]):
    """From the bytes of a key-value pair to its attribute; index it with any bytes.

    Raises:
        DecodeError: On a miss, when the bytes are no key-value pair. Pairs that nobody wants are not looked into.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        self._cached_per_key: dict[bytes, int] = {}
        self._ignored: set[bytes] = set()
        """Unwanted keys whose values keep changing (request ids, ports): not worth a place in the cache."""
        self._servers: dict[tuple[bytes, bytes], Attribute | None] = {}
        """What is kept of URLs, by their key, and their text up to the port."""

    def __missing__(self, raw: bytes) -> Attribute | None:
        is_plain = len(raw) > 1 and raw[0] == _KEY_FIRST and raw[1] <= _ONE_BYTE_LENGTH
        key = raw[2 : 2 + raw[1]] if is_plain else b""
        if key in self._ignored:
            return None
        if key in _URL_KEYS:
            return self._url(raw, key)
        if not key:
            return self._read(raw)
        if not self._vocabulary.wants(text_of(key)):
            if not self._keep(raw, key, None, _MAX_CACHED_UNWANTED):
                self._ignored.add(key)
            return None
        attribute = self._read(raw)
        self._keep(raw, key, attribute, _MAX_CACHED_WANTED)
        return attribute

    def _read(self, raw: bytes) -> Attribute | None:
        pair = parse(schema.KeyValue, raw)
        return self._vocabulary.attribute(text_of(pair.key), plain_value(pair.value))

    def _url(self, raw: bytes, key: bytes) -> Attribute | None:
        """URLs never repeat, but what is kept of them does, and it can be found without parsing."""
        head = _URL_HEAD.match(raw)
        if head is None:
            return self._read(raw)
        server = key, head[1]
        if server in self._servers:
            return self._servers[server]
        attribute = self._vocabulary.attribute(text_of(key), text_of(head[1]))
        if len(self._servers) >= _MAX_CACHED_WANTED:
            self._servers.clear()
        if len(head[1]) <= _MAX_CACHED_BYTES:
            self._servers[server] = attribute
        return attribute

    def _keep(self, raw: bytes, key: bytes, attribute: Attribute | None, most: int) -> bool:
        """Cache an attribute unless its key has ``most`` values in here already; False when it has."""
        if len(raw) > _MAX_CACHED_BYTES:
            return True
        if len(self) >= _MAX_CACHED:
            self.clear()
            self._cached_per_key.clear()
            self._ignored.clear()
        cached = self._cached_per_key.get(key, 0)
        if cached < most:
            self._cached_per_key[key] = cached + 1
            self[raw] = attribute
        return cached < most


class Stated:
    """The attributes of one record by name: new names win over old ones, the first of several old ones counts."""

    __slots__ = ("_values",)

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        self._values: dict[str, Values] = {}
        for attribute in attributes:
            if not attribute.is_old or attribute.key not in self._values:
                self._values[attribute.key] = attribute.values

    def text(self, key: str) -> str:
        """The (first) value of an attribute, empty when absent."""
        values = self._values.get(key)
        return values[0] if values else ""

    def first(self, *keys: str) -> str:
        """The value of the first attribute that is present."""
        return next((self._values[key][0] for key in keys if key in self._values), "")

    def many(self, key: str) -> Values:
        """All values of an attribute; a string where a list belongs counts as a list of words."""
        values = self._values.get(key, ())
        return tuple(values[0].split()) if len(values) == 1 else values

    def items(self) -> list[tuple[str, Values]]:
        """All of them, sorted by name."""
        return sorted(self._values.items())


def parse(message: Any, raw: bytes) -> Any:
    """A protobuf message.

    Raises:
        DecodeError: The bytes are not one.
    """
    try:
        return message.FromString(raw)
    except ProtobufError as error:
        raise DecodeError(f"not a valid OTLP protobuf message: {error}") from None


def text_of(raw: bytes) -> str:
    """UTF-8 as text; broken letters become replacement characters."""
    return raw.decode("utf-8", "replace")


def plain_value(value: Any) -> object:
    """An ``AnyValue`` as str, int, float, bool, list or dict; None for bytes and for an empty one."""
    field = value.WhichOneof("value")
    if field == "string_value":
        return text_of(value.string_value)
    if field == "array_value":
        return [plain_value(item) for item in value.array_value.values]
    if field == "kvlist_value":
        return {text_of(item.key): plain_value(item.value) for item in value.kvlist_value.values}
    if field in ("int_value", "double_value", "bool_value"):
        plain: object = getattr(value, field)
        return plain
    return None


def texts_of(value: object) -> Values:
    """A scalar or a list of scalars as texts; anything else, and empty text, is left out."""
    if isinstance(value, list):
        return tuple(text for item in value if not isinstance(item, list) for text in texts_of(item))
    if isinstance(value, bool):
        return ("true",) if value else ("false",)
    if isinstance(value, str):
        return (value[:MAX_TEXT_CHARS],) if value else ()
    if isinstance(value, int | float):
        return (str(value),)
    return ()


def _server_of_url(url: str) -> str:
    """``host:port`` of a URL and nothing else: paths and queries hold secrets."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme.lower())
    except ValueError:
        return ""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{port}" if host and port else host


def _without_quotes(text: str) -> str:
    """MLflow writes every attribute as JSON, so plain text comes in quotes."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


_REDUCED: dict[str, Callable[[str], str]] = {
    "url.full": _server_of_url,
    "ml.model.name": _without_quotes,
    "ml.model.version": _without_quotes,
    "mlflow.llm.model": _without_quotes,
    "mlflow.llm.provider": _without_quotes,
    "mlflow.modelId": _without_quotes,
}
"""What is kept of a value, where less than all of it is wanted."""
