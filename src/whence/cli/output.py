"""What a command prints: tables and colour for a person at a terminal, plain tab-separated lines for a pipe.

Names, versions and messages come from strangers, so control characters are taken out of every line before it is shown.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from whence.wording import distance, stamp

if TYPE_CHECKING:
    from rich.console import Console

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Output:
    """Standard output. Results go here; progress and errors go to stderr."""

    def __init__(self) -> None:
        self._console = _console() if sys.stdout.isatty() else None

    def raw(self, text: str) -> None:
        """The API's own text, unchanged."""
        sys.stdout.write(text if text.endswith("\n") else text + "\n")

    def heading(self, text: str) -> None:
        """A line that begins a part."""
        self._line(text, "bold")

    def line(self, text: str, style: str = "") -> None:
        """One line; at a terminal it is cut at the edge rather than wrapped."""
        self._line(text, style)

    def hint(self, text: str) -> None:
        """What to do next."""
        self._line(text, "dim")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows under column names."""
        texts = [[clean(cell) for cell in row] for row in rows]
        if self._console is None:
            sys.stdout.writelines("\t".join(row) + "\n" for row in [list(columns), *texts])
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, header_style="dim", pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in texts:
            table.add_row(*(Text(cell) for cell in row))
        self._console.print(table)

    def _line(self, text: str, style: str) -> None:
        if self._console is None:
            sys.stdout.write(clean(text) + "\n")
            return
        from rich.text import Text

        self._console.print(Text(clean(text), style=style), overflow="ellipsis", no_wrap=True)


def progress(text: str) -> None:
    """A word on what takes time, for a person who waits; silent in a pipe."""
    if sys.stderr.isatty():
        sys.stderr.write(text + "\n")


def clean(value: object) -> str:
    """Text without control characters; None is a dash."""
    return "-" if value is None or value == "" else _CONTROL.sub(" ", str(value))


def moment(text: str | None) -> str:
    """An RFC 3339 time as UTC and as distance from now."""
    return f"{stamp(text)} ({distance(text, datetime.now(UTC))})" if text else "-"


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, no_color="NO_COLOR" in os.environ)
