"""Dead letters: the record as it came, and why it lies here."""

from __future__ import annotations

import pytest
from confluent_kafka import Message

from whence.collector.kafka.letters import MAX_VALUE_BYTES, dead_letter
from whence.errors import DecodeError, InvalidQuery, LimitExceeded


def message(value: bytes | None) -> Message:
    return Message(
        topic="spans", partition=3, offset=42, key=b"k", value=value, headers=[("a", b"1")], timestamp=(1, 1_000)
    )


def test_letter_holds_the_record_and_says_where_it_was() -> None:
    letter = dead_letter(message(b"poison"), DecodeError("not protobuf"))
    assert (letter.key, letter.value, letter.reason) == (b"k", b"poison", "malformed")
    assert letter.headers == [
        ("a", b"1"),
        ("whence.reason", b"malformed"),
        ("whence.error", b"not protobuf"),
        ("whence.topic", b"spans"),
        ("whence.partition", b"3"),
        ("whence.offset", b"42"),
        ("whence.timestamp_ms", b"1000"),
        ("whence.value_bytes", b"6"),
    ]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DecodeError("bad"), "malformed"),
        (InvalidQuery("kind", "unknown"), "malformed"),
        (LimitExceeded("too many spans"), "too_large"),
        (KeyError("ours"), "internal"),
    ],
)
def test_reason_is_one_of_few_words(error: Exception, reason: str) -> None:
    assert dead_letter(message(b""), error).reason == reason


def test_value_that_a_broker_would_refuse_with_our_headers_is_left_out() -> None:
    letter = dead_letter(message(bytes(MAX_VALUE_BYTES + 1)), DecodeError("bad"))
    assert letter.value is None
    assert dict(letter.headers)["whence.value_bytes"] == str(MAX_VALUE_BYTES + 1).encode()


def test_record_without_a_value_can_be_put_aside_too() -> None:
    assert dead_letter(message(None), DecodeError("empty")).value == b""
