"""Webhooks in: one address for each source that is known.

Who signs needs no token: the secret of its source proves the same. Without a secret a delivery is taken only where the
whole service is open (no tokens, so loopback), and the answer says that nobody vouched for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import yaml
from fastapi import APIRouter, BackgroundTasks, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from typing_extensions import TypedDict

from whence.api import incident_store
from whence.api.access import Bearer, check_token
from whence.api.answering import answer_alert
from whence.api.context import Context, Ctx
from whence.errors import AccessDenied, BadSignature, ConfigError, NotFound
from whence.intake.webhooks import SOURCES, Delivery, Receipt, generic
from whence.intake.webhooks.mapped import AlertMapping
from whence.settings import Settings
from whence.tokens import Scope

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])


class DeliveryJson(TypedDict):
    """What became of a delivery."""

    source: str
    event: str
    """In the words of the source."""
    changes: list[str]
    """Ids of the changes that it told of."""
    entities: list[str]
    """Keys of the entities and versions that it told of."""
    incidents: list[str]
    """Ids of the incidents that it opened or moved."""
    ignored: str | None
    """Why nothing was kept; null when something was."""
    verified: bool
    """Whether a signature or a token vouched for it."""
    warning: str | None
    """What to set so that the next one is verified."""


def check_secrets(settings: Settings) -> None:
    """Refuse secrets that would never be used.

    Raises:
        ConfigError: One is for a source that is not known, or that signs nothing.
    """
    signing = sorted(name for name, source in SOURCES.items() if source.verify is not None)
    strangers = sorted(set(settings.parsed_webhook_secrets) - set(signing))
    if strangers:
        raise ConfigError(f"WHENCE_WEBHOOK_SECRETS: {strangers[0]} is no source that signs; {', '.join(signing)} are")


def read_mappings(settings: Settings) -> dict[str, AlertMapping]:
    """How alerts of tools that are not known are read, by name.

    Raises:
        ConfigError: The file can't be read, or says something that can't be.
    """
    path = settings.alert_mappings
    if path is None:
        return {}
    try:
        stated = yaml.safe_load(path.read_text())
        if not isinstance(stated, dict) or not all(isinstance(one, dict) for one in stated.values()):
            raise ValueError("expected a name for each tool, and its fields below it")
        texts = {str(name): {str(key): str(text) for key, text in one.items()} for name, one in stated.items()}
        return {name: AlertMapping(name, one) for name, one in texts.items()}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"WHENCE_ALERT_MAPPINGS: {path}: {error}") from None


def _reader(context: Context, source: str, mapping: str | None) -> Callable[[Delivery], Receipt]:
    if mapping is None:
        return SOURCES[source].read
    if source != generic.SOURCE or mapping not in context.mappings:
        known = ", ".join(sorted(context.mappings)) or "none, see WHENCE_ALERT_MAPPINGS"
        raise NotFound(f"there is no mapping {mapping[:100]!r} for {source}; mappings for {generic.SOURCE}: {known}")
    return context.mappings[mapping].read


_ANY_JSON = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_NOTHING_KEPT = {"model": DeliveryJson, "description": "Taken, but it tells of no change."}


@router.post("/{source}", status_code=201, responses={202: _NOTHING_KEPT}, openapi_extra=_ANY_JSON)
async def take_delivery(
    source: str,
    request: Request,
    response: Response,
    context: Ctx,
    bearer: Bearer,
    background: BackgroundTasks,
    *,
    mapping: str | None = None,
) -> DeliveryJson:
    """Take one delivery as its source sends it; durable once answered, and taking it twice changes nothing.

    201 when something of it was recorded, 202 when it is no change, with the reason. What alerts open is investigated
    at once, after the answer: some senders wait for a few seconds only. ``mapping`` names how the operator lets alerts
    of a tool that is not known be read.
    """
    if source not in SOURCES:
        raise NotFound(f"there is no webhook source {source[:100]!r}; known: {', '.join(sorted(SOURCES))}")
    read = _reader(context, source, mapping)
    delivery = Delivery(dict(request.headers), await request.body(), context.clock(), context.settings.mlflow_registry)
    is_verified = _admit(context, source, delivery, bearer)
    receipt = read(delivery)
    incidents: tuple[str, ...] = ()
    if receipt.ignored is not None:
        response.status_code = 202
    elif receipt.alerts:
        incidents = await incident_store.take_alerts(context, receipt.alerts)
        for incident_id in incidents:
            background.add_task(answer_alert, context, incident_id)
    else:
        await context.store.upsert(receipt.delta)
    return {
        "source": source,
        "event": receipt.event,
        "changes": sorted(receipt.delta.changes),
        "entities": sorted(receipt.delta.entities),
        "incidents": list(incidents),
        "ignored": receipt.ignored,
        "verified": is_verified,
        "warning": None if is_verified else _warning(source),
    }


def _admit(context: Context, source: str, delivery: Delivery, bearer: HTTPAuthorizationCredentials | None) -> bool:
    """Whether somebody vouched for the delivery; False only where the whole service is open.

    Raises:
        AccessDenied: Nobody did, and it is counted.
    """
    try:
        return _verify(context, source, delivery, bearer)
    except AccessDenied as error:
        reason = error.reason if isinstance(error, BadSignature) else "token"
        context.rejections[source, reason] += 1
        raise


def _verify(context: Context, source: str, delivery: Delivery, bearer: HTTPAuthorizationCredentials | None) -> bool:
    known = SOURCES[source]
    secrets = context.settings.parsed_webhook_secrets.get(source, ())
    if known.verify is not None and secrets:
        _verify_any(known.verify, delivery, secrets)
        return True
    if known.verify is None or known.may_sign:
        check_token(context, bearer, Scope.INGEST)
        return bool(context.tokens)
    if context.tokens:
        raise BadSignature("no_secret", _warning(source))
    return False


def _verify_any(verify: Callable[[Delivery, bytes], None], delivery: Delivery, secrets: Sequence[bytes]) -> None:
    """One of the secrets has to fit: while they are rotated, a source has the old one and the new one.

    Raises:
        BadSignature: What the last of them was refused for.
    """
    for secret in secrets[:-1]:
        with contextlib.suppress(BadSignature):
            verify(delivery, secret)
            return
    verify(delivery, secrets[-1])


def _warning(source: str) -> str:
    if SOURCES[source].verify is None or SOURCES[source].may_sign:
        return "no token is set, so nobody can tell who sent this: set WHENCE_TOKENS"
    return (
        f"no secret is set for {source}, so nobody can tell who sent this: set WHENCE_WEBHOOK_SECRETS={source}:<secret>"
    )
