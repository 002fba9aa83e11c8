"""What our web apps send, so that a misspelt name or a wrong type is noticed: `tabiji events` shows what came in."""

from decimal import Decimal

from tabiji import Event


class OrderCompleted(Event, name="Order Completed", example={"order_id": "o-1", "total": 4900, "currency": "JPY"}):
    """Somebody has paid."""

    total: Decimal | None
    currency: str | None
    order_id: str | None


class DemoAttended(Event, name="Demo Attended", open=True):
    """Somebody came to a demo."""


class LoggedIn(Event, name="Logged In", open=True):
    """Somebody used the product."""
