"""Landing pages: `templates/landing/{name}.html` at `/p/{name}`, with a form inside."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import structlog
from fastapi import APIRouter, Request, Response
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse

from api.deps import PartsDep
from api.forms.given import Given, from_body, from_query
from api.forms.pages import BODY, PAGES, SENT, submit
from api.forms.showing import Place, View, form_part, policy, view
from api.forms.tokens import Tokens
from api.forms.visitors import Visitor, visitor_of
from api.pages import TEMPLATES, answer, dress, not_found, page
from api.parts import Parts
from tabiji.errors import ConfigurationError

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(tags=["forms"])

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_WIDER = {"img-src": "'self' https: data:", "media-src": "'self' https:"}


@dataclass
class _Inside:
    """Puts a form into a page: `{{ form("whitepaper") }}`. One a page: two would share the names of their fields."""

    make: Callable[[str], View]
    shown: View | None = None

    def __call__(self, name: str) -> Markup:
        if self.shown is not None:
            raise ConfigurationError("a landing page has one form. Lead to the others with links: /f/NAME.")
        self.shown = self.make(name)
        return form_part(self.shown)


@router.get("/p/{name}", operation_id="landingPage", response_class=HTMLResponse, responses=PAGES)
async def landing(name: str, request: Request, parts: PartsDep) -> Response:
    """A landing page. What its address says of a campaign (`utm_source` and its like) goes into the form's event."""
    if not _is_there(parts, name):
        return not_found("There is no such page.")
    given = _at(name, from_query(request))
    visitor = await visitor_of(parts, Tokens(parts.settings.signing_secret), given)
    return _rendered(parts, name, _Inside(lambda form: _fresh(parts, form, given, visitor)))


@router.post(
    "/p/{name}",
    operation_id="submitLanding",
    status_code=303,
    response_class=RedirectResponse,
    responses=SENT,
    openapi_extra=BODY,
)
async def submit_landing(name: str, request: Request, parts: PartsDep) -> Response:
    """Take the form of a landing page. The same as sending it to `/f/{form}`, but mistakes are shown here."""
    given = await from_body(request)
    form = parts.forms.get(given.last("form"))
    if form is None or not _is_there(parts, name):
        return not_found("There is no such page.")

    def again(shown: View, status: int, headers: dict[str, str]) -> Response:
        return _rendered(parts, name, _Inside(lambda _: shown), status=status, headers=headers)

    given = _at(name, given)
    return await submit(
        parts, request, form, given, again, place=Place.LANDING, thanks=f"../f/{form.name}", more={"form": form.name}
    )


def _fresh(parts: Parts, name: str, given: Given, visitor: Visitor) -> View:
    form = parts.forms.get(name)
    if form is None:
        raise ConfigurationError(f"there is no form {name!r} in the folder forms.")
    return view(parts, form, given, visitor, more={"form": name})


def _at(name: str, given: Given) -> Given:
    return Given({**given.fields, "page": [f"/p/{name}"]})


def _rendered(
    parts: Parts, name: str, inside: _Inside, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    nonce = secrets.token_urlsafe(16)
    try:
        html = _environment(parts.settings.templates / "landing").get_template(f"{name}.html")
        text = html.render(form=inside, nonce=nonce)
    except (TemplateError, ConfigurationError) as error:
        return _broken(parts, name, error)
    form = inside.shown.form if inside.shown is not None else None
    return answer(text, nonce, status=status, headers=headers, policy={**_WIDER, **policy(form, Place.LANDING)})


def _broken(parts: Parts, name: str, error: Exception) -> Response:
    """Authors at a desk read what is wrong; visitors read that something is, and the log has the rest."""
    problem = f"templates/landing/{name}.html: {error}"
    log.error("landing.broken", page=name, problem=str(error))
    words = problem if parts.settings.environment == "desk" else "We are mending this page. Please come again later."
    return page("note.html", status=500, title="Something broke", heading="Something broke", words=words, lang="en")


def _is_there(parts: Parts, name: str) -> bool:
    return bool(NAME.fullmatch(name)) and (parts.settings.templates / "landing" / f"{name}.html").is_file()


@lru_cache
def _environment(folder: Path) -> ImmutableSandboxedEnvironment:
    """They are code of the team, yet run in a sandbox, as mails do."""
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader((folder, TEMPLATES)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    dress(environment, folder.parent)
    return environment
