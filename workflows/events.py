"""What our web apps send, so that a misspelt name or a wrong type is noticed: `tabiji events` shows what came in."""

from decimal import Decimal
from typing import Any

from tabiji import Event


class OrderCompleted(Event, name="Order Completed", example={"order_id": "o-1", "total": 4900, "currency": "JPY"}):
    """Somebody has paid."""

    total: Decimal | None
    currency: str | None
    order_id: str | None
    order_name: str | None
    checkout_id: str | None
    subtotal: Decimal | None
    revenue: Decimal | None
    tax: Decimal | None
    shipping: Decimal | None
    discount: Decimal | None
    coupon: str | None
    financial_status: str | None
    test: bool | None
    products: list[Any] | None


class DemoAttended(Event, name="Demo Attended", open=True):
    """Somebody came to a demo."""


class LoggedIn(Event, name="Logged In", open=True):
    """Somebody used the product."""


class WebinarRegistered(Event, name="Webinar Registered", open=True):
    """Somebody has saved a seat."""


class WebinarAttended(Event, name="Webinar Attended", open=True):
    """Somebody came to the webinar."""


class WebinarCancelled(Event, name="Webinar Cancelled", open=True):
    """Somebody gave the seat back."""


class VisitBooked(Event, name="Visit Booked", open=True):
    """Somebody will come; the date is their attribute `visit`."""


class VisitAttended(Event, name="Visit Attended", open=True):
    """Somebody was there."""


class VisitCancelled(Event, name="Visit Cancelled", open=True):
    """Somebody will not come."""
