"""Pages for people: rendered from templates/pages, without JavaScript, safe to show anything in."""

from __future__ import annotations

import secrets
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "pages"

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def page(template: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: object) -> HTMLResponse:
    """A page as an answer, with a policy that lets nothing run and nothing else load."""
    nonce = secrets.token_urlsafe(16)
    html = _environment.get_template(template).render(nonce=nonce, **values)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(html, status, headers={"Content-Security-Policy": policy, **(headers or {})})


def not_found(words: str, *, lang: str = "en", title: str = "Nothing is here") -> HTMLResponse:
    """A plain page for a link that leads nowhere."""
    return page("note.html", status=404, title=title, heading=title, words=words, lang=lang)


def unavailable() -> HTMLResponse:
    """A plain page for a moment when nothing can be kept."""
    words = "We could not save that just now. Nothing is lost on your side: please try again in a minute."
    headers = {"Retry-After": "10"}
    return page(
        "note.html", status=503, headers=headers, title="Please try again", heading="Please try again", words=words,
        lang="en",
    )  # fmt: skip # one call, one page
