"""The brand kit: what mails, forms and landing pages have in common, as values that are safe to put into a page."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

READABLE = 4.5
"""Contrast that text needs against what is behind it (WCAG 2, level AA)."""

_FONTS = (
    '-apple-system, "Segoe UI", "Hiragino Sans", "Hiragino Kaku Gothic ProN", "Yu Gothic UI", "Noto Sans JP", '
    "Roboto, Helvetica, Arial, sans-serif"
)
_UNFIT = frozenset("<>{};\\@")


def _web(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or not value.isprintable() or " " in value:
        raise ValueError(f"{value!r} is not a web address, e.g. https://www.example.com/logo.png")
    return value


def _family(value: str) -> str:
    if _UNFIT & set(value) or not value.isprintable():
        raise ValueError('fonts are names with commas between them, e.g. "Noto Sans JP", sans-serif')
    return value


Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
WebAddress = Annotated[str, AfterValidator(_web)]


class Colours(BaseModel):
    """One set of colours, each `#rrggbb`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ink: Colour
    """Text."""
    paper: Colour
    """What text stands on."""
    page: Colour
    """Around the paper, in mails."""
    line: Colour
    faint: Colour
    """Small print. It must be readable too."""
    accent: Colour
    """Links and buttons."""
    error: Colour

    @property
    def on_accent(self) -> str:
        """Text on a button: white or nearly black, whichever is read better."""
        return max(("#ffffff", "#0b1420"), key=lambda text: contrast(text, self.accent))

    def unreadable(self) -> str | None:
        """Which colour cannot be read on its ground, None where all can."""
        grounds: dict[str, tuple[str, ...]] = {"ink": (self.paper, self.page), "faint": (self.paper, self.page)}
        grounds |= {"accent": (self.paper,), "error": (self.paper,)}
        for name, behind in grounds.items():
            for ground in behind:
                if (found := contrast(getattr(self, name), ground)) < READABLE:
                    return f"{name} on {ground} has a contrast of {found:.1f}, and text needs {READABLE}"
        return None


LIGHT = Colours(
    ink="#1c2430", paper="#ffffff", page="#f1f3f6", line="#66707f", faint="#56606f", accent="#0b5cad", error="#a8200d"
)
DARK = Colours(
    ink="#eef1f5", paper="#1b212b", page="#14181f", line="#98a2b0", faint="#a8b2c0", accent="#8ec2ff", error="#ffb4a6"
)


class Brand(BaseModel):
    """What `templates/brand.toml` may say. Every value has a default.

    Raises:
        ValidationError: A value is not fit to stand in a page, or a colour could not be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", max_length=80, description="shown at the head of mails and pages; empty: none is")
    url: WebAddress | None = None
    """Where name and logo lead."""
    logo: WebAddress | None = None
    """A picture, at an address everybody can reach."""
    logo_width: Annotated[int, Field(ge=16, le=400)] = 140
    fonts: Annotated[str, AfterValidator(_family)] = _FONTS
    address: str = Field(default="", max_length=300, description="at the foot of mails; empty: TABIJI_POSTAL_ADDRESS")
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")] = "en"
    """Of people whose own is unknown."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    """Of amounts that name none."""
    light: Colours = LIGHT
    dark: Colours = DARK

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        values: dict[str, object] = dict(given)  # pyright: ignore[reportUnknownArgumentType] # checked below
        for name, standard in (("light", LIGHT), ("dark", DARK)):
            if isinstance(colours := values.get(name), dict):
                values[name] = {**standard.model_dump(), **colours}
        return values

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for name, colours in (("light", self.light), ("dark", self.dark)):
            if (problem := colours.unreadable()) is not None:
                raise ValueError(f"{name}.{problem}")
        return self


def contrast(one: str, other: str) -> float:
    """How well one colour is read on another: 1 to 21 (WCAG 2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
