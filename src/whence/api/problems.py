"""What the ``type`` of an error leads to: every kind of error, with its status and its meaning."""

from __future__ import annotations

import inspect

from fastapi import APIRouter
from typing_extensions import TypedDict

from whence.api.errors import TABLE
from whence.errors import NotFound

router = APIRouter(prefix="/problems", tags=["problems"])


class ProblemKindJson(TypedDict):
    """One kind of error."""

    type: str
    status: int
    title: str
    meaning: str


@router.get("")
async def list_problems() -> list[ProblemKindJson]:
    """All kinds of errors, by type."""
    return sorted(_KINDS.values(), key=lambda kind: kind["type"])


@router.get("/{code}")
async def read_problem(code: str) -> ProblemKindJson:
    """One kind of error."""
    if code not in _KINDS:
        raise NotFound(f"there is no kind of error {code[:100]!r}")
    return _KINDS[code]


def _kinds() -> dict[str, ProblemKindJson]:
    kinds: dict[str, ProblemKindJson] = {}
    for error, row in TABLE.items():
        meaning = inspect.cleandoc(error.__doc__ or "").replace("``", "'")
        kind: ProblemKindJson = {
            "type": f"/problems/{row.code}",
            "status": row.status,
            "title": row.title,
            "meaning": meaning,
        }
        kinds.setdefault(row.code, kind)
    return kinds


_KINDS = _kinds()
