"""A rise of load at the onset speaks for "no change"."""

from __future__ import annotations

import pytest

from tests.unit.rca.scenes import scene
from whence.rca.load import surge_of
from whence.rca.rank import rank
from whence.testing.cases import Met, bucket, case_of, incident, rollout, traffic, versioned
from whence.testing.graphs import Fact, at, delta, entity, key

SHOP, NODE = key("shop"), key("ranker")


def phases(before: Met, after: Met, rise: int = 40) -> list[Fact]:
    """Trouble begins at bucket 40; the requests rise at ``rise``."""
    met = [before if number < rise else after for number in range(60)]
    met = [one._replace(bad=one.requests // 5 if number >= 40 else 0) for number, one in enumerate(met)]
    return [entity(SHOP), *(fact for number, one in enumerate(met) for fact in traffic(SHOP, [number], {NODE: one}))]


def test_requests_that_double_at_the_onset_are_a_surge() -> None:
    found = surge_of(scene(phases(Met(30), Met(60)), incident(SHOP, 50), 60))
    assert found is not None
    assert (found.before, found.after) == pytest.approx((120, 240), rel=0.05)


@pytest.mark.parametrize(("after", "rise"), [(Met(30), 40), (Met(33), 40), (Met(60), 20), (Met(60), 46), (Met(10), 40)])
def test_a_steady_load_or_a_rise_at_another_time_is_none(after: Met, rise: int) -> None:
    assert surge_of(scene(phases(Met(30), after, rise), incident(SHOP, 50), 60)) is None


def test_a_rise_soon_after_the_first_requests_is_none() -> None:
    facts = phases(Met(30), Met(60))
    late = [one for one in facts if not isinstance(one, tuple) or one[0].start_s >= at(bucket(32)) // 10**9]  # type: ignore[union-attr]
    assert surge_of(scene(late, incident(SHOP, 50), 60)) is None


def test_a_surge_is_told_and_makes_none_likelier() -> None:
    old, new = key("ranker", "v1"), key("ranker", "v2")
    calm, busy = (
        rank(case_of(delta(*facts), incident(SHOP, 50), as_of_ns=at(bucket(60))))
        for facts in (
            rollout(40, 60),
            [
                *rollout(40, 40),
                *versioned(SHOP, key("ranker"), {new: 40}, 60),
                *traffic(SHOP, range(40, 60), {old: Met(60), new: Met(60, bad=18)}),
            ],
        )
    )
    assert busy.none.probability > calm.none.probability
    assert any("requests rose from 160 to 480 a minute" in reason for reason in busy.none.reasons)
