"""The brand kit: one file, checked when it is read, worn by mails, forms and landing pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabiji.brand import read_brand
from tabiji.channels.email.render import Renderer
from tabiji.domain.brand import DARK, LIGHT, READABLE, Brand, contrast
from tabiji.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
COLOURS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "brand.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_without_a_file_it_is_the_default_and_the_shipped_file_says_the_same(tmp_path: Path) -> None:
    assert read_brand(tmp_path) == Brand()
    assert read_brand(ROOT / "templates") == Brand()


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    brand = read_brand(written(tmp_path, 'name = "旅路"\n[light]\naccent = "#7a1fa2"\n'))
    assert (brand.name, brand.light.accent, brand.light.ink) == ("旅路", "#7a1fa2", LIGHT.ink)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "Invalid value"),
        ("nmae = 'x'", "nmae: Extra inputs"),
        ("[light]\naccent = 'red'", "light.accent"),
        ("[light]\naccent = '#ffff00'", "text needs 4.5"),
        ("[dark]\nink = '#222222'", "dark.ink on #1b212b has a contrast of 1.0"),
        ("logo = 'javascript:x'", "logo: 'javascript:x' is not a web address"),
        ("fonts = 'x; } body { display: none'", "fonts"),
        ("currency = 'euro'", "currency"),
    ],
)
def test_what_is_not_fit_is_refused_with_file_and_name(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=r"brand\.toml") as caught:
        read_brand(written(tmp_path, text))
    assert words in str(caught.value)


@given(COLOURS, COLOURS)
def test_contrast_is_the_same_from_either_side_and_within_its_bounds(one: str, other: str) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21.001


@given(COLOURS)
def test_words_on_a_button_can_be_read_whatever_its_colour(accent: str) -> None:
    colours = LIGHT.model_copy(update={"accent": accent})
    assert contrast(colours.on_accent, accent) >= 4.3
    assert min(contrast(one.on_accent, one.accent) for one in (LIGHT, DARK)) >= READABLE


def test_mails_wear_it(tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    layout = (ROOT / "templates" / "email" / "_layout.html").read_text(encoding="utf-8")
    (tmp_path / "email" / "_layout.html").write_text(layout, encoding="utf-8")
    (tmp_path / "email" / "x.html").write_text(
        '{% extends "_layout.html" %}{% block subject %}S{% endblock %}'
        '{% block body %}<a class="button" href="https://a.example">x</a>{% endblock %}'
    )
    logo = "https://www.example.com/logo.png"
    written(
        tmp_path, f'name = "A & B"\nurl = "https://www.example.com"\nlogo = "{logo}"\n[light]\naccent = "#7a1fa2"\n'
    )
    mail = Renderer(tmp_path / "email").render("x", {"sender": {"name": "A"}, "postal_address": "Somewhere 1"})
    assert f'src="{logo}" alt="A &amp; B" width="140"' in mail.html
    assert "background: #7a1fa2" in mail.html
