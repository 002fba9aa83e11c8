from __future__ import annotations

from typing import Any, cast

import pytest
from rich.console import Console

from tabiji.desk.links import show_links
from tabiji.desk.look import Api
from tabiji.errors import Refused


class Answers:
    """An API that has one answer."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def get(self, path: str, **parameters: str) -> Any:
        assert (path, parameters) == ("/v1/links", {"template": "demo/invitation"})
        return self._answer


def printed(answer: Any) -> str:
    console = Console(record=True, width=160)
    show_links(cast("Api", Answers(answer)), "demo/invitation", console=console)
    return console.export_text()


def test_links_are_listed_with_their_shares() -> None:
    link = {
        "page": "https://example.com/[offer]", "place": 2, "people": 12, "clicks": 20, "machines": 3,
        "last_at": "2026-11-22T09:00:00+00:00",
    }  # fmt: skip # as the API tells it
    shown = printed({"sent": 40, "opened": 20, "clicked": 12, "machines": 8, "links": [link]})
    assert "40 sent, 20 (50%) opened, 12 (30%) clicked by people; a program looked at 8 (20%)" in shown
    assert "https://example.com/[offer]" in shown


def test_who_has_clicked_nothing_is_said_so_and_an_unknown_template_is_refused() -> None:
    assert "Nobody has clicked" in printed({"sent": 0, "opened": 0, "clicked": 0, "machines": 0, "links": []})
    with pytest.raises(Refused, match="demo/invitation"):
        printed(None)
