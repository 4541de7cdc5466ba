"""Proof that a delivery comes from who holds the secret: HMAC-SHA256 or the secret itself, in constant time."""

from __future__ import annotations

import base64
import hmac

from whence.errors import BadSignature, DecodeError
from whence.intake.fields import as_text
from whence.intake.webhooks.delivery import Delivery, json_object
from whence.model.times import NS_PER_SECOND

MAX_AGE_SECONDS = 300
"""How far the clock of a signed delivery may be from ours, either way; beyond it the delivery may be a replayed one."""


def verify_github(delivery: Delivery, secret: bytes) -> None:
    """Check ``X-Hub-Signature-256``, which covers the body alone: GitHub's deliveries don't age.

    Raises:
        BadSignature: It is missing or wrong.
    """
    given = _header(delivery, "X-Hub-Signature-256")
    _compare(given, "sha256=" + hmac.new(secret, delivery.body, "sha256").hexdigest())


def verify_mlflow(delivery: Delivery, secret: bytes) -> None:
    """Check ``X-MLflow-Signature``, which covers ``<delivery id>.<timestamp>.<body>``.

    Raises:
        BadSignature: It or what it covers is missing, it is wrong, or it was made more than 5 minutes from now.
    """
    given = _header(delivery, "X-MLflow-Signature")
    delivery_id = _header(delivery, "X-MLflow-Delivery-Id")
    timestamp = _header(delivery, "X-MLflow-Timestamp")
    signed = b".".join((delivery_id.encode(), timestamp.encode(), delivery.body))
    _compare(given, "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode())
    _check_age(timestamp, delivery.now_ns)


def verify_pagerduty(delivery: Delivery, secret: bytes) -> None:
    """Check ``X-PagerDuty-Signature``, which covers the body and lists one signature for each secret in use.

    Raises:
        BadSignature: It is missing, or none of them is right.
    """
    given = _header(delivery, "X-PagerDuty-Signature")
    expected = "v1=" + hmac.new(secret, delivery.body, "sha256").hexdigest()
    matching = [one for one in given.split(",") if hmac.compare_digest(one.strip().encode(), expected.encode())]
    _compare(matching[0].strip() if matching else given, expected)


def verify_gitlab(delivery: Delivery, secret: bytes) -> None:
    """Check ``X-Gitlab-Token``, which is the secret itself.

    Raises:
        BadSignature: It is missing or wrong.
    """
    _compare(_header(delivery, "X-Gitlab-Token"), secret.decode())


def verify_flux(delivery: Delivery, secret: bytes) -> None:
    """Check ``X-Signature`` of the provider ``generic-hmac``, which covers the body.

    Raises:
        BadSignature: It is missing or wrong.
    """
    given = _header(delivery, "X-Signature")
    _compare(given, "sha256=" + hmac.new(secret, delivery.body, "sha256").hexdigest())


def verify_launchdarkly(delivery: Delivery, secret: bytes) -> None:
    """Check ``X-LD-Signature``, which covers the body.

    Raises:
        BadSignature: It is missing or wrong.
    """
    given = _header(delivery, "X-LD-Signature")
    _compare(given, hmac.new(secret, delivery.body, "sha256").hexdigest())


def verify_routing_key(delivery: Delivery, secret: bytes) -> None:
    """Check ``routing_key`` in the body: senders of PagerDuty's change events know it and sign nothing.

    Raises:
        BadSignature: It is missing or wrong.
    """
    try:
        given = as_text(json_object(delivery.body).get("routing_key"))
    except DecodeError:
        given = None
    if given is None:
        raise BadSignature("missing", "the body holds no routing_key")
    _compare(given, secret.decode())


def _header(delivery: Delivery, name: str) -> str:
    value = delivery.headers.get(name.lower())
    if not value:
        raise BadSignature("missing", f"the header {name} is missing")
    return value


def _compare(given: str, expected: str) -> None:
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise BadSignature("wrong", "the signature does not fit the body and the secret")


def _check_age(timestamp: str, now_ns: int) -> None:
    """``timestamp`` is in Unix seconds."""
    try:
        age_seconds = now_ns // NS_PER_SECOND - int(timestamp)
    except ValueError:
        raise BadSignature("stale", "the timestamp is not a number of seconds") from None
    if abs(age_seconds) > MAX_AGE_SECONDS:
        raise BadSignature("stale", f"it was signed {age_seconds} s ago, at most {MAX_AGE_SECONDS} s are allowed")
