"""A Shopify shop: carts, checkouts, orders, refunds, stock and customers, in the words of Segment's e-commerce events.

In the shop's admin, Settings → Notifications → Webhooks: format JSON, address `https://…/v1/hooks/shopify`, one for
each topic below. The secret shown there is `TABIJI_HOOK_SECRETS={"shopify": "…"}`; of an app, its client secret, and
then `TABIJI_HOOK_SENDERS={"shopify": ["my-shop.myshopify.com"]}` names the shops whose events are taken.

Only the body is signed: what is true of an order is read there, not in the headers.

People: by their address; by `shopify:<customer>` where there is none. What happened in a cart before anybody knew
whose it is comes along with the first checkout that says so; refunds, which name nobody, find their order's customer.
Stock is about a product and no person: it is kept under an id of its own, `shopify-stock:<item>/<location>`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from pydantic import JsonValue

from hooks.shopify_values import MOST_PRODUCTS, Properties, amounts, decimal, number, products, refunded, said, variant
from tabiji.hooks import (
    IDENTIFIED,
    Agreed,
    Call,
    Hmac,
    HookEvent,
    Source,
    Turned,
    Who,
    as_text,
    dig,
    header,
    objects,
)

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
CONSENT_TOPIC = "marketing"
"""What a shop's "e-mail me with news and offers" is consent for."""

shopify = Source(
    "shopify",
    signed=Hmac("X-Shopify-Hmac-Sha256", encoding="base64"),
    topic=header("X-Shopify-Topic"),
    id=header("X-Shopify-Webhook-Id", "X-Shopify-Event-Id"),
    sender=header("X-Shopify-Shop-Domain"),
)


@shopify.on("carts/create", "carts/update")
def cart(call: Call) -> Iterator[HookEvent]:
    """Nobody is named yet: the checkout says later whose cart it was."""
    token = call.text("token") or call.text("id")
    if token is None:
        return
    properties: Properties = {"cart_id": token, "products": products(call.payload)}
    at = call.instant("updated_at")
    once = f"{_cart(token)}/{call.text('updated_at')}"
    yield HookEvent("Cart Updated", Who(anonymous_id=_cart(token)), properties, at, once)


@shopify.on("checkouts/create", "checkouts/update")
def checkout(call: Call) -> Iterator[HookEvent]:
    """Started once; after that each change."""
    token, updated = call.text("token"), call.text("updated_at")
    if token is None:
        return
    yield from _known(call)
    who = Who(email=_email(call), user_id=_fallback(call), anonymous_id=_checkout(token))
    properties: Properties = {
        **amounts(call.payload),
        "checkout_id": token,
        "checkout_url": call.get("abandoned_checkout_url"),
        "products": products(call.payload),
    }
    created = call.instant("created_at")
    yield HookEvent("Checkout Started", who, said(properties), created, f"checkout/{token}/started")
    if updated != call.text("created_at"):
        at = call.instant("updated_at")
        yield HookEvent("Checkout Updated", who, said(properties), at, f"checkout/{token}/{updated}")


@shopify.on("orders/create", "orders/paid", "orders/cancelled", "orders/fulfilled")
def order(call: Call) -> Iterator[HookEvent]:
    """What the topic says, where the order itself says so too. Each of it counts once."""
    if call.text("id") is None:
        return
    yield from _known(call)
    happened = _order_event(call)
    match call.topic:
        case "orders/create":
            yield happened("Order Completed", "created_at")
        case "orders/paid" if call.get("financial_status") == "paid":
            # A shop that sends paid orders alone has told of no other moment.
            yield happened("Order Completed", "created_at")
            yield happened("Order Paid", "updated_at")
        case "orders/fulfilled" if call.get("fulfillment_status") == "fulfilled":
            yield happened("Order Fulfilled", "updated_at")
        case "orders/cancelled" if call.get("cancelled_at"):
            event = happened("Order Cancelled", "cancelled_at")
            yield replace(event, properties={**event.properties, **said({"reason": call.get("cancel_reason")})})
        case _:
            return


