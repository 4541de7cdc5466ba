"""Open spans to bytes and back, for the first record of a segment. Sources and facts are written once each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from whence.model.spans import Facts, Source, Span

if TYPE_CHECKING:
    from whence import _native

_Row = tuple[bytes, bytes, bytes, int, str, int, int, bool, float, int, int, tuple[tuple[bytes, bytes], ...]]
T = TypeVar("T")


class _Checkpoint(msgspec.Struct, array_like=True):
    sources: list[Source]
    facts: list[Facts]
    rows: list[_Row]


_decoder = msgspec.msgpack.Decoder(_Checkpoint)


def encode_spans(spans: Sequence[Span]) -> bytes:
    """Bytes that ``decode_spans`` turns into equal spans, in the same order."""
    sources: dict[Source, int] = {}
    facts: dict[Facts, int] = {}
    rows = [(*span[:9], _number(sources, span.source), _number(facts, span.facts), span.links) for span in spans]
    return msgspec.msgpack.encode(_Checkpoint(list(sources), list(facts), rows))


def encode_batch(batch: _native.Batch) -> bytes:
    """The same for spans of the compiled engine: none of them becomes an object."""
    sources: dict[Source, int] = {}
    facts: dict[Facts, int] = {}
    numbers = [(_number(sources, shape[0]), _number(facts, shape[1])) for shape in batch.shapes()]
    return msgspec.msgpack.encode((list(sources), list(facts), msgspec.Raw(batch.packed(numbers))))


def decode_spans(data: bytes) -> list[Span]:
    """Spans of ``encode_spans``; equal sources and facts are one object again."""
    checkpoint = _decoder.decode(data)
    sources, facts = checkpoint.sources, checkpoint.facts
    return [Span(*row[:9], sources[row[9]], facts[row[10]], row[11]) for row in checkpoint.rows]


def _number(numbers: dict[T, int], value: T) -> int:
    return numbers.setdefault(value, len(numbers))
