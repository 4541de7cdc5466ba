"""Records of topics as the deltas that the routes would have made of them."""

from __future__ import annotations

import json

from pydantic import TypeAdapter, ValidationError

from whence.api.changes import change_of
from whence.errors import DecodeError
from whence.intake.changes import ChangeReport
from whence.intake.openlineage import event_delta
from whence.model.delta import GraphDelta
from whence.store.protocol import GraphReader

_reports = TypeAdapter(ChangeReport | list[ChangeReport])


async def lineage_record(body: bytes, now_ns: int) -> GraphDelta:
    """One OpenLineage event, as its Kafka transport writes it.

    Raises:
        InputError: It is none.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not JSON: {error}") from None
    if not isinstance(event, dict):
        raise DecodeError("an event is a JSON object")
    return event_delta(event, now_ns=now_ns)


async def change_record(reader: GraphReader, body: bytes, now_ns: int) -> GraphDelta:
    """One change report or a list of them, in the form of ``POST /api/v1/changes``.

    Raises:
        InputError: It is none, or what it names is not clear.
        StoreError: The store can't say what a name means.
    """
    try:
        found = _reports.validate_json(body)
    except ValidationError as error:
        raise DecodeError(f"no change report: {error.errors(include_input=False, include_url=False)[0]}") from None
    reports = [found] if isinstance(found, ChangeReport) else found
    changes = [await change_of(reader, report, now_ns, source="kafka") for report in reports]
    return GraphDelta(changes={change.id: change for change in changes})
