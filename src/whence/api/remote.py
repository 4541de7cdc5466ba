"""Declarations that are fetched from addresses of the settings: what each states replaces what it stated before.

What can't be fetched or read keeps what it stated, and says what is wrong; an address that left the settings takes all
that it stated along.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import httpx

from whence.api.context import Context
from whence.api.fetching import Fetched, fetch
from whence.api.imports import KIND, Import, Kept, read_imports, stated, to_document
from whence.declare.statements import Statements

_DIGITS = 12


async def refresh(context: Context) -> None:
    """Fetch every address once, and forget those that are configured no more."""
    addresses = context.settings.parsed_declaration_urls
    kept = {one.name: one for one in await read_imports(context.store)}
    shown = {name: _shown(address) for name, address in addresses.items()}
    for name, one in kept.items():
        if one.content.url and one.content.url != shown.get(name):
            await context.store.delete(KIND, name)
    for name, address in addresses.items():
        present = kept.get(name)
        before = present if present is not None and present.content.url == shown[name] else None
        etag = before.content.etag if before is not None else ""
        fetched = await fetch(address, etag, addresses.values())
        after = _after(name, address, before, fetched, context.clock())
        if after != before:
            await context.store.save(to_document(after))


def _after(name: str, address: str, before: Kept | None, fetched: Fetched, now_ns: int) -> Kept:
    """The import as it is after a fetch; equal to the one before where nothing changed."""
    base = before or Kept(name, now_ns, Import("", (), Statements(), _shown(address)))
    if fetched.text is None:
        return base._replace(content=base.content._replace(problem=fetched.problem))
    revision = hashlib.sha256(fetched.text.encode()).hexdigest()[:_DIGITS]
    if revision == base.content.revision:
        return base._replace(content=base.content._replace(etag=fetched.etag, problem=""))
    path = PurePosixPath(urlsplit(address).path).name or name
    files, statements = stated({path: fetched.text})
    unreadable = next(
        (one.problem for one in files if one.problem), "" if files else "of no format that states anything"
    )
    if unreadable:
        return base._replace(content=base.content._replace(problem=unreadable))
    return Kept(name, now_ns, Import(revision, files, statements, _shown(address), fetched.etag))


def _shown(address: str) -> str:
    """An address without what may be secret in it."""
    return str(httpx.URL(address).copy_with(userinfo=b"", query=None))
