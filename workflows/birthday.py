from datetime import time
from enum import StrEnum

from tabiji import Journey, anniversary, days, journey, on


class Gift(StrEnum):
    """What a birthday mail brings."""

    DISCOUNT = "discount"
    SHIPPING = "free shipping"


@journey(
    trigger=(anniversary("birthday", days=-3, at=time(9)), anniversary("customer_since", at=time(9))),
    exit=on("Unsubscribed"),
)
class Birthday(Journey):
    """Every year: congratulate, with a gift for customers, and remind once of a gift that was not used."""

    async def steps(self) -> None:
        if not await self.has_tag("customer"):
            await self.send_email("birthday/wishes")
            return
        match await self.split("birthday gift", Gift, weights={Gift.DISCOUNT: 1, Gift.SHIPPING: 1}):
            case Gift.DISCOUNT:
                await self.send_email("birthday/discount")
            case Gift.SHIPPING:
                await self.send_email("birthday/free-shipping")
        if await self.wait_for(on("Order Completed"), timeout=days(7)):
            await self.add_to_attribute("birthday_gifts_used", 1)
        else:
            await self.send_email("birthday/last-days")
