"""``change``: report a change to the server from code that makes it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from uuid import uuid4

from whence.sdk.guard import guarded
from whence.sdk.sender import send

_DETAILS = frozenset({"id", "environment", "effective_at", "finished_at", "actor", "url", "summary"})


@guarded
def change(
    subject: str, *, kind: str, from_: str | None = None, to: str | None = None, **details: str | datetime | None
) -> str:
    """Tell the server that something changed. Returns at once; a background thread posts it.

    Args:
        subject: A reference (``otel://shop#ranker``), or a name that is unique.
        kind: deployment, model, dataset, schema, config, flag, infrastructure or other.
        from_: The version before.
        to: The version after.
        details: ``id``, ``environment``, ``effective_at`` (default: now), ``finished_at``, ``actor``, ``url``,
            ``summary``. Times are datetimes with a zone, or RFC 3339.

    Returns:
        The change's id. Report again under the same id to correct it or to say when it finished.
    """
    unknown = details.keys() - _DETAILS
    if unknown:
        raise TypeError(f"change() got an unexpected keyword argument {min(unknown)!r}")
    body = {
        "id": uuid4().hex,
        "effective_at": datetime.now(UTC),
        **{name: value for name, value in details.items() if value is not None},
        "kind": kind,
        "subject": subject,
        "from": from_,
        "to": to,
    }
    address = os.environ.get("WHENCE_URL", "http://127.0.0.1:8484").rstrip("/")
    send(
        f"{address}/api/v1/changes",
        json.dumps(body, default=datetime.isoformat).encode(),
        os.environ.get("WHENCE_TOKEN"),
    )
    return str(body["id"])
