"""What a shop's webhooks tell, besides `Order Completed`: see hooks/shopify.py."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tabiji import Event


class CartUpdated(Event, name="Cart Updated", open=True, example={"cart_id": "eeafa272", "products": []}):
    """Somebody put something into the cart, or took it out."""

    cart_id: str
    products: list[Any]


class CheckoutStarted(
    Event, name="Checkout Started", open=True, example={"checkout_id": "c-1", "total": 4378, "currency": "JPY"}
):
    """Somebody is about to order."""

    checkout_id: str
    checkout_url: str | None
    total: Decimal | None
    currency: str | None
    products: list[Any] | None


class CheckoutUpdated(Event, name="Checkout Updated", open=True):
    """Something about the order to be has changed."""

    checkout_id: str
    total: Decimal | None
    currency: str | None


class OrderPaid(Event, name="Order Paid", open=True, example={"order_id": "o-1", "total": 4900, "currency": "JPY"}):
    """The money is there."""

    order_id: str
    total: Decimal | None
    currency: str | None


class OrderFulfilled(Event, name="Order Fulfilled", open=True, example={"order_id": "o-1"}):
    """Everything has been sent."""

    order_id: str


class OrderCancelled(
    Event, name="Order Cancelled", open=True, example={"order_id": "o-1", "reason": "customer", "total": 4900}
):
    """It comes to nothing."""

    order_id: str
    reason: str | None
    total: Decimal | None
    currency: str | None


class OrderRefunded(
    Event, name="Order Refunded", open=True, example={"order_id": "o-1", "total": 4900, "currency": "JPY"}
):
    """Money was paid back: all of it, or `total` of it."""

    order_id: str
    refund_id: str | None
    total: Decimal | None
    currency: str | None


class ProductUpdated(Event, name="Product Updated", open=True, example={"product_id": "p-1", "name": "Tea"}):
    """Something for sale has changed. Of no person: kept under an id of the product's own."""

    product_id: str


class ProductStockChanged(
    Event, name="Product Stock Changed", open=True, example={"inventory_item_id": "i-1", "available": 3}
):
    """There are more or fewer. Of no person."""

    inventory_item_id: str
    available: int


class ProductBackInStock(
    Event, name="Product Back In Stock", open=True, example={"inventory_item_id": "i-1", "available": 3}
):
    """There were none, and now there are. Of no person."""

    inventory_item_id: str
    available: int


class ProductOutOfStock(
    Event, name="Product Out Of Stock", open=True, example={"inventory_item_id": "i-1", "available": 0}
):
    """There were some, and now there are none. Of no person."""

    inventory_item_id: str
    available: int
