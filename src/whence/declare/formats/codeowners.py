"""CODEOWNERS: who owns a file, the last rule that matches it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple


class Rule(NamedTuple):
    """Owners of the paths that a pattern matches; no owners: nobody."""

    pattern: str
    owners: tuple[str, ...]


def is_codeowners(path: str) -> bool:
    """Whether a path is one of those where forges look for the file."""
    return path in ("CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")


def rules(text: str) -> Iterator[Rule]:
    """Rules in their order. Section heads of GitLab are passed over."""
    for line in text.splitlines():
        pattern, *owners = line.partition("#")[0].split() or [""]
        if pattern and not pattern.startswith(("[", "^[")):
            yield Rule(pattern, tuple(owners))


def owner_of(path: str, known: Iterable[Rule]) -> str:
    """First owner of a path, without ``@`` and organisation; empty where nobody is named."""
    matching = [rule for rule in known if _expression(rule.pattern).match(path)]
    owners = matching[-1].owners if matching else ()
    return owners[0].removeprefix("@").rpartition("/")[2] if owners else ""


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    """Patterns are those of gitignore: anchored if they hold a slash before the end; a folder takes all inside."""
    anchored = "/" in pattern.rstrip("/")
    body = re.escape(pattern.strip("/")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*")
    body = body.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    inside = "/.*" if pattern.endswith("/") else "(?:/.*)?"
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{body}{inside}\\Z")
