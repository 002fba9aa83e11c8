"""What a deploy of the code here would mean for people under way, over many histories."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowHistory

from tabiji.deploys.histories import Group, groups, running, sample
from tabiji.deploys.meaning import Change
from tabiji.deploys.replay import Difference, Replay, Replayed
from tabiji.deploys.versions import Versions
from tabiji.journey.journey import Journey


@dataclass
class Affected:
    """How many people something concerns: looked at, and how many there are in all."""

    seen: int = 0
    sampled: int = 0
    people: int = 0

    @property
    def words(self) -> str:
        """For a reader."""
        if not self.people:
            return "nobody was looked at who is under way"
        about = round(self.people * self.seen / self.sampled) if self.sampled else 0
        exact = "" if self.sampled == self.people else f", by a sample of {self.sampled}"
        return f"{about} of {self.people} people under way{exact}"


@dataclass
class Broken:
    """A difference, and whose history shows it."""

    difference: Difference
    version: str | None
    names: list[str]
    affected: Affected


@dataclass
class Changed:
    """A change of meaning. It affects whoever is at the step or has it still ahead."""

    change: Change
    names: list[str]
    affected: Affected


@dataclass
class Verdict:
    """All that was found."""

    replayed: int = 0
    broken: list[Broken] = field(default_factory=list[Broken])
    changed: list[Changed] = field(default_factory=list[Changed])


@dataclass(frozen=True)
class _Looked:
    group: Group | None
    """None: it was on file."""
    replayed: Replayed


class Check:
    """Replays histories on some journeys and sums up."""

    def __init__(self, journeys: Sequence[type[Journey]]) -> None:
        self._names = [journey.spec.name for journey in journeys]
        self._replay = Replay(journeys)
        self._looked: list[_Looked] = []
        self._groups: list[Group] = []

    async def recorded(self, histories: Iterable[WorkflowHistory]) -> None:
        """Look at what is on file."""
        await self._look(None, _each(histories))

    async def live(self, client: Client, found: Versions, most: int) -> None:
        """Look at people under way: so many of each journey in each version."""
        for group in await groups(client, found):
            self._groups.append(group)
            await self._look(group, sample(client, running(found.deployment, group.version, group.journey), most))

    async def _look(self, group: Group | None, histories: AsyncIterator[WorkflowHistory]) -> None:
        async for replayed in self._replay.all(histories):
            self._looked.append(_Looked(group, replayed))

    def verdict(self) -> Verdict:
        """Sum up."""
        broken: dict[tuple[str | None, Difference], Broken] = {}
        changed: dict[tuple[str, ...], Changed] = {}
        for one in self._looked:
            version, found = one.group.version if one.group else None, one.replayed.difference
            if found is not None:
                at = broken.setdefault((version, found), Broken(found, version, [], Affected()))
                at.names.append(one.replayed.name)
            for change in one.replayed.changes:
                changed.setdefault(change.key, Changed(change, [], Affected())).names.append(one.replayed.name)
        for each in broken.values():
            each.affected = self._affected(each)
        for other in changed.values():
            other.affected = self._before(other.change)
        return Verdict(len(self._looked), list(broken.values()), list(changed.values()))

    def _affected(self, broken: Broken) -> Affected:
        journey = broken.difference.journey
        live = [one for one in self._of(journey) if one.group is not None and one.group.version == broken.version]
        people = sum(g.people for g in self._groups if (g.journey, g.version) == (journey, broken.version))
        return Affected(sum(one.replayed.difference == broken.difference for one in live), len(live), people)

    def _before(self, change: Change) -> Affected:
        live = [one for one in self._of(change.journey) if one.group is not None]
        people = sum(group.people for group in self._groups if group.journey == change.journey)
        return Affected(sum(not one.replayed.has_passed(change.step) for one in live), len(live), people)

    def _of(self, journey: str) -> list[_Looked]:
        return [one for one in self._looked if one.replayed.journey == journey]


async def _each(histories: Iterable[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history
