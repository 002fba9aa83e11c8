"""Activities of your own: every function with `@activity.defn` in a module below this folder is found by itself.

    # activities/own/bookings.py
    class Booking(BaseModel):
        room: str

    @activity.defn(name="book_room")
    async def book_room(order: OwnOrder[Booking]) -> str:
        ...                                      # order.key is the same for every attempt: pass it on

A journey calls it by name: `number = await self.do("book_room", {"room": "A"}, answer=str)`. It may run more than
once; `order.key` tells the other side that it is the same call.
"""
