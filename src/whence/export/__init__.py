"""Pieces of the graph in the formats that other tools read. Pure; text of strangers is escaped in each."""

from whence.export.formats import MEDIA_TYPES, Format, written
from whence.export.things import Edge, Graph, Node, graph_of

__all__ = ["MEDIA_TYPES", "Edge", "Format", "Graph", "Node", "graph_of", "written"]
