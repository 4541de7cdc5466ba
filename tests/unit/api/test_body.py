from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.api.body import gunzip
from whence.errors import DecodeError, LimitExceeded


@given(st.binary(max_size=2000))
def test_gunzip_gives_back_what_was_packed(data: bytes) -> None:
    assert gunzip(gzip.compress(data), 2000) == data


def test_gunzip_stops_at_the_limit_and_not_before() -> None:
    packed = gzip.compress(b"x" * 1000)
    assert len(gunzip(packed, 1000)) == 1000
    with pytest.raises(LimitExceeded, match="999"):
        gunzip(packed, 999)


@given(st.binary(max_size=200))
def test_gunzip_of_anything_else_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        gunzip(b"\x00" + data, 100_000)


def test_gunzip_of_a_cut_stream_is_a_decode_error() -> None:
    with pytest.raises(DecodeError, match="too early"):
        gunzip(gzip.compress(b"x" * 1000)[:-4], 10_000)
