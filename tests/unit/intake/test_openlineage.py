from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.errors import InvalidQuery
from whence.intake.openlineage import event_delta
from whence.model.delta import GraphDelta, merge, merge_all
from whence.model.kinds import ChangeKind, EntityKind, Layer, RelationType
from whence.model.profile import ColumnProfile
from whence.model.times import parse_time_ns

SHARED = Path(os.environ.get("WHENCE_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
CAPTURES = SHARED / "payloads" / "openlineage"
NOW = parse_time_ns("2026-11-24T12:00:00Z", now_ns=0)
AT = parse_time_ns("2026-11-24T00:00:00Z", now_ns=0)
RUN = "01a20ae3-1bda-7f64-b30f-89d5ee725db6"

RAW = "postgres://db:5432#shop.public.raw"
FEATURES = "postgres://db:5432#shop.public.features"
JOB = "airflow#nightly.features"


def dataset(name: str, **facets: Any) -> dict[str, Any]:
    return {"namespace": "postgres://db", "name": f"shop.public.{name}", "facets": facets}


def run_event(state: str = "COMPLETE", **fields: Any) -> dict[str, Any]:
    return {
        "eventType": state,
        "eventTime": "2026-11-24T00:00:00Z",
        "run": {"runId": RUN, "facets": fields.pop("run_facets", {})},
        "job": {"namespace": "airflow", "name": "nightly.features", "facets": fields.pop("job_facets", {})},
        "inputs": [dataset("raw")],
        "outputs": [dataset("features")],
        **fields,
    }


def delta(event: object) -> GraphDelta:
    return event_delta(event, now_ns=NOW)


def arrows(found: GraphDelta, *types: RelationType) -> set[tuple[str, str, str]]:
    return {(key.src, key.type.value, key.dst) for key in found.relations if not types or key.type in types}


def test_completed_run_links_job_inputs_and_outputs_as_entities_and_as_versions() -> None:
    run, written = f"{JOB}@run:{RUN}", f"{FEATURES}@run:{RUN}"
    assert arrows(delta(run_event())) == {
        (JOB, "HAS_VERSION", run),
        (JOB, "READS", RAW),
        (run, "READS", RAW),
        (FEATURES, "PRODUCED_BY", JOB),
        (FEATURES, "DERIVED_FROM", RAW),
        (FEATURES, "HAS_VERSION", written),
        (written, "PRODUCED_BY", run),
        (written, "DERIVED_FROM", RAW),
    }


@pytest.mark.parametrize("state", ["START", "RUNNING", "FAIL", "ABORT", "OTHER"])
def test_run_that_did_not_complete_writes_no_version_and_no_change(state: str) -> None:
    found = delta(run_event(state, outputs=[dataset("features", version={"datasetVersion": "7"})]))
    assert found.changes == {}
    assert (FEATURES, "PRODUCED_BY", JOB) in arrows(found)
    assert not [key for key in arrows(found, RelationType.HAS_VERSION) if key[0] == FEATURES]


def test_running_stream_that_names_a_version_writes_it() -> None:
    event = run_event(
        "RUNNING",
        job_facets={"jobType": {"processingType": "STREAMING"}},
        outputs=[dataset("features", version={"datasetVersion": "7"})],
    )
    assert f"{FEATURES}@opaque:7" in delta(event).entities


@pytest.mark.parametrize(
    ("facets", "version"),
    [
        ({"version": {"datasetVersion": "305"}, "storage": {"storageLayer": "iceberg"}}, "iceberg:305"),
        ({"version": {"datasetVersion": "12"}, "storage": {"storageLayer": "DELTA"}}, "delta:12"),
        ({"version": {"datasetVersion": "abc"}}, "opaque:abc"),
        ({"version": {"datasetVersion": "sha256:9f86"}}, "sha256:9f86"),
        ({"version": {"datasetVersion": "git:9d59"}, "datasetType": {"datasetType": "MODEL"}}, "git:9d59"),
        ({"version": {"datasetVersion": "10:45"}}, "opaque:10:45"),
        ({"version": {"datasetVersion": "7"}, "datasetType": {"datasetType": "MODEL"}}, "version:7"),
        ({"icebergCommitReport": {"snapshotId": 3055}}, "iceberg:3055"),
        ({"version": {"datasetVersion": "latest"}}, f"run:{RUN}"),
        ({"version": {"datasetVersion": "7", "_deleted": True}}, f"run:{RUN}"),
        ({"version": "odd"}, f"run:{RUN}"),
    ],
)
def test_kind_of_a_version_follows_from_storage_and_type(facets: dict[str, Any], version: str) -> None:
    assert f"{FEATURES}@{version}" in delta(run_event(outputs=[dataset("features", **facets)])).entities


def test_written_version_is_a_recorded_change_at_the_time_of_the_event() -> None:
    (change,) = delta(run_event()).changes.values()
    assert (change.kind, change.subject, change.to_version) == (ChangeKind.DATASET, FEATURES, RUN)
    assert (change.effective_ns, change.known_ns, change.recorded) == (AT, NOW, True)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("ALTER", ChangeKind.SCHEMA),
        ("RENAME", ChangeKind.SCHEMA),
        ("OVERWRITE", ChangeKind.DATASET),
        ("DROP", ChangeKind.DATASET),
    ],
)
def test_lifecycle_event_decides_the_kind_of_change(event: str, kind: ChangeKind) -> None:
    outputs = [dataset("features", lifecycleStateChange={"lifecycleStateChange": event})]
    (change,) = delta(run_event(outputs=outputs)).changes.values()
    assert change.kind is kind


