"""The SDK's guard at load time, asking a real server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

import whence
from tests.integration.live import live_api
from tests.integration.planted import CREDIT, DECLARED, NOW_NS, RANKER, SCORER, STOREFRONT, planted
from whence.sdk import permission

POLICY = """\
whence: 1
policies:
  - name: no-demographics
    forbid: label == "demographics" && environment == "production"
    enforce: {enforce}
"""
FORBIDDEN, ALLOWED = f"{SCORER}@version:5", f"{RANKER}@version:42"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_api(tmp_path_factory.mktemp("guard"), planted(), NOW_NS) as url:
        body = {"name": "shop", "files": [{"path": "whence.yaml", "text": DECLARED}]}
        httpx.post(f"{url}/api/v1/declarations", json=body, timeout=60).raise_for_status()
        yield url


@pytest.fixture
def law(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A policy is in force; this process is a service in production."""
    monkeypatch.setenv("WHENCE_URL", server)
    monkeypatch.setattr(permission, "_TIMEOUT_SECONDS", 60.0)  # a busy machine is no reason to allow
    put_policy(server, enforce=True)
    return server


def put_policy(server: str, *, enforce: bool) -> None:
    content = POLICY.format(enforce=str(enforce).lower())
    httpx.put(f"{server}/api/v1/policies/law.yaml", content=content, timeout=60).raise_for_status()


def asks(ref: str, *, refuse: bool = False, dependent: str = CREDIT) -> bool:
    return whence.may_use(ref, refuse=refuse, dependent=dependent, environment="production")


def test_forbidden_model_is_warned_of_and_refused_where_asked(law: str, caplog: pytest.LogCaptureFixture) -> None:
    assert not asks(FORBIDDEN)
    assert "no-demographics" in caplog.text
    with pytest.raises(whence.UseForbidden, match="scorer@version:5 must not be used here: no-demographics"):
        asks(FORBIDDEN, refuse=True)
    assert not asks(FORBIDDEN, dependent="otel://shop#never-seen-before")


def test_other_models_are_allowed_also_to_who_breaks_a_policy_already(law: str) -> None:
    assert asks(ALLOWED, refuse=True)
    assert asks(ALLOWED, refuse=True, dependent=STOREFRONT)


def test_dry_run_refuses_nothing(law: str) -> None:
    put_policy(law, enforce=False)
    assert asks(FORBIDDEN, refuse=True)


def test_use_is_allowed_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENCE_URL", "http://127.0.0.1:9")
    assert asks(FORBIDDEN, refuse=True)
