import csv
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from whence.demo.exports import USERS, write_clicks, write_orders


def rows(path: Path, write: Callable[[Path, int, str], None], defect: str = "") -> list[dict[str, str]]:
    write(path / "export.csv", 3, defect)
    with (path / "export.csv").open() as file:
        return list(csv.DictReader(file))


def test_orders_hold_every_user_with_plausible_amounts(tmp_path: Path) -> None:
    orders = rows(tmp_path, write_orders)
    assert {int(row["user"]) for row in orders} == set(USERS)
    assert all(10 < float(row["amount"]) < 100 for row in orders)


def test_orders_in_cents_are_a_hundred_times_larger(tmp_path: Path) -> None:
    sound = median(float(row["amount"]) for row in rows(tmp_path, write_orders))
    broken = median(float(row["amount"]) for row in rows(tmp_path, write_orders, "cents"))
    assert broken == pytest.approx(100 * sound, rel=0.01)


def test_orders_with_missing_amounts_lack_them_for_two_users_in_five(tmp_path: Path) -> None:
    orders = rows(tmp_path, write_orders, "missing amounts")
    without = {row["user"] for row in orders if not row["amount"]}
    assert len(without) == 2 * len(USERS) // 5
    assert not any(row["amount"] for row in orders if row["user"] in without)


def test_clicks_that_were_lost_are_few(tmp_path: Path) -> None:
    sound = sum(int(row["clicked"]) for row in rows(tmp_path, write_clicks))
    broken = sum(int(row["clicked"]) for row in rows(tmp_path, write_clicks, "lost clicks"))
    assert 0 < broken < sound / 10


def test_exports_of_one_seed_are_equal(tmp_path: Path) -> None:
    assert rows(tmp_path, write_clicks) == rows(tmp_path, write_clicks)
    assert rows(tmp_path, write_orders) == rows(tmp_path, write_orders)