def test_dataset_event_with_lifecycle_but_no_version_is_a_change() -> None:
    event = {
        "eventTime": "2026-11-24T00:00:00Z",
        "dataset": dataset("features", lifecycleStateChange={"lifecycleStateChange": "DROP"}),
    }
    (change,) = delta(event).changes.values()
    assert (change.subject, change.to_version, change.summary) == (FEATURES, None, "drop")


def test_model_output_is_a_model_trained_on_the_inputs() -> None:
    model = {"datasetType": {"datasetType": "MODEL"}, "version": {"datasetVersion": "7"}}
    found = delta(run_event(outputs=[dataset("features", **model)]))
    assert found.entities[FEATURES].kind is EntityKind.MODEL
    assert found.entities[f"{FEATURES}@version:7"].kind is EntityKind.MODEL_VERSION
    assert (f"{FEATURES}@version:7", "TRAINED_ON", RAW) in arrows(found)
    assert [change.kind for change in found.changes.values()] == [ChangeKind.MODEL]


def test_service_job_is_the_service_and_has_no_runs() -> None:
    event = run_event(
        "RUNNING",
        job={
            "namespace": "otel://risk",
            "name": "scoring",
            "facets": {
                "jobType": {"processingType": "SERVICE"},
                "lineage": {
                    "entries": [{"type": "JOB", "inputs": [{"namespace": "otel://risk", "name": "api", "type": "JOB"}]}]
                },
            },
        },
        inputs=[
            dataset("features", version={"datasetVersion": "7"}),
            {
                "namespace": "mlflow+https://ml.example",
                "name": "fraud",
                "facets": {"datasetType": {"datasetType": "MODEL"}, "version": {"datasetVersion": "7"}},
            },
        ],
        outputs=[],
    )
    found = delta(event)
    service = "otel://risk#scoring"
    assert found.entities[service].kind is EntityKind.SERVICE
    assert arrows(found, RelationType.READS, RelationType.USES_MODEL, RelationType.CALLS) == {
        (service, "READS", FEATURES),
        (service, "READS", f"{FEATURES}@opaque:7"),
        (service, "USES_MODEL", "mlflow+https://ml.example#fraud"),
        (service, "USES_MODEL", "mlflow+https://ml.example#fraud@version:7"),
        (service, "CALLS", "otel://risk#api"),
    }
    assert EntityKind.RUN not in {entity.kind for entity in found.entities.values()}


