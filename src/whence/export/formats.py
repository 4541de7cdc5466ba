"""Mermaid, DOT, GraphML, CSV, and documents of other standards.

Arrows lead from the dependent to its dependency, as relations do everywhere here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from enum import StrEnum
from xml.etree import ElementTree

from whence.export.documents import bill_of_materials, lineage_events
from whence.export.things import Graph

_SHAPES = {"model": ('(["', '"])'), "dataset": ('[("', '")]'), "job": ('[["', '"]]')}
_PLAIN = ('["', '"]')
_DOT_SHAPES = {"model": "ellipse", "dataset": "cylinder", "job": "component"}
_FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for a formula when a cell begins with it."""


class Format(StrEnum):
    """How a graph is written down."""

    MERMAID = "mermaid"
    DOT = "dot"
    GRAPHML = "graphml"
    CSV = "csv"
    CYCLONEDX = "cyclonedx"
    OPENLINEAGE = "openlineage"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.MERMAID: "text/vnd.mermaid",
    Format.DOT: "text/vnd.graphviz",
    Format.GRAPHML: "application/graphml+xml",
    Format.CSV: "text/csv",
    Format.CYCLONEDX: "application/vnd.cyclonedx+json",
    Format.OPENLINEAGE: "application/json",
}


def written(graph: Graph, form: Format) -> str:
    """A graph in one of the formats."""
    return _WRITERS[form](graph)


def _mermaid(graph: Graph) -> str:
    ids = {node.key: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart RL"]
    for node in graph.nodes:
        before, after = _SHAPES.get(node.kind, _PLAIN)
        lines.append(f"  {ids[node.key]}{before}{_mermaid_text(node.kind)}<br/>{_mermaid_text(node.name)}{after}")
    for edge in graph.edges:
        words = _mermaid_text(", ".join(edge.types).lower().replace("_", " "))
        lines.append(f'  {ids[edge.dependent]} -->|"{words}"| {ids[edge.dependency]}')
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """Everything that means something to Mermaid or HTML as a character code."""
    return "".join(char if char.isalnum() or char in " -_./:,@" else f"#{ord(char)};" for char in text)


def _dot(graph: Graph) -> str:
    lines = ["digraph whence {", "  rankdir=RL;", "  node [shape=box];"]
    for node in graph.nodes:
        shape = _DOT_SHAPES.get(node.kind, "box")
        label = _quoted(f"{node.kind}\n{node.name}")
        lines.append(f"  {_quoted(node.key)} [label={label}, shape={shape}];")
    for edge in graph.edges:
        label = _quoted(", ".join(edge.types))
        lines.append(f"  {_quoted(edge.dependent)} -> {_quoted(edge.dependency)} [label={label}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", " ")
    return f'"{escaped}"'


def _graphml(graph: Graph) -> str:
    root = ElementTree.Element("graphml", xmlns="http://graphml.graphdrawing.org/xmlns")
    for name, of in (("kind", "node"), ("name", "node"), ("owner", "node"), ("types", "edge")):
        ElementTree.SubElement(root, "key", {"id": name, "for": of, "attr.name": name, "attr.type": "string"})
    inner = ElementTree.SubElement(root, "graph", id="whence", edgedefault="directed")
    for node in graph.nodes:
        element = ElementTree.SubElement(inner, "node", id=_xml_text(node.key))
        for name, value in (("kind", node.kind), ("name", node.name), ("owner", node.owner)):
            if value is not None:
                ElementTree.SubElement(element, "data", key=name).text = _xml_text(value)
    for edge in graph.edges:
        ends = {"source": _xml_text(edge.dependent), "target": _xml_text(edge.dependency)}
        element = ElementTree.SubElement(inner, "edge", ends)
        ElementTree.SubElement(element, "data", key="types").text = " ".join(edge.types)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml_text(text: str) -> str:
    """Without the characters that XML can't hold, even escaped."""
    return "".join(char for char in text if char in "\t\n" or (char >= " " and char not in "\ufffe\uffff"))


def _csv(graph: Graph) -> str:
    nodes = {node.key: node for node in graph.nodes}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("dependent", "dependent_kind", "relation", "dependency", "dependency_kind", "dependency_owner"))
    for edge in graph.edges:
        here, there = nodes[edge.dependent], nodes[edge.dependency]
        for name in edge.types:
            writer.writerow(map(_cell, (here.key, here.kind, name, there.key, there.kind, there.owner or "")))
    return out.getvalue()


def _cell(text: str) -> str:
    """One line, and nothing that a spreadsheet would calculate."""
    line = "".join(char if char >= " " else " " for char in text)
    return f"'{line}" if line.startswith(_FORMULA) else line


_WRITERS: Mapping[Format, Callable[[Graph], str]] = {
    Format.MERMAID: _mermaid,
    Format.DOT: _dot,
    Format.GRAPHML: _graphml,
    Format.CSV: _csv,
    Format.CYCLONEDX: bill_of_materials,
    Format.OPENLINEAGE: lineage_events,
}
