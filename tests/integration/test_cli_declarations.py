"""``whence declare``, ``undeclared`` and ``check`` against a real server, as a pipeline would run them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from tests.integration.live import live_api
from tests.integration.planted import CUSTOMERS, DECLARED, NOW_NS, planted
from tests.integration.test_api_policies import POLICIES
from whence.cli.app import run
from whence.model.times import format_time

WINDOW = ["--since", format_time(NOW_NS - 3 * 3_600 * 1_000_000_000), "--until", format_time(NOW_NS)]
SUPPRESSED = """\
suppress:
  - {dependent: reports, dependency: customers, owner: team-crm, reason: moves to the API, expires: %s}
  - {dependent: payment, dependency: api.stripe.com, owner: team-pay, reason: known, expires: 2099-01-01}
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Whence = Callable[..., Ran]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_api(tmp_path_factory.mktemp("live"), planted(), NOW_NS) as address:
        yield address


@pytest.fixture
def whence(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Whence:
    monkeypatch.setenv("WHENCE_URL", url)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    def call(*arguments: str) -> Ran:
        code = run(arguments)
        return Ran(code, *capsys.readouterr())

    return call


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "whence.yaml").write_text(DECLARED.replace("{name: payment, versions: [v2]}", "payment"))
    (folder / "CODEOWNERS").write_text("* @acme/everyone\n")
    (folder / "values.yaml").write_text("image: {{ .Values.image }}\n")
    return folder


def check(whence: Whence, checkout: Path, *more: str) -> Ran:
    return whence("check", str(checkout), "--name", "shop", *WINDOW, *more)


def test_import_list_report_and_remove(whence: Whence, checkout: Path) -> None:
    ran = whence("declare", "import", str(checkout), "--name", "shop")
    assert ran.code == 0
    assert "whence.yaml\twhence\t9\t8\t-" in ran.out
    assert "shop\t" in whence("declare", "list").out
    report = whence("undeclared", *WINDOW, "--status", "undeclared", "--of", "reports").out
    assert "undeclared\treports\tshop.public.customers\tproduction\t20" in report
    assert "team-reports / team-crm" in report
    assert whence("declare", "remove", "shop").code == 0
    assert whence("declare", "remove", "shop").code == 4
    assert json.loads(whence("declare", "list", "--json").out) == {"items": []}


def test_downstream_tells_volume_and_whom_to_tell(whence: Whence) -> None:
    shown = whence("downstream", CUSTOMERS, *WINDOW).out
    assert "1\treports\t20\tproduction\tshop.public.customers" in shown
    assert whence("downstream", "payment", *WINDOW, "--message").out.startswith("**payment** is about to change.")


def test_check_fails_on_what_is_undeclared_and_passes_once_declared(whence: Whence, checkout: Path) -> None:
    ran = check(whence, checkout)
    assert ran.code == 1
    assert "whence.yaml:17\terror\tundeclared\treports\tshop.public.customers" in ran.out
    assert "2 of 4 findings fail the check" in ran.out
    file = checkout / "whence.yaml"
    mended = file.read_text().replace("calls: [mailer]", "calls: [mailer], reads: [customers]")
    file.write_text(mended.replace("may_call", "calls"))
    assert check(whence, checkout).code == 0


def test_draft_writes_what_is_missing_so_that_the_check_passes(whence: Whence, checkout: Path) -> None:
    before = (checkout / "whence.yaml").read_text()
    shown = whence("declare", "draft", str(checkout), "--name", "shop", *WINDOW).out
    assert f"+  - {{name: reports, owner: team-reports, calls: [mailer], reads: [{CUSTOMERS}]}}" in shown
    assert (checkout / "whence.yaml").read_text() == before
    whence("declare", "draft", str(checkout), "--name", "shop", *WINDOW, "--write")
    assert check(whence, checkout).code == 0
    again = whence("declare", "draft", str(checkout), "--name", "shop", *WINDOW)
    assert again.out == "nothing is missing\n"


def test_check_leaves_nothing_behind(whence: Whence, checkout: Path) -> None:
    check(whence, checkout)
    assert json.loads(whence("declare", "list", "--json").out) == {"items": []}


