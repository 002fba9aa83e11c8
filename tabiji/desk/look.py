"""What ops ask the API, as tables. Personal data is printed for the one who asked and logged nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx2
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tabiji.desk.ready import reach
from tabiji.errors import ConfigurationError, Refused, Unavailable
from tabiji.settings import Settings

SECTIONS = {
    "workflow_tasks": "Journeys that do not get on: their code fails, or no worker takes them",
    "queues": "Queues nobody works on",
    "versions": "Versions of the code nobody works for",
    "activities": "Effects that fail again and again",
    "timers": "Waits that are over and did not end",
    "dispatches": "Starts and signals that did not reach Temporal",
    "webhooks": "Receivers of webhooks that take nothing",
    "breaker": "Paused by the breaker: something floods people",
}
"""What /v1/stuck finds, the most urgent first. All but the last three are found in Temporal."""


class Api:
    """The desk's or a production API, asked with a key of scope read or admin."""

    def __init__(self, settings: Settings) -> None:
        host = reach(settings.api_host)
        host = f"[{host}]" if ":" in host else host
        self._base = f"http://{host}:{settings.api_port}"
        self._client = httpx2.Client(
            base_url=self._base, headers={"Authorization": f"Bearer {key_of(settings)}"}, timeout=10, trust_env=False
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
        return self._answer("GET", path, params=parameters)

    def post(self, path: str, body: Any) -> Any:
        """What the API answers to something that is done.

        Raises:
            Refused: It refuses, also because what is named is not there.
        """
        answer = self._answer("POST", path, json=body)
        if answer is None:
            raise Refused("nothing of that name is there. `tabiji journeys` and `tabiji contact` show what is.")
        return answer

    def put(self, path: str, body: Any) -> Any:
        """The same for something that is changed."""
        return self._answer("PUT", path, json=body)

    def _answer(self, method: str, path: str, **sent: Any) -> Any:
        try:
            answer = self._client.request(method, path, **sent)
        except httpx2.HTTPError as error:
            raise Unavailable(
                f"the API does not answer at {self._base} ({type(error).__name__}). Start it with `tabiji up`, "
                "or set TABIJI_API_HOST and TABIJI_API_PORT."
            ) from None
        if answer.status_code == 404:
            return None
        if answer.status_code in (401, 403):
            raise Refused(
                "the API does not take this key. Set TABIJI_API_KEY to one of scope read, or admin to change things."
            )
        if answer.is_error:
            raise Refused(f"the API answered {answer.status_code}: {_problem(answer)}")
        return answer.json()


def show_contact(api: Api, email: str, console: Console | None = None) -> None:
    """Print a person's enrollments.

    Raises:
        Refused: Nobody has this address.
    """
    out = console or Console()
    person = api.get("/v1/contacts", email=email, limit="1")
    if person is None:
        raise Refused("no contact has this address.")
    out.print(f"[bold]{escape(email)}[/bold]  contact {person['id']}  score {person['score']}")
    if person["tags"]:
        out.print("tags: " + escape(", ".join(person["tags"])))
    from tabiji.desk.topics import show_consents  # it builds on this module

    show_consents(api, person["id"], out)
    page = api.get("/v1/enrollments", contact=person["id"], limit="100")
    enrollments: list[dict[str, Any]] = page["enrollments"]
    if not enrollments:
        out.print("In no journey, and never was in one.")
        return
    table = Table("journey", "state", "entered", "waits for")
    for each in enrollments:
        state = each["state"] + (f": {each['reason']}" if each["reason"] not in (None, each["state"]) else "")
        state += _paused(each["paused"])
        waits = "\n".join(_waits(each)) or "-"
        table.add_row(escape(each["journey"]), escape(state), moment(each["entered_at"]), escape(waits))
    out.print(table)
    for each in enrollments:
        # A line of its own and never wrapped, so that a terminal makes a link of it.
        out.print(f"{each['journey']}: {each['temporal_url']}", soft_wrap=True, markup=False, highlight=False)
    if page["next"]:
        out.print("There are more: GET /v1/enrollments has them.")


def show_stuck(api: Api, console: Console | None = None) -> bool:
    """Print what does not move. Returns whether everything does."""
    out = console or Console()
    answer = api.get("/v1/stuck")
    if answer is None:
        raise Refused("this API does not know /v1/stuck: it is older than this command.")
    found: dict[str, list[dict[str, Any]]] = {
        **(answer["temporal"] or {}),
        "dispatches": answer["dispatches"],
        "webhooks": answer["webhooks"],
        "breaker": answer.get("breaker", []),
    }
    for section, title in SECTIONS.items():
        if rows := found.get(section):
            out.print(_section(title, rows))
    out.print(answer["detail"])
    if answer["ok"]:
        out.print("Nothing is stuck.")
    return bool(answer["ok"])


def show_keys(keys: Iterable[Any], console: Console | None = None) -> None:
    """Print keys by what is known of them."""
    table = Table("name", "scope", "made", "last used", "until")
    for key in keys:
        used = key.used_on.isoformat() if key.used_on else "never"
        made = moment(key.recorded_at.isoformat())
        table.add_row(escape(key.name), _may(key), made, used, _until(key))
    (console or Console()).print(table)


def _may(key: Any) -> str:
    return "\n".join((key.scope, *(f"from {escape(origin)}" for origin in key.origins)))


def _until(key: Any) -> str:
    if key.revoked_at:
        return f"revoked {moment(key.revoked_at.isoformat())}"
    if key.until is None:
        return "-"
    words = "good until" if key.until > datetime.now(UTC) else "ended"
    return f"replaced; {words} {moment(key.until.isoformat())}"


def _section(title: str, rows: list[dict[str, Any]]) -> Table:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    headers = [Column(column.replace("_", " "), overflow="fold") for column in columns]  # an id that is cut is no use
    table = Table(*headers, title=f"{title}: {len(rows)}", title_justify="left")
    for row in rows:
        table.add_row(*(escape(str(row.get(column, "-"))) for column in columns))
    return table


def _paused(pause: dict[str, Any] | None) -> str:
    if pause is None:
        return ""
    what = pause["scope"] + (f" {pause['target']}" if pause["scope"] == "journey" else "")
    why = f": {pause['reason']}" if pause["reason"] else ""
    return f"\npaused ({what}) by {pause['by']}{why}"


def _waits(enrollment: dict[str, Any]) -> list[str]:
    """What the journey says itself is newer than what it has written down, and knows plain waits too."""
    listed: list[str] = enrollment["waiting_for"]
    goals = [words for words in listed if words.endswith(("(goal)", "(exit)"))]
    now: list[str] = enrollment["now"] or [words for words in listed if words not in goals]
    return now + goals


def moment(at: str) -> str:
    """An instant as the terminal's clock shows it."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _problem(answer: httpx2.Response) -> str:
    try:
        problem: Any = answer.json()
        return str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError):
        return "no reason given"


def key_of(settings: Settings) -> str:
    """The key commands show the API.

    Raises:
        ConfigurationError: There is none.
    """
    if settings.api_key is not None:
        return settings.api_key.get_secret_value()
    file = settings.data / "key"
    try:
        return file.read_text().strip()
    except OSError:
        raise ConfigurationError(
            f"no key: set TABIJI_API_KEY, or start the desk once with `tabiji up`, which makes {file}."
        ) from None
