import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pytest

import whence
from whence.sdk import profiles
from whence.sdk.profiles import profile_facets
from whence.sdk.sender import Report

ROWS: dict[str, list[Any]] = {
    "user": [1, 2, 3, 4],
    "score": [0.5, None, 1.5, 1.0],
    "email": ["ada@example.com", "bob@example.com", "ada@example.com", None],
}
MAKERS: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": pa.table,
}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine changes no answer."""
    monkeypatch.setattr(profiles, "MAX_SECONDS", 60.0)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_profile_of_any_table_tells_rows_and_numbers(make: Callable[[dict[str, list[Any]]], Any]) -> None:
    facets = profile_facets(make(ROWS))
    metrics = facets["dataQualityMetrics"]
    assert metrics["rowCount"] == 4
    user, score = metrics["columnMetrics"]["user"], metrics["columnMetrics"]["score"]
    assert {"nullCount": 0, "distinctCount": 4, "count": 4, "sum": 10.0, "min": 1.0, "max": 4.0}.items() <= user.items()
    assert {"nullCount": 1, "distinctCount": 3, "count": 3, "sum": 3.0, "min": 0.5, "max": 1.5}.items() <= score.items()
    assert user["quantiles"]["0.5"] == pytest.approx(2.5)
    assert len(user["quantiles"]) == 19
    assert [field["name"] for field in facets["schema"]["fields"]] == ["user", "score", "email"]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_profile_of_text_column_counts_and_shows_no_cell(make: Callable[[dict[str, list[Any]]], Any]) -> None:
    facets = profile_facets(make(ROWS))
    assert facets["dataQualityMetrics"]["columnMetrics"]["email"] == {"nullCount": 1, "distinctCount": 2}
    assert "example.com" not in json.dumps(facets)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_profile_of_empty_table_tells_its_schema(make: Callable[[dict[str, list[Any]]], Any]) -> None:
    facets = profile_facets(make({"user": []}))
    assert facets["dataQualityMetrics"]["rowCount"] == 0
    assert [field["name"] for field in facets["schema"]["fields"]] == ["user"]


def test_profile_with_infinite_and_nested_cells_stays_json() -> None:
    table = pl.DataFrame({"ratio": [1.0, float("inf"), float("nan")], "tags": [["a"], [], None]})
    metrics = profile_facets(table)["dataQualityMetrics"]["columnMetrics"]
    assert json.loads(json.dumps(metrics, allow_nan=False))["tags"] == {"nullCount": 1}
    assert metrics["ratio"]["nullCount"] == 1


def test_profile_of_many_rows_is_measured_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "MAX_ROWS", 100)
    table = pl.DataFrame({"value": [None if number % 2 else number for number in range(3000)]}).sample(
        fraction=1, shuffle=True, seed=1
    )
    metrics = profile_facets(table)["dataQualityMetrics"]
    column = metrics["columnMetrics"]["value"]
    assert metrics["rowCount"] == 3000
    assert "distinctCount" not in column
    assert column["nullCount"] + column["count"] == 3000
    assert 900 < column["nullCount"] < 2100


def test_profile_stops_where_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "MAX_SECONDS", -1.0)
    metrics = profile_facets(pl.DataFrame({"a": [1], "b": [2]}))["dataQualityMetrics"]
    assert metrics["columnMetrics"] == {}


def test_profile_of_very_wide_table_is_cut() -> None:
    facets = profile_facets(pa.table({f"c{number}": [1] for number in range(300)}))
    assert len(facets["schema"]["fields"]) == 200
    assert len(facets["dataQualityMetrics"]["columnMetrics"]) <= 200


def test_writes_with_profile_outside_of_a_run_reports_the_snapshot(sent: list[Report]) -> None:
    whence.writes("s3://lake#features@iceberg:305", profile=pl.DataFrame({"a": [1, 2]}))
    (event,) = (json.loads(report.body) for report in sent)
    assert event["schemaURL"].endswith("/DatasetEvent")
    assert event["dataset"]["facets"]["dataQualityMetrics"]["rowCount"] == 2
    assert event["dataset"]["facets"]["version"]["datasetVersion"] == "305"


def test_writes_with_profile_inside_a_run_is_part_of_its_report(sent: list[Report]) -> None:
    with whence.run("refresh"):
        whence.writes("s3://lake#features@iceberg:305", profile=pl.DataFrame({"a": [1, 2]}))
    start, complete = (json.loads(report.body) for report in sent)
    assert complete["outputs"][0]["facets"]["dataQualityMetrics"]["rowCount"] == 2
    assert start["outputs"] == []


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("table", [pl.LazyFrame({"a": [1]}), "no table", 7])
def test_writes_with_something_else_as_profile_is_harmless(sent: list[Report], table: object) -> None:
    with whence.run("refresh"):
        whence.writes("file#a@opaque:1", profile=table)
    (written,) = json.loads(sent[-1].body)["outputs"]
    assert "dataQualityMetrics" not in written["facets"]
