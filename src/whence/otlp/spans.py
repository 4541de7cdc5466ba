"""The part of decoding that both encodings share: caches, and the checks that every span goes through."""

from __future__ import annotations

from collections.abc import Iterable

from whence.model.spans import Facts, Source
from whence.otlp import schema
from whence.otlp.attributes import Attribute, AttributeCache, Stated, Vocabulary, parse
from whence.otlp.batches import BAD_ID_LENGTH, BAD_TIME, ZERO_SPAN_ID, ZERO_TRACE_ID, Findings
from whence.otlp.facts import FactsCache, Remark, verb_in
from whence.otlp.flags import FLAG, flag_key
from whence.otlp.references import Warnings
from whence.otlp.resources import Resources
from whence.otlp.tracestate import Weights
from whence.otlp.vocabulary import (
    FLAG_KEYS,
    FLAG_RENAMES,
    RESOURCE_KEYS,
    RESOURCE_RENAMES,
    SPAN_KEYS,
    SPAN_RENAMES,
)

NO_TRACE = bytes(16)
NO_SPAN = bytes(8)
_CLOCK_NOISE_NS = 1_000_000_000
_MAX_CACHED_RESOURCES = 16_384
_MAX_CACHED_NAMES = 65_536

Attributes = tuple[Attribute, ...]


class Names(dict[bytes, str]):
    """Span names as text, each one object; index it with any bytes."""

    def __missing__(self, raw: bytes) -> str:
        if len(self) >= _MAX_CACHED_NAMES:
            self.clear()
        name = self[raw] = raw.decode("utf-8", "replace")[:MAX_NAME_CHARS]
        return name


MAX_NAME_CHARS = 200


class ErrorStatuses(dict[bytes, bool]):
    """From the bytes of a span's status to whether it is an error; index it with any."""

    def __missing__(self, raw: bytes) -> bool:
        is_error = bool(parse(schema.Status, raw).code == STATUS_ERROR)
        if len(raw) < 8:  # no message, so there are only a few of these
            self[raw] = is_error
        return is_error


STATUS_ERROR = 2


class SourceCache(dict[bytes, tuple[Source | None, Warnings]]):
    """From the bytes of a resource to its source; index it with any."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self._attributes = AttributeCache(memory.resource_words)

    def __missing__(self, raw: bytes) -> tuple[Source | None, Warnings]:
        pairs = parse(schema.Resource, raw).attributes
        wanted = filter(None, map(self._attributes.__getitem__, pairs))
        if len(self) >= _MAX_CACHED_RESOURCES:
            self.clear()
        answer = self[raw] = self._memory.resources.source(Stated(tuple(wanted)))
        return answer


class Memory:
    """Everything seen before that may come again. All of it is bounded, and none of it changes any result."""

    def __init__(self) -> None:
        self.span_words = Vocabulary(SPAN_KEYS, SPAN_RENAMES)
        self.flag_words = Vocabulary(FLAG_KEYS, FLAG_RENAMES)
        self.resource_words = Vocabulary(RESOURCE_KEYS, RESOURCE_RENAMES)
        self.resources = Resources()
        self.sources = SourceCache(self)
        self.attributes = AttributeCache(self.span_words)
        self.flag_attributes = AttributeCache(self.flag_words)
        self.facts = FactsCache()
        self.names = Names()
        self.errors = ErrorStatuses()
        self.weights = Weights({b"": 1.0})

    def with_flags(self, attributes: Attributes, evaluations: Iterable[Stated]) -> Attributes:
        """The attributes of a span together with the flags that its events evaluated."""
        keys = tuple(dict.fromkeys(filter(None, map(flag_key, evaluations))))
        return (*attributes, self.span_words.interned(FLAG, keys)) if keys else attributes

    def remarked(
        self, kind: int, attributes: Attributes, name: str, remark: Remark, findings: Findings
    ) -> Facts | None:
        """Count the warnings of some facts; better facts when the span's name tells what the attributes leave open."""
        findings.warned.update(remark.warnings)
        verb = verb_in(name) if remark.lacks_verb else ""
        if not verb:
            return None
        return self.facts[kind, (*attributes, self.span_words.interned("db.operation.name", (verb,)))][0]


def fault_of(ids: tuple[bytes, bytes, bytes], start_ns: int, end_ns: int, latest_ns: int) -> str | None:
    """Why a span can't be used, None when it can: an end a little before the start is a clock's noise."""
    trace_id, span_id, parent_id = ids
    if trace_id == NO_TRACE or not trace_id:
        return ZERO_TRACE_ID
    if span_id == NO_SPAN or not span_id:
        return ZERO_SPAN_ID
    if len(trace_id) != 16 or len(span_id) != 8 or len(parent_id) not in (0, 8):
        return BAD_ID_LENGTH
    if not 0 < start_ns <= latest_ns or not start_ns - _CLOCK_NOISE_NS <= end_ns <= latest_ns:
        return BAD_TIME
    return None
