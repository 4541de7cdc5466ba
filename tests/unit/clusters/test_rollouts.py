"""Revisions of workloads to reports of changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import controller_revision, replica_set
from whence.clusters.rollouts import Rollouts

NOW = "2026-11-24T09:00:00Z"
FIRST = replica_set("ranking", 1, "2026-11-24T08:00:00Z", image="acme/ranking:v40")
SECOND = replica_set("ranking", 2, "2026-11-24T08:30:00Z", image="acme/ranking:v41")


def test_new_template_is_a_deployment_from_one_image_to_the_next() -> None:
    rollouts = Rollouts("production")
    rollouts.found([FIRST])
    assert rollouts.seen(SECOND, NOW) == [
        {
            "id": "kubernetes:ranking-2:2",
            "kind": "deployment",
            "subject": "ranking",
            "from": "v40",
            "to": "v41",
            "environment": "production",
            "effective_at": "2026-11-24T08:30:00Z",
            "summary": "revision 2 of Deployment shop/ranking",
        }
    ]


def test_other_configuration_of_the_same_image_is_a_change_of_configuration() -> None:
    rollouts = Rollouts(None)
    rollouts.found([FIRST])
    (report,) = rollouts.seen(replica_set("ranking", 2, NOW, image="acme/ranking:v40"), NOW)
    assert (report["kind"], report["from"], report["to"]) == ("config", "v40", "v40")


def test_revision_that_only_scales_is_no_news() -> None:
    rollouts = Rollouts(None)
    rollouts.found([FIRST, SECOND])
    scaled = {**SECOND, "status": {"replicas": 7}}
    assert rollouts.seen(scaled, NOW) == []


def test_roll_back_is_a_deployment_now_of_what_was_before() -> None:
    rollouts = Rollouts(None)
    rollouts.found([FIRST, SECOND])
    (report,) = rollouts.seen(
        replica_set("ranking", 3, "2026-11-24T08:00:00Z", image="acme/ranking:v40", uid="ranking-1"), NOW
    )
    assert (report["id"], report["from"], report["to"]) == ("kubernetes:ranking-1:3", "v41", "v40")
    assert report["effective_at"] == NOW


def test_roll_back_that_nobody_watched_is_not_dated() -> None:
    again = replica_set("ranking", 3, "2026-11-24T08:00:00Z", image="acme/ranking:v40", uid="ranking-1")
    assert [one["id"] for one in Rollouts(None).found([again, SECOND])] == ["kubernetes:ranking-2:2"]


@given(order=st.permutations([FIRST, SECOND, replica_set("payment", 4, NOW, image="acme/payment:77ab")]))
def test_list_in_any_order_gives_the_same_reports_and_a_second_one_none(order: list[dict[str, Any]]) -> None:
    rollouts = Rollouts(None)
    found = rollouts.found(order)
    assert [one["id"] for one in found] == [
        "kubernetes:ranking-1:1",
        "kubernetes:ranking-2:2",
        "kubernetes:payment-4:4",
    ]
    assert [one["from"] for one in found] == [None, "v40", None]
    assert rollouts.found(reversed(order)) == []


@pytest.mark.parametrize(
    ("notes", "labels", "subject"),
    [
        ({}, {}, "ranking"),
        ({}, {"app.kubernetes.io/name": "ranker"}, "ranker"),
        ({}, {"app.kubernetes.io/name": "ranker", "app.kubernetes.io/instance": "ranker-eu"}, "ranker-eu"),
        ({"service.name": "rank"}, {"app.kubernetes.io/name": "ranker"}, "rank"),
        ({"service.name": "rank", "service.namespace": "shop"}, {}, "otel://shop#rank"),
    ],
)
def test_subject_goes_by_the_name_that_spans_have(notes: dict[str, str], labels: dict[str, str], subject: str) -> None:
    item = replica_set("ranking", 1, NOW, image="acme/ranking:v40", notes=notes, labels=labels)
    assert Rollouts(None).found([item])[0]["subject"] == subject


def test_what_the_annotations_say_goes_before_image_and_option() -> None:
    notes = {"service.version": "2.4.1", "deployment.environment.name": "staging"}
    item = replica_set("ranking", 1, NOW, image="acme/ranking:v40", notes=notes)
    (report,) = Rollouts("production").found([item])
    assert (report["to"], report["environment"]) == ("2.4.1", "staging")


def test_stateful_sets_are_told_by_their_controller_revisions() -> None:
    (report,) = Rollouts(None).found([controller_revision("features", 2, NOW, image="acme/features:v3")])
    assert (report["subject"], report["to"]) == ("features", "v3")
    assert report["summary"] == "revision 2 of StatefulSet shop/features"


@pytest.mark.parametrize("field", ["uid", "creationTimestamp", "ownerReferences", "annotations"])
def test_object_that_belongs_to_no_workload_is_no_change(field: str) -> None:
    item = replica_set("ranking", 1, NOW, image="acme/ranking:v40")
    item["metadata"] = {name: value for name, value in item["metadata"].items() if name != field}
    assert Rollouts(None).found([item]) == []
