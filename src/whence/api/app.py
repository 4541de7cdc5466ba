"""The API as an ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from fastapi import FastAPI

from whence.accepted import Tokens
from whence.api import (
    catalogue,
    changes,
    check,
    declarations,
    downstream,
    entities,
    errors,
    evidence,
    exports,
    feedback,
    graph,
    health,
    incidents,
    investigations,
    kpis,
    lineage,
    policies,
    postmortems,
    problems,
    products,
    similar,
    trust,
    undeclared,
    webhooks,
)
from whence.api.agents import agents_route
from whence.api.audit import Audit, AuditLog
from whence.api.body import BodyLimit
from whence.api.context import Context
from whence.metrics import IngestStatus
from whence.settings import Settings
from whence.store.protocol import Store
from whence.ui import page_routes

_NOUNS = (
    catalogue,
    changes,
    check,
    declarations,
    downstream,
    entities,
    evidence,
    exports,
    feedback,
    graph,
    health,
    incidents,
    investigations,
    kpis,
    lineage,
    policies,
    postmortems,
    problems,
    products,
    similar,
    trust,
    undeclared,
    webhooks,
)


def create_app(
    *,
    store: Store,
    settings: Settings,
    ingest: IngestStatus | None,
    clock: Callable[[], int],
    tokens: Tokens | None = None,
) -> FastAPI:
    """The API and the pages over an open store; the caller opens and closes the store.

    Args:
        store: Read by all routes, written by changes, lineage events and answers.
        settings: Limits, bucket width, secrets, and the tokens where none are given.
        ingest: Readiness and counters of the receivers beside the API, if there are any.
        clock: UTC nanoseconds since the epoch.
        tokens: Those that open this store, if they are not all.

    Raises:
        ConfigError: A secret for webhooks would never be used, the template of postmortems or the mappings of alerts
            can't be, or the file of tokens or of the audit log can't be opened.
    """
    webhooks.check_secrets(settings)
    postmortems.check_settings(settings)
    app = FastAPI(title="whence", version=version("whence"), docs_url=None, redoc_url=None, responses=errors.RESPONSES)
    mappings = webhooks.read_mappings(settings)
    app.state.context = Context(
        store, settings, settings.accepted_tokens() if tokens is None else tokens, ingest, clock, mappings
    )
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    if settings.audit_log is not None:
        app.add_middleware(Audit, log=AuditLog(settings.audit_log))
    errors.install(app)
    for noun in _NOUNS:
        app.include_router(noun.router)
    app.router.routes.append(agents_route(app, app.state.context))
    app.router.routes.extend(page_routes(app))
    return app
