"""Real payloads of webhooks, and deliveries made from them."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whence.intake.webhooks import Delivery
from whence.model.times import NS_PER_SECOND, parse_time_ns

FIXTURES = Path(__file__).parent / "fixtures" / "webhooks"
NOW_NS = parse_time_ns("2026-11-24T00:21:00Z", now_ns=0)
NOW_S = NOW_NS // NS_PER_SECOND


def payload(name: str) -> dict[str, Any]:
    """A payload by source and name, such as ``github/release``."""
    loaded: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_bytes())
    return loaded


def delivery(body: object, headers: Mapping[str, str] | None = None, *, registry: str = "") -> Delivery:
    """A delivery of anything that JSON can say, or of raw bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery({name.lower(): value for name, value in (headers or {}).items()}, raw, NOW_NS, registry)


def github_signature(body: bytes, secret: str) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()}


def mlflow_signature(body: bytes, secret: str, *, signed_at_s: int = NOW_S) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), f"delivery-1.{signed_at_s}.".encode() + body, "sha256")
    return {
        "X-MLflow-Delivery-Id": "delivery-1",
        "X-MLflow-Timestamp": str(signed_at_s),
        "X-MLflow-Signature": "v1," + base64.b64encode(digest).decode(),
    }
