"""Makes api/assets/t.min.js, which is served, out of api/assets/t.js, which is edited. Needs npx; `--check` does not.

The first line of what is made names its source by digest, so that a test without npx sees when it is behind.
"""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

ASSETS = Path(__file__).parent.parent / "api" / "assets"
SOURCE, MADE = ASSETS / "t.js", ASSETS / "t.min.js"
TERSER = ("npx", "--yes", "terser@5.51.2", "--ecma", "2017", "--toplevel", "-c", "passes=3", "-m", "--")


def main() -> None:
    """Compare or write."""
    if "--check" in sys.argv:
        if not MADE.read_text(encoding="utf-8").startswith(header()):
            sys.exit("api/assets/t.min.js is behind t.js: run `python tools/tracker.py`.")
        return
    command = [*TERSER, str(SOURCE)]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 # all of it stands here
    MADE.write_text(f"{header()}\n{made.rstrip()}\n", encoding="utf-8")


def header() -> str:
    """The first line of what is made."""
    return f"/* tabiji {sha256(SOURCE.read_bytes()).hexdigest()[:12]} */"


if __name__ == "__main__":
    main()
