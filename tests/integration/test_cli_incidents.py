"""``whence incidents``, ``postmortem`` and ``export`` against a live server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.live import live_api
from tests.integration.shop import END, shop
from tests.waiting import eventually
from whence.cli.app import run
from whence.cli.exits import OK, USAGE
from whence.testing.graphs import at


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with live_api(tmp_path, shop(), at(END)) as address:
        yield address


@pytest.fixture
def incident(url: str) -> str:
    body = {"id": "a-1", "status": "firing", "title": "Payments fail", "entity": "checkout", "signal": "errors"}
    reply = httpx.post(f"{url}/api/v1/webhooks/alert", json=body, timeout=30)
    found: str = reply.json()["incidents"][0]
    assert eventually(lambda: httpx.get(f"{url}/api/v1/incidents/{found}", timeout=30).json()["answers"])
    return found


def test_incidents_are_listed_shown_and_moved(url: str, incident: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incidents", "--url", url]) == OK
    assert "Payments fail" in capsys.readouterr().out
    assert run(["incidents", incident, "--set", "mitigated", "--json", "--url", url]) == OK
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (shown["status"], len(shown["answers"])) == ("mitigated", 1)
    assert run(["incidents", incident, "--url", url]) == OK
    assert "v40 → v41" in capsys.readouterr().out


def test_incidents_are_merged_parted_and_split(url: str, incident: str, capsys: pytest.CaptureFixture[str]) -> None:
    body = {"id": "b-1", "status": "firing", "title": "Carts fail", "entity": "checkout", "signal": "errors"}
    other = httpx.post(f"{url}/api/v1/webhooks/alert", json=body, timeout=30).json()["incidents"][0]
    assert run(["incidents", incident, "--merge", other, "--url", url]) == OK
    assert f"{other} is part of it" in capsys.readouterr().out
    assert run(["incidents", incident, "--split", "b-1", "--json", "--url", url]) == OK
    new: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert ([one["key"] for one in new["alerts"]], new["id"] in (incident, other)) == (["b-1"], False)
    assert run(["incidents", incident, "--split", "planets", "--url", url]) == USAGE
    assert run(["incidents", incident, "--part", other, "--url", url]) == OK


def test_moving_needs_to_know_which(url: str) -> None:
    assert run(["incidents", "--set", "resolved", "--url", url]) == USAGE


def test_postmortem_of_an_incident_is_printed(url: str, incident: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["postmortem", incident, "--url", url]) == OK
    assert "# Postmortem (draft): Payments fail" in capsys.readouterr().out
    assert run(["postmortem", "planets", "--url", url]) == USAGE
    assert run(["postmortem", incident, "--format", "pdf", "--url", url]) == USAGE


def test_graph_is_exported(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "checkout", "--format", "dot", "--url", url]) == OK
    assert '"otel://shop#checkout" -> "otel://shop#ranker"' in capsys.readouterr().out
