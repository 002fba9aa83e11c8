"""The main journey, every branch of it: real activities, a real database, a real SMTP conversation, skipped time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import WorkflowHandle

from activities.contacts import Contacts
from activities.dispatch import Dispatcher
from activities.enrollments import Enrollments
from activities.messages import Messages
from models.clock import SystemClock
from models.contact import Contact
from models.database import Database, table
from models.enrollment import Enrollment
from models.incoming import ConsentGiven, Incoming
from models.message import Message
from models.record import Recorder
from models.waits import Waits
from tabiji import Outcome, days, hours
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import Ending
from tabiji.journey.discovery import discover
from tabiji.settings import Settings
from tests.journeys.relay import Relay, relay
from tests.journeys.stage import Stage, stage, until

VISITOR = "maria.rossi@example.com"
FIRST_NAME = "Marietta"

WELCOME = "Your whitepaper is here"
FIRST_ROAD = ["steps/send_email:whitepaper/welcome", "steps/wait:days=2", "steps/wait_for:PRICING"]


@pytest.fixture
async def smtp() -> AsyncGenerator[Relay]:
    async with relay() as taking:
        yield taking


@asynccontextmanager
async def on_stage(database: Database, smtp: Relay, folder: Path) -> AsyncGenerator[Stage]:
    settings = Settings(_env_file=None, data=folder, secret="x" * 32, smtp_port=smtp.port)  # type: ignore[call-arg, arg-type] # pydantic-settings takes both
    carrier = SmtpRelay(settings.smtp_host, settings.smtp_port)

    def activities(dispatcher: Dispatcher, catalog: Catalog) -> Sequence[Callable[..., Any]]:
        messages = Messages.of(settings, database, carrier, secret=settings.signing_secret)
        recorder = Recorder(database, catalog, SystemClock(), dispatcher)
        contacts, bookkeeping = Contacts(recorder), Enrollments(Waits(database, catalog, dispatcher))
        return [
            messages.send_email,
            messages.notify_sales,
            contacts.adjust_score,
            contacts.tag,
            *bookkeeping.all,
        ]

    async with stage(database, discover(), activities) as set_up:
        yield set_up
    await carrier.close()


async def submits_the_form(play: Stage, *, agrees: bool = True) -> WorkflowHandle[Any, Outcome]:
    play.clock.at = await play.temporal.get_current_time()
    given = ConsentGiven(topic="marketing", source="form:whitepaper", wording="Yes, write to me.") if agrees else None
    recorded = await play.recorder.record(
        [
            Incoming(
                kind="identify",
                name="Identified",
                message_id="form-1",
                at=play.clock.at,
                anonymous_id="visitor",
                email=VISITOR,
                traits={"email": VISITOR, "first_name": FIRST_NAME},
                consent=given,
            ),
            Incoming(
                kind="form",
                name="Form Submitted",
                message_id="form-2",
                at=play.clock.at,
                anonymous_id="visitor",
                email=VISITOR,
                properties={"form": "whitepaper", "first_name": FIRST_NAME},
            ),
        ]
    )
    await play.dispatcher.settle()
    return play.handle(recorded[1].entered[0])


async def score(database: Database) -> int:
    async with database.read() as tx:
        points: int = (await tx.execute(select(table(Contact).c.score))).scalar_one()
    return points


async def test_from_the_form_to_the_order_and_on_into_onboarding(
    database: Database, smtp: Relay, tmp_path: Path
) -> None:
    """The whole road, on both databases; nothing of the visitor's is in any history."""
    async with on_stage(database, smtp, tmp_path) as play:
        nurture = await submits_the_form(play)
        await until(lambda: smtp.subjects == [WELCOME], "the welcome mail")
        await play.advance(days(2) + hours(1))
        await play.until_waiting_for("Page Viewed")
        await play.happens("Page Viewed", path="/about")
        await play.happens("Page Viewed", path="/pricing")
        await play.until_waiting_for("Demo Attended")
        await play.happens("Demo Attended")
        await until(lambda: len(smtp.mails) == 4, "welcome, sales, invitation, follow-up")
        bought = await play.happens("Order Completed", total=120)
        outcome = await play.finish(nurture)
        onboarding = play.handle(bought.entered[0])
        onboarded = await play.finish(onboarding)

        assert (outcome.ending, outcome.reason) == (Ending.GOAL, "Order Completed")
        assert onboarded.path[-1].step == "steps/send_email:onboarding/first-steps"
        assert await score(database) == 50
        assert sorted(await play.tags()) == ["customer", "demo attended"]
        assert len(smtp.mails) == 6
        to_sales = next(mail for mail in smtp.mails if mail["To"] == "sales@example.com")
        assert "Looked at pricing after the whitepaper" in to_sales.as_string()
        for handle in (nurture, onboarding):
            raw = b"".join(event.SerializeToString() for event in (await handle.fetch_history()).events)
            assert b"whitepaper" in raw or b"onboarding" in raw
            for personal in (VISITOR, VISITOR.partition("@")[0], FIRST_NAME):
                assert personal.encode() not in raw


