"""Webhooks that come in: proved before anything is read, kept once, and never a reason for the sender to give up."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from models.contact import Consent, Contact
from models.database import Database
from models.event import Event
from tests.api.conftest import Door, opened, settings_for
from tests.hooks.shop import CART, CHECKOUT, CUSTOMER, HANAKO, ORDER, REFUND, SETTINGS, STOCK, signature, tells

Opened = AbstractAsyncContextManager[Door]


@pytest.fixture
async def door(sqlite: Database, tmp_path: Path) -> AsyncGenerator[Door]:
    async with opened(sqlite, settings_for(sqlite, tmp_path, **SETTINGS)) as door:
        yield door


async def events(door: Door) -> dict[str, Any]:
    """By name; the last of each."""
    return {row.name: row for row in await door.all(Event)}


async def test_an_order_is_an_order_completed_with_exact_amounts(door: Door) -> None:
    answer = await tells(door.nobody, "orders/create", ORDER)

    assert (answer.status_code, answer.json()["ignored"]) == (200, None)
    order = (await events(door))["Order Completed"]
    assert {name: order.properties[name] for name in ("order_id", "total", "revenue", "tax", "shipping", "coupon")} == {
        "order_id": "820982911946154508",
        "total": 447.41,
        "revenue": 398,
        "tax": 39.41,
        "shipping": 10,
        "coupon": "SPRING",
    }
    assert order.properties["products"][0] == {
        "product_id": "632910392", "variant_id": "808950810", "sku": "IPOD-8", "name": "IPod Nano",
        "variant": "8GB / Pink", "brand": "Example", "price": 199, "quantity": 2,
    }  # fmt: skip
    assert (order.kind, order.context["source"], order.context["sender"]) == (
        "webhook", "shopify", "my-shop.myshopify.com",
    )  # fmt: skip
    assert order.at.isoformat() == "2026-03-01T01:10:00+00:00"
    (contact,) = await door.all(Contact)
    assert (contact.email, contact.locale, contact.attributes["first_name"]) == (HANAKO, "ja-JP", "花子")
    assert (await door.contact(user_id="shopify:115310627314723954"))["id"] == str(contact.id)


async def test_what_happened_in_the_cart_and_what_is_paid_back_belongs_to_who_ordered(door: Door) -> None:
    """In the worst order: the refund first, then the cart, then who it was."""
    for topic, payload in (
        ("refunds/create", REFUND), ("carts/create", CART), ("checkouts/create", CHECKOUT), ("orders/create", ORDER),
    ):  # fmt: skip
        assert (await tells(door.nobody, topic, payload)).status_code == 200
    person = (await door.contact(email=HANAKO))["id"]
    found = await events(door)
    names = ("Order Refunded", "Cart Updated", "Checkout Started", "Order Completed")
    assert {str(found[name].contact_id) for name in names} == {person}
    assert (found["Order Refunded"].properties["total"], found["Order Refunded"].properties["currency"]) == (
        199.41,
        "USD",
    )


async def test_the_same_order_told_again_under_whatever_name_changes_nothing(door: Door) -> None:
    """The delivery's id and the topic are not signed: who has kept a request can change both."""
    assert (await tells(door.nobody, "orders/create", ORDER, id="1")).json()["recorded"] > 0
    before = await door.rows(Event)
    for id, topic in (("1", "orders/create"), ("2", "orders/create"), ("3", "orders/cancelled"), ("4", "orders/paid")):
        answer = await tells(door.nobody, topic, ORDER, id=id)
        assert (answer.status_code, answer.json()["recorded"]) == (200, 0)
    assert await door.rows(Event) == before


async def test_paid_fulfilled_and_cancelled_are_what_the_order_says_of_itself(door: Door) -> None:
    await tells(door.nobody, "orders/paid", ORDER | {"financial_status": "paid"})
    await tells(door.nobody, "orders/fulfilled", ORDER | {"fulfillment_status": "fulfilled"})
    await tells(
        door.nobody, "orders/cancelled", ORDER | {"cancelled_at": "2026-03-02T10:00:00Z", "cancel_reason": "customer"}
    )
    found = await events(door)
    assert {"Order Completed", "Order Paid", "Order Fulfilled", "Order Cancelled"} <= found.keys()
    assert found["Order Cancelled"].properties["reason"] == "customer"


