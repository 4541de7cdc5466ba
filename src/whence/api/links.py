"""Links out: addresses of the operator's other tools, made of the templates in ``WHENCE_LINKS``."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from typing_extensions import TypedDict

from whence.model.refs import parse_ref
from whence.model.times import NS_PER_SECOND, format_time
from whence.settings import LINK_FIELDS, Settings

AROUND_NS = 900 * NS_PER_SECOND
"""Shown before and after what happened."""


class LinkJson(TypedDict):
    """Where else to look."""

    name: str
    url: str


def links_of(
    settings: Settings, entity: str | None, from_ns: int, to_ns: int, environment: str | None = None
) -> list[LinkJson]:
    """Links for a thing and a time; only those for which everything is known that they name."""
    return _filled(settings, _about(entity) | _during(from_ns, to_ns) | {"environment": environment})


def links_of_traces(
    settings: Settings, traces: Iterable[str], from_ns: int, to_ns: int, environment: str | None
) -> list[LinkJson]:
    """Links for traces: of each template that names a trace, one for each of them."""
    known = _during(from_ns, to_ns) | {"environment": environment}
    about_traces = [one for one in settings.parsed_links if "{trace_id}" in one[1]]
    return [link for trace in traces for link in _filled(settings, known | {"trace_id": trace}, about_traces)]


def _about(entity: str | None) -> dict[str, str | None]:
    if entity is None:
        return {}
    ref = parse_ref(entity)
    return {"entity": str(ref.base), "namespace": ref.namespace.partition("://")[2], "name": ref.name}


def _during(from_ns: int, to_ns: int) -> dict[str, str | None]:
    begin_ns, end_ns = max(0, from_ns - AROUND_NS), to_ns + AROUND_NS
    return {
        "from_ms": str(begin_ns // 1_000_000),
        "to_ms": str(end_ns // 1_000_000),
        "from": format_time(begin_ns),
        "to": format_time(end_ns),
    }


def _filled(
    settings: Settings, known: dict[str, str | None], templates: Iterable[tuple[str, str]] | None = None
) -> list[LinkJson]:
    """What strangers wrote is percent-encoded: it can't change where a link leads."""
    values = {field: quote(known.get(field) or "", safe="") for field in LINK_FIELDS}
    found: list[LinkJson] = []
    for name, template in settings.parsed_links if templates is None else templates:
        if all(values[field] for field in LINK_FIELDS if f"{{{field}}}" in template):
            url = template
            for field, value in values.items():
                url = url.replace(f"{{{field}}}", value)
            found.append({"name": name, "url": url})
    return found
