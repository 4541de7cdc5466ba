"""Lists page by an opaque cursor: ``next`` in the body, and the same as a ``Link`` header."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request, Response
from typing_extensions import TypedDict

from whence.store.protocol import MAX_PAGE

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Items on a page at most.")]
Cursor = Annotated[str | None, Query(max_length=4096, description="The ``next`` of the page before.")]


class PageJson(TypedDict, Generic[T]):
    """One page; ``next`` is null on the last. ``truncated`` says that the whole list leaves something out."""

    items: list[T]
    next: str | None
    truncated: bool


def page(
    items: list[T], cursor: str | None, request: Request, response: Response, *, truncated: bool = False
) -> PageJson[T]:
    """The body of a page; sets the ``Link`` header of ``response`` where a next page follows."""
    if cursor is not None:
        rest = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        address = f"{request.url.path}?{urlencode([*rest, ('cursor', cursor)])}"
        response.headers["Link"] = f'<{address}>; rel="next"'
    return {"items": items, "next": cursor, "truncated": truncated}
