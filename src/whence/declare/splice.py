"""Adding to a YAML text without touching the rest of it: comments, quotes and indentation stay as they are."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import yaml

from whence.errors import DecodeError

_PLAIN = re.compile(r"[A-Za-z][\w./#@+-]*(?:://[\w./#@+:-]*|:[\w./#@+-]+)*\Z")


class Splice(NamedTuple):
    """Text to insert at an index."""

    at: int
    text: str


def documents(text: str) -> list[yaml.Node]:
    """Nodes of all documents, which know where they begin and end.

    Raises:
        DecodeError: It is not YAML.
    """
    try:
        return [node for node in yaml.compose_all(text, Loader=yaml.SafeLoader) if node is not None]
    except (yaml.YAMLError, RecursionError) as error:
        raise DecodeError(f"not YAML: {' '.join(str(error).split())[:300]}") from None


def child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Value of a key, None where there is none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def text_of(node: yaml.Node | None) -> str:
    """A scalar as it is written; empty for anything else."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def add_to_list(text: str, mapping: yaml.MappingNode, key: str, item: str) -> Splice:
    """What to insert so that the list under a key of a mapping, which may be missing, holds one item more."""
    value = child(mapping, key)
    if isinstance(value, yaml.SequenceNode) and value.value:
        return _add_item(text, value, item)
    if value is None:
        return add_key(text, mapping, key, f"[{quoted(item)}]")
    if isinstance(value, yaml.SequenceNode):
        return Splice(value.end_mark.index - 1, quoted(item))
    return Splice(value.start_mark.index, f" [{quoted(item)}]")


def add_key(text: str, mapping: yaml.MappingNode, key: str, value: str) -> Splice:
    """What to insert so that a mapping, which is not empty, has one key more; ``value`` is YAML."""
    if mapping.flow_style:
        return Splice(mapping.end_mark.index - 1, f", {key}: {value}")
    first_value = mapping.value[0][1]
    return Splice(_end_of_line(text, _last_leaf(first_value)), f"\n{' ' * mapping.start_mark.column}{key}: {value}")


def spliced(text: str, splice: Splice) -> str:
    """The text with the insertion."""
    return text[: splice.at] + splice.text + text[splice.at :]


def quoted(name: str) -> str:
    """A name as a YAML scalar, with quotes only where it needs them."""
    return name if _PLAIN.match(name) else json.dumps(name)


def _add_item(text: str, sequence: yaml.SequenceNode, item: str) -> Splice:
    last = _last_leaf(sequence.value[-1])
    if sequence.flow_style:
        return Splice(last.end_mark.index, f", {quoted(item)}")
    return Splice(_end_of_line(text, last), f"\n{' ' * sequence.start_mark.column}- {quoted(item)}")


def _last_leaf(node: yaml.Node) -> yaml.Node:
    """The last part that ends where it is written: block collections end only where the next thing begins."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node


def _end_of_line(text: str, node: yaml.Node) -> int:
    end = text.find("\n", node.end_mark.index)
    return len(text) if end < 0 else end
