from __future__ import annotations

from whence.model.delta import merge_all
from whence.store.bolt.parts import parts
from whence.testing.random_graphs import random_deltas


def test_small_delta_stays_as_it_is() -> None:
    delta = merge_all(random_deltas(1))
    assert list(parts(delta, delta.rows)) == [delta]


def test_large_delta_is_cut_into_small_ones_that_say_the_same() -> None:
    delta = merge_all(random_deltas(1))
    found = list(parts(delta, 10))
    assert max(part.rows for part in found) == 10
    assert merge_all(found) == delta


def test_descriptions_come_before_what_names_them() -> None:
    order = [
        [name for name in ("entities", "relations", "edges") if getattr(part, name)]
        for part in parts(merge_all(random_deltas(1)), 10)
    ]
    named = [names[0] for names in order if names]
    assert named == sorted(named, key=["entities", "relations", "edges"].index)
