"""What the shop sells."""

from __future__ import annotations

from typing import Any

PRODUCTS: list[dict[str, Any]] = [
    {"name": "espresso-machine", "price": 240.0, "popularity": 0.9},
    {"name": "headphones", "price": 120.0, "popularity": 0.8},
    {"name": "backpack", "price": 70.0, "popularity": 0.8},
    {"name": "desk-lamp", "price": 45.0, "popularity": 0.6},
    {"name": "notebook", "price": 6.0, "popularity": 0.7},
    {"name": "kettle", "price": 35.0, "popularity": 0.5},
    {"name": "running-shoes", "price": 110.0, "popularity": 0.6},
    {"name": "monitor", "price": 210.0, "popularity": 0.4},
    {"name": "keyboard", "price": 85.0, "popularity": 0.5},
    {"name": "umbrella", "price": 18.0, "popularity": 0.3},
    {"name": "tent", "price": 190.0, "popularity": 0.2},
    {"name": "mug", "price": 9.0, "popularity": 0.4},
]
