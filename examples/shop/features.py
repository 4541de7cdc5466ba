"""The feature service: serves what the latest snapshot says of a user. The snapshot's version goes on every span."""

from __future__ import annotations

import csv
from typing import Any, NamedTuple

from fastapi import HTTPException
from shared import DATA, Latest, serve, service

import whence

COMPACT = ("spend", "visits")
"""Columns of the compact form, which saves half of the bytes."""

app = service("features")


class Snapshot(NamedTuple):
    """One snapshot of the features of all users."""

    version: str
    created_at: float
    users: dict[int, dict[str, float | None]]


def load(version: str) -> Snapshot:
    """Read one snapshot file; an empty cell is None."""
    with (DATA / f"features/{version}.csv").open() as file:
        facts = dict(pair.split("=") for pair in file.readline().removeprefix("# ").split())
        rows = {int(row.pop("user")): row for row in csv.DictReader(file)}
    users = {user: {name: float(cell) if cell else None for name, cell in row.items()} for user, row in rows.items()}
    return Snapshot(version, float(facts["created_at"]), users)


latest = Latest(DATA / "features/LATEST", load)


@app.get("/users/{user}")
def features_of(user: int, compact: bool = False) -> dict[str, Any]:
    """Features of one user and when they were computed."""
    snapshot = latest.get()
    whence.reads(f"file#shop/features@opaque:{snapshot.version}")
    values = snapshot.users.get(user)
    if values is None:
        raise HTTPException(404, "no such user")
    if compact:
        values = {name: values[name] for name in COMPACT}
    return {"created_at": snapshot.created_at, "values": values}


if __name__ == "__main__":
    serve(app)