async def test_consent_given_at_the_shop_is_kept_with_its_proof_and_an_older_one_undoes_no_newer(door: Door) -> None:
    await tells(door.nobody, "customers/update", CUSTOMER)
    (given,) = await door.all(Consent)
    assert (given.topic, given.given, given.source) == ("marketing", True, "shopify:customer/115310627314723954")
    assert given.wording == "subscribed at the shop (single_opt_in), 2026-02-01T09:00:00+09:00"

    person = (await door.contact(email=HANAKO))["id"]
    await door.full.post(
        f"/v1/contacts/{person}/consents", json={"topic": "marketing", "given": False, "source": "phone"}
    )
    # The shop has not heard of it, and tells the same again with the next order, under a time of its own.
    stale = CUSTOMER["email_marketing_consent"] | {"consent_updated_at": "2026-02-02T09:00:00+09:00"}
    await tells(
        door.nobody,
        "customers/update",
        CUSTOMER | {"email_marketing_consent": stale, "updated_at": "2026-04-01T00:00:00Z"},
    )
    assert [row.given for row in sorted(await door.all(Consent), key=lambda row: row.id)] == [True, False]


async def test_who_was_not_asked_has_neither_agreed_nor_refused(door: Door) -> None:
    for state in ("not_subscribed", "pending", None):
        consent = {"state": state, "consent_updated_at": "2026-02-01T09:00:00+09:00"}
        await tells(door.nobody, "customers/update", CUSTOMER | {"email_marketing_consent": consent})
    assert await door.rows(Consent) == 0


async def test_stock_is_back_when_there_was_none_before(door: Door) -> None:
    for hour, available in enumerate((3, 0, 5, 6)):
        stock = STOCK | {"available": available, "updated_at": f"2026-03-01T0{hour}:00:00Z"}
        for _ in range(2):
            await tells(door.nobody, "inventory_levels/update", stock)
    names = [row.name for row in sorted(await door.all(Event), key=lambda row: row.seq)]
    changed = "Product Stock Changed"
    assert names == [changed, changed, "Product Out Of Stock", changed, "Product Back In Stock", changed]


async def test_what_is_not_signed_is_refused_without_a_word_of_why(door: Door) -> None:
    body = json.dumps(ORDER).encode()
    answers = [
        await tells(door.nobody, "orders/create", ORDER, secret="guessed secret"),
        await tells(door.nobody, "orders/create", body, X_Shopify_Hmac_Sha256=""),
        await tells(door.nobody, "orders/create", body + b" ", X_Shopify_Hmac_Sha256=signature(body)),
        await door.full.post("/v1/hooks/shopify", json=ORDER),
    ]
    assert {(answer.status_code, answer.json()["detail"]) for answer in answers} == {
        (401, "this is not signed as it must be")
    }
    assert await door.rows(Event) == 0


@pytest.mark.parametrize("secrets", [{}, {"shopify": [""]}])
async def test_a_source_nobody_has_set_a_secret_for_takes_nothing(
    secrets: dict[str, list[str]], sqlite: Database, tmp_path: Path
) -> None:
    async with opened(sqlite, settings_for(sqlite, tmp_path, hook_secrets=secrets)) as door:
        assert (await tells(door.nobody, "orders/create", ORDER, secret="")).status_code == 401
        assert (await door.nobody.post("/v1/hooks/nowhere", json={})).status_code == 404


async def test_an_exchanged_secret_and_its_successor_are_both_good(sqlite: Database, tmp_path: Path) -> None:
    secrets = {"shopify": ["the new secret of theirs", "the old secret of theirs"]}
    async with opened(sqlite, settings_for(sqlite, tmp_path, hook_secrets=secrets)) as door:
        for secret in secrets["shopify"]:
            assert (await tells(door.nobody, "orders/create", ORDER, secret=secret)).status_code == 200


async def test_of_an_app_in_many_shops_only_those_named_are_heard(sqlite: Database, tmp_path: Path) -> None:
    senders = {"shopify": ["My-Shop.myshopify.com"]}
    async with opened(sqlite, settings_for(sqlite, tmp_path, **SETTINGS, hook_senders=senders)) as door:
        other = await tells(door.nobody, "orders/create", ORDER, X_Shopify_Shop_Domain="evil.myshopify.com")
        ours = await tells(door.nobody, "orders/create", ORDER)
    assert (other.status_code, ours.status_code) == (401, 200)


