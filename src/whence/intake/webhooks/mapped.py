"""Alerts in the JSON of a tool that is not known here, as the operator's file says how to read them.

::

    zabbix:                       # POST /api/v1/webhooks/alert?mapping=zabbix
      alerts: body.problems       # a list of alerts in one delivery; left out, the body is one alert
      id: alert.eventid
      status: 'alert.value == "1" ? "firing" : "resolved"'
      title: alert.name
      entity: alert.host

Each line is a field of ``generic`` and an expression (CEL, as in policies) over ``body`` and ``alert``. A field that
the sender left out counts as absent; a number where a time is meant is one of Unix, in seconds or milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import cel

from whence.errors import InvalidQuery
from whence.intake.webhooks import generic
from whence.intake.webhooks.delivery import Delivery, Receipt, json_object
from whence.model.alert import Alert

_LIST = "alerts"
_NAMES = frozenset({"body", "alert"})
_TIMES = frozenset({"started_at", "ended_at"})
_REQUIRED = ("id", "status", "title")
_FIRST_MILLISECONDS = 1e11
"""Seconds would be in the year 5138."""
MOST_ALERTS = 1_000


class AlertMapping:
    """How one tool's deliveries are read; expressions are compiled once."""

    def __init__(self, name: str, expressions: Mapping[str, str]) -> None:
        """Compile.

        Raises:
            ValueError: A field is unknown or missing, or an expression does not parse or names something unknown.
        """
        self.source = f"{generic.SOURCE}/{name}"
        unknown = sorted(expressions.keys() - {*generic.FIELDS, _LIST})
        missing = [field for field in _REQUIRED if field not in expressions]
        if unknown:
            raise ValueError(f"{name}: there is no field {unknown[0]}; there are {', '.join((_LIST, *generic.FIELDS))}")
        if missing:
            raise ValueError(f"{name}: {missing[0]} is missing")
        self._programs = {field: _compiled(f"{name}.{field}", text) for field, text in expressions.items()}

    def read(self, delivery: Delivery) -> Receipt:
        """The alerts.

        Raises:
            DecodeError: The body is not a JSON object.
            InvalidQuery: An expression fails on it, or a field is missing or has a bad value.
        """
        body = json_object(delivery.body)
        listed = self._value(_LIST, {"body": body, "alert": body}) if _LIST in self._programs else [body]
        if not isinstance(listed, list) or not listed:
            raise InvalidQuery(_LIST, "expected a list that is not empty")
        alerts = tuple(self._alert(body, one, delivery.now_ns) for one in listed[:MOST_ALERTS])
        return Receipt("firing" if any(one.is_firing for one in alerts) else "resolved", alerts=alerts)

    def _alert(self, body: Any, alert: Any, now_ns: int) -> Alert:
        facts = {"body": body, "alert": alert}
        fields = {field: self._value(field, facts) for field in self._programs if field != _LIST}
        return generic.alert_of(fields, self.source, now_ns=now_ns)

    def _value(self, field: str, facts: Mapping[str, Any]) -> Any:
        try:
            found = self._programs[field].execute(dict(facts))
        except (KeyError, IndexError):
            return None
        except (RuntimeError, ValueError, TypeError) as error:
            raise InvalidQuery(field, " ".join(str(error).split())[:300]) from None
        return _as_time(field, found) if field in _TIMES else found


def _compiled(place: str, text: str) -> Any:
    try:
        program = cel.compile(text)
    except ValueError as error:
        raise ValueError(f"{place}: {' '.join(str(error).split())[:300]}") from None
    unknown = sorted(set(program.variables()) - _NAMES)
    if unknown:
        raise ValueError(f"{place}: unknown name {unknown[0]}; there are {', '.join(sorted(_NAMES))}")
    return program


def _as_time(field: str, found: Any) -> Any:
    """Text as it is, a number or a time of CEL as text."""
    if isinstance(found, datetime):
        return found.astimezone(UTC).isoformat()
    if isinstance(found, bool) or not isinstance(found, int | float):
        return found
    try:
        return datetime.fromtimestamp(found / 1000 if found >= _FIRST_MILLISECONDS else found, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        raise InvalidQuery(field, f"{found} is no Unix time") from None
