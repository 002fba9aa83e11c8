"""Which code is this? A build id that changes when, and only when, what decides a journey's way has changed.

It is made from the syntax of the journeys, of what they import from the project, and of the language itself. A
comment, a template or an activity makes no new version, so nobody has to be moved for it.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import tabiji
from tabiji.settings import Settings

DESK = "desk"
"""The one version at a desk: a saved edit is in force at once, also for those who are under way."""
LANGUAGE = ("journey", "domain")
"""The rooms of the library that run inside workflows."""
DIGITS = 12


def build_here(settings: Settings) -> str:
    """The version a worker started in the current folder runs."""
    if settings.build_id is not None:
        return settings.build_id
    return DESK if settings.environment == "desk" else build_of(Path.cwd())


def promotes_itself(settings: Settings) -> bool:
    """Whether a worker makes its version current by itself: at a desk, unless its version was named."""
    return settings.environment == "desk" and settings.build_id is None


def build_of(folder: Path, package: str = "workflows") -> str:
    """The build id of the journeys in a project's folder.

    The same code gives the same id on every machine with the same Python; another minor version of Python gives
    another id.
    """
    digest = hashlib.sha256("{}.{}".format(*sys.version_info).encode())
    library = Path(tabiji.__file__).parent
    language = (file for room in LANGUAGE for file in (library / room).rglob("*.py"))
    for root, files in ((library, language), (folder, _reached(folder, package))):
        for file in sorted(files):
            digest.update(f"\n{file.relative_to(root)}\n".encode())
            digest.update(ast.dump(_tree(file)).encode())
    return digest.hexdigest()[:DIGITS]


def _reached(folder: Path, package: str) -> set[Path]:
    """Every file of the package, and those of the project they import, directly or not."""
    seen: set[Path] = set()
    todo = list((folder / package).rglob("*.py"))
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            todo += (found for name in _imported(file, folder) for found in _files(folder, name))
    return seen


def _imported(file: Path, folder: Path) -> Iterator[str]:
    here = file.relative_to(folder).parent.parts
    for node in ast.walk(_tree(file)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = here[: len(here) - level + 1] if level else ()
                base = ".".join((*above, *([module] if module else [])))
                # What is imported from a package may be a module of it.
                yield from (base, *(f"{base}.{alias.name}" for alias in names))
            case _:
                pass


def _files(folder: Path, module: str) -> Iterable[Path]:
    """The file of a module where the project has it, with the packages that are loaded before it."""
    parts = module.split(".")
    if parts[0] == tabiji.__name__:
        return  # it is the language, wherever it lies
    for length in range(1, len(parts) + 1):
        place = folder.joinpath(*parts[:length])
        yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes(), filename=str(file))
