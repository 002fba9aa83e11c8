"""A waiting room with a queue for each of those who send, taken from in turn: who sends much waits behind that."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Queues by name. The order in each is kept.

    Args:
        room: So much may wait in all. A lane with a name may fill half of it, so that there is room for others.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._lanes: OrderedDict[str, deque[tuple[T, int]]] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._waiting = 0

    def __bool__(self) -> bool:
        return bool(self._lanes)

    def __len__(self) -> int:
        """How much waits."""
        return self._waiting

    def put(self, lane: str, item: T, size: int) -> bool:
        """Let something wait at the end of a lane. False: there is no room. Whatever its size, one finds room alone."""
        there = self._sizes.get(lane, 0)
        if self._waiting and self._waiting + size > self._room:
            return False
        if lane and there and there + size > self._room // 2:
            return False
        self._lanes.setdefault(lane, deque()).append((item, size))
        self._sizes[lane] = there + size
        self._waiting += size
        return True

    def take(self, most: int) -> list[T]:
        """One of each lane in turn, as many as fit; the first one whatever its size."""
        taken: list[T] = []
        total = 0
        while self._lanes:
            lane, queue = next(iter(self._lanes.items()))
            item, size = queue[0]
            if taken and total + size > most:
                break
            self._leave(lane, queue, size)
            taken.append(item)
            total += size
        return taken

    def _leave(self, lane: str, queue: deque[tuple[T, int]], size: int) -> None:
        queue.popleft()
        self._waiting -= size
        self._sizes[lane] -= size
        if queue:
            self._lanes.move_to_end(lane)
        else:
            del self._lanes[lane], self._sizes[lane]
