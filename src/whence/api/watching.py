"""What the service does by itself: it asks again while evidence ripens, and fetches declarations."""

from __future__ import annotations

import asyncio
import logging

from whence.api.answering import ripen
from whence.api.context import Context
from whence.api.remote import refresh
from whence.errors import WhenceError

EVERY_S = 15.0

_log = logging.getLogger(__name__)


async def watch(context: Context) -> None:
    """Look after young incidents until cancelled; a store that is down is no reason to stop."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await ripen(context)
        except WhenceError as error:
            _log.warning("could not look after incidents: %s", error)


async def fetch_declarations(context: Context) -> None:
    """Fetch what the settings name, again and again until cancelled; a store that is down is no reason to stop."""
    while True:
        try:
            await refresh(context)
        except WhenceError as error:
            _log.warning("could not keep fetched declarations: %s", error)
        await asyncio.sleep(context.settings.declaration_seconds)
