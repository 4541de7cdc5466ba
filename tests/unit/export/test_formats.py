"""Every format holds every node and edge, whatever strangers named them, and a reader of that format reads it."""

from __future__ import annotations

import csv
import io
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.export import Edge, Format, Graph, Node, graph_of, written
from whence.model.graph import Subgraph
from whence.model.kinds import EntityKind, RelationType
from whence.testing.graphs import attributes, delta, entity, key, link, relation

AT = "2026-09-21T13:00:00Z"
NAMESPACE = "{http://graphml.graphdrawing.org/xmlns}"
NAMES = st.text(min_size=1, max_size=12)
KINDS = st.sampled_from(["service", "model", "dataset", "job"])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    keys = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    nodes = tuple(Node(one, draw(KINDS), draw(st.none() | NAMES), ()) for one in keys)
    ends = draw(st.lists(st.tuples(st.sampled_from(keys), st.sampled_from(keys)), max_size=6, unique=True))
    return Graph(nodes, tuple(Edge(src, dst, ("CALLS",)) for src, dst in ends))


@given(graphs())
def test_graphml_is_xml_with_every_node_and_edge(graph: Graph) -> None:
    root = ElementTree.fromstring(written(graph, Format.GRAPHML))
    assert len(root.findall(f".//{NAMESPACE}node")) == len(graph.nodes)
    assert len(root.findall(f".//{NAMESPACE}edge")) == len(graph.edges)


@given(graphs())
def test_csv_has_a_row_for_each_relation_and_no_formula(graph: Graph) -> None:
    rows = list(csv.reader(io.StringIO(written(graph, Format.CSV), newline="")))
    assert len(rows) == 1 + len(graph.edges)
    assert not [cell for row in rows[1:] for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@given(graphs())
def test_dot_is_balanced_and_one_line_for_each_thing(graph: Graph) -> None:
    lines = written(graph, Format.DOT).split("\n")
    assert len(lines) == 3 + len(graph.nodes) + len(graph.edges) + 2
    assert all(len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0 for line in lines)


@given(graphs())
def test_mermaid_keeps_names_inside_their_labels(graph: Graph) -> None:
    lines = written(graph, Format.MERMAID).split("\n")
    assert len(lines) == 1 + len(graph.nodes) + len(graph.edges) + 1
    node = re.compile(r'  n\d+[\[(]{1,2}"[^"<>]*<br/>[^"<>]*"[\])]{1,2}')
    assert all(node.fullmatch(line) for line in lines[1 : 1 + len(graph.nodes)])


@pytest.mark.parametrize("form", Format)
def test_empty_graph_can_be_written(form: Format) -> None:
    assert written(Graph((), ()), form)


def test_versions_are_lifted_to_their_entities() -> None:
    shop, rank, old, new = key("shop"), key("rank"), key("rank", "1"), key("rank", "2")
    facts = delta(
        entity(shop),
        entity(rank, attributes=attributes(owner="team-rank")),
        entity(old, EntityKind.SERVICE_VERSION, base=rank),
        entity(new, EntityKind.SERVICE_VERSION, base=rank),
        relation(link(rank, old, RelationType.HAS_VERSION)),
        relation(link(shop, old)),
        relation(link(shop, new)),
    )
    graph = graph_of(Subgraph((shop,), facts.entities, tuple(facts.relations.values())), AT)
    assert graph.nodes == (Node(rank, "service", "team-rank", (old, new)), Node(shop, "service", None, ()))
    assert graph.edges == (Edge(shop, rank, ("CALLS",)),)
