"""Policies: a small YAML file, each with one expression (CEL) that is true of what is forbidden.

::

    whence: 1
    policies:
      - name: no-demographics-in-credit
        because: the law forbids it
        owner: dpo@acme.dev
        forbid: label == "demographics" && "credit_decision" in dependent.purposes
        enforce: false        # a dry run: reported, but fails no check

Decision: CEL, because policies are then written the way admission rules of Kubernetes are, can neither loop nor reach
anything outside, and are checked for unknown names when they come in. ``common-expression-language`` runs them: typed,
released this year, one wheel; cel-python wants a C++ library and a date library for the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import cel

from whence.declare.located import Located, items, read_yaml
from whence.errors import DecodeError
from whence.intake.fields import as_text

VARIABLES = {
    "label": "the label that arrives",
    "dependent": "where: key, name, kind, owner, purposes, labels",
    "origin": "what bears the label: key, name, kind, owner",
    "path": "list of key, name and kind, from the dependent to the origin",
    "hops": "length of the path",
    "environment": "of the dependent",
}
"""What an expression may name."""
_BOUND = re.compile(r"\.(?:all|exists|exists_one|filter|map)\(\s*([A-Za-z_]\w*)\s*,")
"""Names that an expression gives to the items of a list."""


class Policy(NamedTuple):
    """One policy as it is written."""

    name: str
    forbid: str
    because: str = ""
    owner: str = ""
    enforce: bool = True
    file: str = ""
    line: int = 1


class Rule:
    """A policy that can be asked."""

    def __init__(self, policy: Policy) -> None:
        """Compile.

        Raises:
            DecodeError: The expression does not parse, or names something unknown.
        """
        self.policy = policy
        try:
            self._program = cel.compile(policy.forbid)
        except ValueError as error:
            raise DecodeError(f"policy {policy.name}: {' '.join(str(error).split())[:300]}") from None
        bound = set(_BOUND.findall(policy.forbid))
        unknown = sorted(set(self._program.variables()) - VARIABLES.keys() - bound)
        if unknown:
            known = ", ".join(VARIABLES)
            raise DecodeError(f"policy {policy.name}: unknown name {', '.join(unknown)}; there are {known}")

    def forbids(self, facts: Mapping[str, Any]) -> bool:
        """Whether it forbids what ``VARIABLES`` describe.

        Raises:
            DecodeError: The expression fails on these facts, or is neither true nor false.
        """
        try:
            answer = self._program.execute(dict(facts))
        except KeyError as error:
            raise DecodeError(f"policy {self.policy.name}: there is no field {error}") from None
        except (RuntimeError, ValueError, TypeError) as error:
            raise DecodeError(f"policy {self.policy.name}: {error}") from None
        if not isinstance(answer, bool):
            raise DecodeError(f"policy {self.policy.name}: the expression gives {answer!r}, neither true nor false")
        return answer


def read_policies(text: str, file: str) -> tuple[Policy, ...]:
    """All policies of a file, each checked.

    Raises:
        DecodeError: It is not YAML, has another shape, or an expression is wrong.
    """
    documents = [one for one in read_yaml(text) if isinstance(one, Located)]
    found = [_policy(item, line, file) for one in documents for item, line in items(one.get("policies"))]
    for policy in found:
        Rule(policy)
    return tuple(found)


def _policy(item: object, line: int, file: str) -> Policy:
    if not isinstance(item, Located):
        raise DecodeError(f"{file}:{line}: expected a mapping with name and forbid")
    name, forbid = as_text(item.get("name")), as_text(item.get("forbid"))
    if not name or not forbid:
        raise DecodeError(f"{file}:{line}: 'name' and 'forbid' are required")
    enforce = item.get("enforce", True)
    if not isinstance(enforce, bool):
        raise DecodeError(f"{file}:{item.line_of('enforce')}: 'enforce' must be true or false")
    because, owner = (as_text(item.get(field)) or "" for field in ("because", "owner"))
    return Policy(name, forbid, because, owner, enforce, file, line)
