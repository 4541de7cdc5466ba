"""Documents that never change: stored as text, served byte for byte, with a strong ETag."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from fastapi import Request, Response

_CACHE_CONTROL = "private, max-age=31536000, immutable"


def freeze(content: Mapping[str, object]) -> str:
    """The one text of a JSON object; its bytes are what clients get, today and in a year."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def content_id(prefix: str, content: Mapping[str, object]) -> str:
    """An id that equal content shares, so that the same question on the same facts is one document."""
    return f"{prefix}-{hashlib.sha256(freeze(content).encode()).hexdigest()[:16]}"


def frozen_response(body: str, request: Request) -> Response:
    """The text as it is, or 304 where the client has it already."""
    data = body.encode()
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": _CACHE_CONTROL}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if request.method == "GET" and known & {etag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type="application/json", headers=headers)
