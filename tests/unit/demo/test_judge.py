from typing import Any

import pytest

from whence.demo.judge import is_right
from whence.demo.plan import Truth

PAYMENT, RANKER, FLAG = "otel://shop#payment", "file#shop/ranker", "flag://shop#compact-features"


def suspect(subject: str, to: str | None, *with_ids: str) -> dict[str, Any]:
    return {"change": {"id": f"{subject}/{to}", "subject": subject, "to": to}, "with": list(with_ids)}


def answer(*suspects: dict[str, Any], verdict: str = "suspect") -> dict[str, Any]:
    return {"verdict": verdict, "suspects": list(suspects), "ruled_out": []}


ONE = Truth(any_of=((RANKER, "v42"),))
PAIR = Truth(any_of=((RANKER, "v42"), ("compact-features", "on")), together=True)


@pytest.mark.parametrize("verdict", ["suspect", "tie"])
def test_answer_with_the_truth_first_is_right(verdict: str) -> None:
    assert is_right(ONE, answer(suspect(RANKER, "v42"), suspect(PAYMENT, "v2"), verdict=verdict))


@pytest.mark.parametrize(
    "given",
    [
        answer(suspect(PAYMENT, "v2"), suspect(RANKER, "v42")),
        answer(suspect(RANKER, "v41")),
        answer(suspect(RANKER, "v42"), verdict="none"),
        answer(suspect(RANKER, "v42"), verdict="insufficient"),
        answer(),
    ],
    ids=["truth second", "other version", "says none", "says insufficient", "empty"],
)
def test_answer_without_the_truth_first_is_wrong(given: dict[str, Any]) -> None:
    assert not is_right(ONE, given)


def test_answer_for_a_refresh_that_never_came_must_not_name_one_that_did() -> None:
    stale = Truth(any_of=(("file#shop/features", None),))
    assert is_right(stale, answer(suspect("file#shop/features", None)))
    assert not is_right(stale, answer(suspect("file#shop/features", "s9")))


def test_answer_none_is_right_only_where_no_change_did_harm() -> None:
    assert is_right(Truth(), answer(suspect(RANKER, "v42"), verdict="none"))
    assert not is_right(Truth(), answer(suspect(RANKER, "v42")))


@pytest.mark.parametrize("reverse", [False, True])
def test_answer_that_names_both_of_a_pair_together_is_right(reverse: bool) -> None:
    pair = [suspect(RANKER, "v42", f"{FLAG}/on"), suspect(FLAG, "on", f"{RANKER}/v42")]
    assert is_right(PAIR, answer(*(reversed(pair) if reverse else pair)))


@pytest.mark.parametrize("partner", ["", f"{PAYMENT}/v2"])
def test_answer_that_names_one_of_a_pair_alone_or_with_a_stranger_is_wrong(partner: str) -> None:
    suspects = suspect(RANKER, "v42", partner), suspect(FLAG, "on"), suspect(PAYMENT, "v2")
    assert not is_right(PAIR, answer(*suspects))
