"""The payment service: charges an order at the provider, an outside company that sends us no telemetry."""

from __future__ import annotations

import os
from uuid import uuid4

import httpx
from pydantic import BaseModel
from shared import serve, service

PROVIDER = os.environ.get("SHOP_PROVIDER", "http://127.0.0.1:9900")
PROVIDER_TIMEOUT_SECONDS = 2.0
MINOR_UNITS = {"EUR": 100, "USD": 100, "GBP": 100, "JPY": 1}

app = service("payment")
client = httpx.Client(timeout=PROVIDER_TIMEOUT_SECONDS)


class Charge(BaseModel):
    """What to charge."""

    amount: float
    currency: str


@app.post("/charge")
def charge(order: Charge) -> dict[str, str]:
    """Charge once; the provider counts in minor units."""
    minor = round(order.amount * MINOR_UNITS[order.currency])
    receipt = str(uuid4())
    body = {"amount": minor, "currency": order.currency, "reference": receipt}
    client.post(f"{PROVIDER}/payments", json=body).raise_for_status()
    return {"receipt": receipt}


if __name__ == "__main__":
    serve(app)
