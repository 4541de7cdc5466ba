"""The training job: reads the latest clicks, fits a model, writes it as a file. ``train.py VERSION [COLUMN...]``."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import joblib
import numpy as np
from lineage import dataset, model, report_run
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import whence

DATA = Path(os.environ.get("SHOP_DATA", "shop-data"))
CUSTOMER_COLUMNS = ["spend", "visits"]
PRODUCT_COLUMNS = ["price", "popularity"]


@whence.run("train-ranker")
def train(version: str, customer_columns: list[str]) -> None:
    """One run. The span says which clicks went in and which model came out; that is all that lineage needs."""
    clicks = (DATA / "clicks/LATEST").read_text().strip()
    whence.reads(f"file#shop/clicks@opaque:{clicks}")
    with (DATA / f"clicks/{clicks}.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = customer_columns + PRODUCT_COLUMNS
    inputs = np.array([[float(row[column]) for column in columns] for row in rows])
    clicked = np.array([int(row["clicked"]) for row in rows])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs, clicked)
    joblib.dump({"columns": columns, "pipeline": pipeline}, DATA / f"models/{version}.joblib")
    whence.writes(f"file#shop/ranker@version:{version}")
    report_run(
        "train-ranker",
        inputs=[dataset("shop/clicks", clicks, rows)],
        outputs=[model("shop/ranker", version)],
    )


if __name__ == "__main__":
    whence.configure(service_name="train-ranker")
    train(sys.argv[1], sys.argv[2:] or CUSTOMER_COLUMNS)
