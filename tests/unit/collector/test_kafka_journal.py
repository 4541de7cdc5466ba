"""Checkpoints as bytes, and the pointers to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kafka_topics import call_halves
from whence.collector.kafka import journal
from whence.collector.kafka.journal import Checkpoint, Pointer, decode_checkpoint, encode_checkpoint, parse_pointer
from whence.errors import DecodeError
from whence.fold import SpanFolder
from whence.model.spans import Span
from whence.otlp import DecodeLimits, Encoding, decode_traces

NOW_NS = 1_795_000_000_000_000_000
SECOND_NS = 1_000_000_000


def spans(number: int) -> list[Span]:
    bodies = call_halves(bytes([number] * 16), start_ns=NOW_NS)
    limits = DecodeLimits()
    return [
        span for body in bodies for span in decode_traces(body, Encoding.PROTOBUF, limits=limits, now_ns=NOW_NS).spans
    ]


def checkpoint() -> Checkpoint:
    """Rows of one call, and two more that are open."""
    folder = SpanFolder(writer="w", bucket_s=15, idle_ns=SECOND_NS, ttl_ns=SECOND_NS, max_open_spans=1_000)
    folder.push(spans(1), NOW_NS)
    folder.expire(NOW_NS + 2 * SECOND_NS)
    return Checkpoint(folder.drain(NOW_NS + 2 * SECOND_NS), tuple(spans(2)), tuple(spans(3)))


def test_checkpoint_comes_back_as_it_was() -> None:
    before = checkpoint()
    assert before.delta.edges
    assert decode_checkpoint(encode_checkpoint(before)) == before


def test_large_checkpoint_is_cut_into_chunks_that_a_broker_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "CHUNK_BYTES", 100)
    before = checkpoint()
    chunks = encode_checkpoint(before)
    assert len(chunks) > 3
    assert max(map(len, chunks)) == 100
    assert decode_checkpoint(chunks) == before


@given(st.binary(max_size=200))
def test_bytes_that_are_no_checkpoint_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_checkpoint([data])


@given(st.integers(0, 2**31), st.integers(0, 2**62), st.integers(1, 10_000))
def test_pointer_comes_back_as_it_was(partition: int, offset: int, chunks: int) -> None:
    pointer = Pointer(partition, offset, chunks)
    assert parse_pointer(str(pointer)) == pointer


@pytest.mark.parametrize("text", [None, "", "1:2", "1:2:3:4", "a:b:c", "1:-2:3", "someone else's notes"])
def test_metadata_of_others_is_no_pointer(text: str | None) -> None:
    assert parse_pointer(text) is None


def test_checkpoint_without_anything_is_nothing_to_keep() -> None:
    assert not Checkpoint()
    assert checkpoint()
