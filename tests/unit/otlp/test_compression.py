"""Gzip and zstd with bounds."""

from __future__ import annotations

import gzip

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from whence.errors import DecodeError, LimitExceeded
from whence.otlp import gunzip, unzstd


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


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=20_000), st.booleans())
def test_unzstd_restores_a_frame(whole: bytes, is_size_told: bool) -> None:
    packed = zstandard.ZstdCompressor(write_content_size=is_size_told).compress(whole)
    assert unzstd(packed, max(len(whole), 1)) == whole


@pytest.mark.parametrize("size", [1001, 50_000_000])
def test_unzstd_beyond_the_limit_raises(size: int) -> None:
    with pytest.raises(LimitExceeded):
        unzstd(zstandard.compress(bytes(size)), 1000)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain",
        zstandard.compress(b"x" * 100)[:-3],
        zstandard.compress(b"abc") + b"junk",
        zstandard.compress(b"abc") + b"j" * 2000,
        zstandard.compress(b"abc") * 2,
    ],
)
def test_unzstd_of_anything_else_raises(data: bytes) -> None:
    with pytest.raises(DecodeError):
        unzstd(data, 1000)


def test_unzstd_refuses_a_window_that_takes_too_much_memory() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    with pytest.raises(DecodeError):
        unzstd(packer.compress(b"abc") + packer.flush(), 1000)
