from __future__ import annotations

from whence.metrics import Sample, counter, gauge, render


def test_render_gives_help_type_and_samples_in_order() -> None:
    text = render([counter("a_total", "All.", Sample(2, {"kind": "x"}), Sample(3.5)), gauge("b", "Now.", Sample(1e21))])
    assert text.splitlines() == [
        "# HELP a_total All.",
        "# TYPE a_total counter",
        'a_total{kind="x"} 2',
        "a_total 3.5",
        "# HELP b Now.",
        "# TYPE b gauge",
        "b 1e+21",
    ]


def test_render_escapes_what_would_break_a_line() -> None:
    text = render([gauge("a", 'Back\\slash\n"quote"', Sample(1, {"l": 'a"b\\c\nd'}))])
    assert text.splitlines() == [
        '# HELP a Back\\\\slash\\n"quote"',
        "# TYPE a gauge",
        'a{l="a\\"b\\\\c\\nd"} 1',
    ]


def test_render_of_nothing_is_empty() -> None:
    assert render([]) == ""
