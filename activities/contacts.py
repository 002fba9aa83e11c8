"""What journeys change about a contact: score, tags, lists, attributes, stage.

Each counts once for its step and visit: a second attempt changes nothing and answers what the first did. What has
changed is told as an event, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import activity

from activities.attempts import once
from models import edits
from models.change import Change
from models.record import Recorder
from tabiji.domain.changes import (
    AddToAttribute,
    Changed,
    ClearAttribute,
    JoinList,
    LeaveList,
    SetAttribute,
    SetStage,
    Untag,
)
from tabiji.domain.orders import AdjustScore, Done, Score, TagContact


class Contacts:
    """Effects on the contact itself.

    All raise `UnknownContact` when the contact is gone and `InvalidChange` for what cannot be kept, which are not
    retried, and `Paused` when nothing may be done now.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @property
    def all(self) -> list[Callable[..., Any]]:
        """To be registered."""
        return [
            self.adjust_score,
            self.tag,
            self.untag,
            self.join_list,
            self.leave_list,
            self.set_attribute,
            self.add_to_attribute,
            self.clear_attribute,
            self.set_stage,
        ]

    @activity.defn(name="adjust_score")
    async def adjust_score(self, order: AdjustScore) -> Score:
        """Add points, or subtract them."""

        async def work(change: Change, order: AdjustScore) -> Score:
            return Score(total=await edits.add_points(change, order.points, order.reason, key=order.key))

        return await once(self._recorder, order, Score, work)

    @activity.defn(name="tag")
    async def tag(self, order: TagContact) -> Done:
        """Put a tag on the contact; one that is there already stays as it is."""

        async def work(change: Change, order: TagContact) -> Done:
            await edits.add_tag(change, order.tag)
            return Done()

        return await once(self._recorder, order, Done, work)

    @activity.defn(name="untag")
    async def untag(self, order: Untag) -> Changed:
        """Take a tag off the contact."""

        async def work(change: Change, order: Untag) -> Changed:
            return Changed(changed=await edits.remove_tag(change, order.tag))

        return await once(self._recorder, order, Changed, work)

    @activity.defn(name="join_list")
    async def join_list(self, order: JoinList) -> Changed:
        """Put the contact on a list."""

        async def work(change: Change, order: JoinList) -> Changed:
            return Changed(changed=await edits.join_list(change, order.list))

        return await once(self._recorder, order, Changed, work)

    @activity.defn(name="leave_list")
    async def leave_list(self, order: LeaveList) -> Changed:
        """Take the contact off a list."""

        async def work(change: Change, order: LeaveList) -> Changed:
            return Changed(changed=await edits.leave_list(change, order.list))

        return await once(self._recorder, order, Changed, work)

    @activity.defn(name="set_attribute")
    async def set_attribute(self, order: SetAttribute) -> Changed:
        """Write one attribute; `timezone` and `locale` are checked."""

        async def work(change: Change, order: SetAttribute) -> Changed:
            return Changed(changed=await edits.set_attribute(change, order.name, order.value), value=order.value)

        return await once(self._recorder, order, Changed, work)

    @activity.defn(name="add_to_attribute")
    async def add_to_attribute(self, order: AddToAttribute) -> Changed:
        """Add to a number."""

        async def work(change: Change, order: AddToAttribute) -> Changed:
            total = await edits.add_to_attribute(change, order.name, order.amount)
            return Changed(changed=order.amount != 0, value=total)

        return await once(self._recorder, order, Changed, work)

    @activity.defn(name="clear_attribute")
    async def clear_attribute(self, order: ClearAttribute) -> Changed:
        """Remove one attribute."""

        async def work(change: Change, order: ClearAttribute) -> Changed:
            return Changed(changed=await edits.set_attribute(change, order.name, None))

        return await once(self._recorder, order, Changed, work)

    @activity.defn(name="set_stage")
    async def set_stage(self, order: SetStage) -> Changed:
        """Move the contact to a stage of life."""

        async def work(change: Change, order: SetStage) -> Changed:
            return Changed(changed=await edits.set_stage(change, order.stage), value=order.stage)

        return await once(self._recorder, order, Changed, work)
