"""Shows a form: alone on a page, inside another site, or in a landing page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from markupsafe import Markup
from starlette.responses import HTMLResponse

from api.forms.given import Given
from api.forms.tokens import Tokens
from api.forms.visitors import Visitor
from api.pages import page, part
from api.parts import Parts
from tabiji.domain.form_fields import Field, Hidden
from tabiji.domain.forms import Form, ticked

EMBED_SCRIPT = (Path(__file__).parent / "scripts" / "embed.js").read_text(encoding="utf-8")


class Place(StrEnum):
    """Where a form is shown, and so where it is sent."""

    ALONE = "alone"
    INSIDE = "inside"
    """Of another site, in a frame."""
    LANDING = "landing"


@dataclass(frozen=True)
class View:
    """All that a template needs to show a form."""

    form: Form
    asked: Sequence[Field]
    given: Mapping[str, Sequence[str]]
    hidden: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict[str, str])
    notice: str = ""
    recognised: bool = False

    def value(self, name: str) -> str:
        """What was typed."""
        sent = self.given.get(name, ())
        return sent[-1] if sent else ""

    def ticked(self, name: str, value: str | None = None) -> bool:
        """Whether a box was ticked, or one of several."""
        sent = self.given.get(name, ())
        return ticked(sent) if value is None else value in sent


def view(
    parts: Parts,
    form: Form,
    given: Given,
    visitor: Visitor,
    *,
    asked: Sequence[str] | None = None,
    errors: Mapping[str, str] | None = None,
    notice: str = "",
    more: Mapping[str, str] | None = None,
) -> View:
    """A form for a visitor.

    Args:
        parts: Of the application.
        form: Its declaration.
        given: What the page's address says, or what was sent and must be mended.
        visitor: Who they seem to be.
        asked: What the page asked that was sent: it asks the same again.
        errors: What is wrong, by field.
        notice: What is wrong with none of the fields.
        more: Further hidden fields.
    """
    tokens, now = Tokens(parts.settings.signing_secret), parts.clock.wall()
    fields = form.asked(visitor.known) if asked is None else tuple(one for one in form.fields if _stays(one, asked))
    hidden = {**given.along, **(more or {})}
    nonce = given.last("nonce")
    if asked is None or tokens.read_opened(form.name, nonce, now=now) is None:
        nonce = tokens.opened(form.name, tuple(one.name for one in fields if one.visible), at=now)
    hidden["nonce"] = nonce
    if visitor.contact_id is not None:
        hidden["who"] = tokens.who(visitor.contact_id, at=now)
    shown = given.keepable
    for one in fields:
        if isinstance(one, Hidden):
            hidden[one.name] = (shown.get(one.name) or [one.value])[-1]
    return View(
        form,
        [one for one in fields if one.visible],
        shown,
        {name: value for name, value in hidden.items() if value},
        errors or {},
        notice,
        recognised=bool(visitor.known) and any(one.visible and one not in fields for one in form.fields),
    )


def form_page(shown: View, place: Place, *, status: int = 200, headers: dict[str, str] | None = None) -> HTMLResponse:
    """A page with the form on it."""
    return page(
        "form-inside.html" if place is Place.INSIDE else "form.html",
        status=status,
        headers=headers,
        policy=policy(shown.form, place),
        title=f"{shown.form.says.error}: {shown.form.title}" if shown.errors or shown.notice else shown.form.title,
        view=shown,
        lang=shown.form.lang,
        script=Markup(EMBED_SCRIPT),  # noqa: S704 # our own file
    )


def thanks_page(form: Form, place: Place, *, agreed: bool, file: str | None) -> HTMLResponse:
    """What is read afterwards."""
    words = form.thanks_words
    if not agreed and form.consents and form.thanks_without_consent is not None:
        words = form.thanks_without_consent
    return page(
        "thanks-inside.html" if place is Place.INSIDE else "thanks.html",
        policy=policy(form, place),
        title=form.thanks or form.title,
        form=form,
        words=words,
        file=file,
        onward=form.redirect if place is Place.INSIDE else None,
        lang=form.lang,
        script=Markup(EMBED_SCRIPT),  # noqa: S704 # our own file
    )


def form_part(shown: View) -> Markup:
    """The form alone, for a landing page."""
    return part("_form.html", "form_part", shown)


def policy(form: Form | None, place: Place) -> dict[str, str]:
    """What a page with this form may do, as far as it differs from others."""
    rules: dict[str, str] = {}
    if form is not None and form.redirect and (target := urlsplit(form.redirect)).netloc:
        # Browsers hold the redirect after a form against this, too.
        rules["form-action"] = f"'self' {target.scheme}://{target.netloc}"
    if form is not None and place is Place.INSIDE:
        rules["frame-ancestors"] = " ".join(("'self'", *form.hosts))
        rules["script-src"] = "'nonce-{nonce}'"
    return rules


def _stays(field: Field, asked: Sequence[str]) -> bool:
    return not field.visible or field.name in asked
