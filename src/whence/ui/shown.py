"""What a view gives: data, and the template that shows it. The data alone is the page's JSON twin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from whence.ui.api_client import ApiClient

Record = dict[str, Any]
VARIES = {"vary": "Accept, Cookie"}
SEE_OTHER = 303


class Shown(NamedTuple):
    """One page."""

    template: str
    data: Mapping[str, Any]
    """Ready for JSON."""
    extra: Mapping[str, Any] = {}
    """What only the template needs: pictures, choices of a form."""


View = Callable[[ApiClient, Request], Awaitable[Shown | Response]]
"""Asks the API and says what to show, or answers by itself."""


def wants_json(request: Request) -> bool:
    """Whether a program asks. A browser names HTML; what accepts anything gets the page."""
    path, query = request.url.path, request.query_params
    asked = path.endswith(".json") or query.get("format") == "json"
    return asked or "application/json" in request.headers.get("accept", "")


async def form_of(request: Request) -> dict[str, str]:
    """Fields of a form that were filled in."""
    return {name: value.strip() for name, value in parse_qsl((await request.body()).decode("utf-8", "replace"))}


async def ticked(request: Request, name: str) -> list[str]:
    """Values of a field that may be given several times."""
    fields = parse_qsl((await request.body()).decode("utf-8", "replace"))
    return [value for field, value in fields if field == name]
