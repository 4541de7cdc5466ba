"""YAML with line numbers. Numbers and dates stay the text that was written: ``1.10`` is a version, not 1.1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from whence.errors import DecodeError

_TEXTS = ("int", "float", "timestamp")

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Located(dict[str, Any]):
    """A mapping that knows its line, and the line of each key; both from 1."""

    line = 1

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        """Line of a key; of the mapping where the key is absent."""
        return self.lines.get(key, self.line)


class LocatedList(list[Any]):
    """A sequence that knows the line of each item."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


def read_yaml(text: str) -> list[Any]:
    """All documents of a YAML text, empty ones left out. JSON is YAML.

    Raises:
        DecodeError: It is not YAML.
    """
    try:
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except (yaml.YAMLError, RecursionError) as error:
        raise DecodeError(f"not YAML: {' '.join(str(error).split())[:300]}") from None


def items(value: object) -> Iterator[tuple[Any, int]]:
    """Items of a sequence with their lines; nothing of anything else."""
    if isinstance(value, LocatedList):
        yield from zip(value, value.lines, strict=True)


class _Loader(_Base):  # type: ignore[misc]  # the base is chosen while running
    """A safe loader (plain values only) that makes located containers."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Located:
    loader.flatten_mapping(node)
    found = Located()
    found.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        found[key] = loader.construct_object(value_node, deep=True)
        found.lines[key] = key_node.start_mark.line + 1
    return found


def _sequence(loader: _Loader, node: yaml.SequenceNode) -> LocatedList:
    found = LocatedList()
    for item in node.value:
        found.append(loader.construct_object(item, deep=True))
        found.lines.append(item.start_mark.line + 1)
    return found


def _text(loader: _Loader, node: yaml.Node) -> str:
    return str(loader.construct_scalar(node))


def _tagged(loader: _Loader, node: yaml.Node) -> Any:
    """A value under a tag of some tool (``!reset``): the plain value."""
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node)
    return _sequence(loader, node) if isinstance(node, yaml.SequenceNode) else _text(loader, node)


_Loader.add_constructor(None, _tagged)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _sequence)
for _tag in _TEXTS:
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _text)
