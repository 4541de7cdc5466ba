from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whence.collector.engine import Request, Signal
from whence.collector.redelivery import Taken, digest_of
from whence.otlp import Encoding

SECOND = 1_000_000_000


def name(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_digest_tells_signals_and_bodies_apart() -> None:
    requests = [Request(signal, Encoding.PROTOBUF, False, body) for signal in Signal for body in (b"", b"a", b"b")]
    assert len({digest_of(one) for one in requests}) == len(requests)
    assert digest_of(requests[0]) == digest_of(requests[0]._replace())


def test_taken_forgets_what_is_too_old() -> None:
    taken = Taken(keep_seconds=300)
    taken.add([name(1)], 0)
    taken.add([name(2)], 300 * SECOND)
    assert name(1) in taken
    taken.add([], 301 * SECOND)
    assert (name(1) in taken, name(2) in taken) == (False, True)


def test_taken_forgets_the_oldest_when_there_are_too_many() -> None:
    taken = Taken(most=3)
    taken.add(map(name, range(5)), 7)
    assert [number for number in range(5) if name(number) in taken] == [2, 3, 4]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 600))))
def test_taken_restored_is_as_before(added: list[tuple[int, int]]) -> None:
    taken, again = Taken(), Taken()
    for number, second in sorted(added, key=lambda one: one[1]):
        taken.add([name(number)], second * SECOND)
    again.restore(taken.encode())
    assert again.encode() == taken.encode()
