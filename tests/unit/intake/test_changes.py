from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from whence.errors import InvalidQuery, InvalidReference
from whence.intake.changes import ChangeReport, change_from_report, subject_ref
from whence.model.change import Change
from whence.model.kinds import ChangeKind
from whence.model.times import parse_time_ns

NOW = parse_time_ns("2026-11-23T12:05:00Z", now_ns=0)
FULL = {
    "id": "dep-812",
    "kind": "deployment",
    "subject": "otel://shop#ranker",
    "from": "v40",
    "to": "v41",
    "environment": "production",
    "effective_at": "2026-11-23T11:58:00Z",
    "finished_at": None,
    "actor": None,
    "url": None,
    "summary": None,
}


def change(**fields: Any) -> Change:
    report = ChangeReport.model_validate({**FULL, **fields})
    ref = subject_ref(report)
    return change_from_report(report, str(ref.base) if ref else report.subject, now_ns=NOW)


def test_full_report_becomes_the_same_change() -> None:
    assert change() == Change(
        id="dep-812",
        kind=ChangeKind.DEPLOYMENT,
        subject="otel://shop#ranker",
        effective_ns=parse_time_ns("2026-11-23T11:58:00Z", now_ns=0),
        known_ns=NOW,
        reported_ns=NOW,
        from_version="v40",
        to_version="v41",
        environment="production",
    )


def test_environment_goes_by_the_name_that_spans_have() -> None:
    assert change(environment="Prod").environment == "production"
    assert change(environment=None).environment == ""


def test_report_without_time_took_effect_now() -> None:
    assert change(effective_at=None).effective_ns == NOW


def test_relative_time_counts_from_now() -> None:
    assert change(effective_at="-7m").effective_ns == NOW - 7 * 60 * 10**9


def test_report_without_id_gets_one_that_equal_content_shares() -> None:
    assert change(id=None).id == change(id="").id
    assert change(id=None).id != change(id=None, to="v42").id


def test_version_in_the_subject_is_what_it_changed_to() -> None:
    found = change(subject="otel://shop#ranker@version:v41", to=None)
    assert (found.subject, found.to_version) == ("otel://shop#ranker", "v41")


def test_bare_name_stays_as_it_was_given() -> None:
    assert change(subject="ranker").subject == "ranker"


def test_unknown_fields_are_ignored() -> None:
    assert change(ticket="OPS-1") == change()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "rollout"),
        ("kind", "staleness"),
        ("kind", None),
        ("subject", ""),
        ("subject", "x" * 2000),
        ("url", "javascript:alert(1)"),
        ("id", 7),
        ("summary", "\ud800"),
    ],
)
def test_bad_value_is_refused_naming_the_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        change(**{field: value})
    assert {error["loc"][0] for error in caught.value.errors()} == {field}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"effective_at": "yesterday"}, "effective_at"),
        ({"effective_at": "-99999999d"}, "effective_at"),
        ({"finished_at": "soon"}, "finished_at"),
        ({"finished_at": "2026-11-23T11:00:00Z"}, "finished_at"),
    ],
)
def test_bad_time_is_refused_naming_the_field(fields: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        change(**fields)
    assert caught.value.field == named


def test_subject_that_does_not_parse_is_refused_with_its_position() -> None:
    with pytest.raises(InvalidReference) as caught:
        change(subject="otel://shop#a#b")
    assert caught.value.position == 13
