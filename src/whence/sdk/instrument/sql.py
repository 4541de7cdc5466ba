"""Tables that an SQL text names, read or written, found by its key words; no values are looked at.

No parser: comments, text and key words that are arguments are taken out, then what follows ``FROM``, ``JOIN``,
``INTO``, ``UPDATE`` and the like is a table, unless it is a function or named by ``WITH``. What this does not
understand, it leaves out.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from whence.sdk.instrument.files import named

_MAX_CHARS = 20_000
_NOISE = re.compile(
    r"""
    --[^\n]* | /\*.*?\*/
    | \$(\w*)\$.*?\$\1\$ | '(?:[^'\\]|''|\\.)*'
    | \b(?:extract|substring|trim|overlay|position)\s*\([^()]*\)
    | \bis\s+(?:not\s+)?distinct\s+from\b
    | \bfor\s+(?:no\s+key\s+)?update\b | \bdo\s+update\b | \bon\s+(?:update|delete)\b
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_TOKEN = re.compile(r'"[^"]+"|[A-Za-z_]\w*|[(),.;]')
# fmt: off
_RESERVED = frozenset({
    "as", "cross", "except", "fetch", "for", "from", "full", "group", "having", "inner", "intersect", "into", "join",
    "lateral", "left", "limit", "natural", "offset", "on", "order", "returning", "right", "select", "set",
    "tablesample", "union", "using", "values", "when", "where", "window", "with", "(", ")", ",", ".", ";",
})
# fmt: on
"""What is no name of a table, and no other name for one."""
_READING = frozenset({"from", "join", "using"})
_WRITING = frozenset({"into", "update", "truncate"})

Name = tuple[str | None, str]
"""Schema, where one is stated, and table."""


class Tables(NamedTuple):
    """What a statement touches."""

    read: frozenset[Name]
    written: frozenset[Name]


@functools.lru_cache(1_024)
def tables_in(text: str) -> Tables:
    """Tables that a statement reads and writes. A text that came before costs a look-up."""
    scan = _Scan(_TOKEN.findall(_NOISE.sub(" ", text[:_MAX_CHARS])))
    scan.run()
    return Tables(frozenset(scan.read), frozenset(scan.written))


def table_on_server(scheme: str, host: str | None, port: int | None, *levels: str | None) -> str:
    """Reference of a table, as OpenLineage names it; levels that are None are left out."""
    place = f"{scheme}://{(host or 'localhost').lower()}{f':{port}' if port else ''}"
    return named(place, ".".join(level for level in levels if level))


class _Scan:
    """One way through the tokens of a text."""

    def __init__(self, tokens: list[str]) -> None:
        self.read: set[Name] = set()
        self.written: set[Name] = set()
        self._tokens = [token.strip('"') if token.startswith('"') else token.lower() for token in tokens]
        self._is_quoted = [token.startswith('"') for token in tokens]
        followed = zip(self._tokens, self._tokens[1:], self._tokens[2:], strict=False)
        self._named_here = {name for name, *after in followed if after == ["as", "("]}
        self._at = 0

    def run(self) -> None:
        """Find all of them."""
        before = ""
        while self._at < len(self._tokens):
            word = self._tokens[self._at]
            self._at += 1
            if word in _READING:
                self._list(self.written if before == "delete" else self.read)
            elif word in _WRITING:
                self._skip("table")
                self._list(self.written)
            elif word == "copy":
                self._copy()
            before = word

    def _list(self, into: set[Name]) -> None:
        """Tables separated by commas, each perhaps under another name."""
        while True:
            self._skip("lateral")
            self._skip("only")
            name = self._name()
            if name is None or (into is self.read and self._next_is("(")):
                return
            if name[0] or name[1] not in self._named_here:
                into.add(name)
            self._skip("as")
            if not self._next_is(*_RESERVED, ""):
                self._at += 1
            if not self._skip(","):
                return

    def _copy(self) -> None:
        name = self._name()
        if name is not None:
            while self._next_is("(", ",", ")") or not self._next_is("from", "to", ";", ""):
                self._at += 1
            (self.written if self._skip("from") else self.read).add(name)

    def _name(self) -> Name | None:
        parts: list[str] = []
        while not self._next_is(*_RESERVED, ""):
            parts.append(self._tokens[self._at])
            self._at += 1
            if not self._skip("."):
                break
        return (parts[-2] if len(parts) > 1 else None, parts[-1]) if parts else None

    def _next_is(self, *words: str) -> bool:
        """Whether the next token is one of these; ``""`` is the end."""
        if self._at >= len(self._tokens):
            return "" in words
        return self._tokens[self._at] in words and not self._is_quoted[self._at]

    def _skip(self, word: str) -> bool:
        is_next = self._next_is(word)
        self._at += is_next
        return is_next
