"""One spelling for each environment, and which facts are seen in which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.model.environments import bears_on, environment_name


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("prod", "production"),
        ("Production", "production"),
        (" PRD ", "production"),
        ("stg", "staging"),
        ("testing", "test"),
        ("dev", "development"),
        ("eu-west-Prod", "eu-west-Prod"),
        ("", ""),
        (None, ""),
    ],
)
def test_environment_goes_by_one_name(stated: str | None, name: str) -> None:
    assert environment_name(stated) == name


@given(st.text())
def test_environment_name_of_a_name_is_itself(stated: str) -> None:
    assert environment_name(environment_name(stated)) == environment_name(stated)


def test_facts_bear_on_their_own_environment_and_unnamed_ones_on_every() -> None:
    assert bears_on("production", "production")
    assert bears_on("", "production")
    assert bears_on("test", None)
    assert bears_on("", "")
    assert not bears_on("test", "production")
    assert not bears_on("production", "")
