"""When answers are alike: the same way, the same kind of change, another time."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from whence.incidents.similar import fingerprint, most_alike


def answer(name: str, *, kind: str = "model", subject: str = "model://a#ranker@version:1", hour: int = 0) -> Any:
    path = ["otel://shop#checkout@version:1", "otel://shop#ranking@version:4", subject]
    suspect = {"probability": 0.8, "path": path, "change": {"kind": kind, "subject": subject}}
    return {
        "id": name,
        "symptom": {"entity": "otel://shop#checkout", "signal": "errors"},
        "onset": {"at": f"2026-11-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z"},
        "headline": name,
        "suspects": [suspect],
        "none": {"probability": 0.2},
    }


def prints(*answers: Any) -> list[Any]:
    return [fingerprint(one, f"2026-11-20T00:00:0{number}Z") for number, one in enumerate(answers)]


def test_same_change_at_another_time_is_more_alike_than_another_change_on_the_same_way() -> None:
    now, same, other_version, other_kind = prints(
        answer("now", hour=100),
        answer("same", hour=1),
        answer("other version", hour=20, subject="model://a#ranker@version:2"),
        answer("other kind", hour=40, kind="code", subject="otel://shop#price"),
    )
    found = most_alike(now, [same, other_version, other_kind, now], 5)
    assert [one.of["id"] for one in found] == ["other version", "same", "other kind"]
    assert [round(one.share, 2) for one in found] == [1.0, 1.0, 0.46]
    assert found[0].features[:2] == ("model of model://a#ranker", "otel://shop#checkout hurts")
    assert "model of model://a#ranker" not in found[-1].features


def test_one_trouble_that_was_asked_about_twice_is_told_once_and_never_as_its_own_past() -> None:
    now, again, past, past_again = prints(
        answer("now", hour=100), answer("again", hour=100), answer("past", hour=1), answer("past again", hour=1)
    )
    assert [one.of["id"] for one in most_alike(now, [again, past_again, past], 5)] == ["past again"]


def test_what_shares_hardly_anything_is_not_alike_and_no_more_than_asked_for_are_told() -> None:
    now, *past = prints(answer("now", hour=100), *(answer(f"{number}", hour=number * 3) for number in range(6)))
    stranger = prints(answer("stranger", kind="data", subject="s3://lake#x"))[0]
    stranger = stranger | {"entity": "otel://other#x", "features": {"otel://other#x hurts": 1.0}}
    assert len(most_alike(now, [*past, stranger], 3)) == 3
    assert "stranger" not in [one.of["id"] for one in most_alike(now, [*past, stranger], 50)]


@given(order=st.permutations(range(6)))
def test_order_of_the_past_does_not_matter(order: list[int]) -> None:
    now, *past = prints(answer("now", hour=100), *(answer(f"{number}", hour=number * 3) for number in range(6)))
    assert most_alike(now, [past[number] for number in order], 6) == most_alike(now, past, 6)
