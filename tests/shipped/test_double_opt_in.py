"""Every way through double opt-in: no mail on a topic before its address has said yes."""

from __future__ import annotations

from tabiji import days
from tabiji.testing import JourneyEnvironment
from tests.map.coverage import Coverage
from workflows.double_opt_in import DoubleOptIn
from workflows.preferences_link import PreferencesLink
from workflows.welcome_series import WelcomeSeries

CONFIRM = "consent/confirm"


async def test_an_address_is_asked_reminded_once_and_then_left_alone(journeys: JourneyEnvironment) -> None:
    ways = Coverage(DoubleOptIn)
    for name in ("quick", "slow", "never"):
        journeys.person(name, consent=False)
    journeys.loads(DoubleOptIn)
    (quick,) = await journeys.asks("quick", "newsletter")
    (slow,) = await journeys.asks("slow", "newsletter")
    (never,) = await journeys.asks("never", "newsletter")
    await journeys.confirms("quick", "newsletter")
    await journeys.advance(days(3))
    await journeys.confirms("slow", "newsletter")
    await journeys.advance(days(5))

    for run in (quick, slow, never):
        ways.add(await run.result())
    ways.check()
    assert (quick.outbox, slow.outbox, never.outbox) == ([CONFIRM], [CONFIRM, CONFIRM], [CONFIRM, CONFIRM])
    assert (await never.result()).reason == "never confirmed"
    assert {mail.topic for mail in journeys.outbox} == {"confirmation"}


async def test_many_requests_for_one_address_send_two_mails_a_week(journeys: JourneyEnvironment) -> None:
    journeys.person("victim", consent=False)
    journeys.loads(DoubleOptIn)
    for _ in range(10):
        await journeys.asks("victim", "newsletter")
    await journeys.advance(days(6))
    for _ in range(10):
        await journeys.asks("victim", "newsletter")
    assert journeys.outbox == [CONFIRM, CONFIRM]

    await journeys.advance(days(2))
    await journeys.asks("victim", "newsletter")
    assert journeys.outbox == [CONFIRM, CONFIRM, CONFIRM]


async def test_the_journeys_of_a_topic_begin_when_it_is_confirmed(journeys: JourneyEnvironment) -> None:
    journeys.person("ann", consent=False)
    journeys.loads(DoubleOptIn, WelcomeSeries)
    await journeys.asks("ann", "newsletter")
    assert journeys.outbox == [CONFIRM]
    assert not journeys.contact("ann").has_consented("newsletter")

    await journeys.confirms("ann", "newsletter")
    assert journeys.outbox == [CONFIRM, "welcome/hello"]

    await journeys.withdraws("ann")
    await journeys.advance(days(3))
    assert journeys.refused == ["unsubscribed_from_all"]


async def test_a_new_link_to_the_choices_is_sent_once_a_day(journeys: JourneyEnvironment) -> None:
    ways = Coverage(PreferencesLink)
    journeys.person("ann", consent=False)
    journeys.loads(PreferencesLink)
    (run,) = await journeys.happens("Preferences Requested", contact="ann")
    for _ in range(3):
        await journeys.happens("Preferences Requested", contact="ann")
    ways.add(await run.result())
    ways.check()
    await journeys.advance(days(1))
    await journeys.happens("Preferences Requested", contact="ann")
    assert journeys.outbox == ["consent/preferences", "consent/preferences"]
