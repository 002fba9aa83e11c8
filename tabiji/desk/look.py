"""What ops ask the API, as tables. Personal data is printed for the one who asked and logged nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx2
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tabiji.desk.ready import reach
from tabiji.errors import ConfigurationError, Refused, Unavailable
from tabiji.settings import Settings

SECTIONS = {
    "failing_workflow_tasks": "Journeys whose code fails again and again",
    "queues_without_poller": "Queues nobody works on",
    "late_dispatches": "Starts and signals that did not reach Temporal",
    "overdue_timers": "Waits that are over and did not end",
}


class Api:
    """The desk's or a production API, asked with a key of full scope."""

    def __init__(self, settings: Settings) -> None:
        host = reach(settings.api_host)
        host = f"[{host}]" if ":" in host else host
        self._base = f"http://{host}:{settings.api_port}"
        self._client = httpx2.Client(
            base_url=self._base, headers={"Authorization": f"Bearer {_key(settings)}"}, timeout=10, trust_env=False
        )

    def __enter__(self) -> Self:
        """Use it in a `with`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the connection back."""
        self._client.close()

    def get(self, path: str, **parameters: str) -> Any:
        """What the API answers, or ``None`` for "not found".

        Raises:
            Unavailable: It does not answer.
            Refused: It refuses; its own words.
        """
        try:
            answer = self._client.get(path, params=parameters)
        except httpx2.HTTPError as error:
            raise Unavailable(
                f"the API does not answer at {self._base} ({type(error).__name__}). Start it with `tabiji up`, "
                "or set TABIJI_API_HOST and TABIJI_API_PORT."
            ) from None
        if answer.status_code == 404:
            return None
        if answer.status_code in (401, 403):
            raise Refused("the API does not take this key. Set TABIJI_API_KEY to one of full scope.")
        if answer.is_error:
            raise Refused(f"the API answered {answer.status_code}: {_problem(answer)}")
        return answer.json()


def show_contact(api: Api, email: str, console: Console | None = None) -> None:
    """Print a person's enrollments.

    Raises:
        Refused: Nobody has this address.
    """
    out = console or Console()
    found = api.get("/v1/contacts", email=email)
    person: Any = next(iter(_items(found)), None) if found is not None else None
    if person is None:
        raise Refused("no contact has this address.")
    out.print(f"[bold]{escape(email)}[/bold]  contact {person['id']}  score {person.get('score', 0)}")
    if person.get("tags"):
        out.print("tags: " + escape(", ".join(person["tags"])))
    enrollments = list(_items(api.get("/v1/enrollments", contact=str(person["id"])) or []))
    if not enrollments:
        out.print("In no journey, and never was in one.")
        return
    table = Table("journey", "state", "entered", "waits for")
    for each in enrollments:
        state = " ".join(filter(None, (each["state"], each.get("reason"))))
        waits = "\n".join(each.get("waiting_for") or ["-"])
        table.add_row(escape(each["journey"]), escape(state), _moment(each["entered_at"]), escape(waits))
    out.print(table)
    for each in enrollments:
        # A line of its own and never wrapped, so that a terminal makes a link of it.
        out.print(f"{each['journey']}: {each['temporal_url']}", soft_wrap=True, markup=False, highlight=False)


def show_stuck(api: Api, console: Console | None = None) -> bool:
    """Print what does not move. Returns whether everything does."""
    out = console or Console()
    found = api.get("/v1/stuck")
    if found is None:
        raise Refused("this API does not know /v1/stuck: it is older than this command.")
    moves = True
    for section, title in SECTIONS.items():
        rows: list[dict[str, Any]] = found.get(section, [])
        if rows:
            moves = False
            out.print(_section(title, rows))
    if moves:
        out.print("Nothing is stuck.")
    return moves


def show_keys(keys: Iterable[Any], console: Console | None = None) -> None:
    """Print keys by what is known of them."""
    table = Table("name", "scope", "made", "revoked")
    for key in keys:
        revoked = _moment(key.revoked_at.isoformat()) if key.revoked_at else "-"
        table.add_row(escape(key.name), key.scope, _moment(key.recorded_at.isoformat()), revoked)
    (console or Console()).print(table)


def _section(title: str, rows: list[dict[str, Any]]) -> Table:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = Table(
        *(column.replace("_", " ") for column in columns), title=f"{title}: {len(rows)}", title_justify="left"
    )
    for row in rows:
        table.add_row(*(escape(str(row.get(column, "-"))) for column in columns))
    return table


def _items(answer: Any) -> list[Any]:
    """The API's lists are pages; one thing alone is itself."""
    if isinstance(answer, list):
        return list(answer)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] # JSON
    return list(answer["items"]) if "items" in answer else [answer]


def _moment(at: str) -> str:
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _problem(answer: httpx2.Response) -> str:
    try:
        problem: Any = answer.json()
        return str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError):
        return "no reason given"


def _key(settings: Settings) -> str:
    if settings.api_key is not None:
        return settings.api_key.get_secret_value()
    file = settings.data / "key"
    try:
        return file.read_text().strip()
    except OSError:
        raise ConfigurationError(
            f"no key: set TABIJI_API_KEY, or start the desk once with `tabiji up`, which makes {file}."
        ) from None
