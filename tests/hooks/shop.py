"""A shop as it posts: payloads of its shape, cut to what matters, signed as it signs."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any
from uuid import uuid4

import httpx2

SECRET = "hush-hush-hush-hush"
SETTINGS: dict[str, Any] = {"hook_secrets": {"shopify": [SECRET]}}
HANAKO = "hanako@example.com"

LINE: dict[str, Any] = {
    "id": 866550311766439020,
    "product_id": 632910392,
    "variant_id": 808950810,
    "title": "IPod Nano",
    "variant_title": "8GB / Pink",
    "vendor": "Example",
    "sku": "IPOD-8",
    "price": "199.00",
    "quantity": 2,
}
CUSTOMER: dict[str, Any] = {
    "id": 115310627314723954,
    "email": HANAKO,
    "first_name": "花子",
    "last_name": "Yamada",
    "phone": None,
    "updated_at": "2026-03-01T09:00:00+09:00",
    "email_marketing_consent": {
        "state": "subscribed",
        "opt_in_level": "single_opt_in",
        "consent_updated_at": "2026-02-01T09:00:00+09:00",
    },
    "default_address": {"country_code": "JP"},
}
CART: dict[str, Any] = {
    "id": "eeafa272cebfd4b22385bc4b645e762c",
    "token": "eeafa272cebfd4b22385bc4b645e762c",
    "line_items": [LINE],
    "updated_at": "2026-03-01T10:00:00+09:00",
    "created_at": "2026-03-01T10:00:00+09:00",
}
CHECKOUT: dict[str, Any] = {
    "id": 981820079255243537,
    "token": "123123123",
    "cart_token": CART["token"],
    "email": HANAKO,
    "created_at": "2026-03-01T10:05:00+09:00",
    "updated_at": "2026-03-01T10:05:00+09:00",
    "currency": "JPY",
    "total_price": "4378",
    "line_items": [LINE],
    "abandoned_checkout_url": "https://shop.example.com/checkouts/123123123/recover",
    "customer_locale": "ja-JP",
}
ORDER: dict[str, Any] = {
    "id": 820982911946154508,
    "name": "#9999",
    "email": HANAKO,
    "created_at": "2026-03-01T10:10:00+09:00",
    "updated_at": "2026-03-01T10:11:00+09:00",
    "cancelled_at": None,
    "cancel_reason": None,
    "checkout_token": CHECKOUT["token"],
    "cart_token": CART["token"],
    "currency": "USD",
    "total_price": "447.41",
    "subtotal_price": "398.00",
    "total_tax": "39.41",
    "total_discounts": "20.00",
    "total_shipping_price_set": {"shop_money": {"amount": "10.00", "currency_code": "USD"}},
    "discount_codes": [{"code": "SPRING", "amount": "20.00", "type": "fixed_amount"}],
    "financial_status": "pending",
    "fulfillment_status": None,
    "line_items": [LINE],
    "customer": CUSTOMER,
    "customer_locale": "ja-JP",
    "test": False,
}
REFUND: dict[str, Any] = {
    "id": 890088186047892319,
    "order_id": ORDER["id"],
    "created_at": "2026-03-05T10:00:00+09:00",
    "refund_line_items": [{"quantity": 1, "line_item": LINE, "subtotal": 199.0}],
    "transactions": [
        {"kind": "refund", "amount": "199.00", "currency": "USD"},
        {"kind": "refund", "amount": "0.41", "currency": "USD"},
        {"kind": "void", "amount": "5.00", "currency": "USD"},
    ],
}
STOCK: dict[str, Any] = {
    "inventory_item_id": 271878346596884015,
    "location_id": 24826418,
    "available": 3,
    "updated_at": "2026-03-01T08:00:00+09:00",
}


def signature(body: bytes, secret: str = SECRET) -> str:
    return b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


async def tells(
    door: httpx2.AsyncClient,
    topic: str,
    payload: object,
    *,
    id: str | None = None,
    secret: str = SECRET,
    **headers: str,
) -> httpx2.Response:
    """The shop posts."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    sent = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": "my-shop.myshopify.com",
        "X-Shopify-Webhook-Id": id or str(uuid4()),
        "X-Shopify-Hmac-Sha256": signature(body, secret),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return await door.post("/v1/hooks/shopify", content=body, headers=sent)
