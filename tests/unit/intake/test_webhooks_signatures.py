"""Signatures of deliveries: who may pass, and what is said of those who may not."""

from __future__ import annotations

import base64
import hmac
from dataclasses import replace

import pytest

from tests.webhook_payloads import NOW_S, delivery, github_signature, mlflow_signature
from whence.errors import BadSignature
from whence.intake.webhooks import SOURCES
from whence.intake.webhooks.signatures import (
    MAX_AGE_SECONDS,
    verify_generic,
    verify_github,
    verify_grafana,
    verify_mlflow,
)
from whence.model.times import NS_PER_SECOND

BODY = b'{"zen": "Keep it logically awesome."}'


def test_github_signature_known_answer_passes() -> None:
    """The example of GitHub's own documentation."""
    given = {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    verify_github(delivery(b"Hello, World!", given), b"It's a Secret to Everybody")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing"),
        ({"X-Hub-Signature-256": ""}, "missing"),
        ({"X-Hub-Signature": "sha1=0b5a1c"}, "missing"),
        ({"X-Hub-Signature-256": "sha256="}, "wrong"),
        ({"X-Hub-Signature-256": "sha256=\u00e9"}, "wrong"),
        (github_signature(BODY, "another"), "wrong"),
        (github_signature(BODY + b" ", "secret"), "wrong"),
    ],
)
def test_github_signature_not_of_this_body_is_refused(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(BadSignature) as refused:
        verify_github(delivery(BODY, headers), b"secret")
    assert refused.value.reason == reason


@pytest.mark.parametrize("age_s", [-MAX_AGE_SECONDS, 0, MAX_AGE_SECONDS])
def test_mlflow_signature_within_five_minutes_passes(age_s: int) -> None:
    verify_mlflow(delivery(BODY, mlflow_signature(BODY, "secret", signed_at_s=NOW_S - age_s)), b"secret")


@pytest.mark.parametrize("age_s", [-MAX_AGE_SECONDS - 1, MAX_AGE_SECONDS + 1, NOW_S])
def test_mlflow_signature_of_another_time_is_stale(age_s: int) -> None:
    with pytest.raises(BadSignature) as refused:
        verify_mlflow(delivery(BODY, mlflow_signature(BODY, "secret", signed_at_s=NOW_S - age_s)), b"secret")
    assert refused.value.reason == "stale"


@pytest.mark.parametrize("name", ["X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature"])
def test_mlflow_signature_without_all_its_headers_is_missing(name: str) -> None:
    headers = {key: value for key, value in mlflow_signature(BODY, "secret").items() if key != name}
    with pytest.raises(BadSignature) as refused:
        verify_mlflow(delivery(BODY, headers), b"secret")
    assert refused.value.reason == "missing"


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-MLflow-Delivery-Id", "delivery-2"), ("X-MLflow-Timestamp", str(NOW_S + 1)), ("X-MLflow-Signature", "v1,AAAA")],
)
def test_mlflow_signature_covers_id_time_and_body(name: str, value: str) -> None:
    with pytest.raises(BadSignature) as refused:
        verify_mlflow(delivery(BODY, mlflow_signature(BODY, "secret") | {name: value}), b"secret")
    assert refused.value.reason == "wrong"


