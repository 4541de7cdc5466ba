"""A bill of materials and lineage events, checked by what their makers publish."""

from __future__ import annotations

import json
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from openlineage.client import event_v2

from tests.unit.export.test_formats import graphs
from whence.export import Edge, Format, Graph, Node, written

AT = "2026-09-21T13:00:00Z"
SHOP, RANKER = "otel://shop#checkout", "mlflow+https://models.shop.dev#ranker"
CLICKS, FEATURES, JOB = "s3://lake#clicks", "s3://lake#features", "airflow://shop#make-features"
GRAPH = Graph(
    (
        Node(JOB, "job", "team-data", ()),
        Node(RANKER, "model", "team-rank", (f"{RANKER}@version:7",)),
        Node(SHOP, "service", None, ()),
        Node(CLICKS, "dataset", None, ()),
        Node(FEATURES, "dataset", None, ()),
    ),
    (
        Edge(JOB, CLICKS, ("READS",)),
        Edge(RANKER, FEATURES, ("TRAINED_ON",)),
        Edge(SHOP, RANKER, ("USES_MODEL",)),
        Edge(FEATURES, JOB, ("PRODUCED_BY",)),
    ),
    AT,
)
CHECK = JsonStrictValidator(SchemaVersion.V1_6)


def test_bill_of_materials_names_models_their_data_and_who_uses_them() -> None:
    text = written(GRAPH, Format.CYCLONEDX)
    assert CHECK.validate_str(text) is None
    bom = json.loads(text)
    components = {one["bom-ref"]: one for one in bom["components"]}
    assert components[RANKER]["type"] == "machine-learning-model"
    assert components[RANKER]["version"] == "version:7"
    assert components[RANKER]["modelCard"]["modelParameters"]["datasets"] == [{"ref": FEATURES}]
    assert {one["ref"]: one["dependsOn"] for one in bom["dependencies"]}[SHOP] == [RANKER]


@given(graphs())
@settings(max_examples=40, deadline=None)
def test_bill_of_materials_is_valid_whatever_strangers_named_things(graph: Graph) -> None:
    assert CHECK.validate_str(written(graph, Format.CYCLONEDX)) is None


def test_lineage_events_tell_what_goes_in_and_what_comes_out() -> None:
    events = json.loads(written(GRAPH, Format.OPENLINEAGE))
    told = {one["job"]["name"]: (names(one["inputs"]), names(one["outputs"])) for one in events}
    assert told == {"make-features": (["clicks"], ["features"]), "checkout": (["ranker"], [])}
    for one in events:
        job = event_v2.Job(one["job"]["namespace"], one["job"]["name"])
        built = event_v2.JobEvent(
            eventTime=one["eventTime"],
            producer=one["producer"],
            job=job,
            inputs=[event_v2.InputDataset(data["namespace"], data["name"]) for data in one["inputs"]],
            outputs=[event_v2.OutputDataset(data["namespace"], data["name"]) for data in one["outputs"]],
        )
        assert built.schemaURL == one["schemaURL"]


def names(data: list[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in data]