def test_explicit_lineage_replaces_inputs_times_outputs() -> None:
    entry = {
        "type": "DATASET",
        "namespace": "postgres://db",
        "name": "shop.public.features",
        "fields": {"total": {"inputs": [{"namespace": "postgres://db", "name": "shop.public.orders"}]}},
    }
    found = delta(run_event(job_facets={"lineage": {"entries": [entry]}}))
    assert arrows(found, RelationType.DERIVED_FROM) == {
        (FEATURES, "DERIVED_FROM", "postgres://db:5432#shop.public.orders")
    }


def test_column_lineage_adds_sources_that_inputs_do_not_name() -> None:
    source = {"namespace": "postgres://db", "name": "shop.public.orders", "field": "amount"}
    outputs = [dataset("features", columnLineage={"fields": {"total": {"inputFields": [source]}}})]
    found = delta(run_event("START", inputs=[], outputs=outputs))
    assert arrows(found, RelationType.DERIVED_FROM) == {
        (FEATURES, "DERIVED_FROM", "postgres://db:5432#shop.public.orders")
    }


def test_columns_keep_their_origins_those_that_feed_every_column_too() -> None:
    amount = {"namespace": "postgres://db", "name": "shop.public.orders", "field": "amount"}
    joined = amount | {"field": "user_id"}
    facet = {"fields": {"total": {"inputFields": [amount]}}, "dataset": [joined]}
    explicit = {"fields": {"rate": {"inputs": [amount | {"field": letter * 600} for letter in "xy"]}}}
    found = delta(run_event("START", inputs=[], outputs=[dataset("features", columnLineage=facet, lineage=explicit)]))
    assert found.entities[FEATURES].attribute("column.total") == (
        "postgres://db:5432#shop.public.orders@column:amount postgres://db:5432#shop.public.orders@column:user_id"
    )
    assert found.entities[FEATURES].attribute("column.rate") == "*"  # too many to name them all


def test_job_event_declares_and_dataset_event_describes() -> None:
    declared = {name: value for name, value in run_event().items() if name not in ("run", "eventType")}
    found = delta(declared)
    assert {key.layer for key in found.relations} == {Layer.DECLARED}
    assert arrows(found) == {(JOB, "READS", RAW), (FEATURES, "PRODUCED_BY", JOB), (FEATURES, "DERIVED_FROM", RAW)}


def test_statistics_and_metrics_become_the_profile_of_the_written_snapshot() -> None:
    outputs = [
        {
            **dataset("features", schema={"fields": [{"name": "id", "type": "int"}]}),
            "outputFacets": {
                "outputStatistics": {"rowCount": 10, "size": 730},
                "dataQualityMetrics": {
                    "rowCount": 10,
                    "columnMetrics": {
                        "id": {"nullCount": 2, "distinctCount": 8, "min": 1, "max": 9, "sum": 40, "count": 8}
                    },
                },
            },
        }
    ]
    (profile,) = delta(run_event(outputs=outputs)).profiles.values()
    assert (profile.version, profile.dataset, profile.at_ns) == (f"{FEATURES}@run:{RUN}", FEATURES, AT)
    assert (profile.rows, profile.bytes) == (10, 730)
    assert profile.columns == (ColumnProfile("id", 0.2, 8, 1.0, 9.0, 5.0),)


def schema_hash(*fields: dict[str, Any]) -> str | None:
    found = delta(run_event(outputs=[dataset("features", schema={"fields": list(fields)})]))
    return found.entities[f"{FEATURES}@run:{RUN}"].attribute("schema.hash")


def test_schema_hash_ignores_order_and_sees_types_and_nested_fields() -> None:
    one, two = {"name": "a", "type": "int"}, {"name": "b", "type": "text"}
    nested = {"name": "b", "type": "text", "fields": [{"name": "c"}]}
    assert schema_hash(one, two) == schema_hash(two, one)
    assert (
        len({schema_hash(one, two), schema_hash(one), schema_hash(one, nested), schema_hash(one | {"type": "x"})}) == 4
    )