async def test_pricing_looked_at_before_the_wait_counts(sqlite: Database, smtp: Relay, tmp_path: Path) -> None:
    async with on_stage(sqlite, smtp, tmp_path) as play:
        await submits_the_form(play)
        await play.happens("Page Viewed", path="/pricing")
        await until(lambda: smtp.subjects == [WELCOME], "the welcome mail")
        await play.advance(days(2) + hours(1))

        await play.until_waiting_for("Demo Attended")
        assert await score(sqlite) == 20
        assert [mail["To"] for mail in smtp.mails].count("sales@example.com") == 1


async def test_somebody_who_ignores_everything_is_invited_once_and_hears_a_month_later(
    sqlite: Database, smtp: Relay, tmp_path: Path
) -> None:
    async with on_stage(sqlite, smtp, tmp_path) as play:
        nurture = await submits_the_form(play)
        outcome = await play.finish(nurture)
        await play.dispatcher.settle()
        begun = next(id for id in await _ids(sqlite) if id.startswith("stay-in-touch/"))
        stayed = await play.finish(play.handle(begun))

        assert [passed.step for passed in outcome.path] == [
            *FIRST_ROAD,
            "steps/send_email:demo/invitation",
            "steps/wait_for:ATTENDED",
            "steps/enter:StayInTouch",
        ]
        assert stayed.path[-1].at - outcome.path[0].at >= days(2 + 7 + 14 + 30)
        assert await score(sqlite) == 0
        assert len(smtp.mails) == 3


async def test_after_the_demo_sales_hears_when_no_order_comes(sqlite: Database, smtp: Relay, tmp_path: Path) -> None:
    async with on_stage(sqlite, smtp, tmp_path) as play:
        nurture = await submits_the_form(play)
        await play.happens("Demo Attended")
        outcome = await play.finish(nurture)

        assert outcome.ending == Ending.COMPLETED
        assert outcome.path[-1].step.startswith("steps/notify_sales:Attended the demo a week ago")
        assert await score(sqlite) == 30


@pytest.mark.parametrize("after", [timedelta(0), days(1), days(5), days(12)])
async def test_an_order_ends_the_journey_wherever_the_contact_is(
    sqlite: Database, smtp: Relay, tmp_path: Path, after: timedelta
) -> None:
    async with on_stage(sqlite, smtp, tmp_path) as play:
        nurture = await submits_the_form(play)
        await until(lambda: smtp.subjects == [WELCOME], "the welcome mail")
        await play.advance(after)
        await play.until_it_waits(nurture)
        sent = len(smtp.mails)
        await play.happens("Order Completed")

        assert (await play.finish(nurture)).ending == Ending.GOAL
        # No new step of this journey begins; onboarding may have.
        assert [mail for mail in smtp.mails[sent:] if "Welcome" not in str(mail["Subject"])] == []


async def test_without_consent_nothing_is_mailed_and_the_reason_is_kept(
    sqlite: Database, smtp: Relay, tmp_path: Path
) -> None:
    async with on_stage(sqlite, smtp, tmp_path) as play:
        outcome = await play.finish(await submits_the_form(play, agrees=False))

        assert smtp.mails == []
        assert outcome.path[0].result == "mail whitepaper/welcome: refused (no_consent)"
        async with sqlite.read() as tx:
            reasons = (await tx.execute(select(table(Message).c.reason).distinct())).scalars().all()
        assert reasons == ["no_consent"]


async def test_nobody_is_twice_in_the_journey_and_ninety_days_must_pass(
    sqlite: Database, smtp: Relay, tmp_path: Path
) -> None:
    async with on_stage(sqlite, smtp, tmp_path) as play:
        nurture = await submits_the_form(play)
        assert (await play.happens("Form Submitted", form="whitepaper")).entered == ()
        await play.until_it_waits(nurture)
        await play.happens("Order Completed")
        await play.finish(nurture)
        assert (await play.happens("Form Submitted", form="whitepaper")).entered == ()

        await play.advance(days(91))
        again = await play.happens("Form Submitted", form="whitepaper")
        assert [id.rsplit("/", 1)[1] for id in again.entered] == ["2"]


async def _ids(database: Database) -> list[str]:
    async with database.read() as tx:
        return list((await tx.execute(select(table(Enrollment).c.id))).scalars())
