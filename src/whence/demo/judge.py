"""Was the answer right?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from whence.demo.plan import Truth

Json = Mapping[str, Any]


def is_right(truth: Truth, answer: Json) -> bool:
    """Whether the answer names the truth: in the first place, or "none" where no change is to blame.

    Where two changes do harm together, either may be first, but the other must be named with it.
    """
    suspects = answer["suspects"]
    if not truth.any_of:
        return bool(answer["verdict"] == "none")
    if answer["verdict"] not in ("suspect", "tie") or not suspects:
        return False
    first = suspects[0]
    named = _matches([first["change"]], truth)
    if truth.together:
        listed = [one["change"] for one in (*suspects, *answer["ruled_out"])]
        partners = _matches((change for change in listed if change["id"] in first["with"]), truth)
        return bool(named) and bool(partners - named)
    return bool(named)


def _matches(changes: Iterable[Json], truth: Truth) -> set[str]:
    """Subjects of the truth that some of these changes are about, in the right version."""
    return {
        subject
        for change in changes
        for subject, version in truth.any_of
        if _is_about(change["subject"], subject) and version == change["to"]
    }


def _is_about(named: str, subject: str) -> bool:
    """Whether a change's subject is this one; a flag is reported by its bare name, the part behind the ``#``."""
    return named == subject or named.rpartition("#")[2] == subject
