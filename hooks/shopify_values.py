"""What a shop's payloads hold, in the words and numbers of Segment's e-commerce events."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from pydantic import JsonValue

from tabiji.hooks import as_text, dig, objects

MOST_PRODUCTS = 100
"""Of one order, kept with its event."""

Properties = dict[str, JsonValue]


def amounts(payload: Mapping[str, JsonValue]) -> Properties:
    """In the shop's own currency."""
    total, tax = decimal(payload.get("total_price")), decimal(payload.get("total_tax"))
    shipping = decimal(dig(payload, "total_shipping_price_set.shop_money.amount"))
    return {
        "currency": payload.get("currency"),
        "total": number(total),
        "subtotal": number(decimal(payload.get("subtotal_price"))),
        "tax": number(tax),
        "shipping": number(shipping),
        "discount": number(decimal(payload.get("total_discounts"))),
        # As the specification has it: without shipping and tax.
        "revenue": number(total - (tax or 0) - shipping) if total is not None and shipping is not None else None,
    }


def products(payload: Mapping[str, JsonValue]) -> list[JsonValue]:
    """What was ordered, or lies in the cart."""
    return [product(line) for line in objects(payload.get("line_items"))[:MOST_PRODUCTS]]


def product(line: Mapping[str, JsonValue]) -> Properties:
    """One line of it."""
    return said(
        {
            "product_id": as_text(line.get("product_id")),
            "variant_id": as_text(line.get("variant_id")),
            "sku": as_text(line.get("sku")),
            "name": line.get("title"),
            "variant": line.get("variant_title"),
            "brand": line.get("vendor"),
            "price": number(decimal(line.get("price"))),
            "quantity": line.get("quantity"),
        }
    )


def refunded(one: Mapping[str, JsonValue]) -> Properties:
    """One line that was paid back."""
    line = one.get("line_item")
    return (product(line) if isinstance(line, dict) else {}) | said({"quantity": one.get("quantity")})


def variant(one: Mapping[str, JsonValue]) -> Properties:
    """One way a product is sold."""
    return said(
        {
            "variant_id": as_text(one.get("id")),
            "inventory_item_id": as_text(one.get("inventory_item_id")),
            "sku": as_text(one.get("sku")),
            "name": one.get("title"),
            "price": number(decimal(one.get("price"))),
            "available": one.get("inventory_quantity"),
        }
    )


def said(values: Mapping[str, JsonValue]) -> Properties:
    """Without what says nothing."""
    return {name: value for name, value in values.items() if value not in (None, "")}


def decimal(value: JsonValue) -> Decimal | None:
    """An amount as the shop writes it, a text: no float on the way."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def number(amount: Decimal | None) -> JsonValue:
    """A number, for conditions such as `prop("total") >= 100` compare numbers; exact, or else a text."""
    if amount is None:
        return None
    if amount == amount.to_integral_value() and abs(amount) < 2**53:
        return int(amount)
    return float(amount) if Decimal(str(float(amount))) == amount else format(amount, "f")
