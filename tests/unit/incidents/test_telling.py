"""What is news: a finding that was never told, or one that came back to stay."""

import pytest

from whence.incidents.telling import is_news


def told(findings: str) -> str:
    return "".join(one for number, one in enumerate(findings, 1) if is_news(findings[:number]))


@pytest.mark.parametrize(
    ("findings", "expected"),
    [("A", "A"), ("AAA", "A"), ("AB", "AB"), ("ABA", "AB"), ("ABAA", "ABA"), ("ABABABAB", "AB"), ("ABABC", "ABC"),
     ("ABBAAB", "ABA"), ("ABACC", "ABC")],
)  # fmt: skip
def test_finding_that_comes_back_is_told_once_it_stays(findings: str, expected: str) -> None:
    assert told(findings) == expected
