"""``may_use``: asks, before a model or dataset is loaded, whether a policy in force forbids its use here."""

from __future__ import annotations

import json
import logging
import os
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

from whence.sdk.guard import lose
from whence.sdk.resource import process_resource

_TIMEOUT_SECONDS = 2.0
_ENVIRONMENTS = ("deployment.environment.name", "deployment.environment")

_logger = logging.getLogger("whence")


class UseForbidden(Exception):
    """A policy in force forbids a use that was asked for with ``refuse=True``."""


def may_use(ref: str, *, refuse: bool = False, dependent: str | None = None, environment: str | None = None) -> bool:
    """Whether no policy in force forbids that this service uses one version of a model or dataset.

    Waits for the server, two seconds at most. Where it can't be asked, the use is allowed, and that is counted: a
    guard that stops the shop when the guard is asleep would soon be switched off.

    Args:
        ref: What is about to be loaded, with its version.
        refuse: Raise instead of warning.
        dependent: Who is about to load it; this process's service when absent.
        environment: Where; this process's when absent.

    Raises:
        UseForbidden: It is forbidden, and ``refuse`` was asked for.
    """
    try:
        broken = _ask(ref, dependent or _service(), environment or _environment())
    except (OSError, HTTPException, ValueError, LookupError) as error:
        lose("a question whether a use is forbidden", error)
        return True
    if not broken:
        return True
    text = "; ".join(f"{one['policy']}: {' -> '.join(one['path'])}" for one in broken)
    if refuse:
        raise UseForbidden(f"{ref} must not be used here: {text}")
    _logger.warning("whence: %s must not be used here: %s", ref, text)
    return False


def _ask(ref: str, dependent: str, environment: str) -> list[dict[str, Any]]:
    address = os.environ.get("WHENCE_URL", "http://127.0.0.1:8484").rstrip("/")
    query = f"?{urlencode({'environment': environment})}" if environment else ""
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("WHENCE_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps({"dependent": dependent, "uses": [ref], "only_uses": True}).encode()
    # Our own question is no part of what the application does.
    silence = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        # The operator chose the address; a scheme that urllib can open is as safe as any.
        request = Request(f"{address}/api/v1/policies/check{query}", body, headers)  # noqa: S310
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as reply:  # noqa: S310
            found = json.load(reply)["items"]
    finally:
        detach(silence)
    return [one for one in found if one["enforce"]]


def _service() -> str:
    attributes = process_resource().attributes
    return f"otel://{attributes.get('service.namespace', '')}#{attributes.get('service.name', '')}"


def _environment() -> str:
    attributes = process_resource().attributes
    return str(next((attributes[name] for name in _ENVIRONMENTS if name in attributes), ""))
