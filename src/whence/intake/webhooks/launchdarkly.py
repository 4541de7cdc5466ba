"""LaunchDarkly: entries of its audit log that change which variation of a flag is served, one change an environment.

Deliveries come in any order; the date in the entry counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from whence.errors import InvalidQuery
from whence.intake.fields import Json, as_count, as_list, as_map, as_text
from whence.intake.webhooks.delivery import (
    Delivery,
    Receipt,
    change_id,
    json_object,
    link,
    recorded,
    required_name,
    short_text,
    summary_text,
)
from whence.model.change import Change
from whence.model.environments import environment_name
from whence.model.kinds import ChangeKind

SOURCE = "launchdarkly"

_FLAG = re.compile(r"proj/[^:;]+(?:;[^:]*)?:env/([^:;]+)(?:;[^:]*)?:flag/([^:;]+)")
_EVERYWHERE = "*"
_WORDS_ONLY = frozenset(
    {
        "updateName",
        "updateDescription",
        "updateTags",
        "updateMaintainer",
        "updateTemporary",
        "updateFlagCustomProperties",
        "updateVariationDescriptions",
    }
)
"""What is done to a flag without changing what anybody is served."""
_NS_PER_MS = 1_000_000
_LAST_MS = 9_000_000_000_000
"""In the year 2255: later ones are no dates, and would not fit into 64 bits of nanoseconds."""


def read(delivery: Delivery) -> Receipt:
    """The changes of a flag that an entry tells of.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field is missing or has a bad value.
    """
    entry = json_object(delivery.body)
    kind = required_name(entry, "kind", "")
    places = _places(as_list(entry.get("accesses")))
    if not places:
        return Receipt(kind, ignored="no flag was changed in what it serves")
    return recorded(kind, *(_change(entry, environment, flag, delivery) for environment, flag in places))


def _places(accesses: Sequence[object]) -> list[tuple[str, str]]:
    """Environment and key of each flag that serves something else now, each once."""
    found: dict[tuple[str, str], None] = {}
    for access in map(as_map, accesses):
        match = _FLAG.match(as_text(access.get("resource")) or "")
        if match and access.get("action") not in _WORDS_ONLY:
            found[match[1], match[2]] = None
    return list(found)


def _change(entry: Json, environment: str, flag: str, delivery: Delivery) -> Change:
    at_ns = _date_ns(entry)
    is_everywhere = environment == _EVERYWHERE
    verb = as_text(entry.get("titleVerb")) or "changed"
    return Change(
        id=change_id(SOURCE, required_name(entry, "_id", ""), environment, flag),
        kind=ChangeKind.FLAG,
        subject=flag,
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        environment="" if is_everywhere else environment_name(short_text(environment)),
        actor=short_text(as_map(entry.get("member")).get("email")),
        url=link(as_map(as_map(entry.get("_links")).get("site")).get("href")),
        summary=summary_text(f"{verb} {as_text(entry.get('name')) or flag}"),
        source=SOURCE,
    )


def _date_ns(entry: Json) -> int:
    """``date`` is in milliseconds since the epoch."""
    date = as_count(entry.get("date"))
    if date is None or date > _LAST_MS:
        raise InvalidQuery("date", "required, milliseconds since 1970")
    return date * _NS_PER_MS
