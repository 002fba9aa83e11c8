"""`tabiji events` and `tabiji param`, as they are typed, against the API on a real port."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from pydantic import SecretStr
from rich.console import Console

from api.app import compose
from api.parts import Parts
from models import schema
from models.database import Database
from models.keys import create_key
from tabiji import days, param
from tabiji.desk.look import Api
from tabiji.desk.words import set_param, show_events, show_param_history, show_params
from tabiji.domain.params import ParamCatalog
from tabiji.errors import Refused
from tests.api.conftest import free_port, parts_on, settings_for

NUDGE = param("nudge-after", days(2), at_least=days(1), at_most=days(14), title="Wait before the nudge")
POINTS = param("points", 20, at_least=0, title="Points for a look", moves=True)
CALLS = param("calls", True, title="Ask for a call")


@pytest.fixture
def served(tmp_path: Path) -> Generator[Api]:
    url, port = f"sqlite:///{tmp_path / 'words.sqlite3'}", free_port()

    async def prepare() -> str:
        await schema.upgrade(url)
        database = Database(url, pool=1)
        try:
            return await create_key(database, "console", "admin")
        finally:
            await database.close()

    @asynccontextmanager
    async def parts() -> AsyncGenerator[Parts]:
        database = Database(url)
        async with parts_on(database, settings_for(database, tmp_path)) as made:
            yield dataclasses.replace(made, params=ParamCatalog([NUDGE, POINTS, CALLS]))
        await database.close()

    key = asyncio.run(prepare())
    server = uvicorn.Server(uvicorn.Config(compose(parts), host="127.0.0.1", port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        settings = settings_for(Database(url), tmp_path, api_host="127.0.0.1", api_port=port, api_key=SecretStr(key))
        with Api(settings) as api:
            yield api
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def test_events_and_params_are_shown_and_turned(served: Api) -> None:
    out = Console(file=io.StringIO(), width=200)

    show_events(served, console=out)
    set_param(served, "nudge-after", "3 days", "hanako", out)
    set_param(served, "points", "30", None, out)
    set_param(served, "calls", "no", None, out)
    show_params(served, out)
    show_param_history(served, "nudge-after", out)

    file = out.file
    assert isinstance(file, io.StringIO)
    words = " ".join(file.getvalue().split())
    for expected in (
        "Order Completed",
        "total: number, may be absent",
        "Everything came in as declared.",
        "nudge-after is 3 days (version 1) for who enters from now on; people inside keep theirs.",
        "points is 30 (version 1) for everybody from their next step.",
        "a duration, at least 1 day, at most 14 days",
        "calls is no",
        "P2D",
    ):
        assert expected in words
    with pytest.raises(Refused, match="at least 1 day, at most 14 days"):
        set_param(served, "nudge-after", "15 days", None, out)
    with pytest.raises(Refused, match="whole number"):
        set_param(served, "points", "many", None, out)
    with pytest.raises(Refused, match="no param 'other' is declared"):
        show_param_history(served, "other", out)