@shopify.on("refunds/create")
def refund(call: Call) -> Iterator[HookEvent]:
    """Names no customer: the order's own id leads to whoever ordered, in whichever order the two arrive."""
    order_id = call.text("order_id")
    if order_id is None or call.text("id") is None:
        return
    paid_back = [one for one in objects(call.get("transactions")) if one.get("kind") == "refund"]
    sums = [amount for one in paid_back if (amount := decimal(one.get("amount"))) is not None]
    lines = [line for one in objects(call.get("refund_line_items")) if (line := refunded(one))]
    properties: Properties = {
        "order_id": order_id,
        "refund_id": call.text("id"),
        "total": number(sum(sums, Decimal(0))) if sums else None,
        "currency": next((one.get("currency") for one in paid_back), None),
        "products": [*lines[:MOST_PRODUCTS]],
    }
    at, once = call.instant("created_at"), f"refund/{call.text('id')}"
    yield HookEvent("Order Refunded", Who(anonymous_id=_order(order_id)), said(properties), at, once)


@shopify.on("inventory_levels/update")
def stock(call: Call) -> Iterator[HookEvent]:
    """How many there are now; and that there are some again, where there were none before."""
    available = call.get("available")
    item, place = call.text("inventory_item_id"), call.text("location_id")
    if not isinstance(available, int) or item is None:
        return
    properties: Properties = {"inventory_item_id": item, "location_id": place, "available": available}
    again = Turned("Product Back In Stock", _was_out) if available > 0 else None
    gone = Turned("Product Out Of Stock", _was_there) if available <= 0 else None
    yield HookEvent(
        "Product Stock Changed",
        Who(anonymous_id=f"shopify-stock:{item}/{place}"),
        properties,
        call.instant("updated_at"),
        f"stock/{item}/{place}/{call.text('updated_at')}",
        again or gone,
    )


@shopify.on("products/create", "products/update")
def product(call: Call) -> Iterator[HookEvent]:
    """What is for sale, at which price, and how many of each variant there are."""
    product_id = call.text("id")
    if product_id is None:
        return
    variants: list[JsonValue] = [variant(one) for one in objects(call.get("variants"))[:MOST_PRODUCTS]]
    properties: Properties = {
        "product_id": product_id,
        "name": call.get("title"),
        "brand": call.get("vendor"),
        "category": call.get("product_type"),
        "handle": call.get("handle"),
        "status": call.get("status"),
        "image_url": call.get("image.src"),
        "variants": variants,
    }
    who = Who(anonymous_id=f"shopify-product:{product_id}")
    once = f"product/{product_id}/{call.text('updated_at')}"
    yield HookEvent("Product Updated", who, said(properties), call.instant("updated_at"), once)


@shopify.on("customers/create", "customers/update")
def customer(call: Call) -> Iterator[HookEvent]:
    """Who they are, and what they agreed to."""
    yield from _person(call, call.payload)


@shopify.on("customers_email_marketing_consent/update")
def consent(call: Call) -> Iterator[HookEvent]:
    """They agreed to be written to, or took it back."""
    yield from _agreed({**call.payload, "id": call.text("customer_id")}, call.text("email_address"))


def _known(call: Call) -> Iterator[HookEvent]:
    """What an order or a checkout says of the customer, and that the cart was theirs."""
    found = call.get("customer")
    person = found if isinstance(found, dict) else {}
    yield from _person(call, {"email": call.get("email"), **person}, locale=call.text("customer_locale"))
    email, token = _email(call), call.text("cart_token")
    if token and (email or _fallback(call)):
        who = Who(email=email, user_id=_fallback(call), anonymous_id=_cart(token))
        yield HookEvent(IDENTIFIED, who, once=f"{_cart(token)}/whose")
    visitor = _visitor(call)
    if visitor and (email or _fallback(call)):
        who = Who(email=email, user_id=_fallback(call), anonymous_id=visitor)
        yield HookEvent(IDENTIFIED, who, once=f"checkout/{call.text('token') or call.text('id')}/visitor")


