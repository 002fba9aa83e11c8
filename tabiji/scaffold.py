"""What `tabiji new` writes: a complete project of one's own, ready for `tabiji up`.

The application's folders come from the wheel (`_scaffold`), or in an editable install from the repository;
what differs in a project of one's own (its README, pyproject.toml, Dockerfile and sample test) from `_project`.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Template
from uuid import uuid4

from tabiji.errors import ConfigurationError

PACKAGE = Path(__file__).resolve().parent
REPOSITORY = PACKAGE.parent
SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".DS_Store")


def create(target: Path) -> list[Path]:
    """Write a project. All of it or nothing: it is written next to the target and moved there at the end.

    Args:
        target: A folder that does not exist yet, or is empty.

    Returns:
        Every file written, relative to the target, sorted.

    Raises:
        ConfigurationError: The target is not empty or cannot be written, or this install carries no project.
    """
    target = target.absolute()
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise ConfigurationError(f"{target} is not empty. Name a folder that does not exist yet: `tabiji new DIR`.")
    draft = target.parent / f".{target.name}-{uuid4().hex[:8]}"
    try:
        draft.mkdir(parents=True)
        _fill(draft, target.name)
        written = sorted(path.relative_to(draft) for path in draft.rglob("*") if path.is_file())
        _move(draft, target)
    except OSError as error:
        raise ConfigurationError(f"cannot write {target}: {error.strerror}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return written


def _fill(folder: Path, name: str) -> None:
    for source in _application():
        if source.is_dir():
            shutil.copytree(source, folder / source.name, ignore=SKIPPED)
        else:
            shutil.copy(source, folder / source.name)
    values = {"name": _distribution_name(name), "version": _version()}
    project = PACKAGE / "_project"
    for template in sorted(project.rglob("*.tmpl")):
        file = folder / template.relative_to(project).with_suffix("")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(template.read_text()).substitute(values))


def _application() -> Iterator[Path]:
    carried = PACKAGE / "_scaffold"
    if carried.is_dir():
        yield from sorted(carried.iterdir())
        return
    try:
        declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
        names = declared["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["scaffold"]
    except (OSError, KeyError):
        raise ConfigurationError(
            "this install of tabiji carries no project to copy. Install it from a wheel."
        ) from None
    yield from (REPOSITORY / name for name in names)


def _move(draft: Path, target: Path) -> None:
    if not target.exists():
        draft.rename(target)
        return
    # An empty folder may be where the caller's shell stands: it is kept and filled.
    for entry in sorted(draft.iterdir()):
        entry.rename(target / entry.name)


def _distribution_name(folder: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-") or "journeys"


def _version() -> str:
    from importlib.metadata import version

    return version("tabiji")
