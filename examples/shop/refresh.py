"""The refresh job: turns the latest orders into a new snapshot of the features. ``refresh.py [EVERY_SECONDS]``."""

from __future__ import annotations

import csv
import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import whence

DATA = Path(os.environ.get("SHOP_DATA", "shop-data"))


@whence.run("refresh-features")
def refresh(version: str) -> None:
    """One run: per user the usual amount, the number of orders, and the days since the last one."""
    orders = (DATA / "orders/LATEST").read_text().strip()
    whence.reads(f"file#shop/orders@version:{orders}")
    of_user: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (DATA / f"orders/{orders}.csv").open() as file:
        for row in csv.DictReader(file):
            of_user[row["user"]].append(row)
    with (DATA / f"features/{version}.csv").open("w") as file:
        file.write(f"# created_at={time.time()} orders={orders}\nuser,spend,visits,recency\n")
        for user, mine in of_user.items():
            amounts = [float(row["amount"]) for row in mine if row["amount"]]
            spend = f"{fmean(amounts):.2f}" if amounts else ""
            file.write(f"{user},{spend},{len(mine)},{min(int(row['days_ago']) for row in mine)}\n")
    publish(DATA / "features/LATEST", version)
    whence.writes(f"file#shop/features@version:{version}")


def publish(pointer: Path, version: str) -> None:
    """Let a pointer name another file, in one step that no reader can see half of."""
    draft = pointer.with_suffix(".new")
    draft.write_text(version)
    draft.replace(pointer)


if __name__ == "__main__":
    whence.configure(service_name="refresh-features")
    number = 1
    refresh(f"s{number}")
    while len(sys.argv) > 1:
        time.sleep(float(sys.argv[1]))
        number += 1
        refresh(f"s{number}")
