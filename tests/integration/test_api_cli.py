"""The command line against a real server: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.integration.live import live_api
from tests.integration.shop import CHECKOUT, END, RANKER, ROLL_OUT, shop
from whence.cli.app import run
from whence.model.delta import merge
from whence.model.times import format_time
from whence.testing.graphs import at, change, delta, entity

WHEN = format_time(at(END))
WINDOW = ["--since", format_time(at(0)), "--until", format_time(at(2000))]


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Whence = Callable[..., Ran]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    hostile = change("esc", CHECKOUT, 10, summary="x", to_version="v1\x1b[31mred", actor="\x1b]0;title\x07")
    known = merge(shop(), delta(hostile, entity("otel://lonely#idle")))
    with live_api(tmp_path_factory.mktemp("live"), known, at(END)) as address:
        yield address


@pytest.fixture
def whence(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Whence:
    monkeypatch.setenv("WHENCE_URL", url)

    def call(*arguments: str) -> Ran:
        code = run(arguments)
        return Ran(code, *capsys.readouterr())

    return call


def test_why_says_three_headings_and_the_suspect_in_at_most_24_lines(whence: Whence) -> None:
    ran = whence("why", "checkout", "--signal", "errors", "--at", WHEN)
    assert ran.code == 0
    assert [line for line in ran.lines if not line.startswith(" ")] == [
        "What's going on",
        "What it points to",
        "What next",
    ]
    assert len(ran.lines) <= 24
    assert "deployment ranker v40 -> v41" in ran.out
    assert "no recorded change explains this" in ran.out
    assert "whence downstream" in ran.out


def test_why_without_a_suspect_exits_with_3(whence: Whence) -> None:
    assert whence("why", "otel://lonely#idle", "--at", WHEN).code == 3


def test_why_json_is_the_text_of_the_api_unchanged(whence: Whence, url: str) -> None:
    ran = whence("why", "checkout", "--at", WHEN, "--json")
    stored = httpx.get(f"{url}/api/v1/investigations/{json.loads(ran.out)['id']}").text
    assert ran.out == stored + "\n"


def test_show_prints_a_former_answer_again(whence: Whence) -> None:
    first = whence("why", "checkout", "--at", WHEN)
    answer_id = first.lines[-1].rpartition("/")[2]
    again = whence("show", answer_id)
    assert (again.code, again.out) == (first.code, first.out)


def test_changed_lists_changes_in_plain_columns(whence: Whence) -> None:
    ran = whence("changed", *WINDOW)
    header, *rows = [line.split("\t") for line in ran.lines if "\t" in line]
    assert header[:5] == ["when", "kind", "subject", "from", "to"]
    assert ["deployment", "ranker", "v40", "v41"] in [row[1:5] for row in rows]


def test_changed_of_one_thing_and_of_nothing(whence: Whence) -> None:
    assert "ranker" not in whence("changed", "--of", "checkout", *WINDOW).out
    assert whence("changed", "--of", "idle", *WINDOW).out == "nothing changed, as far as is known\n"


def test_control_characters_never_reach_the_terminal(whence: Whence) -> None:
    out = whence("changed", *WINDOW).out
    assert "red" in out
    assert "\x1b" not in out


def test_upstream_downstream_and_diff_show_the_graph(whence: Whence) -> None:
    assert f"service_version\t{RANKER}@version:v41" in whence("upstream", "checkout", *WINDOW).out
    down = whence("downstream", "ranker", *WINDOW).out
    assert f"service\t{CHECKOUT}\tteam-shop" in down
    assert "tell: team-ranking, team-shop" in down
    window = ["--since", format_time(at(ROLL_OUT)), "--until", format_time(at(END + 600))]
    assert "~\tversions\tranker\tranker v40 -> ranker v41" in whence("diff", "checkout", *window).out


def test_search_and_show_find_things(whence: Whence) -> None:
    assert RANKER in whence("search", "rank").out
    assert "idle" not in whence("search", "--owner", "team-shop").out
    shown = whence("show", "ranker").out
    assert shown.startswith(RANKER)
    assert "owner\tteam-ranking" in shown
    assert f"{RANKER}@version:v40" in shown


@pytest.mark.parametrize(
    "arguments",
    [("changed", *WINDOW), ("upstream", "checkout"), ("downstream", "ranker"), ("diff", "ranker"), ("search",)]
    + [("show", "ranker"), ("doctor",)],
)
def test_json_flag_gives_json_and_nothing_else(whence: Whence, arguments: tuple[str, ...]) -> None:
    ran = whence(*arguments, "--json")
    assert json.loads(ran.out)
    assert ran.err == ""


def test_unknown_name_exits_with_4_and_suggests(whence: Whence) -> None:
    ran = whence("why", "chekout")
    assert (ran.code, ran.out) == (4, "")
    assert f"  {CHECKOUT}" in ran.err.splitlines()


@pytest.mark.parametrize(
    "arguments",
    [
        ("why",),
        ("why", "checkout", "--at", "yesterday-ish"),
        ("why", "checkout", "--signal", "pain"),
        ("why", "otel://shop#a#b"),
        ("changed", "--since", ""),
        ("changed", "--limit", "0"),
        ("unheard-of",),
    ],
)
def test_bad_usage_exits_with_2_and_says_why_on_stderr(whence: Whence, arguments: tuple[str, ...]) -> None:
    ran = whence(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err


def test_server_that_is_not_there_exits_with_5(whence: Whence) -> None:
    ran = whence("search", "--url", "http://127.0.0.1:1")
    assert (ran.code, ran.out) == (5, "")
    assert "whence serve" in ran.err


def test_missing_wrong_and_narrow_token_exit_with_6(
    tmp_path: Path, whence: Whence, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live_api(tmp_path, shop(), at(END), tokens="read:look,ingest:sesame") as guarded:
        codes = []
        for token in ("", "guess", "sesame", "look"):
            monkeypatch.setenv("WHENCE_TOKEN", token)
            codes.append(whence("search", "--url", guarded).code)
        assert codes == [6, 6, 6, 0]


def test_doctor_tells_how_fresh_the_data_is(whence: Whence) -> None:
    ran = whence("doctor")
    assert ran.code == 0
    assert "was seen last" in ran.out
    assert whence("doctor", "--url", "http://127.0.0.1:1").code == 5


def test_doctor_of_an_empty_server_says_where_to_send_data(tmp_path: Path, whence: Whence) -> None:
    with live_api(tmp_path, delta(), at(END)) as empty:
        ran = whence("doctor", "--url", empty)
    assert ran.code == 5
    assert "4318" in ran.out


def test_token_prints_a_fresh_secret(whence: Whence) -> None:
    first, second = whence("token").out, whence("token").out
    assert first != second
    assert len(first) > 40


def test_command_in_a_process_of_its_own_writes_plain_text_to_a_pipe(url: str) -> None:
    command = [sys.executable, "-m", "whence.cli", "search", "--url", url]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "\x1b" not in ran.stdout
    assert f"service\t{CHECKOUT}" in ran.stdout


def test_command_at_a_terminal_draws_tables_and_obeys_no_color(url: str) -> None:
    colour, plain = _at_terminal(url, {}), _at_terminal(url, {"NO_COLOR": "1"})
    assert "\x1b[" in colour
    assert "\x1b[3" not in plain
    assert "\t" not in colour + plain


def _at_terminal(url: str, environment: dict[str, str]) -> str:
    """Output of a command whose standard output is a pseudo-terminal."""
    leader, follower = os.openpty()
    command = [sys.executable, "-m", "whence.cli", "why", "checkout", "--at", WHEN, "--url", url]
    variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {
        "TERM": "xterm",
        **environment,
    }
    process = subprocess.Popen(command, stdout=follower, stderr=subprocess.DEVNULL, env=variables)
    os.close(follower)
    chunks = []
    while chunk := _read(leader):
        chunks.append(chunk)
    os.close(leader)
    assert process.wait(timeout=60) == 0
    return b"".join(chunks).decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux: the other end is closed
        return b""
