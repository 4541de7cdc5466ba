"""Reading JSON that strangers wrote: the value if it has the wanted type, else a neutral one or a named error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whence.errors import InvalidQuery
from whence.model.times import NS_PER_SECOND, parse_time_ns

_LAST_NS = 253_402_300_799 * NS_PER_SECOND

Json = Mapping[str, Any]
MAX_VALUE_CHARS = 1024
"""Of what is known of an entity under one name."""


def as_map(value: object) -> Json:
    """A JSON object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """A JSON array; empty for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str | None:
    """A non-empty string, or a number as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value) or None


def as_number(value: object) -> float | None:
    """A number, not a boolean."""
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def as_count(value: object) -> int | None:
    """A number that is a whole count, such as rows; None when negative."""
    number = as_number(value)
    return int(number) if number is not None and 0 <= number < 2**63 else None


def required_text(record: Json, field: str, place: str) -> str:
    """A string that must be there; ``place`` is the path to the record, for the error."""
    value = record.get(field)
    if not isinstance(value, str) or not value:
        raise InvalidQuery(f"{place}.{field}" if place else field, "required, a string that is not empty")
    return value


def instant_ns(field: str, text: str, *, now_ns: int) -> int:
    """A time as the caller wrote it, absolute or relative, in UTC nanoseconds.

    Raises:
        InvalidQuery: It is no time, or none between 1970 and 9999.
    """
    try:
        moment = parse_time_ns(text, now_ns=now_ns)
    except ValueError as error:
        raise InvalidQuery(field, str(error)) from None
    if not 0 <= moment <= _LAST_NS:
        raise InvalidQuery(field, f"{text[:60]!r} is outside the years 1970 to 9999")
    return moment
