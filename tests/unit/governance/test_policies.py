"""Policies are read, checked as they come in, and say yes or no to facts."""

from __future__ import annotations

from typing import Any

import pytest

from whence.errors import DecodeError
from whence.governance.policies import Policy, Rule, read_policies

FACTS: dict[str, Any] = {
    "label": "demographics",
    "dependent": {"name": "credit", "purposes": ["credit_decision"], "kind": "service"},
    "origin": {"name": "people"},
    "path": [{"kind": "service"}, {"kind": "model"}, {"kind": "dataset"}],
    "hops": 2,
    "environment": "production",
}


@pytest.mark.parametrize(
    ("forbid", "answer"),
    [
        ('label == "demographics" && "credit_decision" in dependent.purposes', True),
        ('label == "pii"', False),
        ('environment == "staging"', False),
        ('path.exists(step, step.kind == "model") && hops >= 2', True),
        ('dependent.name.startsWith("cred")', True),
    ],
)
def test_expression_sees_path_purpose_label_and_environment(forbid: str, answer: bool) -> None:
    assert Rule(Policy("p", forbid)).forbids(FACTS) is answer


def test_file_gives_every_policy_with_its_line() -> None:
    text = """\
whence: 1
policies:
  - name: a
    forbid: label == "x"
    because: law
    owner: dpo
  - {name: b, forbid: hops > 3, enforce: false}
"""
    assert read_policies(text, "p.yaml") == (
        Policy("a", 'label == "x"', "law", "dpo", True, "p.yaml", 3),
        Policy("b", "hops > 3", enforce=False, file="p.yaml", line=7),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("policies: [{name: a}]", "'name' and 'forbid' are required"),
        ("policies: [x]", "expected a mapping"),
        ("policies: [{name: a, forbid: 'label =='}]", "policy a: Failed to parse"),
        ("policies: [{name: a, forbid: 'lable == label'}]", "unknown name lable; there are label, dependent"),
        ("policies: [{name: a, forbid: 'true', enforce: maybe}]", "must be true or false"),
        ("a: [", "not YAML"),
    ],
)
def test_mistakes_are_told_when_the_file_comes_in(text: str, problem: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read_policies(text, "p.yaml")
    assert problem in str(caught.value)


@pytest.mark.parametrize("forbid", ["hops + 1", 'dependent.shoe_size == "44"', "label > 3"])
def test_expression_that_can_not_answer_says_so_instead_of_passing(forbid: str) -> None:
    with pytest.raises(DecodeError, match="policy p"):
        Rule(Policy("p", forbid)).forbids(FACTS)
