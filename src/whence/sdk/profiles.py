"""Snapshot profiles: what one snapshot of a table looked like, in numbers. No cell of a text column is ever read out.

Works on pandas, polars and Arrow tables through narwhals (``pip install whence[profiles]``). The size is bounded by a
sample of rows and a number of columns, the time by a clock that is looked at between columns: what is left then stays
unmeasured.
"""

from __future__ import annotations

import math
import time
from typing import Any

from whence.sdk.active import Facets
from whence.sdk.guard import lose
from whence.sdk.lineage import facet

MAX_ROWS = 100_000
MAX_COLUMNS = 200
MAX_SECONDS = 0.5
_BINS = 20


def profile_facets(frame: object) -> Facets:
    """OpenLineage facets with the schema, the number of rows, and numbers on each column.

    Null and distinct counts of a sample of rows are told for the sample's share of nulls alone: null counts are scaled
    to all rows, distinct counts are left out. ``quantiles`` cut the values into twenty bins of equal weight.

    Raises:
        ImportError: narwhals is not installed.
        TypeError: It is no table whose rows are at hand (a lazy one, say).

    Cost: at most 0.5 s and one column more.
    """
    import narwhals as nw

    deadline = time.monotonic() + MAX_SECONDS
    table = nw.from_native(frame, eager_only=True)  # type: ignore[call-overload]
    rows = len(table)
    sample = table.gather_every(math.ceil(rows / MAX_ROWS)) if rows > MAX_ROWS else table
    columns: dict[str, dict[str, Any]] = {}
    for name in table.columns[:MAX_COLUMNS]:
        if time.monotonic() > deadline:
            lose("columns of a profile that took too long", f"{len(table.columns) - len(columns)} columns")
            break
        columns[name] = _column(sample.get_column(name), rows)
    fields = [{"name": name, "type": str(kind)} for name, kind in list(table.schema.items())[:MAX_COLUMNS]]
    return {
        "schema": facet("1-2-0/SchemaDatasetFacet", fields=fields),
        "dataQualityMetrics": facet("1-0-1/DataQualityMetricsDatasetFacet", rowCount=rows, columnMetrics=columns),
    }


def _column(values: Any, rows: int) -> dict[str, Any]:
    """Metrics of one column, by the names of OpenLineage."""
    sampled = len(values)
    if values.dtype.is_float():
        values = values.fill_nan(None)
    nulls = int(values.null_count())
    metrics: dict[str, Any] = {"nullCount": round(nulls * rows / sampled) if sampled else 0}
    if sampled == rows and not values.dtype.is_nested():
        metrics["distinctCount"] = int(values.drop_nulls().n_unique())
    if values.dtype.is_numeric() and nulls < sampled:
        metrics |= _numbers(values.drop_nulls(), rows - metrics["nullCount"])
    return metrics


def _numbers(values: Any, count: int) -> dict[str, Any]:
    mean = float(values.mean())
    found = {"count": count, "sum": mean * count, "min": float(values.min()), "max": float(values.max())}
    cuts = {str(cut / _BINS): cut / _BINS for cut in range(1, _BINS)}
    quantiles = {text: float(values.quantile(cut, interpolation="linear")) for text, cut in cuts.items()}
    return {name: value for name, value in found.items() if math.isfinite(value)} | {
        "quantiles": {text: value for text, value in quantiles.items() if math.isfinite(value)}
    }