def test_code_owner_symlinks_tags_and_failed_assertions_are_kept() -> None:
    found = delta(
        run_event(
            job_facets={
                "ownership": {"owners": [{"name": "team:growth"}]},
                "sourceCodeLocation": {"type": "git", "repoUrl": "https://github.com/acme/jobs", "version": "9d59409"},
            },
            outputs=[
                dataset(
                    "features",
                    symlinks={"identifiers": [{"namespace": "hive://h", "name": "db.features", "type": "TABLE"}]},
                    tags={"tags": [{"key": "pii", "value": "true", "field": "email"}, {"key": "gold"}]},
                    dataQualityAssertions={
                        "assertions": [
                            {"assertion": "not_null", "column": "id", "success": False},
                            {"assertion": "unique", "success": True},
                        ]
                    },
                )
            ],
        )
    )
    assert found.entities[JOB].attribute("owner") == "team:growth"
    assert found.entities[JOB].attribute("repository") == "https://github.com/acme/jobs"
    assert found.entities[f"{JOB}@run:{RUN}"].attribute("revision") == "9d59409"
    assert found.entities[FEATURES].attribute("symlinks") == "hive://h#db.features"
    assert found.entities[FEATURES].attribute("tags") == "gold pii=true"
    assert found.entities[f"{FEATURES}@run:{RUN}"].attribute("failed_assertions") == "not_null(id)"


def test_sql_code_and_variables_are_dropped() -> None:
    event = run_event(
        job_facets={"sql": {"query": "select sesame"}, "sourceCode": {"sourceCode": "sesame()"}},
        run_facets={
            "environmentVariables": {"environmentVariables": [{"name": "KEY", "value": "sesame"}]},
            "errorMessage": {"message": "column missing", "stackTrace": "at sesame"},
        },
    )
    assert "sesame" not in repr(delta(event))
    assert delta(event).entities[f"{JOB}@run:{RUN}"].attribute("error") == "column missing"


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ([], "eventTime"),
        ({"eventTime": "2026-11-24T00:00:00Z"}, "job"),
        (run_event(eventTime="today"), "eventTime"),
        (run_event(run={}), "run.runId"),
        (run_event(job={"namespace": "a"}), "job.name"),
        (run_event(inputs=[{"namespace": "a"}]), "inputs.0.name"),
        (run_event(job={"namespace": "a", "name": "x" * 2000}), "name"),
    ],
)
def test_event_that_breaks_the_specification_is_refused_naming_the_field(event: object, field: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        delta(event)
    assert caught.value.field == field


def test_event_sent_again_later_changes_nothing_but_is_known_since_the_first() -> None:
    first, again = delta(run_event()), event_delta(run_event(), now_ns=NOW + 10**12)
    assert merge(first, again) == merge(again, first) == first


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FACET_NAMES = st.sampled_from(
    ["version", "schema", "symlinks", "datasetType", "lifecycleStateChange", "ownership", "columnLineage", "lineage"]
    + ["dataQualityMetrics", "dataQualityAssertions", "outputStatistics", "tags", "storage", "icebergScanReport"]
)


@given(facets=st.dictionaries(FACET_NAMES, JSON_VALUES, max_size=5))
def test_facet_of_any_shape_never_costs_the_event(facets: dict[str, Any]) -> None:
    assert (
        JOB in delta(run_event(outputs=[dataset("features", **facets)], job_facets=facets, run_facets=facets)).entities
    )


@given(event=JSON_VALUES)
def test_any_json_is_taken_or_refused_by_name(event: object) -> None:
    with contextlib.suppress(InvalidQuery):
        delta(event)


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no captured events in {CAPTURES} (WHENCE_SHARED_DATA)")
def test_every_captured_event_of_real_producers_is_taken() -> None:
    events = [json.loads(path.read_text()) for path in sorted(CAPTURES.glob("*/*_api_v1_lineage.json"))]
    assert len(events) > 90
    total = merge_all(delta(event) for event in events)
    spark = "spark-dev#build_features.adaptive_spark_plan.spark_features"
    assert ("file#/srv/shop/spark/features", "PRODUCED_BY", spark) in arrows(total)
    assert len(total.changes) > 20
