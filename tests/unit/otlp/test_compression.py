"""Gzip with bounds."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whence.errors import DecodeError, LimitExceeded
from whence.otlp import gunzip


@settings(deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_gunzip_restores_all_members(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    assert gunzip(b"".join(map(gzip.compress, parts)), max(len(whole), 1)) == whole


def test_gunzip_output_of_exactly_the_limit_is_fine() -> None:
    assert gunzip(gzip.compress(b"x" * 1000), 1000) == b"x" * 1000


@pytest.mark.parametrize("parts", [[b"x" * 1001], [b"x" * 600, b"x" * 401], [b"\0" * 50_000_000]])
def test_gunzip_beyond_the_limit_raises(parts: list[bytes]) -> None:
    with pytest.raises(LimitExceeded):
        gunzip(b"".join(map(gzip.compress, parts)), 1000)


def test_gunzip_of_endless_members_raises() -> None:
    with pytest.raises(LimitExceeded, match="members"):
        gunzip(gzip.compress(b"") * 1000, 1000)


@pytest.mark.parametrize(
    "data", [b"", b"plain", gzip.compress(b"x" * 100)[:-3], gzip.compress(b"abc") + b"junk", b"\x1f\x8b\x08"]
)
def test_gunzip_of_anything_else_raises(data: bytes) -> None:
    with pytest.raises(DecodeError):
        gunzip(data, 1000)


def test_gunzip_ignores_zero_padding() -> None:
    assert gunzip(gzip.compress(b"abc") + b"\0" * 20, 1000) == b"abc"


def test_gunzip_with_a_wrong_checksum_raises() -> None:
    data = bytearray(gzip.compress(b"abc"))
    data[-5] ^= 1
    with pytest.raises(DecodeError):
        gunzip(bytes(data), 1000)
