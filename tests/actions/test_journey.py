"""The whole of it on a real server: a change starts a journey, people answer, and it goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import SQLModel

from activities.approvals import Approvals
from activities.contacts import Contacts
from activities.dispatch import Dispatcher
from activities.enrollments import Enrollments
from activities.post import Post
from activities.reads import Reads
from activities.tasks import Tasks
from activities.teams import Teams
from models.approval import Approval
from models.approvals import answer
from models.change import Change
from models.clock import SystemClock
from models.contact import Contact
from models.database import AnyRow, Database, table
from models.edits import add_tag
from models.enrollment import Enrollment
from models.record import Recorder
from models.task import Task
from models.tasks import finish_task
from models.waits import Waits
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import Ending
from tests.actions.journeys import Concierge, book_room
from tests.journeys.stage import stage, until
from tests.mail.relays import relay
from tests.mail.test_messages import SECRET, settings


async def one(database: Database, model: type[SQLModel]) -> AnyRow | None:
    async with database.read() as tx:
        return (await tx.execute(select(table(model)))).one_or_none()


async def test_a_tag_starts_it_people_answer_and_the_story_goes_on_or_ends(sqlite: Database) -> None:
    async with relay() as smtp:
        carrier = SmtpRelay("127.0.0.1", smtp.port)

        def activities(dispatcher: Dispatcher, catalog: Catalog) -> Sequence[Callable[..., Any]]:
            post, teams = Post.of(settings(), sqlite, carrier, secret=SECRET), Teams.of(settings())
            recorder = Recorder(sqlite, catalog, SystemClock(), dispatcher)
            return [
                *Contacts(recorder).all,
                *Reads(sqlite).all,
                *Tasks(recorder).all,
                *Approvals(recorder, post, teams, ZoneInfo("UTC")).all,
                *Enrollments(Waits(sqlite, catalog, dispatcher)).all,
                book_room,
            ]

        async with stage(sqlite, [Concierge], activities) as play:
            await play.happens("Page Viewed")
            contact = await one(sqlite, Contact)
            assert contact is not None

            async def tag(change: Change) -> bool:
                return await add_tag(change, "vip")

            assert await play.recorder.change(contact.id, tag, source="test")
            await play.dispatcher.settle()
            begun = await one(sqlite, Enrollment)
            assert begun is not None
            run = play.handle(begun.id)
            await until(lambda: len(smtp.mails) == 1, "the question's mail")
            await play.until_it_waits(run)

            asked = await one(sqlite, Approval)
            assert asked is not None
            wall = await play.temporal.get_current_time()
            assert (await answer(sqlite, play.recorder, asked.id, approved=True, by="佐藤", wall=wall)).counted
            await play.dispatcher.settle()
            await until(lambda: _there(sqlite, Task), "the task")
            await play.until_it_waits(run)

            task = await one(sqlite, Task)
            assert task is not None
            assert await finish_task(sqlite, play.recorder, task.id, by="Sato")
            await play.dispatcher.settle()
            outcome = await play.finish(run)

        await carrier.close()
    assert outcome.ending is Ending.COMPLETED
    after = await one(sqlite, Contact)
    assert after is not None
    assert (after.attributes, after.stage) == ({"agreed_by": "佐藤", "booking": "A-17"}, "customer")


async def _there(database: Database, model: type[SQLModel]) -> bool:
    return await one(database, model) is not None
