"""When the symptom began, and in which signal it shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.rca.scenes import scene
from whence.model.incident import Incident
from whence.model.kinds import Signal
from whence.rca.onset import Observed, observe
from whence.rca.requests import Requests
from whence.testing.cases import BUCKET_S, Met, bucket, case_of, incident, traffic, work
from whence.testing.graphs import Fact, at, delta, entity, key

SHOP, NODE = key("shop"), key("ranker")


def observed(facts: list[Fact], question: Incident) -> Observed:
    case = case_of(delta(entity(SHOP), *facts), question)
    return observe(Requests(case.exposures, BUCKET_S), question)


def phases(before: Met, after: Met, onset: int = 40, end: int = 60) -> list[Fact]:
    return [*traffic(SHOP, range(onset), {NODE: before}), *traffic(SHOP, range(onset, end), {NODE: after})]


def test_observe_errors_rise_finds_the_bucket() -> None:
    found = observed(phases(Met(30), Met(30, bad=6)), incident(SHOP, 59))
    assert found.found
    assert found.signal is Signal.ERRORS
    assert abs(found.onset.at_ns - at(bucket(40))) <= BUCKET_S * 1_000_000_000
    assert found.onset.low_ns <= found.onset.at_ns <= found.onset.high_ns


@pytest.mark.parametrize(
    ("after", "signal"),
    [
        (Met(30, bad=6), Signal.ERRORS),
        (Met(30, milliseconds=40.0), Signal.LATENCY),
        (Met(30, poor=9), Signal.QUALITY),
    ],
)
def test_observe_without_a_signal_picks_the_one_that_moved(after: Met, signal: Signal) -> None:
    found = observed(phases(Met(30), after), incident(SHOP, 59))
    assert (found.signal, found.found) == (signal, True)


def test_observe_with_a_signal_looks_at_no_other() -> None:
    found = observed(phases(Met(30), Met(30, bad=6)), incident(SHOP, 59, Signal.QUALITY))
    assert (found.signal, found.found) == (Signal.QUALITY, False)


def test_observe_steady_requests_assumes_an_onset_before_the_detection() -> None:
    question = incident(SHOP, 59)
    found = observed(phases(Met(30, bad=1), Met(30, bad=1)), question)
    assert not found.found
    assert found.onset.low_ns < found.onset.at_ns < found.onset.high_ns == question.detected_ns


def test_observe_fewer_errors_than_before_is_no_onset() -> None:
    assert not observed(phases(Met(30, bad=10), Met(30)), incident(SHOP, 59)).found


def test_observe_one_bad_request_is_no_onset() -> None:
    assert not observed(phases(Met(30), Met(30, bad=1), onset=59), incident(SHOP, 59)).found


def test_observe_a_given_onset_is_trusted_but_widened() -> None:
    question = replace(incident(SHOP, 59), onset_ns=at(bucket(50)))
    found = observed(phases(Met(30), Met(30, bad=6)), question)
    assert found.found
    assert found.onset.at_ns == question.onset_ns
    assert found.onset.low_ns < found.onset.at_ns < found.onset.high_ns


def test_observe_without_requests_finds_nothing() -> None:
    assert not observed([], incident(SHOP, 59)).found


def test_possible_onsets_are_probabilities_before_the_detection() -> None:
    found = observed([], incident(SHOP, 59))
    instants, probabilities = found.possible_onsets_ns()
    assert probabilities.sum() == pytest.approx(1.0)
    assert instants.max() <= found.onset.high_ns


def test_observe_requests_that_stay_away_are_a_drop_of_volume() -> None:
    found = observed(traffic(SHOP, range(40), {NODE: Met(30)}), incident(SHOP, 59))
    assert (found.signal, found.found) == (Signal.VOLUME, True)
    assert abs(found.onset.at_ns - at(bucket(40))) <= BUCKET_S * 1_000_000_000


def test_observe_fewer_requests_by_a_third_are_no_symptom() -> None:
    assert not observed(phases(Met(30), Met(20)), incident(SHOP, 59)).found


def test_observe_volume_when_asked_for_looks_at_nothing_else() -> None:
    found = observed(phases(Met(30), Met(30, bad=9)), incident(SHOP, 59, Signal.VOLUME))
    assert (found.signal, found.found) == (Signal.VOLUME, False)


def test_onset_of_a_service_without_bad_requests_is_when_it_began_to_log_errors() -> None:
    facts: list[Fact] = [entity(SHOP), *traffic(SHOP, range(80), {SHOP: Met(2)}), *work(SHOP, range(60))]
    of = scene([*facts, *work(SHOP, range(60, 80), error_logs=4.0)], incident(SHOP, 79))
    assert of.observed.found
    assert of.observed.signal is Signal.ERRORS
    assert of.observed.onset.at_ns == at(bucket(60))


def test_onset_of_a_service_that_always_logs_errors_is_not_found() -> None:
    facts: list[Fact] = [
        entity(SHOP),
        *traffic(SHOP, range(80), {SHOP: Met(2)}),
        *work(SHOP, range(80), error_logs=4.0),
    ]
    assert not scene(facts, incident(SHOP, 79)).observed.found


def test_observe_an_early_alert_is_dated_by_the_requests_that_follow() -> None:
    found = observed(phases(Met(30), Met(30, bad=1)), incident(SHOP, 40))
    assert found.found
    assert abs(found.onset.at_ns - at(bucket(40))) <= BUCKET_S * 1_000_000_000


def test_observe_what_rises_only_after_the_detection_is_not_its_onset() -> None:
    found = observed(phases(Met(30), Met(30, bad=20), onset=50, end=70), incident(SHOP, 40))
    assert found.onset.at_ns <= at(bucket(41))


def test_observe_trouble_that_was_mended_keeps_its_onset() -> None:
    facts = [*phases(Met(30), Met(30, bad=6)), *traffic(SHOP, range(60, 120), {NODE: Met(30)})]
    found = observed(facts, incident(SHOP, 59))
    assert found.found
    assert abs(found.onset.at_ns - at(bucket(40))) <= BUCKET_S * 1_000_000_000
