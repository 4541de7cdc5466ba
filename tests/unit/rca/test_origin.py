"""Where trouble begins: own time, ways in and out, calls made, errors."""

from __future__ import annotations

from collections.abc import Iterable

from tests.unit.rca.scenes import candidate, scene
from whence.model.answer import Evidence
from whence.model.kinds import ChangeKind, EntityKind, RelationType, Signal
from whence.model.sketch import bucket_index, encode
from whence.rca.conditions import condition_of
from whence.rca.evidence.origin import moved, origin
from whence.rca.evidence.path_flow import path_flow
from whence.testing.cases import Met, bucket, incident, traffic, work
from whence.testing.graphs import Fact, change, edge, entity, key, link, relation

SHOP, CART, PAY, BANK = key("shop"), key("cart"), key("pay"), key("bank")
QUIET = (CART, PAY, BANK)
ALL = range(80)
EARLY, LATE = range(40), range(40, 80)


def calls(src: str, dst: str, buckets: Iterable[int], number: int = 20, lost: float = 1.0) -> list[Fact]:
    """Calls in each bucket, ``lost`` milliseconds lost on the way for each."""
    gap = encode({bucket_index(round(lost * 1000)): float(number)})
    return [edge(link(src, dst), round(bucket(one)), number, calls=float(number), gap=gap) for one in buckets]


def quiet(*but: str) -> list[Fact]:
    """``shop`` calls ``cart``, ``pay`` and ``bank``; all but the named ones behave the same all the time."""
    facts: list[Fact] = [entity(one) for one in (SHOP, *QUIET)]
    facts += traffic(SHOP, ALL, {CART: Met(20)})
    for one in QUIET:
        facts.append(relation(link(SHOP, one), -9, bucket(80)))
        if one not in but:
            facts += [*calls(SHOP, one, ALL), *work(one, ALL)]
    return facts


def evidence(facts: list[Fact], subject: str, at: float = 40) -> Evidence:
    kind = ChangeKind.DATASET if subject.startswith("s3:") else ChangeKind.DEPLOYMENT
    of = scene([*facts, change("d", subject, bucket(at), kind=kind)], incident(SHOP, 79))
    found = origin(candidate(of, subject), of)
    assert found is not None
    return found


def test_origin_of_a_place_that_got_slow_speaks_for_it() -> None:
    facts = [*quiet(CART), *calls(SHOP, CART, ALL), *work(CART, EARLY), *work(CART, LATE, milliseconds=30.0)]
    found = evidence(facts, CART)
    assert (found.direction, found.data["facet"]) == ("for", "own_time")
    assert "own time in GET /" in found.sentence


def test_origin_of_a_quiet_place_speaks_against_it() -> None:
    facts = [*quiet(CART), *calls(SHOP, CART, ALL), *work(CART, EARLY), *work(CART, LATE, milliseconds=30.0)]
    found = evidence(facts, PAY)
    assert (found.direction, "behaved as before" in found.sentence) == ("against", True)


def test_origin_of_a_slow_way_in_is_the_callee() -> None:
    facts = [*quiet(CART), *calls(SHOP, CART, EARLY), *calls(SHOP, CART, LATE, lost=90.0), *work(CART, ALL)]
    of = scene([*facts, change("c", CART, bucket(40)), change("s", SHOP, bucket(40))], incident(SHOP, 79))
    callee, caller = (origin(candidate(of, one), of) for one in (CART, SHOP))
    assert callee is not None
    assert caller is not None
    assert (callee.data["facet"], callee.direction) == ("way_in", "for")
    assert caller.weight < callee.weight


def test_origin_of_slow_ways_to_everybody_is_the_caller() -> None:
    facts = quiet(*QUIET)
    for one in QUIET:
        facts += [*calls(SHOP, one, EARLY), *calls(SHOP, one, LATE, lost=90.0), *work(one, ALL)]
    facts += work(SHOP, ALL)
    of = scene([*facts, change("c", CART, bucket(40)), change("s", SHOP, bucket(40))], incident(SHOP, 79))
    callee, caller = (origin(candidate(of, one), of) for one in (CART, SHOP))
    assert callee is not None
    assert caller is not None
    assert caller.weight > callee.weight


def test_origin_of_missing_calls_speaks_for_the_caller() -> None:
    facts = [*quiet(BANK), *calls(PAY, BANK, EARLY), *work(BANK, EARLY), relation(link(PAY, BANK), -9, bucket(40))]
    found = evidence(facts, PAY)
    assert (found.data["facet"], found.data["of"], found.direction) == ("calls_made", BANK, "for")


def test_origin_of_new_error_logs_speaks_for_the_place() -> None:
    facts = [*quiet(PAY), *calls(SHOP, PAY, ALL), *work(PAY, EARLY), *work(PAY, LATE, error_logs=5.0)]
    found = evidence(facts, PAY)
    assert (found.data["facet"], found.direction) == ("errors", "for")


def test_origin_of_data_that_make_the_caller_of_their_reader_fail_speaks_for_them() -> None:
    data = "s3://lake#users"
    facts = [*quiet(CART), entity(data, EntityKind.DATASET), relation(link(CART, BANK), -9, bucket(80))]
    facts += [relation(link(BANK, data, RelationType.READS), -9, bucket(80)), *calls(SHOP, CART, ALL)]
    facts += [*calls(CART, BANK, ALL), *work(CART, EARLY), *work(CART, LATE, origin_errors=9.0)]
    found = evidence(facts, data)
    assert found.data["place"] == CART
    assert found.direction == "for"
    assert found.weight <= 1.0


