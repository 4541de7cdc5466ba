"""What events add up to: in any order, told twice, flapping, and when people have the last word."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from whence.incidents.events import Event, alert_event
from whence.incidents.life import REOPEN_WITHIN_S, belongs, incident_of, takes
from whence.model.alert import Alert
from whence.model.times import NS_PER_SECOND, format_time, parse_time_ns

START_NS = parse_time_ns("2026-11-24T00:00:00Z", now_ns=0)


def at(second: float) -> str:
    return format_time(START_NS + round(second * NS_PER_SECOND))


def fires(second: float, key: str = "a", **more: Any) -> Event:
    instant = START_NS + round(second * NS_PER_SECOND)
    return alert_event(Alert("alertmanager", "group", key, True, f"title {key}", instant, instant, **more))


def over(began: float, second: float, key: str = "a") -> Event:
    started, ended = (START_NS + round(one * NS_PER_SECOND) for one in (began, second))
    return alert_event(Alert("alertmanager", "group", key, False, f"title {key}", started, ended))


def said(second: float, status: str) -> Event:
    return {"kind": "status", "at": at(second), "status": status, "actor": None, "comment": None}


def answered(second: float) -> Event:
    return {
        "kind": "answer",
        "at": at(second),
        "investigation": "inv-1",
        "verdict": "suspect",
        "headline": "h",
        "finding": "f",
    }


EVENTS = st.lists(
    st.one_of(
        st.builds(fires, st.integers(0, 50), st.sampled_from("ab")),
        st.builds(
            lambda began, lasted, key: over(began, began + lasted, key),
            st.integers(0, 50),
            st.integers(0, 50),
            st.sampled_from("ab"),
        ),
        st.builds(said, st.integers(0, 99), st.sampled_from(["open", "mitigated", "resolved"])),
        st.builds(answered, st.integers(0, 99)),
    ),
    min_size=1,
    max_size=8,
)


@given(EVENTS, st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(events: list[Event], luck: Any) -> None:
    shuffled = list(events)
    luck.shuffle(shuffled)
    assert incident_of("inc-1", shuffled) == incident_of("inc-1", events)


def test_incident_is_open_while_an_alert_fires_and_resolved_when_the_last_is_over() -> None:
    events = [fires(0), fires(5, "b")]
    assert incident_of("inc-1", events)["status"] == "open"
    events.append(over(0, 10))
    assert incident_of("inc-1", events)["status"] == "open"
    events.append(over(5, 20, "b"))
    found = incident_of("inc-1", events)
    assert (found["status"], found["opened_at"], found["resolved_at"]) == ("resolved", at(0), at(20))


def test_answer_makes_it_investigating() -> None:
    assert incident_of("inc-1", [fires(0), answered(3)])["status"] == "investigating"


def test_person_has_the_last_word_until_an_alert_moves_again() -> None:
    events = [fires(0), said(10, "mitigated")]
    assert incident_of("inc-1", events)["status"] == "mitigated"
    events.append(over(0, 20))
    assert incident_of("inc-1", events)["status"] == "resolved"
    events.append(fires(30))
    assert incident_of("inc-1", events)["status"] == "open"


def test_it_asks_until_somebody_says_what_hurts() -> None:
    events = [fires(0, names=("x", "y"))]
    assert incident_of("inc-1", events)["asks"]
    events.append({"kind": "entity", "at": at(1), "entity": "otel://shop#a", "by": "rule"})
    events.append({"kind": "entity", "at": at(2), "entity": "otel://shop#b", "by": "a person"})
    found = incident_of("inc-1", events)
    assert (found["entity"], found["asks"], found["names"]) == ("otel://shop#b", False, ["x", "y"])


def test_alert_that_flaps_stays_in_its_incident_and_a_later_one_does_not() -> None:
    found = incident_of("inc-1", [fires(0), over(0, 60)])
    assert belongs(found, at(0))
    assert belongs(found, at(60 + REOPEN_WITHIN_S))
    assert not belongs(found, at(61 + REOPEN_WITHIN_S))
    assert belongs(found, at(-REOPEN_WITHIN_S))
    assert not belongs(found, at(-REOPEN_WITHIN_S - 1))


def test_alert_of_an_incident_that_lasts_belongs_to_it_however_late() -> None:
    assert belongs(incident_of("inc-1", [fires(0)]), at(10 * REOPEN_WITHIN_S))


def joined(second: float, kind: str, of: str, into: str) -> Event:
    return {"kind": kind, "at": at(second), "of": of, "into": into, "actor": None}


def split(second: float, of: str, into: str, *keys: str) -> Event:
    alerts = [["alertmanager", key] for key in keys]
    return {"kind": "split", "at": at(second), "of": of, "into": into, "alerts": alerts, "actor": None}


def test_merged_incident_goes_on_in_the_other_until_they_are_parted() -> None:
    merge, part = joined(10, "merged", "b", "a"), joined(20, "parted", "b", "a")
    assert incident_of("b", [fires(0), merge])["merged_into"] == "a"
    assert incident_of("a", [fires(0), merge])["merged"] == ["b"]
    assert incident_of("b", [part, fires(0), merge])["merged_into"] is None
    assert incident_of("a", [part, fires(0), merge])["merged"] == []


def test_incident_lasts_as_long_as_those_that_are_part_of_it() -> None:
    own, theirs = [fires(5), over(5, 30), joined(10, "merged", "b", "a")], [fires(0, "b")]
    lasting = incident_of("a", own, theirs)
    assert (lasting["status"], lasting["opened_at"]) == ("open", at(0))
    assert incident_of("a", own, [*theirs, over(0, 40, "b")])["resolved_at"] == at(40)


def test_alert_that_was_split_off_is_of_the_new_incident_only() -> None:
    moved = split(10, "a", "new", "b")
    old = incident_of("a", [fires(0), fires(1, "b"), moved])
    new = incident_of("new", [fires(1, "b"), moved])
    assert [one["key"] for one in old["alerts"]] == ["a"]
    assert [one["key"] for one in new["alerts"]] == ["b"]
    owners = [(takes(one, "alertmanager", "a"), takes(one, "alertmanager", "b")) for one in (old, new)]
    assert owners == [(True, False), (False, True)]
