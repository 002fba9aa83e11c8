"""Whether a template a journey names is there."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

ENDINGS = (".html", ".txt", ".mjml")


class Templates:
    """Names of the templates of a project; everything passes where it has none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        found = sorted(folder.rglob("*.html")) if folder is not None and folder.is_dir() else []
        self._names = {str(file.relative_to(folder).with_suffix("").as_posix()) for file in found if folder is not None}

    def problem(self, template: str) -> str | None:
        """What is wrong with a name, None where nothing is."""
        if not self._names or template in self._names:
            return None
        close = get_close_matches(template, self._names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else f" Write {self._folder}/{template}.html."
        return f"there is no template {template!r} in {self._folder}.{hint}"
