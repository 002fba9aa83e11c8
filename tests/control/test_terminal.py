"""What ops type, against an API over a real port that carries out what they order."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from activities.steering import Steering
from api.app import compose
from api.parts import Parts
from models.control import everything_is_paused
from models.database import Database
from models.keys import create_key
from tabiji.desk.launch import GoLive, golive, set_state, show_journeys, show_state
from tabiji.desk.look import Api, show_contact
from tabiji.desk.steer import Order, pause, resume, show_pauses, stop_everything, tell
from tabiji.errors import Refused
from tabiji.settings import Settings
from tests.api.conftest import free_port, parts_on, settings_for
from tests.databases import create_schema
from tests.serving import serving

JOURNEY = "whitepaper-nurture"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Generator[Settings]:
    """Where the API is, and a key."""
    folder, port = tmp_path_factory.mktemp("ops"), free_port()
    url = f"sqlite:///{folder / 'ops.sqlite3'}"
    key = asyncio.run(_prepare(url))
    app = compose(lambda: _parts(url, folder))
    with serving(app, port):
        yield Settings(
            _env_file=None,  # type: ignore[call-arg] # pydantic-settings takes it
            api_port=port,
            api_key=SecretStr(key),
        )


async def _prepare(url: str) -> str:
    database = Database(url)
    try:
        await create_schema(database)
        return await create_key(database, "hanako of ops", "admin")
    finally:
        await database.close()


@asynccontextmanager
async def _parts(url: str, folder: Path) -> AsyncGenerator[Parts]:
    database = Database(url)
    async with parts_on(database, settings_for(database, folder)) as parts:
        steering = Steering(database, parts.catalog, parts.clock, parts.outbox, resume_rate=1000)
        working = asyncio.create_task(steering.run())
        yield parts
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    await database.close()


class Screen:
    """What is printed, and what is asked: everything is agreed to unless said otherwise."""

    def __init__(self, *, agrees: bool = True) -> None:
        self.console = Console(file=io.StringIO(), width=200)
        self.asked: list[str] = []
        self._agrees = agrees

    def agreed(self, question: str) -> bool:
        self.asked.append(question)
        return self._agrees

    @property
    def text(self) -> str:
        file = self.console.file
        assert isinstance(file, io.StringIO)
        return file.getvalue()


@pytest.fixture
def api(settings: Settings) -> Generator[Api]:
    with Api(settings) as api:
        api.put(f"/v1/journeys/{JOURNEY}/state", {"state": "live"})
        yield api


def enters(api: Api, name: str) -> str:
    who = {"userId": name, "traits": {"email": f"{name}@example.com"}}
    api.post("/v1/identify", who)
    enrolled: str = api.post(f"/v1/journeys/{JOURNEY}/enrollments", {"user_id": name})["id"]
    return enrolled


def test_one_word_stops_everything_and_one_lets_it_go_on(api: Api, settings: Settings) -> None:
    screen = Screen()
    stop_everything(settings, "wrong price", screen.console)
    assert "Everything is stopped" in screen.text
    show_pauses(api, screen.console)
    assert "wrong price" in screen.text
    stop_everything(settings, None, screen.console)
    assert resume(api, Order(everything=True), screen.console)
    assert not resume(api, Order(everything=True), screen.console)


async def test_where_no_api_answers_the_database_is_told_itself(sqlite: Database) -> None:
    nowhere = Settings(
        _env_file=None,  # type: ignore[call-arg] # pydantic-settings takes it
        api_port=free_port(),
        api_key=SecretStr("any"),
        database_url=sqlite.url.render_as_string(hide_password=False),
    )
    screen = Screen()
    await asyncio.to_thread(stop_everything, nowhere, "fire", screen.console)
    assert "Everything is stopped, by tabiji stop" in screen.text
    async with sqlite.read() as tx:
        assert await everything_is_paused(tx)


def test_a_person_is_paused_shown_and_resumed(api: Api) -> None:
    enters(api, "ken")
    order = Order(contact="ken@example.com", reason="he called us")
    screen = Screen()

    assert pause(api, order, screen.agreed, screen.console)
    assert screen.asked == ["1 enrollments under way are paused. Go on?"]
    shown = Screen()
    show_pauses(api, shown.console)
    show_contact(api, "ken@example.com", shown.console)
    assert "he called us" in shown.text
    assert "paused (contact) by hanako of ops: he called us" in shown.text

    assert resume(api, order, screen.console)
    assert "go on, one after the other" in screen.text
    assert not resume(api, order, screen.console)


def test_who_says_no_changes_nothing(api: Api) -> None:
    enters(api, "mio")
    screen = Screen(agrees=False)

    assert not pause(api, Order(contact="mio@example.com"), screen.agreed, screen.console)

    assert "Nothing was done." in screen.text
    shown = Screen()
    show_pauses(api, shown.console)
    assert "Nothing is paused." in shown.text


def test_many_are_cancelled_with_progress_by_the_server(api: Api) -> None:
    for number in range(3):
        enters(api, f"many{number}")
    reached = api.get("/v1/reach", journey=JOURNEY)["enrollments"]
    screen = Screen()

    assert tell(api, "cancel", Order(journey=JOURNEY, reason="over"), screen.agreed, screen.console, rate=1000)

    assert reached >= 3
    assert f"done: {reached} done, 0 not concerned" in screen.text
    assert "closing this window stops nothing" in screen.text


def test_one_wait_is_skipped(api: Api) -> None:
    id, screen = enters(api, "rin"), Screen()

    assert tell(api, "skip", Order(enrollment=id), screen.agreed, screen.console, step="steps/wait")

    assert "On its way: skip" in screen.text
    with pytest.raises(Refused, match="name it with --enrollment"):
        tell(api, "skip", Order(everything=True), screen.agreed, screen.console, step="steps/wait")


@pytest.mark.parametrize("order", [Order(), Order(contact="not an address"), Order(journey="nothing-like-it")])
def test_nobody_is_meant_by_accident(api: Api, order: Order) -> None:
    with pytest.raises(Refused):
        pause(api, order, Screen().agreed, Screen().console)


def test_going_live_says_first_whom_it_reaches(api: Api) -> None:
    set_state(api, JOURNEY, "draft", None, Screen().console)
    api.post("/v1/track", {"userId": "late", "event": "Form Submitted", "properties": {"form": "whitepaper"}})
    screen = Screen()

    assert golive(api, GoLive(JOURNEY, rate=1000), screen.agreed, screen.console)

    assert f"{JOURNEY} is draft" in screen.text
    assert "1 person did what starts it" in screen.text
    assert screen.asked == [
        "From now on whoever its triggers name enters. Go on?",
        "1 people match already. Do they enter now, 1000 a second?",
    ]
    assert "1 done" in screen.text


def test_a_pilot_says_what_stops_it_and_how_it_does(api: Api) -> None:
    screen, shown = Screen(), Screen()

    asked = GoLive(JOURNEY, pilot="5%", stop_on="complaints=1,unsubscribes=5%@100", enter=False)
    assert golive(api, asked, screen.agreed, screen.console)
    show_state(api, JOURNEY, shown.console)
    show_journeys({JOURNEY: "Title"}, api.get("/v1/journeys"), shown.console)

    assert screen.asked == [
        "From now on 5 % enter, and it stops itself at 1 complaints, 5 % of 100 or more unsubscribes. Go on?"
    ]
    assert "Pilot: 5 %; 0 entered, 0 complaints, 0 unsubscribes, 0 errors." in shown.text
    assert "pilot" in shown.text.splitlines()[-1]


@pytest.mark.parametrize(
    "asked",
    [
        GoLive(JOURNEY, pilot="some"),
        GoLive(JOURNEY, pilot="150%"),
        GoLive(JOURNEY, pilot="3", people="a@example.com"),
        GoLive(JOURNEY, stop_on="errors=1"),
        GoLive(JOURNEY, pilot="3", stop_on="weather=1"),
        GoLive("nothing-like-it"),
    ],
)
def test_what_is_no_pilot_is_refused_before_anything_is_asked(api: Api, asked: GoLive) -> None:
    screen = Screen()
    with pytest.raises(Refused):
        golive(api, asked, screen.agreed, screen.console)
    assert screen.asked == []
