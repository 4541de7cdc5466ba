"""The shop's front: recommends products and takes orders. Everything behind it is somebody else's service."""

from __future__ import annotations

from pydantic import BaseModel
from shared import ask, serve, service

import whence

BESTSELLERS = ["espresso-machine", "headphones", "backpack"]
FREE_SHIPPING_VISITS = 8
SHIPPING = 4.9

app = service("storefront")


class Recommendation(BaseModel):
    """Products for one user; not personal where the ranking found nothing."""

    products: list[str]
    personal: bool


class Order(BaseModel):
    """What a user wants to pay."""

    user: int
    amount: float
    currency: str


@app.get("/recommend")
def recommend(user: int) -> Recommendation:
    """Products for a user. Bestsellers are an answer too, but not the one that people come for."""
    products = ask("ranking", "GET", "/rank", params={"user": user})["products"]
    if not products:
        whence.outcome(bad=True, reason="fell back to bestsellers")
        return Recommendation(products=BESTSELLERS, personal=False)
    return Recommendation(products=products, personal=True)


@app.post("/checkout")
def checkout(order: Order) -> dict[str, str]:
    """Take an order: shipping is free for regulars."""
    customer = ask("features", "GET", f"/users/{order.user}")["values"]
    shipping = 0.0 if (customer["visits"] or 0) >= FREE_SHIPPING_VISITS else SHIPPING
    charge = {"amount": round(order.amount + shipping, 2), "currency": order.currency}
    return {"receipt": ask("payment", "POST", "/charge", json=charge)["receipt"]}


if __name__ == "__main__":
    serve(app)
