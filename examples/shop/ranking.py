"""The ranking service: scores the catalogue for a user with a trained model. The model's version goes on every span."""

from __future__ import annotations

import os
import time
from typing import Any

import joblib
import numpy as np
from catalogue import PRODUCTS
from shared import DATA, Latest, ask, flag, serve, service

import whence

MIN_SCORE = 0.3
MAX_PRODUCTS = 5
MAX_AGE_SECONDS = float(os.environ.get("SHOP_MAX_AGE_SECONDS", "3600"))
"""Older features say nothing about what a user wants now."""

app = service("ranking")


def load(version: str) -> dict[str, Any]:
    """Read one model file: the fitted pipeline and the columns that it wants."""
    return {"version": version, **joblib.load(DATA / f"models/{version}.joblib")}


latest = Latest(DATA / "models" / os.environ.get("SHOP_MODEL_CHANNEL", "stable"), load)


@app.get("/rank")
def rank(user: int) -> dict[str, list[str]]:
    """Products that a user is likely to want, best first; may be empty."""
    model = latest.get()
    with whence.uses_model(f"file#shop/ranker@version:{model['version']}"):
        compact = flag("compact-features", user)
        answer = ask("features", "GET", f"/users/{user}", params={"compact": compact})
        if time.time() - answer["created_at"] > MAX_AGE_SECONDS:
            return {"products": []}
        return {"products": best(model, answer["values"])}


def best(model: dict[str, Any], customer: dict[str, float | None]) -> list[str]:
    """The catalogue in the order of the model's score, without what scores too low."""
    facts = [{**customer, **product} for product in PRODUCTS]
    rows = np.array([[fact[column] for column in model["columns"]] for fact in facts], dtype=float)
    scores = model["pipeline"].predict_proba(rows)[:, 1]
    ranked = sorted(zip(scores, PRODUCTS, strict=True), key=lambda pair: -pair[0])
    return [product["name"] for score, product in ranked if score >= MIN_SCORE][:MAX_PRODUCTS]


if __name__ == "__main__":
    latest.get()  # now, so that no user waits for it
    serve(app)
