"""How much a tool may give at once: what it says has to fit beside everything else that a model reads."""

from __future__ import annotations

import json
from typing import Any

MOST_TEXT_CHARS = 5_000
"""Some 1,500 tokens."""
MOST_DATA_CHARS = 60_000
"""Some 20,000 tokens of JSON."""
CUT = "\n(cut: ask about less for the rest)"
_MOST_STRING_CHARS = 1_000
_MOST_ITEMS = (100, 50, 20, 5, 1)
"""Items of each list, tried in turn."""


def shortened(text: str) -> str:
    """The text, or as many of its characters as fit, and a line that says so."""
    return text if len(text) <= MOST_TEXT_CHARS else text[: MOST_TEXT_CHARS - len(CUT)] + CUT


def bounded(data: dict[str, Any]) -> dict[str, Any]:
    """The data where its JSON fits; else the same with lists and strings as short as it takes."""
    for most in _MOST_ITEMS:
        if len(json.dumps(data)) <= MOST_DATA_CHARS:
            break
        data = {key: _cut(value, most) for key, value in data.items()}
    return data


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return value[:_MOST_STRING_CHARS]
    if isinstance(value, list):
        return [_cut(one, most) for one in value[:most]]
    if isinstance(value, dict):
        return {key: _cut(one, most) for key, one in value.items()}
    return value
