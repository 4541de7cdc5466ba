"""The shop's files: exports from the warehouse, pointers to the latest of everything, flags, routes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from whence.demo.exports import write_clicks, write_orders


class Files:
    """One folder. Everything that is read while it changes is replaced in one step."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self._seed = seed
        for name in ("orders", "clicks", "features", "models"):
            (folder / name).mkdir(parents=True)

    def export_orders(self, version: str, defect: str = "") -> None:
        """New orders for the refresh job."""
        write_orders(self.folder / f"orders/{version}.csv", self._seed + int(version[1:]), defect)
        self._replace("orders/LATEST", version)

    def export_clicks(self, version: str, defect: str = "") -> None:
        """New clicks for the training job."""
        write_clicks(self.folder / f"clicks/{version}.csv", self._seed + int(version[1:]), defect)
        self._replace("clicks/LATEST", version)

    def serve_model(self, channel: str, version: str) -> None:
        """Let the ranking instances of a channel pick up a model."""
        self._replace(f"models/{channel}", version)

    def switch(self, flag: str, share: float) -> None:
        """Turn a flag on for a share of the users."""
        self._replace("flags.json", json.dumps({flag: share}))

    def route(self, addresses: Mapping[str, list[str]]) -> None:
        """Say which instances answer for each service, all alike."""
        table = {name: [(address, 1.0) for address in mine] for name, mine in addresses.items()}
        self._replace("routes.json", json.dumps(table))

    def first_snapshot_of(self, orders: str) -> str:
        """The first snapshot of the features that was made from an export of orders.

        Raises:
            FileNotFoundError: There is none.
        """
        made = [path for path in (self.folder / "features").glob("*.csv") if f"orders={orders}\n" in _first_line(path)]
        if not made:
            raise FileNotFoundError(f"no snapshot was made from orders {orders}")
        return min(made, key=lambda path: int(path.stem[1:])).stem

    def _replace(self, name: str, text: str) -> None:
        draft = self.folder / f"{name}.new"
        draft.write_text(text)
        draft.replace(self.folder / name)


def _first_line(path: Path) -> str:
    with path.open() as file:
        return file.readline()