def _digest(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


@pytest.mark.parametrize(
    ("source", "header", "right"),
    [
        ("gitlab", "X-Gitlab-Token", "secret"),
        ("flux", "X-Signature", f"sha256={_digest(BODY, 'secret')}"),
        ("launchdarkly", "X-LD-Signature", _digest(BODY, "secret")),
    ],
)
def test_header_of_a_source_proves_the_secret(source: str, header: str, right: str) -> None:
    verify = SOURCES[source].verify
    assert verify is not None
    verify(delivery(BODY, {header: right}), b"secret")
    for headers, reason in (({}, "missing"), ({header: right[:-1]}, "wrong"), ({header: f"{right}\u00e9"}, "wrong")):
        with pytest.raises(BadSignature) as refused:
            verify(delivery(BODY, headers), b"secret")
        assert refused.value.reason == reason


def _grafana(signed: bytes, timestamp: str | None = None) -> dict[str, str]:
    headers = {"X-Grafana-Alerting-Signature": hmac.new(b"secret", signed, "sha256").hexdigest()}
    return headers | ({"X-Grafana-Alerting-Timestamp": timestamp} if timestamp is not None else {})


@pytest.mark.parametrize("headers", [_grafana(BODY), _grafana(f"{NOW_S}:".encode() + BODY, str(NOW_S))])
def test_grafana_signs_the_body_or_time_and_body(headers: dict[str, str]) -> None:
    verify_grafana(delivery(BODY, headers), b"secret")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing"),
        (_grafana(BODY + b" "), "wrong"),
        ({"X-Grafana-Alerting-Signature": "sha256=" + _digest(BODY, "secret")}, "wrong"),
        (_grafana(BODY, str(NOW_S)), "wrong"),
        (_grafana(f"{NOW_S}:".encode() + BODY), "wrong"),
        (_grafana(f"{NOW_S - 301}:".encode() + BODY, str(NOW_S - 301)), "stale"),
        (_grafana(b"soon:" + BODY, "soon"), "stale"),
    ],
)
def test_grafana_signature_that_does_not_cover_time_and_body_is_refused(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(BadSignature) as refused:
        verify_grafana(delivery(BODY, headers), b"secret")
    assert refused.value.reason == reason


STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def _standard(secret: str, *, signed_at_s: int = NOW_S, before: str = "") -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    digest = hmac.digest(key, f"msg_1.{signed_at_s}.".encode() + BODY, "sha256")
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(signed_at_s),
        "Webhook-Signature": before + "v1," + base64.b64encode(digest).decode(),
    }


def test_standard_webhook_known_answer_passes() -> None:
    """The example of the Standard Webhooks specification."""
    body = b'{"test": 2432232314}'
    given = {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "Webhook-Timestamp": "1614265330",
        "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    request = replace(delivery(body, given), now_ns=1_614_265_330 * NS_PER_SECOND)
    verify_generic(request, STANDARD_SECRET.encode())


@pytest.mark.parametrize("secret", ["secret", STANDARD_SECRET, "whsec_no base64"])
def test_generic_sender_may_sign_by_the_standard_or_the_body_alone(secret: str) -> None:
    key = secret if secret != "whsec_no base64" else "plain"
    verify_generic(delivery(BODY, _standard(key)), key.encode())
    verify_generic(delivery(BODY, _standard(key, before="v1,AAAA ")), key.encode())
    for header in ("X-Signature", "X-Hub-Signature-256"):
        verify_generic(delivery(BODY, {header: f"sha256={_digest(BODY, secret)}"}), secret.encode())


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing"),
        ({"X-Signature": "sha256=00"}, "wrong"),
        (_standard("another"), "wrong"),
        (_standard("secret") | {"Webhook-Id": "msg_2"}, "wrong"),
        (_standard("secret") | {"Webhook-Id": ""}, "missing"),
        (_standard("secret", signed_at_s=NOW_S - 301), "stale"),
        (_standard("another") | {"X-Signature": f"sha256={_digest(BODY, 'secret')}"}, "wrong"),
    ],
)
def test_generic_signature_that_is_wrong_or_old_is_refused(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(BadSignature) as refused:
        verify_generic(delivery(BODY, headers), b"secret")
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "missing"),
        (b"no JSON", "missing"),
        (b'{"routing_key": "secre"}', "wrong"),
        (b'{"routing_key": {}}', "missing"),
    ],
)
def test_routing_key_in_the_body_proves_the_secret(body: bytes, reason: str) -> None:
    verify = SOURCES["pagerduty-changes"].verify
    assert verify is not None
    verify(delivery(b'{"routing_key": "secret"}'), b"secret")
    with pytest.raises(BadSignature) as refused:
        verify(delivery(body), b"secret")
    assert refused.value.reason == reason
