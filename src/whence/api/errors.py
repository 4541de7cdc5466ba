"""The one table from error to status, and the one shape of an error: RFC 9457 ``application/problem+json``."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from whence import errors

GRAMMAR = 'namespace "#" name [ "@" kind ":" version ]'
RETRY_AFTER_SECONDS = 2
MEDIA_TYPE = "application/problem+json"
UNION_TAGS = frozenset({"one", "many"})
"""Steps that the validator puts into a location to say which form of a body it tried; callers never wrote them."""

RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Any error, as RFC 9457 problem details.",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail", "instance"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                        "instance": {"type": "string"},
                    },
                }
            }
        },
    }
}
"""For the OpenAPI document: what each route answers beside its success."""

_log = logging.getLogger(__name__)


class Row(NamedTuple):
    """How one class of error is told to a client."""

    status: int
    code: str
    """Last part of the problem's type; empty where the status says all that there is to say."""
    title: str


_NOT_JSON = Row(415, "", "Unsupported Media Type")

TABLE: Mapping[type[errors.WhenceError], Row] = {
    errors.WhenceError: Row(500, "internal", "Internal error"),
    errors.InputError: Row(400, "bad-input", "Bad input"),
    errors.DecodeError: Row(400, "undecodable", "Not what it claims to be"),
    errors.LimitExceeded: Row(413, "too-large", "Too large"),
    errors.InvalidReference: Row(422, "invalid-reference", "Reference does not parse"),
    errors.InvalidQuery: Row(422, "invalid-field", "Field has a bad value"),
    errors.AmbiguousName: Row(422, "ambiguous-name", "Name is not unique"),
    errors.AccessDenied: Row(403, "forbidden", "Not allowed"),
    errors.Unauthenticated: Row(401, "unauthenticated", "Token missing or unknown"),
    errors.BadSignature: Row(401, "bad-signature", "Signature missing, wrong or stale"),
    errors.Forbidden: Row(403, "forbidden", "Not allowed"),
    errors.NotFound: Row(404, "not-found", "Not found"),
    errors.EntityNotFound: Row(404, "entity-not-found", "Entity not found"),
    errors.StoreError: Row(500, "store-error", "Store failed"),
    errors.StoreUnavailable: Row(503, "store-unavailable", "Store is not reachable"),
    errors.StoreConflict: Row(503, "store-conflict", "Another writer was faster"),
    errors.QueryTimeout: Row(504, "query-timeout", "Query took too long"),
    errors.Overloaded: Row(429, "overloaded", "Queue is full"),
    errors.ConfigError: Row(500, "misconfigured", "Settings can't work"),
}

CHALLENGES: Mapping[type[errors.WhenceError], str] = {
    errors.Unauthenticated: "Bearer",
    errors.BadSignature: "Signature",
}
"""What a client has to bring: every 401 must say so in ``WWW-Authenticate``."""


def install(app: FastAPI) -> None:
    """Make every error that leaves the app take the one shape."""
    app.add_exception_handler(errors.WhenceError, _on_whence_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_unexpected)


def problem(error: errors.WhenceError, *, instance: str, in_query: bool = False) -> JSONResponse:
    """The answer to an error of ours.

    Args:
        error: Any class of the tree.
        instance: Path of the request.
        in_query: The offending field is a query parameter, not a member of the body.
    """
    row = TABLE[type(error)]
    headers = {}
    if error.retryable:
        headers["Retry-After"] = str(getattr(error, "retry_after_seconds", RETRY_AFTER_SECONDS))
    if type(error) in CHALLENGES:
        headers["WWW-Authenticate"] = CHALLENGES[type(error)]
    return _response(row, str(error), instance, _members(error, in_query=in_query), headers)


def _members(error: errors.WhenceError, *, in_query: bool) -> dict[str, object]:
    """Extension members: what a program needs to act without reading the sentence."""
    match error:
        case errors.EntityNotFound():
            return {"name": error.name, "nearest": list(error.nearest)}
        case errors.InvalidReference():
            return {"reference": error.text[:200], "position": error.position, "grammar": GRAMMAR}
        case errors.AmbiguousName():
            return {"candidates": list(error.candidates), "errors": [_field_error(error, in_query=in_query)]}
        case errors.InvalidQuery():
            return {"errors": [_field_error(error, in_query=in_query)]}
    return {}


def _field_error(error: errors.InvalidQuery, *, in_query: bool) -> dict[str, str]:
    place = {"parameter": error.field} if in_query else {"pointer": "/" + error.field.replace(".", "/")}
    return place | {"detail": error.reason}


def _response(
    row: Row, detail: str, instance: str, members: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    kind = f"/problems/{row.code}" if row.code else "about:blank"
    body = {"type": kind, "title": row.title, "status": row.status, "detail": detail}
    return JSONResponse(
        body | {"instance": instance} | dict(members),
        status_code=row.status,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )


async def _on_whence_error(request: Request, error: Exception) -> JSONResponse:
    known = cast("errors.WhenceError", error)
    if TABLE[type(known)].status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("%s %s failed: %s", request.method, request.url.path, known)
    return problem(known, instance=request.url.path, in_query=request.method == "GET")


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    problems = cast("RequestValidationError", error).errors()
    if any(one["type"] == "json_invalid" for one in problems):
        return problem(errors.DecodeError("the body is not JSON"), instance=request.url.path)
    if any(one["loc"][0] == "body" and not _steps(one) for one in problems) and not _is_json(request):
        return _response(_NOT_JSON, "send JSON, with Content-Type: application/json", request.url.path, {})
    found = [_validation_error(one) for one in problems]
    row = TABLE[errors.InvalidQuery]
    detail = "; ".join(f"{one.get('pointer') or one.get('parameter')}: {one['detail']}" for one in found)
    return _response(row, detail, request.url.path, {"errors": found})


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _validation_error(found: Mapping[str, Any]) -> dict[str, str]:
    detail = str(found["msg"]).removeprefix("Value error, ")
    path = _steps(found)
    if found["loc"][0] == "body":
        return {"pointer": "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in path), "detail": detail}
    return {"parameter": ".".join(path), "detail": detail}


def _steps(found: Mapping[str, Any]) -> list[str]:
    """The way to a field inside the body, the query or the path."""
    _, *steps = cast("Sequence[str | int]", found["loc"])
    return [str(step) for step in steps if step not in UNION_TAGS]


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Unknown path, wrong method: raised by the framework."""
    known = cast("HTTPException", error)
    row = Row(known.status_code, "", HTTPStatus(known.status_code).phrase)
    return _response(row, str(known.detail), request.url.path, {}, known.headers)


async def _on_unexpected(request: Request, error: Exception) -> JSONResponse:
    """A defect of ours: the client learns nothing of it but that it happened; the log has the rest."""
    _log.error("%s %s: unexpected error", request.method, request.url.path, exc_info=error)
    return _response(TABLE[errors.WhenceError], "unexpected error, see the log", request.url.path, {})
