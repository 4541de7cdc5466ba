from __future__ import annotations

import pytest

from whence.cli.exits import USAGE, Failure
from whence.cli.options import as_time
from whence.cli.output import Output, clean


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), ("", "-"), (0, "0"), ("a\tb\nc", "a b c"), ("\x1b[31m", " [31m"), ("é", "é")]
)
def test_clean_takes_out_what_a_terminal_would_obey(value: object, shown: str) -> None:
    assert clean(value) == shown


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("30m", "-30m"),
        ("1.5h", "-1.5h"),
        ("-2h", "-2h"),
        ("now", "now"),
        ("2026-11-23T12:05:00Z",) * 2,
        ("soon", "soon"),
    ],
)
def test_duration_means_so_long_ago_and_all_else_goes_as_it_is(text: str, sent: str) -> None:
    assert as_time(text) == sent


def test_empty_time_is_bad_usage() -> None:
    with pytest.raises(Failure) as caught:
        as_time(" ")
    assert caught.value.exit_code == USAGE


def test_output_to_a_pipe_is_plain_and_tab_separated(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.heading("Things")
    output.table(("name", "count"), [("a", 1), ("b", None)])
    output.hint("next: x")
    assert capsys.readouterr().out.splitlines() == ["Things", "name\tcount", "a\t1", "b\t-", "next: x"]


def test_raw_output_ends_in_one_line_break(capsys: pytest.CaptureFixture[str]) -> None:
    Output().raw("{}")
    Output().raw("{}\n")
    assert capsys.readouterr().out == "{}\n{}\n"