def test_baseline_lets_known_findings_pass_and_new_ones_fail(whence: Whence, checkout: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    assert check(whence, checkout, "--write-baseline", str(baseline)).code == 1
    assert check(whence, checkout, "--baseline", str(baseline)).code == 0
    file = checkout / "whence.yaml"
    file.write_text(file.read_text().replace("    reads: [clicks]\n", ""))
    ran = check(whence, checkout, "--baseline", str(baseline))
    assert (ran.code, "1 of 5 findings fail the check" in ran.out) == (1, True)
    baseline.write_text("[]")
    assert check(whence, checkout, "--baseline", str(baseline)).code == 2


def test_suppression_holds_until_it_expires(whence: Whence, checkout: Path) -> None:
    file = checkout / "whence.yaml"
    declared = file.read_text()
    file.write_text(declared + SUPPRESSED % "2099-01-01")
    ran = check(whence, checkout)
    assert (ran.code, "suppressed until 2099-01-01" in ran.out) == (0, True)
    file.write_text(declared + SUPPRESSED % "2020-01-01")
    assert check(whence, checkout).code == 1


def test_sarif_and_junit_say_the_same(whence: Whence, checkout: Path, tmp_path: Path) -> None:
    file = checkout / "whence.yaml"
    suppressed = (
        "suppress: [{dependent: payment, dependency: api.stripe.com, owner: me, reason: r, expires: 2099-01-01}]"
    )
    file.write_text(file.read_text() + suppressed)
    sarif, junit = tmp_path / "whence.sarif", tmp_path / "junit.xml"
    assert check(whence, checkout, "--sarif", str(sarif), "--junit", str(junit)).code == 1
    results = json.loads(sarif.read_text())["runs"][0]["results"]
    levels = sorted((one["ruleId"], one["level"], len(one.get("suppressions", ()))) for one in results)
    assert levels == [
        ("blind_spot", "note", 0),
        ("undeclared", "error", 0),
        ("undeclared", "error", 1),
        ("unused", "warning", 0),
    ]
    place = next(one for one in results if one["level"] == "error" and "suppressions" not in one)["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "whence.yaml"
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "3")


def test_sarif_tells_a_trace(whence: Whence, checkout: Path, tmp_path: Path) -> None:
    sarif = tmp_path / "whence.sarif"
    check(whence, checkout, "--sarif", str(sarif))
    (undeclared, *_) = [one for one in json.loads(sarif.read_text())["runs"][0]["results"] if one["level"] == "error"]
    assert re.search(r"\(trace [0-9a-f]{32}\)$", undeclared["message"]["text"])


def test_github_gets_annotations(whence: Whence, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error file=whence.yaml,line=17,title=whence::reports -> " in check(whence, checkout).out


def test_check_of_nothing_or_of_a_broken_file_is_wrong_usage(whence: Whence, checkout: Path, tmp_path: Path) -> None:
    assert check(whence, tmp_path / "nowhere").code == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "states dependencies" in check(whence, empty).err
    (checkout / "catalog-info.yaml").write_text("a: [")
    ran = check(whence, checkout)
    assert (ran.code, "catalog-info.yaml: not YAML" in ran.err) == (2, True)


def test_policy_check_gates_by_exit_code(whence: Whence, checkout: Path, tmp_path: Path) -> None:
    whence("declare", "import", str(checkout), "--name", "shop")
    file = tmp_path / "law.yaml"
    file.write_text(POLICIES)
    tried = whence("policy", "check", str(file), *WINDOW)
    assert (tried.code, "credit v3 -> scorer 5 -> shop.public.demographics 11-01" in tried.out) == (1, True)
    assert whence("policy", "check", *WINDOW).out == "no policy is broken\n"
    assert whence("policy", "import", str(file)).code == 0
    assert "no-demographics-in-credit\tenforced\t" in whence("policy", "list").out
    assert whence("policy", "check", *WINDOW).code == 1
    assert whence("policy", "check", *WINDOW, "--of", "ranking").code == 0
    baseline = tmp_path / "known.json"
    assert whence("policy", "check", *WINDOW, "--write-baseline", str(baseline)).code == 1
    known = whence("policy", "check", *WINDOW, "--baseline", str(baseline))
    assert (known.code, "no-demographics-in-credit\tknown\tcredit" in known.out) == (0, True)
    stricter = tmp_path / "stricter.yaml"
    stricter.write_text(POLICIES.replace("no-demographics-in-credit", "another"))
    assert whence("policy", "check", str(stricter), *WINDOW, "--baseline", str(baseline)).code == 1
    file.write_text(POLICIES.replace("because", "enforce: false\n    because"))
    assert whence("policy", "check", str(file), *WINDOW).code == 0
    file.write_text("policies: [{name: a, forbid: 'nonsense'}]")
    assert whence("policy", "check", str(file), *WINDOW).code == 2
    assert whence("policy", "check", str(tmp_path / "none"), *WINDOW).code == 2
    assert whence("policy", "remove", "law.yaml").code == 0
    assert whence("declare", "remove", "shop").code == 0


def test_kpi_shows_figures_and_the_facts_behind_one(whence: Whence) -> None:
    shown = whence("kpi", *WINDOW, "--pillar", "data").out
    assert "data\tlate_refreshes\teverybody\t1 snapshots\t" in shown
    assert "releases" not in shown
    facts = whence("kpi", "late_refreshes", *WINDOW).out
    assert "shop.public.clicks\t-\t" in facts
    assert whence("kpi", "velocity", *WINDOW).code == 4
    assert "not enough data" in whence("kpi", *WINDOW, "--pillar", "model").out