def test_origin_of_poor_outcomes_speaks_for_the_place_where_they_were_seen() -> None:
    facts = [*quiet(CART), *calls(SHOP, CART, ALL), *work(CART, EARLY), *work(CART, LATE, poor=9.0)]
    of = scene([*facts, change("d", CART, bucket(40))], incident(SHOP, 79, Signal.QUALITY))
    found = origin(candidate(of, CART), of)
    assert found is not None
    assert found.data["facet"] == "poor"
    assert found.direction == "for"


def test_origin_of_what_was_asked_of_a_shorter_time_than_requests_accuses_nobody() -> None:
    """Requests are read from further back than what each place did: the first bucket of that is no beginning."""
    facts: list[Fact] = [entity(SHOP), entity(CART), relation(link(SHOP, CART), -9, bucket(80))]
    facts += [*traffic(SHOP, ALL, {CART: Met(20)}), *work(SHOP, range(30, 80)), *calls(SHOP, CART, range(30, 80))]
    of = scene([*facts, change("d", SHOP, bucket(29))], incident(SHOP, 79))
    found = moved(candidate(of, SHOP), of)
    assert found is None or found.movement.score < 3


def test_origin_when_everything_gets_slow_accuses_nobody() -> None:
    facts: list[Fact] = quiet(*QUIET)
    for one in QUIET:
        facts += [*calls(SHOP, one, EARLY), *calls(SHOP, one, LATE, lost=3.0)]
        facts += [*work(one, EARLY), *work(one, LATE, milliseconds=3.0)]
    assert evidence(facts, CART).direction == "against"


def test_origin_of_a_place_that_was_off_before_exonerates() -> None:
    facts = [
        *quiet(CART),
        *calls(SHOP, CART, ALL),
        *work(CART, range(20)),
        *work(CART, range(20, 80), milliseconds=30.0),
    ]
    found = evidence(facts, CART, at=60)
    assert (found.direction, found.sentence) == ("against", "The place was off before this took effect.")


def test_origin_without_data_before_is_absent() -> None:
    facts: list[Fact] = [entity(SHOP), entity(CART), relation(link(SHOP, CART), 0, bucket(80))]
    facts += [*traffic(SHOP, LATE, {CART: Met(20)}), *work(CART, LATE, milliseconds=30.0)]
    of = scene([*facts, change("d", CART, bucket(38))], incident(SHOP, 79))
    found = moved(candidate(of, CART), of)
    assert found is None or found.movement.score < 3


def failing_at(place: str) -> list[Fact]:
    """Requests that go through a place fail late; what it does itself is yet to be said."""
    facts = [one for one in quiet(place) if not isinstance(one, tuple) or getattr(one[0], "service", None) != SHOP]
    facts += calls(SHOP, place, ALL)
    return [*facts, *traffic(SHOP, EARLY, {place: Met(20)}), *traffic(SHOP, LATE, {place: Met(20, bad=9)})]


def failing_bank() -> list[Fact]:
    return [*failing_at(BANK), *work(BANK, EARLY), *work(BANK, LATE, error_logs=9.0)]


def test_condition_of_trouble_where_nothing_changed_speaks_for_none() -> None:
    of = scene([*failing_bank(), change("d", CART, bucket(39))], incident(SHOP, 79))
    found = condition_of(of, of.candidates)
    assert found is not None
    assert found.nats > 1
    assert found.sentence.startswith("nothing is known to have changed at bank")


def test_condition_of_trouble_where_a_suspect_lies_is_none() -> None:
    of = scene([*failing_bank(), change("d", BANK, bucket(39))], incident(SHOP, 79))
    assert condition_of(of, of.candidates) is None


OUTSIDE = "net://#api.bank.example:443"


def failing_outside(failing: str = OUTSIDE) -> list[Fact]:
    """``pay`` asks an outside host; one of the two begins to fail."""
    facts: list[Fact] = [*failing_at(PAY), entity(OUTSIDE, EntityKind.EXTERNAL)]
    facts.append(relation(link(PAY, OUTSIDE), -9, bucket(80)))
    for one in ALL:
        bad = 9.0 if one in LATE else 0.0
        outside = {"origin_errors": bad, "errors": bad} if failing == OUTSIDE else {}
        facts.append(edge(link(PAY, OUTSIDE), round(bucket(one)), 20, calls=20.0, **outside))
        facts += work(PAY, [one], origin_errors=bad)
    return facts


def test_errors_of_calls_to_an_outside_host_are_a_condition_there() -> None:
    of = scene([*failing_outside(), change("d", PAY, bucket(38))], incident(SHOP, 79))
    found = condition_of(of, of.candidates)
    assert found is not None
    assert found.movement.place == OUTSIDE


def test_origin_of_errors_at_an_outside_host_says_little_of_its_caller() -> None:
    outside, own = (evidence(failing_outside(failing), PAY) for failing in (OUTSIDE, PAY))
    assert outside.data["place"] == OUTSIDE
    assert 0 < outside.weight <= 1.0 < own.weight


def test_path_flow_of_a_place_that_no_request_went_through_is_against_it() -> None:
    of = scene([*failing_bank(), change("d", CART, bucket(39))], incident(SHOP, 79))
    found = path_flow(candidate(of, CART), of)
    assert (found.weight, found.sentence) == (-3.0, "None of the symptom's requests went through it.")


def test_path_flow_of_a_place_that_all_bad_requests_went_through_is_not() -> None:
    of = scene([*failing_bank(), change("d", BANK, bucket(39))], incident(SHOP, 79))
    assert path_flow(candidate(of, BANK), of).weight >= 0
