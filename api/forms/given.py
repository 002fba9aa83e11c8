"""What a visitor's browser has sent: the fields of a form, and what came along with it unseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

from api.bodies import text_problem
from api.errors import ApiProblem
from api.values import zone
from tabiji.domain.events import UTM

MOST_FIELDS = 200
LARGEST = 32 * 1024
ALONG = ("anonymous_id", "timezone", "page", *UTM)
"""Comes along unseen, from the page's address to the event. A visitor cannot mend it: what is wrong is left out."""
_LONGEST = {"anonymous_id": 256, "page": 300}


@dataclass(frozen=True)
class Given:
    """Fields by name, each with everything that was sent under it."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict[str, list[str]])

    def last(self, name: str) -> str:
        """What was sent last under a name; empty where nothing was."""
        sent = self.fields.get(name, ())
        return sent[-1] if sent else ""

    @property
    def keepable(self) -> Mapping[str, Sequence[str]]:
        """What may be shown again, and kept."""
        return {
            name: [value for value in values if text_problem(value) is None]
            for name, values in self.fields.items()
            if text_problem(name) is None
        }

    @property
    def along(self) -> dict[str, str]:
        """What comes along unseen, as far as it is good."""
        found: dict[str, str] = {}
        for name in ALONG:
            value = self.last(name).strip()
            if 0 < len(value) <= _LONGEST.get(name, 200) and text_problem(value) is None:
                found[name] = value
        if "timezone" in found:
            with suppress(ValueError):
                found["timezone"] = zone(found["timezone"])
                return found
            del found["timezone"]
        return found


def from_query(request: Request) -> Given:
    """What a page's address says."""
    return _gathered(request.query_params.multi_items())


async def from_body(request: Request) -> Given:
    """A form as it was sent.

    Raises:
        ApiProblem: 400, 413: no form of ours looks like that.
    """
    body = await request.body()
    if len(body) > LARGEST:
        raise ApiProblem(413, "too_large", f"a filled-in form may have at most {LARGEST} bytes")
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        # Starlette reads bytes that are not percent-encoded as Latin-1. Browsers encode, curl -d sends UTF-8 as it is.
        try:
            pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            raise ApiProblem(400, "too_many_fields", f"a form has at most {MOST_FIELDS} fields") from None
        return _gathered(pairs)
    async with request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=16 * 1024) as sent:
        return _gathered([(name, value) for name, value in sent.multi_items() if isinstance(value, str)])


def _gathered(pairs: Sequence[tuple[str, str]]) -> Given:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return Given(fields)
