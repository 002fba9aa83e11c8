"""Work for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import activity

from activities.attempts import once
from models.change import Change
from models.record import Recorder
from models.tasks import create_task
from tabiji.domain.changes import Created, CreateTask


class Tasks:
    """Gives people something to do."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @property
    def all(self) -> list[Callable[..., Any]]:
        """To be registered."""
        return [self.create_task]

    @activity.defn(name="create_task")
    async def create_task(self, order: CreateTask) -> Created:
        """Create a task, once: a second attempt returns the first one's.

        Raises:
            UnknownContact: The contact is gone. Not retried.
            InvalidChange: A text is empty or too long. Not retried.
            Paused: Not now. Nothing was done.
        """

        async def work(change: Change, order: CreateTask) -> Created:
            return Created(id=str(await create_task(change, order)))

        return await once(self._recorder, order, Created, work)
