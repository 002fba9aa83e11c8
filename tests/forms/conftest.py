"""The door of the API's tests, and one on SQLite alone that knows the forms of these tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.app import compose
from models.database import Database
from models.keys import create_key
from tabiji.domain.forms import Form
from tests.api.conftest import BROWSER, Door, door, settings_for
from tests.forms.site import with_forms

__all__ = ["door"]

Shop = Callable[..., Awaitable[Door]]


@pytest.fixture
async def shop(sqlite: Database, tmp_path: Path) -> AsyncGenerator[Shop]:
    """Opens an application with further forms and settings."""
    async with AsyncExitStack() as stack:

        async def opened(*forms: Form, **settings: Any) -> Door:
            made = settings_for(sqlite, tmp_path, public_url="http://tabiji.example", **settings)
            app = compose(lambda: with_forms(sqlite, made, forms))
            await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)

            async def client(key: str | None) -> httpx2.AsyncClient:
                headers = {"Authorization": f"Bearer {key}"} if key else BROWSER
                made = httpx2.AsyncClient(transport=transport, base_url="http://tabiji.example", headers=headers)
                return await stack.enter_async_context(made)

            write, admin = await create_key(sqlite, "site", "write"), await create_key(sqlite, "ops", "admin")
            return Door(app, app.state.parts, await client(None), await client(write), await client(admin))

        yield opened
