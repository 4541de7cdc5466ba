"""Feast, which wants older releases of what others need: ``test_sdk_distributions`` runs this where it is installed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.unit.sdk.instrumented import Request, instrumented, request_
from whence.model.names import INPUTS, OUTPUTS

__all__ = ["instrumented", "request_"]

feast = pytest.importorskip("feast")
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A local feature store with two views of drivers."""
    monkeypatch.setenv("WHENCE_INSTRUMENT", "feast")
    rows = {"driver": [1, 2], "trips": [3, 4], "at": [datetime.now(UTC) - timedelta(hours=1)] * 2}
    pd.DataFrame(rows).to_parquet(tmp_path / "trips.parquet")
    (tmp_path / "feature_store.yaml").write_text(
        "project: risk\nprovider: local\nregistry: registry.db\n"
        "online_store: {type: sqlite, path: online.db}\nentity_key_serialization_version: 3\n"
    )
    found = feast.FeatureStore(repo_path=str(tmp_path))
    driver = feast.Entity(name="driver", join_keys=["driver"], value_type=feast.ValueType.INT64)
    source = feast.FileSource(name="trips", path=str(tmp_path / "trips.parquet"), timestamp_field="at")
    schema = [feast.Field(name="trips", dtype=feast.types.Int64)]
    views = [
        feast.FeatureView(name=name, entities=[driver], schema=schema, source=source, ttl=timedelta(days=1))
        for name in ("daily", "weekly")
    ]
    found.apply([driver, *views, feast.FeatureService(name="ranking", features=[views[0]])])
    return found


def test_feature_views_are_read_online_and_filled(request_: Request, store: Any) -> None:
    with request_:
        store.materialize(datetime.now(UTC) - timedelta(days=1), datetime.now(UTC), feature_views=["daily"])
    assert request_[OUTPUTS] == {"feast://risk#daily"}
    with request_:
        store.get_online_features(["daily:trips", "weekly:trips"], [{"driver": 1}], full_feature_names=True)
    assert request_[INPUTS] == {"feast://risk#daily", "feast://risk#weekly"}
    with request_:
        store.get_online_features(store.get_feature_service("ranking"), [{"driver": 1}])
    assert request_[INPUTS] == {"feast://risk#daily"}


def test_feature_views_are_read_for_training(request_: Request, store: Any) -> None:
    wanted = pd.DataFrame({"driver": [1], "event_timestamp": [datetime.now(UTC)]})
    with request_:
        store.get_historical_features(entity_df=wanted, features=["weekly:trips"])
    assert request_[INPUTS] == {"feast://risk#weekly"}
