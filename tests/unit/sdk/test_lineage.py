"""Events of runs, held against the classes that OpenLineage's own client is generated from."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from openlineage.client import event_v2
from openlineage.client.facet_v2 import BaseFacet

import whence
from whence.sdk.guard import losses
from whence.sdk.sender import Report

CLICKS = "s3://lake#warehouse/clicks@iceberg:305"
FEATURES = "file#/data/features.parquet@sha256:9f86"
BASE = "mlflow+https://mlflow.acme.dev#embedder@version:7"
RANKER = "file#shop/ranker@version:v42"

pytestmark = pytest.mark.usefixtures("provider")


def events(sent: list[Report]) -> list[dict[str, Any]]:
    return [json.loads(report.body) for report in sent]


def published(facet: dict[str, Any]) -> BaseFacet:
    """The facet as an object of OpenLineage's client; fails on fields that its schema does not have."""
    fields = {name: value for name, value in facet.items() if not name.startswith("_")}
    kind = next(kind for kind in _kinds(BaseFacet) if kind._get_schema() == facet["_schemaURL"])
    return kind(**fields)


def _kinds(base: type[BaseFacet]) -> list[type[BaseFacet]]:
    return [kind for child in base.__subclasses__() for kind in (child, *_kinds(child))]


def check(event: dict[str, Any]) -> event_v2.RunEvent:
    """Build the event anew from the published classes, which check what they are given."""

    def facets(record: dict[str, Any]) -> dict[str, Any]:
        return {name: published(facet) for name, facet in record["facets"].items()}

    job = event_v2.Job(event["job"]["namespace"], event["job"]["name"], facets=facets(event["job"]))
    built = event_v2.RunEvent(
        eventTime=event["eventTime"],
        eventType=event_v2.RunState[event["eventType"]],
        producer=event["producer"],
        run=event_v2.Run(event["run"]["runId"], facets=facets(event["run"])),
        job=job,
        inputs=[event_v2.InputDataset(one["namespace"], one["name"], facets=facets(one)) for one in event["inputs"]],
        outputs=[event_v2.OutputDataset(one["namespace"], one["name"], facets=facets(one)) for one in event["outputs"]],
    )
    assert built.schemaURL == event["schemaURL"]
    return built


def test_run_reports_its_start_and_its_end_with_everything_it_touched(sent: list[Report]) -> None:
    with whence.run("train-ranker") as run:
        whence.reads(CLICKS)
        with whence.reads(FEATURES), whence.uses_model(BASE):
            pass
        whence.writes(RANKER)
    start, complete = events(sent)
    assert [event["eventType"] for event in (start, complete)] == ["START", "COMPLETE"]
    assert {event["run"]["runId"] for event in (start, complete)} == {run.id}
    assert (start["job"]["namespace"], start["job"]["name"]) == ("otel://", "train-ranker")
    assert (start["inputs"], start["outputs"]) == ([], [])
    inputs = {one["name"]: one["facets"]["version"]["datasetVersion"] for one in complete["inputs"]}
    assert inputs == {"warehouse/clicks": "305", "/data/features.parquet": "sha256:9f86", "embedder": "7"}
    (written,) = complete["outputs"]
    assert (written["name"], written["facets"]["version"]["datasetVersion"]) == ("shop/ranker", "version:v42")
    for event in (start, complete):
        check(event)


def test_run_tells_models_and_table_formats_apart(sent: list[Report]) -> None:
    with whence.run("score"):
        whence.uses_model(BASE)
        whence.reads(CLICKS)
    model, table = events(sent)[-1]["inputs"]
    assert model["facets"]["datasetType"]["datasetType"] == "MODEL"
    assert table["facets"]["storage"]["storageLayer"] == "iceberg"


def test_run_that_fails_says_so_and_hides_the_text_of_the_error(sent: list[Report]) -> None:
    with pytest.raises(KeyError), whence.run("train-ranker"):
        raise KeyError("ada@example.com")
    failed = events(sent)[-1]
    assert failed["eventType"] == "FAIL"
    assert failed["run"]["facets"]["errorMessage"]["message"] == "KeyError"
    assert "ada" not in json.dumps(failed)
    check(failed)


@pytest.mark.parametrize(
    ("ending", "state"), [(SystemExit(0), "COMPLETE"), (SystemExit(3), "FAIL"), (KeyboardInterrupt(), "ABORT")]
)
def test_run_that_is_ended_from_outside_reports_how(sent: list[Report], ending: BaseException, state: str) -> None:
    with pytest.raises(type(ending)), whence.run("train-ranker"):
        raise ending
    assert events(sent)[-1]["eventType"] == state


def test_run_inside_a_run_names_its_parent(sent: list[Report]) -> None:
    with whence.run("nightly") as outer, whence.run("features"):
        pass
    inner = events(sent)[1]
    parent = inner["run"]["facets"]["parent"]
    assert (parent["run"]["runId"], parent["job"]["name"]) == (outer.id, "nightly")
    check(inner)


def test_reads_in_threads_belong_to_the_only_run_there_is(sent: list[Report]) -> None:
    with whence.run("train-ranker"), ThreadPoolExecutor(2) as pool:
        list(pool.map(whence.reads, [f"file#part/{number}@opaque:1" for number in range(4)]))
    names = {one["name"] for one in events(sent)[-1]["inputs"]}
    assert names == {f"part/{number}" for number in range(4)}


def test_reads_outside_of_a_run_belong_to_none(sent: list[Report]) -> None:
    whence.reads(CLICKS)
    with whence.run("train-ranker"):
        pass
    assert events(sent)[-1]["inputs"] == []


def test_run_as_decorator_of_coroutine_function_is_one_run_for_each_call(sent: list[Report]) -> None:
    @whence.run("refresh")
    async def refresh() -> None:
        """Does nothing."""

    for _ in range(2):
        with pytest.raises(StopIteration):
            refresh().send(None)
    assert len({event["run"]["runId"] for event in events(sent)}) == 2


def test_run_as_decorator_of_generator_leaves_it_alone_and_says_so(sent: list[Report]) -> None:
    before = sum(losses().values())

    @whence.run("refresh")
    def rows() -> Any:
        yield 1

    assert list(rows()) == [1]
    assert sent == []
    assert sum(losses().values()) == before + 1


def test_events_go_where_openlineage_variables_say(sent: list[Report], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "https://marquez.acme.dev/")
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "secret")
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "shop-jobs")
    with whence.run("train-ranker"):
        pass
    assert {(report.url, report.token) for report in sent} == {
        ("https://marquez.acme.dev/api/v1/lineage", "secret"),
    }
    assert {event["job"]["namespace"] for event in events(sent)} == {"shop-jobs"}


def test_events_are_not_sent_where_openlineage_is_disabled(sent: list[Report], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    with whence.run("train-ranker"):
        pass
    assert sent == []


@pytest.mark.usefixtures("production")
def test_run_beyond_its_bound_of_references_counts_what_it_leaves_out(sent: list[Report]) -> None:
    before = sum(losses().values())
    with whence.run("train-ranker"):
        for number in range(1_002):
            whence.reads(f"file#bound/{number}")
    assert len(events(sent)[-1]["inputs"]) == 1_000
    assert losses()["a reference beyond what one run reports"] >= 2
    assert sum(losses().values()) > before
