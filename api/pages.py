"""Pages for people: rendered from templates/pages, without JavaScript, safe to show anything in."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from tabiji.brand import read_brand
from tabiji.domain.brand import Brand

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "pages"

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def dress(environment: Environment, templates: Path) -> Brand:
    """Let the pages of an environment read the brand kit of a folder of templates.

    Raises:
        ConfigurationError: It cannot be read.
    """
    brand = read_brand(templates)
    names: Any = environment.globals  # typed as what it holds at the beginning
    names["brand"] = brand
    return brand


def _pictures(brand: Brand) -> str:
    logo = urlsplit(brand.logo or "")
    return f"data: {logo.scheme}://{logo.netloc}" if logo.netloc else "data:"


_POLICY = {
    "default-src": "'none'",
    "style-src": "'nonce-{nonce}'",
    "img-src": _pictures(dress(_environment, TEMPLATES.parent)),
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def page(
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    policy: Mapping[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """A page as an answer, with a policy that lets nothing run and nothing else load.

    Args:
        template: Its file below templates/pages.
        status: Of the answer.
        headers: Further ones.
        policy: Directives of its content security policy that differ; `{nonce}` is filled in.
        values: What the template reads. It has `nonce` too.
    """
    nonce = secrets.token_urlsafe(16)
    html = _environment.get_template(template).render(nonce=nonce, **values)
    return answer(html, nonce, status=status, headers=headers, policy=policy)


def answer(
    html: str,
    nonce: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    policy: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page that is rendered already, with the policy above."""
    rules = "; ".join(f"{name} {value}" for name, value in {**_POLICY, **(policy or {})}.items())
    said = {"Content-Security-Policy": rules.replace("{nonce}", nonce)}
    return HTMLResponse(html, status, headers={**said, **(headers or {})})


def part(template: str, macro: str, *values: object) -> Markup:
    """A part of a page: what a template's macro makes of some values."""
    made: Any = getattr(_environment.get_template(template).module, macro)
    return Markup(made(*values))  # noqa: S704 # rendered with escaping


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
