"""Reads the brand kit: one file for mails, forms and landing pages."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from tabiji.domain.brand import Brand
from tabiji.errors import ConfigurationError

FILE = "brand.toml"


def read_brand(templates: Path) -> Brand:
    """The brand of a folder of templates; the default where it has no `brand.toml`.

    Raises:
        ConfigurationError: The file cannot be read, or a value is not fit. It names both.
    """
    file = templates / FILE
    try:
        return Brand.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return Brand()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f'{file}: {error}. It is TOML: name = "value".') from None
    except ValidationError as error:
        raise ConfigurationError(f"{file}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{place}: {said}." if place else f"{said}."