@pytest.mark.parametrize(
    ("topic", "payload", "why"),
    [
        ("themes/update", {"id": 1}, "nobody maps this topic"),
        ("orders/create", b"[1, 2]", "the body is no JSON object"),
        ("orders/create", b"\xff\xfe not json", "the body is no JSON object"),
        ("orders/create", b"[" * 100_000, "the body is no JSON object"),
        ("orders/create", {}, "it names nobody"),
        ("carts/update", {"token": None}, "it names nobody"),
        ("inventory_levels/update", {"available": None}, "it names nobody"),
    ],
)
async def test_what_cannot_be_used_is_answered_counted_and_left_alone(
    door: Door, topic: str, payload: object, why: str
) -> None:
    answer = await tells(door.nobody, topic, payload)
    assert (answer.status_code, answer.json()) == (200, {"recorded": 0, "repeated": 0, "ignored": why})
    assert 'tabiji_hooks_received_total{outcome="' in (await door.full.get("/metrics")).text


async def test_values_that_no_database_keeps_are_mended(door: Door) -> None:
    odd = (
        b'{"id": 99999999999999999999999, "name": "a\\u0000b\\ud800", "email": "not an address", "total_price": "NaN", '
    )
    odd += b'"currency": 1e999, "customer": {"id": 7, "locale": "???", "first_name": {"a": [[[[1]]]]}}}'
    assert (await tells(door.nobody, "orders/create", odd)).status_code == 200
    order = (await events(door))["Order Completed"]
    assert order.properties == {"order_id": "99999999999999999999999", "order_name": "ab\ufffd", "products": []}
    (contact,) = await door.all(Contact)
    assert (contact.email, contact.locale) == (None, None)


async def test_ten_megabytes_are_refused_and_two_are_read(door: Door) -> None:
    large = ORDER | {"line_items": ORDER["line_items"] * 3000}
    assert len(json.dumps(large)) > 500_000
    assert (await tells(door.nobody, "orders/create", large)).status_code == 200
    assert len((await events(door))["Order Completed"].properties["products"]) == 100
    assert (await tells(door.nobody, "orders/create", b" " * 10_000_000)).status_code == 413


async def test_while_the_database_is_away_the_shop_is_told_to_come_again(door: Door) -> None:
    await door.parts.database.close()
    file = Path(door.parts.database.url.database or "")
    for no_longer in file.parent.glob(f"{file.name}*"):
        no_longer.unlink()
    file.mkdir()  # noqa: ASYNC240 # as above
    answer = await tells(door.nobody, "orders/create", ORDER)
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


async def test_a_mapping_that_breaks_is_sent_again_and_tells_nothing(door: Door) -> None:
    source = door.parts.sources.get("shopify")
    assert source is not None

    @source.on("test/broken")
    def broken(_: object) -> list[Any]:
        raise KeyError(HANAKO)

    try:
        answer = await tells(door.nobody, "test/broken", ORDER)
    finally:
        source._mappings.pop("test/broken")  # pyright: ignore[reportPrivateUsage] # the source is everybody's
    assert (answer.status_code, HANAKO in answer.text) == (500, False)


async def test_who_tries_signatures_is_slowed_down_and_the_shop_is_not(sqlite: Database, tmp_path: Path) -> None:
    async with opened(sqlite, settings_for(sqlite, tmp_path, **SETTINGS)) as door:
        tried: list[httpx2.Response] = []
        while not tried or (tried[-1].status_code == 401 and len(tried) < 300):
            tried.append(await tells(door.nobody, "orders/create", ORDER, secret="guessed secret"))
        assert tried[-1].status_code == 429
        assert (await tells(door.nobody, "orders/create", ORDER)).status_code == 200


async def test_what_the_shop_tells_is_as_declared(door: Door) -> None:
    paid = ORDER | {"financial_status": "paid", "fulfillment_status": "fulfilled", "cancelled_at": ORDER["created_at"]}
    product = {"id": 1, "title": "Tea", "updated_at": "2026-03-01T08:00:00Z", "variants": [{"id": 2, "price": "3.10"}]}
    for topic, payload in (
        ("carts/create", CART), ("checkouts/create", CHECKOUT), ("refunds/create", REFUND),
        ("products/update", product), ("customers/update", CUSTOMER),
        ("checkouts/update", CHECKOUT | {"updated_at": "2026-03-01T11:00:00Z"}),
        *((f"orders/{what}", paid) for what in ("create", "paid", "fulfilled", "cancelled")),
        *(("inventory_levels/update", STOCK | {"available": n, "updated_at": f"2026-0{n + 1}-01"}) for n in (0, 1, 2)),
    ):  # fmt: skip
        assert (await tells(door.nobody, topic, payload)).json()["recorded"] > 0
    problems = {
        (row.name, str(problem))
        for row in await door.all(Event)
        if row.kind == "webhook"
        for problem in door.parts.events.problems(row.name, row.properties)
    }
    assert problems == set()
