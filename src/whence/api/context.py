"""What every route needs, made once by ``main`` and handed down; routes hold no state of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from whence.accepted import Tokens
from whence.api.outbox import Outbox
from whence.intake.webhooks.mapped import AlertMapping
from whence.metrics import IngestStatus
from whence.settings import Settings
from whence.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Context:
    """The running service, as the API sees it."""

    store: Store
    settings: Settings
    tokens: Tokens
    ingest: IngestStatus | None
    """None where no receivers run beside the API."""
    clock: Callable[[], int]
    """UTC nanoseconds since the epoch."""
    mappings: Mapping[str, AlertMapping] = field(default_factory=dict)
    """How alerts of tools that are not known are read, by name."""
    rejections: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Deliveries of webhooks that were turned away since the start, by source and reason."""
    outbox: Outbox = field(default_factory=Outbox)
    """Answers that are on their way to others."""


def _context(request: Request) -> Context:
    return cast("Context", request.app.state.context)


Ctx = Annotated[Context, Depends(_context)]
