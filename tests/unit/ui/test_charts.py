"""Geometry of pictures: everything lies inside, in order, and apart."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from whence.ui.charts.layers import PILLARS, layers
from whence.ui.charts.scale import LogScale, Scale
from whence.ui.charts.timeline import timeline
from whence.ui.things import entity_graph, with_differences

NODES = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(PILLARS)), min_size=1, max_size=40).map(
    lambda places: [_node(f"n{number}", hops, pillar) for number, (hops, pillar) in enumerate(places)]
)


def _node(key: str, hops: int, pillar: str) -> dict[str, Any]:
    return {"key": key, "kind": "service", "hops": hops, "pillar": pillar}


def _answer(*seconds: int) -> dict[str, Any]:
    return {
        "onset": {"at": _at(600), "low": _at(590), "high": _at(610)},
        "suspects": [_suspect(rank, second) for rank, second in enumerate(seconds, start=1)],
        "ruled_out": [],
    }


def _suspect(rank: int, second: int) -> dict[str, Any]:
    change = {"kind": "deployment", "subject": "otel://shop#a", "from": "1", "to": "2", "effective_at": _at(second)}
    return {"rank": rank, "change": change}


def _at(second: int) -> str:
    return f"2026-11-23T{12 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


@given(NODES, st.booleans())
def test_boxes_lie_in_their_band_and_on_nobody_else(nodes: list[dict[str, Any]], root_left: bool) -> None:
    picture = layers(nodes, [], root_left=root_left)
    bands = {band.name: band for band in picture.bands}
    for box in picture.boxes:
        band = bands[box.node["pillar"]]
        assert band.y <= box.y
        assert box.y + box.height <= band.y + band.height
        assert box.x + box.width <= picture.width
    places = {(box.x, box.y) for box in picture.boxes}
    assert len(places) == len(nodes)


@given(NODES)
def test_causes_stand_left_of_the_symptom_and_dependents_right_of_the_cause(nodes: list[dict[str, Any]]) -> None:
    for root_left, direction in ((False, -1), (True, 1)):
        x = {box.node["key"]: box.x for box in layers(nodes, [], root_left=root_left).boxes}
        ordered = sorted(nodes, key=lambda node: node["hops"])
        steps = [direction * x[node["key"]] for node in ordered]
        assert steps == sorted(steps)


@given(st.lists(st.integers(0, 700), min_size=1, max_size=30))
def test_marks_of_one_lane_never_hide_each_other_while_there_are_rows(seconds: list[int]) -> None:
    picture = timeline(_answer(*seconds), _at(700))
    assert len(picture.marks) + picture.earlier == len(seconds)
    assert all(0 <= mark.x <= picture.width and mark.y <= picture.bottom for mark in picture.marks)


def test_timeline_reaches_back_to_the_leading_suspects() -> None:
    picture = timeline(_answer(0, 580), _at(700))
    assert [mark.label for mark in picture.marks] == ["1", "2"]
    assert picture.marks[0].x < picture.onset.x < picture.detected


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-2e6, 2e6))
def test_scale_keeps_everything_on_the_line(low: float, high: float, value: float) -> None:
    assert 0 <= Scale(min(low, high), max(low, high), 100.0)(value) <= 100


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_log_scale_keeps_order(one: float, other: float) -> None:
    place = LogScale(0.1, 100.0, 240.0)
    assert (place(one) <= place(other)) if one <= other else (place(one) >= place(other))


def _entity(key: str, base: str, kind: str, depth: int) -> dict[str, Any]:
    return {"key": key, "base": base, "kind": kind, "depth": depth}


def _relation(dependent: str, dependency: str) -> dict[str, Any]:
    return {"dependent": dependent, "dependency": dependency, "type": "CALLS"}


FOUND = {
    "entity": "a",
    "entities": [
        _entity("a", "a", "service", 0),
        _entity("a@1", "a", "service_version", 1),
        _entity("b@1", "b", "service_version", 2),
        _entity("m@1", "m", "model_version", 3),
    ],
    "relations": [_relation("a", "a@1"), _relation("a@1", "b@1"), _relation("b@1", "m@1")],
}


def test_versions_are_told_as_their_things() -> None:
    graph = entity_graph(FOUND, 6)
    assert [(node["key"], node["kind"], node["hops"], node["pillar"]) for node in graph["nodes"]] == [
        ("a", "service", 0, "code"),
        ("b", "service", 1, "code"),
        ("m", "model", 2, "model"),
    ]
    assert [(edge["dependent"], edge["dependency"]) for edge in graph["edges"]] == [("a", "b"), ("b", "m")]


def test_graph_ends_at_the_hops_that_were_asked_for() -> None:
    assert [node["key"] for node in entity_graph(FOUND, 1)["nodes"]] == ["a", "b"]


def test_differences_mark_what_came_and_what_changed_and_name_what_went() -> None:
    differences = {
        "versions": [{"entity": "b", "before": ["x#b@version:1"], "after": ["x#b@version:2"]}],
        "added": {"entities": [_entity("m@1", "m", "model_version", 3)], "relations": [_relation("b", "m")]},
        "removed": {"entities": [_entity("old", "old", "service", 1)]},
    }
    graph = with_differences(entity_graph(FOUND, 6), differences)
    roles = {node["key"]: node["role"] for node in graph["nodes"]}
    assert roles == {"a": "symptom", "b": "changed", "m": "added"}
    assert [edge.get("state") for edge in graph["edges"]] == [None, "added"]
    assert graph["removed"] == ["old"]


def test_long_column_is_folded_and_stays_on_its_side_of_the_root() -> None:
    """Hundreds of things one hop away don't make a picture that is all height."""
    leaves = [{"key": f"s{at}", "kind": "service", "hops": 1, "pillar": "code", "role": "between"} for at in range(400)]
    root = {"key": "root", "kind": "service", "hops": 0, "pillar": "code", "role": "symptom"}
    picture = layers([root, *leaves], [])
    places = {(box.x, box.y) for box in picture.boxes}
    assert len(places) == 401
    assert picture.height < picture.width
    assert max(box.x for box in picture.boxes if box.node["hops"]) < picture.boxes[0].x
