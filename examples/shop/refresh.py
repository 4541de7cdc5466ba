"""The refresh job: turns the latest orders into a new snapshot of the features. ``refresh.py [EVERY_SECONDS]``."""

from __future__ import annotations

import csv
import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

from lineage import dataset, report_run

import whence

DATA = Path(os.environ.get("SHOP_DATA", "shop-data"))


@whence.run("refresh-features")
def refresh(version: str) -> None:
    """One run. The span says which orders went in and which snapshot came out; that is all that lineage needs."""
    orders = (DATA / "orders/LATEST").read_text().strip()
    whence.reads(f"file#shop/orders@opaque:{orders}")
    with (DATA / f"orders/{orders}.csv").open() as file:
        rows = list(csv.DictReader(file))
    features = features_of(rows)
    write(version, features, orders)
    whence.writes(f"file#shop/features@opaque:{version}")
    report_run(
        "refresh-features",
        inputs=[dataset("shop/orders", orders, rows)],
        outputs=[dataset("shop/features", version, features)],
    )


def features_of(orders: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Per user the usual amount, the number of orders, and the days since the last one."""
    of_user: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in orders:
        of_user[row["user"]].append(row)
    features = []
    for user, mine in of_user.items():
        amounts = [float(row["amount"]) for row in mine if row["amount"]]
        spend = round(fmean(amounts), 2) if amounts else None
        recency = min(int(row["days_ago"]) for row in mine)
        features.append({"user": user, "spend": spend, "visits": len(mine), "recency": recency})
    return features


def write(version: str, features: list[dict[str, Any]], orders: str) -> None:
    """Write a snapshot file, then let the pointer name it, in one step that no reader can see half of."""
    with (DATA / f"features/{version}.csv").open("w", newline="") as file:
        file.write(f"# created_at={time.time()} orders={orders}\n")
        rows = csv.DictWriter(file, list(features[0]))
        rows.writeheader()
        rows.writerows(features)
    draft = DATA / "features/LATEST.new"
    draft.write_text(version)
    draft.replace(DATA / "features/LATEST")


if __name__ == "__main__":
    whence.configure(service_name="refresh-features")
    number = 1
    refresh(f"s{number}")
    while len(sys.argv) > 1:
        time.sleep(float(sys.argv[1]))
        number += 1
        refresh(f"s{number}")
