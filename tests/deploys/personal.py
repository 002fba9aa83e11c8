"""Journeys into which people's words go in every way there is."""

from __future__ import annotations

from temporalio.exceptions import ActivityError

from tabiji import Journey, days, journey, on
from tabiji.domain.tests import prop


@journey(trigger=on("Order Completed", plan="pro", take=("plan", "total", "name", "note", "ordered", "seats")))
class OrderCare(Journey):
    """Asks, thanks, tells sales. What people sent goes into texts, payloads and answers."""

    async def steps(self) -> None:
        properties = self.trigger.properties if self.trigger else {}
        city = await self.attribute("city")
        await self.set_attribute("greeting", f"Dear {properties['name']} of {city}", step="greeting")
        offer = await self.do(
            "find_offer", {"who": properties["name"], "total": properties["total"]}, answer=dict[str, object]
        )
        try:
            await self.do("fail")
        except ActivityError:
            await self.tag("failed")
        answered = on("Feedback", prop("stars") > 3, take=("stars", "text", "email"))
        if feedback := await self.wait_for(answered, timeout=days(3), step="feedback"):
            words = f"{feedback.properties['text']} ({feedback.properties['email']}), offered {offer}"
            await self.notify_sales(words, step="sales")


@journey(trigger=on("Order Completed"))
class ByCity(Journey):
    """Goes by what somebody is."""

    async def steps(self) -> None:
        if await self.attribute("city") == "Matsumoto":
            await self.tag("near")
        await self.wait(days=1)
