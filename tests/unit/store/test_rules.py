"""What every store decides alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.errors import InvalidQuery
from whence.model.delta import Entity
from whence.model.kinds import EntityKind
from whence.model.times import NS_PER_SECOND
from whence.store.rules import (
    ascii_lower,
    bare_name,
    decode_cursor,
    encode_cursor,
    nearest_keys,
    placeholder,
    search_words,
    subject_names,
    writer_known_ns,
)


@pytest.mark.parametrize(
    ("writer", "seconds"),
    [
        ("host-4711-1790000000", 1_790_000_000),
        ("a-b-c-7-1790000000", 1_790_000_000),
        ("host-4711", 4711),
        ("writer", 0),
        ("", 0),
        ("host-1790000000x", 0),
        ("host-17900000000000", 0),
        ("1790000000", 0),
    ],
)
def test_writer_is_known_since_the_second_at_the_end_of_its_name(writer: str, seconds: int) -> None:
    assert writer_known_ns(writer) == seconds * NS_PER_SECOND


@pytest.mark.parametrize(
    ("key", "base"),
    [("otel://shop#a", "otel://shop#a"), ("otel://shop#a@version:1", "otel://shop#a"), ("no ref", "no ref")],
)
def test_placeholder_of_a_version_knows_its_base(key: str, base: str) -> None:
    assert placeholder(key, 7) == Entity(key, EntityKind.EXTERNAL, base, 7, 7)


def test_bare_name_is_what_follows_the_hash_without_version() -> None:
    assert bare_name("otel://shop#a") == "a"
    assert bare_name("otel://shop#a@version:1") == "a"
    assert bare_name("plain") == "plain"
    assert subject_names(["otel://shop#a", "otel://other#a@version:1"]) == {
        "otel://shop#a",
        "otel://other#a@version:1",
        "a",
    }


@given(st.text())
def test_ascii_lower_moves_ascii_letters_alone(text: str) -> None:
    assert ascii_lower(text) == "".join(char.lower() if char.isascii() else char for char in text)


def test_search_words_are_split_at_white_space() -> None:
    assert search_words("  Fraud\tMODEL É ") == ("fraud", "model", "É")
    assert search_words(" ") == ()


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.text())
def test_cursor_decodes_to_what_was_encoded(number: int, text: str) -> None:
    cursor = encode_cursor(number, text)
    assert cursor.isascii()
    assert decode_cursor(cursor) == (number, text)


@given(st.text(max_size=30))
def test_cursor_of_anyone_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery, match="cursor"):
        decode_cursor(text)


def test_cursor_with_a_number_beyond_64_bits_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="cursor"):
        decode_cursor(encode_cursor(2**63, ""))


def test_nearest_keys_rank_by_name_or_whole_key() -> None:
    keys = ["otel://shop#checkout", "otel://shop#checkouts", "otel://shop#payments", "s3://lake#clicks"]
    assert nearest_keys("chekout", keys, 5) == ("otel://shop#checkout", "otel://shop#checkouts")
    assert nearest_keys("chekout", keys, 1) == ("otel://shop#checkout",)
    assert nearest_keys("s3://lake#click", keys, 1) == ("s3://lake#clicks",)
    assert nearest_keys("zzz", keys, 5) == ()


def test_nearest_keys_that_are_equally_near_come_by_key() -> None:
    assert nearest_keys("pay", ["otel://b#pay", "otel://a#pay"], 5) == ("otel://a#pay", "otel://b#pay")