def _person(call: Call, person: Mapping[str, JsonValue], locale: str | None = None) -> Iterator[HookEvent]:
    customer_id, email = as_text(person.get("id")), as_text(person.get("email"))
    traits = {
        "first_name": person.get("first_name"),
        "last_name": person.get("last_name"),
        "phone": person.get("phone"),
        "locale": as_text(person.get("locale")) or locale,
        "country": dig(person, "default_address.country_code"),
    }
    changed = as_text(person.get("updated_at")) or call.text("updated_at") or call.id
    # No address in it: what makes an event count once is written where addresses are not.
    about = f"customer/{customer_id}" if customer_id else f"buyer/{call.text('token') or call.text('id')}"
    if customer_id or email:
        who = Who(user_id=_customer(customer_id), email=email, traits=said(traits))
        yield HookEvent(IDENTIFIED, who, once=f"{about}/{changed}")
    yield from _agreed(person, email)


def _agreed(person: Mapping[str, JsonValue], email: str | None) -> Iterator[HookEvent]:
    """Only a decision: who was never asked has not refused, and who has not confirmed yet has not agreed."""
    customer_id, state = as_text(person.get("id")), dig(person, "email_marketing_consent.state")
    decided = as_text(dig(person, "email_marketing_consent.consent_updated_at"))
    if state not in ("subscribed", "unsubscribed") or decided is None or customer_id is None:
        return
    level = as_text(dig(person, "email_marketing_consent.opt_in_level")) or "unknown"
    given, source = state == "subscribed", f"shopify:customer/{customer_id}"
    wording = f"{state} at the shop ({level}), {decided}"
    agreed = Agreed(CONSENT_TOPIC, given, source, wording, confirmed=level == "confirmed_opt_in")
    yield HookEvent(
        "Consent Given" if given else "Consent Withdrawn",
        Who(user_id=_customer(customer_id), email=email, agreed=agreed),
        {"topic": CONSENT_TOPIC, "source": source},
        Call("", {}, person, "").instant("email_marketing_consent.consent_updated_at"),
        f"customer/{customer_id}/consent/{state}/{decided}",
    )


def _email(call: Call) -> str | None:
    said = (call.text("email"), call.text("contact_email"), call.text("customer.email"))
    return next((one for one in said if one and _ADDRESS.fullmatch(one)), None)


def _fallback(call: Call) -> str | None:
    """A customer's id where there is no address. With one, the address says who it is: it may belong to somebody
    whom a web app knows under another id, and two ids are two people until somebody says `alias`.
    """
    return None if _email(call) else _customer(call.text("customer.id"))


def _customer(id: str | None) -> str | None:
    return f"shopify:{id}" if id else None


def _cart(token: str | None) -> str | None:
    # Newer ones carry a key behind the token, which the checkout's copy may lack.
    return f"shopify-cart:{token.partition('?')[0]}" if token else None


def _checkout(token: str | None) -> str | None:
    return f"shopify-checkout:{token}" if token else None


def _order(id: str | None) -> str | None:
    return f"shopify-order:{id}" if id else None


def _visitor(call: Call) -> str | None:
    """The tracker's id, where the theme puts it into the cart: `attributes[tabiji_anonymous_id]`."""
    notes = objects(call.get("note_attributes"))
    return next((as_text(one.get("value")) for one in notes if one.get("name") == "tabiji_anonymous_id"), None)


def _order_event(call: Call) -> Callable[[str, str], HookEvent]:
    """Makes an event of the order, by its name and by where its time stands."""
    order_id = call.text("id")
    who = Who(email=_email(call), user_id=_fallback(call), anonymous_id=_order(order_id))
    properties = said(_order_properties(call))
    return lambda name, at: HookEvent(name, who, properties, call.instant(at), f"order/{order_id}/{name}")


def _order_properties(call: Call) -> Properties:
    codes = [as_text(one.get("code")) for one in objects(call.get("discount_codes"))]
    return {
        **amounts(call.payload),
        "order_id": call.text("id"),
        "order_name": call.text("name"),
        "checkout_id": call.text("checkout_token"),
        "coupon": next(iter(codes), None),
        "financial_status": call.get("financial_status"),
        "test": call.get("test") or None,
        "products": products(call.payload),
    }


def _was_out(before: Mapping[str, JsonValue]) -> bool:
    available = before.get("available")
    return isinstance(available, int) and available <= 0


def _was_there(before: Mapping[str, JsonValue]) -> bool:
    available = before.get("available")
    return isinstance(available, int) and available > 0
