"""Alerting rules and the dashboard name only what a running whence says of itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml

from tests.deploy.files import DASHBOARD, RULES
from tests.whence_server import free_ports, running_whence
from whence.fold import FoldStats

_METRIC = re.compile(r"\bwhence_\w+")


def rule_expressions() -> list[str]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def panel_expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", ())]


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of all metrics that whence has, with Kafka configured; a broker is not needed for that."""
    folder = tmp_path_factory.mktemp("whence")
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    kafka = {"WHENCE_KAFKA_BOOTSTRAP": nowhere, "WHENCE_KAFKA_TOPICS": "spans_proto:spans"}
    with running_whence(folder / "data", **kafka) as server:
        text = httpx.get(f"{server.api}/metrics", timeout=30).text
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("expressions", [rule_expressions(), panel_expressions()], ids=["rules", "dashboard"])
def test_every_metric_that_is_named_exists(expressions: list[str], families: set[str]) -> None:
    named = {name for expression in expressions for name in _METRIC.findall(expression)}
    assert named - families == set()


def test_every_loss_that_is_counted_has_an_alert_and_a_panel(families: set[str]) -> None:
    losses = {name for name in families if re.search("dropped|lost|refused|rejected|dead_letters", name)}
    assert len(losses) >= 6
    for name in losses - {"whence_kafka_rejected_records_total"}:
        assert any(name in expression for expression in rule_expressions()), name
    for name in losses:
        assert any(name in expression for expression in panel_expressions()), name


def test_every_fold_event_that_is_named_exists() -> None:
    expressions = [*rule_expressions(), *panel_expressions()]
    named = {event for expression in expressions for event in re.findall(r'event!?="(\w+)"', expression)}
    assert named
    assert named <= set(FoldStats._fields)


def test_every_alert_says_what_it_means() -> None:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_dashboard_panels_have_their_own_ids_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_dashboard_panels_ask_the_chosen_source_and_say_what_they_show() -> None:
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels():
        if panel["type"] != "row":
            assert panel["description"]
            assert panel["datasource"] == source
            assert all(target["datasource"] == source for target in panel["targets"])


def test_every_expression_is_promql() -> None:
    for expression in [*rule_expressions(), *panel_expressions()]:
        promql_parser.parse(expression.replace("$__rate_interval", "5m"))


def test_prometheus_takes_the_rules_and_fires_them_when_it_should() -> None:
    """A build of promtool takes a quarter of an hour, so it is only used where it is."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on PATH: go install github.com/prometheus/prometheus/cmd/promtool@latest")
    cases = Path(__file__).with_name("rules_test.yaml")
    for what, file in (("check", RULES), ("test", cases)):
        done = subprocess.run([promtool, what, "rules", file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
