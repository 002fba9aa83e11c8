"""What `tabiji journey new` writes: a journey that runs, its mails, and its test."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from tabiji.errors import ConfigurationError

TEMPLATES = Path(__file__).resolve().parent / "_journey"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 60


def write_journey(name: str, project: Path) -> list[Path]:
    """Write a journey into a project. All of it or nothing; nothing that is there is overwritten.

    Args:
        name: Lower-case words joined by hyphens, e.g. ``trial-nurture``.
        project: The project's folder.

    Returns:
        The files, relative to the project.

    Raises:
        ConfigurationError: The name cannot be one, this is no project, or a file of that name is there.
    """
    _check(name)
    if not (project / "workflows").is_dir():
        raise ConfigurationError("there is no workflows/ here. Go into your project, or make one: `tabiji new DIR`.")
    module = name.replace("-", "_")
    values = {"name": name, "module": module, "cls": "".join(word.capitalize() for word in name.split("-"))}
    files = {
        Path("workflows") / f"{module}.py": "journey.py",
        Path("tests") / f"test_{module}.py": "test.py",
        Path("templates/email") / name / "welcome.html": "welcome.html",
        Path("templates/email") / name / "reminder.html": "reminder.html",
    }
    for file in files:
        if (project / file).exists():
            raise ConfigurationError(f"{file} is there already. Give the journey another name, or remove the file.")
    for file, template in files.items():
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        text = (TEMPLATES / f"{template}.tmpl").read_text(encoding="utf-8")
        (project / file).write_text(Template(text).substitute(values), encoding="utf-8")
    return list(files)


def _check(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise ConfigurationError(
            f"{name!r} cannot be a journey's name: lower-case words joined by hyphens, e.g. 'trial-nurture', "
            f"at most {LONGEST} characters."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ConfigurationError(f"{name!r} is a word of Python's own, and no module can be called that.")
