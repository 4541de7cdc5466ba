"""One delivery of a webhook, and what is made of it; shared by all sources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from whence.errors import DecodeError, InvalidQuery
from whence.intake.fields import Json, as_text
from whence.model.alert import Alert
from whence.model.change import Change
from whence.model.delta import GraphDelta
from whence.model.refs import MAX_REF_CHARS

MAX_TEXT_CHARS = 256
MAX_LINK_CHARS = 2048
MAX_SUMMARY_CHARS = 4096


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it came in. Nothing in it is to be trusted before its signature is verified."""

    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """Untouched: signatures cover it byte for byte."""
    now_ns: int
    """When it came in."""
    registry: str = ""
    """Address of the registry that sends, where a source has one; empty when it is not known."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a delivery amounts to: facts to store, or the reason why there are none."""

    event: str
    """Name of the event in the words of its source."""
    delta: GraphDelta = field(default_factory=GraphDelta)
    ignored: str | None = None
    """Why nothing was kept; None when something was."""
    alerts: tuple[Alert, ...] = ()
    """What it says of something that hurts."""


def recorded(event: str, *changes: Change) -> Receipt:
    """The receipt of an event that is one change or several."""
    return Receipt(event, GraphDelta(changes={change.id: change for change in changes}))


def json_object(body: bytes | str) -> Json:
    """The JSON object that a body holds.

    Raises:
        DecodeError: It is no JSON, no object, or holds text that has no UTF-8 form (half a surrogate pair).
    """
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise DecodeError("the body is not JSON") from None
    if not isinstance(value, dict):
        raise DecodeError("the body is not a JSON object")
    return value


def change_id(*parts: str) -> str:
    """An id that is the same for every delivery of one event: its parts, or a digest of them where they are long."""
    text = ":".join(parts)
    return text if len(text) <= MAX_TEXT_CHARS else f"{parts[0]}:{hashlib.sha256(text.encode()).hexdigest()}"


def required_name(record: Json, field: str, place: str) -> str:
    """A name, version or id that must be there: text or a number; ``place`` is the path to the record.

    Raises:
        InvalidQuery: It is missing, or longer than references may be.
    """
    text = as_text(record.get(field))
    path = f"{place}.{field}" if place else field
    if text is None:
        raise InvalidQuery(path, "required, a string that is not empty")
    if len(text) > MAX_REF_CHARS:
        raise InvalidQuery(path, f"longer than {MAX_REF_CHARS} characters")
    return text


def last_step(path: str) -> str:
    """The bare name at the end of a path; what consists of slashes alone is its own name."""
    return path.rstrip("/").rpartition("/")[2] or path


def short_text(value: object) -> str | None:
    """Text of a strange field, cut to the length that versions and environments may have."""
    text = as_text(value)
    return text[:MAX_TEXT_CHARS] if text else None


def summary_text(value: object) -> str | None:
    """Text of a strange field, cut to the length that summaries may have."""
    text = as_text(value)
    return text[:MAX_SUMMARY_CHARS] if text else None


def link(*values: object) -> str | None:
    """The first of some fields that is a web address. Others (``javascript:``) must never become a link on a page."""
    for value in values:
        text = as_text(value) or ""
        if text.startswith(("https://", "http://")) and len(text) <= MAX_LINK_CHARS:
            return text
    return None
