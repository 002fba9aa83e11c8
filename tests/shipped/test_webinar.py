"""Every way through the webinar."""

from __future__ import annotations

from datetime import UTC, datetime

from tabiji import days, hours
from tabiji.testing import JourneyEnvironment, Run
from tests.map.coverage import Coverage
from workflows.lead_nurturing import LeadNurturing
from workflows.webinar import Webinar

MONDAY = datetime(2027, 3, 1, 9, tzinfo=UTC)
WEBINAR = {"webinar": "2027-03-12T15:00:00Z"}


async def test_who_registers_is_reminded_and_followed_up(journeys: JourneyEnvironment) -> None:
    journeys.begins(MONDAY)
    journeys.loads(LeadNurturing)
    agrees = {"marketing": True, "webinar": True}
    ways = Coverage(Webinar)

    journeys.person("comes", consent=agrees, attributes=WEBINAR)
    journeys.person("late", consent=agrees, attributes=WEBINAR)
    journeys.person("never", consent=agrees, attributes=WEBINAR)
    journeys.person("no date", consent=agrees)
    journeys.person("by form", consent=agrees, attributes=WEBINAR)
    begun: dict[str, Run] = {}
    for who in ("comes", "late", "never", "no date"):
        begun[who] = await journeys.start(Webinar, contact=who)
    [begun["by form"]] = await journeys.happens("Form Submitted", contact="by form", form="webinar")

    await begun["comes"].happens("Webinar Registered")
    await begun["no date"].happens("Webinar Registered")
    await journeys.advance(days(5))
    await begun["late"].happens("Webinar Registered")
    await journeys.advance(days(6) + hours(7))
    await begun["comes"].happens("Webinar Attended")
    for run in begun.values():
        ways.add(await run.result())
    # A path does not say by which trigger it began.
    ways.check(
        but=("start:Form Submitted (form = webinar) -> steps/registers/if:trigger and trigger.event == Form Submitted",)
    )

    reminded = ["webinar/tomorrow", "webinar/in-an-hour"]
    assert begun["comes"].outbox == ["webinar/invitation", *reminded, "webinar/thank-you"]
    assert begun["late"].outbox == ["webinar/invitation", "webinar/last-seats", *reminded, "webinar/recording"]
    assert begun["never"].outbox == ["webinar/invitation", "webinar/last-seats"]
    assert begun["by form"].outbox == [*reminded, "webinar/recording"]
    at = [mail.at for mail in journeys.outbox if mail.template in reminded and mail.contact == "comes"]
    assert at == [datetime(2027, 3, 11, 10, tzinfo=UTC), datetime(2027, 3, 12, 14, tzinfo=UTC)]
    assert (await begun["no date"].result()).reason == "the webinar has no date"
    assert journeys.run(LeadNurturing, "late").outbox == ["lessons/problem"]


async def test_who_cancels_hears_no_more(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(Webinar, attributes=WEBINAR)
    await run.happens("Webinar Cancelled")
    assert (await run.result()).ending == "exited"
    assert journeys.outbox == ["webinar/invitation"]
