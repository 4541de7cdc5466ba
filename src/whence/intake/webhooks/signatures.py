"""Proof that a delivery comes from who holds the secret: HMAC-SHA256 or the secret itself, in constant time."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

from whence.errors import BadSignature, DecodeError
from whence.intake.fields import as_text
from whence.intake.webhooks.delivery import Delivery, json_object
from whence.model.times import NS_PER_SECOND

MAX_AGE_SECONDS = 300
"""How far the clock of a signed delivery may be from ours, either way; beyond it the delivery may be a replayed one."""
_STANDARD_PREFIX = b"whsec_"


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
    _compare_any([one.strip() for one in given.split(",")], expected)


def verify_grafana(delivery: Delivery, secret: bytes) -> None:
    """Check ``X-Grafana-Alerting-Signature``, which covers the body, or ``<timestamp>:<body>`` where Grafana sends one.

    Grafana lets the operator name the header of the timestamp; it is read from ``X-Grafana-Alerting-Timestamp``.

    Raises:
        BadSignature: It is missing or wrong, or it was made more than 5 minutes from now.
    """
    given = _header(delivery, "X-Grafana-Alerting-Signature")
    timestamp = delivery.headers.get("x-grafana-alerting-timestamp")
    signed = f"{timestamp}:".encode() + delivery.body if timestamp else delivery.body
    _compare(given, hmac.new(secret, signed, "sha256").hexdigest())
    if timestamp:
        _check_age(timestamp, delivery.now_ns)


def verify_generic(delivery: Delivery, secret: bytes) -> None:
    """Check a signature of Standard Webhooks, else ``X-Signature`` or ``X-Hub-Signature-256`` over the body alone.

    Standard Webhooks sign ``<webhook-id>.<webhook-timestamp>.<body>``; a secret that begins with ``whsec_`` is
    base64, as they write it.

    Raises:
        BadSignature: It or what it covers is missing, none of it is right, or it was made more than 5 minutes from now.
    """
    if "webhook-signature" in delivery.headers:
        _verify_standard(delivery, secret)
        return
    given = delivery.headers.get("x-signature") or delivery.headers.get("x-hub-signature-256")
    if not given:
        raise BadSignature(
            "missing", "one of the headers Webhook-Signature, X-Signature, X-Hub-Signature-256 must sign"
        )
    _compare(given, "sha256=" + hmac.new(secret, delivery.body, "sha256").hexdigest())


def _verify_standard(delivery: Delivery, secret: bytes) -> None:
    timestamp = _header(delivery, "Webhook-Timestamp")
    signed = b".".join((_header(delivery, "Webhook-Id").encode(), timestamp.encode(), delivery.body))
    expected = "v1," + base64.b64encode(hmac.digest(_standard_key(secret), signed, "sha256")).decode()
    given = delivery.headers["webhook-signature"].split()
    _compare_any(given, expected)
    _check_age(timestamp, delivery.now_ns)


def _standard_key(secret: bytes) -> bytes:
    if not secret.startswith(_STANDARD_PREFIX):
        return secret
    try:
        return base64.b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True)
    except ValueError:
        return secret


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
    _compare_any([given], expected)


def _compare_any(given: Sequence[str], expected: str) -> None:
    """Whether one of several is right; all are looked at, so that the time taken does not tell which."""
    if not sum(hmac.compare_digest(one.encode(), expected.encode()) for one in given):
        raise BadSignature("wrong", "the signature does not fit the body and the secret")


def _check_age(timestamp: str, now_ns: int) -> None:
    """``timestamp`` is in Unix seconds."""
    try:
        age_seconds = now_ns // NS_PER_SECOND - int(timestamp)
    except ValueError:
        raise BadSignature("stale", "the timestamp is not a number of seconds") from None
    if abs(age_seconds) > MAX_AGE_SECONDS:
        raise BadSignature("stale", f"it was signed {age_seconds} s ago, at most {MAX_AGE_SECONDS} s are allowed")
