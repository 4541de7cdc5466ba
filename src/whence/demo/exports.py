"""What the warehouse hands to the shop: exports of orders and of clicks, sound ones and ones with a defect."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

USERS = range(1, 201)
_ORDERS_EACH = 8
_CLICKS = 3000


class Customer(NamedTuple):
    """Somebody who buys: usual amount, number of orders, days since the last one."""

    spend: float
    visits: int
    recency: int


def write_orders(path: Path, seed: int, defect: str = "") -> None:
    """Orders of all users, one row each. Columns: user, amount, days_ago.

    Args:
        path: File to write.
        seed: Another seed, other orders of the same people.
        defect: ``cents`` counts amounts in cents; ``missing amounts`` leaves them out for two users in five.
    """
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("user", "amount", "days_ago"))
        for user in USERS:
            customer = _customer(user)
            for number in range(customer.visits):
                amount = customer.spend * random.uniform(0.8, 1.2)
                days = customer.recency + number * random.randint(2, 9)
                rows.writerow((user, _amount(user, amount, defect), days))


def write_clicks(path: Path, seed: int, defect: str = "") -> None:
    """Products that were shown to customers, and whether they were clicked: one row each.

    Args:
        path: File to write.
        seed: Another seed, another sample.
        defect: ``lost clicks`` forgets all but a few of the clicks.
    """
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    kept = 0.03 if defect == "lost clicks" else 1.0
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow((*Customer._fields, "price", "popularity", "clicked"))
        for customer, price, popularity in _shown(random):
            clicked = random.random() < _wish(customer, price, popularity) and random.random() < kept
            rows.writerow((*customer, round(price, 2), round(popularity, 2), int(clicked)))


def _customer(user: int) -> Customer:
    random = Random(user)  # noqa: S311 - a person stays the same
    return Customer(round(random.uniform(20, 80), 2), random.randint(4, _ORDERS_EACH * 2), random.randint(1, 30))


def _amount(user: int, amount: float, defect: str) -> str:
    if defect == "missing amounts" and user % 5 < 2:
        return ""
    return f"{amount * 100:.0f}" if defect == "cents" else f"{amount:.2f}"


def _shown(random: Random) -> Iterator[tuple[Customer, float, float]]:
    for _ in range(_CLICKS):
        yield _customer(random.choice(USERS)), random.uniform(5, 250), random.uniform(0.2, 0.9)


def _wish(customer: Customer, price: float, popularity: float) -> float:
    """Chance that somebody clicks: popular, cheap, and more with people who come often and spend little."""
    visits, spend = 0.08 * (customer.visits - 10), -0.012 * (customer.spend - 50)
    drive = 0.6 + 1.8 * (popularity - 0.55) - 0.004 * (price - 90) + visits + spend - 0.02 * (customer.recency - 15)
    return 1 / (1 + math.exp(-drive))
