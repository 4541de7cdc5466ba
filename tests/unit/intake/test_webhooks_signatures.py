"""Signatures of deliveries: who may pass, and what is said of those who may not."""

from __future__ import annotations

import hmac

import pytest

from tests.webhook_payloads import NOW_S, delivery, github_signature, mlflow_signature
from whence.errors import BadSignature
from whence.intake.webhooks import SOURCES
from whence.intake.webhooks.signatures import MAX_AGE_SECONDS, verify_github, verify_mlflow

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
