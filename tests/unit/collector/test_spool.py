from __future__ import annotations

import random
from pathlib import Path

import pytest

from whence.collector.spool import CHECKPOINT, TAKEN, Record, Spool, read_segment, writer_of
from whence.errors import ConfigError

FIRST = [Record(CHECKPOINT, 7, b"open traces"), Record(TAKEN, 7, b"taken")]


def records(count: int, seed: int = 0) -> list[Record]:
    random_ = random.Random(seed)
    return [Record(1 + index % 4, 1_000 + index, random_.randbytes(random_.randrange(500))) for index in range(count)]


def filled(folder: Path, wanted: list[Record]) -> Path:
    spool = Spool(folder)
    segment = spool.begin("host-1", b"open traces", b"taken", 7)
    segment.append(wanted[:3])
    segment.append(wanted[3:])
    segment.close()
    spool.close()
    return segment.path


def test_segment_reads_back_what_was_appended_behind_its_checkpoint(tmp_path: Path) -> None:
    wanted = records(10)
    path = filled(tmp_path, wanted)
    assert list(read_segment(path)) == [*FIRST, *wanted]
    assert writer_of(path) == "host-1"


@pytest.mark.parametrize("seed", range(40))
def test_segment_cut_anywhere_gives_a_prefix(tmp_path: Path, seed: int) -> None:
    wanted = records(10)
    path = filled(tmp_path, wanted)
    whole = path.read_bytes()
    path.write_bytes(whole[: random.Random(seed).randrange(len(whole))])
    found = list(read_segment(path))
    assert found == [*FIRST, *wanted][: len(found)]


@pytest.mark.parametrize("seed", range(40))
def test_segment_with_a_flipped_bit_gives_a_prefix(tmp_path: Path, seed: int) -> None:
    wanted = records(10)
    path = filled(tmp_path, wanted)
    data = bytearray(path.read_bytes())
    data[random.Random(seed).randrange(len(data))] ^= 1 << seed % 8
    path.write_bytes(data)
    found = list(read_segment(path))
    assert found == [*FIRST, *wanted][: len(found)]


def test_spool_orders_segments_by_age_and_drops_a_last_one_without_checkpoint(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    first, second, third = (spool.begin(f"w-{number}", b"", b"", number) for number in (1, 2, 3))
    for segment in (first, second, third):
        segment.close()
    third.path.write_bytes(third.path.read_bytes()[:9])
    assert spool.segments() == [first.path, second.path]
    assert not third.path.exists()
    spool.close()


def test_spool_in_use_refuses_a_second_process(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(ConfigError, match="another whence"):
        Spool(tmp_path)
    spool.close()
    Spool(tmp_path).close()
