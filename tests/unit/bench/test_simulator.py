import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.simulator.delivery import Outcome, deliver
from tests.bench.simulator.faults import CLASSES
from tests.bench.simulator.judging import Judged, judge
from tests.bench.simulator.story import Case, draw_case

END_NS = 1_790_000_000_000_000_000
RECENT_NS = 8 * 60 * 1_000_000_000
HINTS = re.compile(
    r"\b(?:bad|faulty?|guilty|culprit|decoy|broken|stale|skewed|leak\w*|mismatch|innocent|burst|remap|torn)\b",
    re.IGNORECASE,
)


def told(case: Case) -> list[tuple[int, str, bytes]]:
    bodies = (one.body if isinstance(one.body, bytes) else json.dumps(one.body).encode() for one in case.envelopes)
    return [(one.arrival_ns, one.path, body) for one, body in zip(case.envelopes, bodies, strict=True)]


def texts(case: Case) -> Iterator[str]:
    """Everything that a name could be hidden in, without the words of the protocols."""
    for one in case.envelopes:
        if one.path == "/v1/traces" and isinstance(one.body, bytes):
            yield str(ExportTraceServiceRequest.FromString(one.body))
        elif not isinstance(one.body, bytes):
            yield json.dumps(one.body)


def recent(case: Case) -> Case:
    """Only the telemetry around the alert: enough for an answer, and quick."""
    kept = [one for one in case.envelopes if not is_old_telemetry(one.path, case.detected_ns - one.arrival_ns)]
    return replace(case, envelopes=kept)


def is_old_telemetry(path: str, age_ns: int) -> bool:
    return path.startswith("/v1/") and age_ns > RECENT_NS


def judged(case: Case) -> tuple[Judged, Outcome]:
    outcome = deliver(case)
    return judge(case, outcome, 0.0), outcome


def test_a_case_is_drawn_the_same_again() -> None:
    assert told(draw_case("one", END_NS)) == told(draw_case("one", END_NS))


def test_another_seed_draws_another_case() -> None:
    assert told(draw_case("one", END_NS)) != told(draw_case("two", END_NS))


def test_nothing_arrives_after_the_question() -> None:
    case = draw_case("one", END_NS)
    assert max(one.arrival_ns for one in case.envelopes) <= case.asked_ns


@pytest.mark.parametrize("fault", ["deploy", "stale features", "null burst", "label leakage", "culprit lost"])
def test_no_name_tells_the_truth(fault: str) -> None:
    case = draw_case("one", END_NS, fault=fault)
    assert not [word for text in texts(case) for word in HINTS.findall(text.replace("whence.outcome.bad", ""))]


def test_posts_of_culprits_look_like_all_others() -> None:
    case = draw_case("one", END_NS, fault="deploy")
    kept = [one.body for one in case.envelopes if one.path == "/api/v1/changes" and not isinstance(one.body, bytes)]
    assert {tuple(body) for body in kept} == {tuple(kept[0])}


@pytest.mark.parametrize("fault", CLASSES)
def test_every_class_gets_an_answer_and_a_grade(fault: str) -> None:
    case = recent(draw_case("one", END_NS, fault=fault))
    result, outcome = judged(case)
    assert outcome.answer["verdict"] in ("suspect", "tie", "none", "insufficient")
    assert result.grade.answerable == bool(case.truth.culprits)
    assert set(result.floors) == set(outcome.floors)


def test_the_culprit_of_a_plain_case_is_among_what_is_ranked() -> None:
    case = draw_case("one", END_NS, fault="model roll-out")
    result, _ = judged(case)
    assert result.culprit_probability > 0


def test_the_control_moves_every_change() -> None:
    plain, control = (draw_case("one", END_NS, fault="deploy", is_control=flag) for flag in (False, True))
    posted, dealt = posts_of(plain), posts_of(control)
    same = [change_id for change_id in posted.keys() & dealt.keys() if posted[change_id] == dealt[change_id]]
    assert len(same) < len(posted) / 4


def posts_of(case: Case) -> Mapping[str, tuple[object, object]]:
    bodies = [one.body for one in case.envelopes if one.path == "/api/v1/changes" and not isinstance(one.body, bytes)]
    return {str(body["id"]): (body["subject"], body["effective_at"]) for body in bodies}
