"""Makes `.venv` with everything in it. `make setup` runs it; it needs Python and nothing else, and does nothing twice.

What is installed is exactly requirements.lock, checked by hash. A warm cache is enough: the network is asked only for
what is not there. The installer itself (uv, the version the lock names) is kept in the user's cache for fresh clones.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".tabiji-setup"
LOCK = ROOT / "requirements.lock"
OLDEST = (3, 11)


def main() -> None:
    """Set up, unless it was done for these very files and this Python."""
    if sys.version_info < OLDEST:
        leave(f"Python {sys.version.split()[0]} is too old, 3.11 is needed. Try: make setup PYTHON=python3.12")
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted and (VENV / "bin" / "tabiji").exists():
        return
    uv = find_uv()
    print("setup: installing into .venv", flush=True)
    run(uv, "venv", "--quiet", "--allow-existing", "--no-python-downloads", "--python", sys.executable, str(VENV))
    install = [uv, "pip", "install", "--quiet", "--python", str(VENV / "bin" / "python")]
    locked = [*install, "--require-hashes", "-r", str(LOCK)]
    if subprocess.run([*locked, "--offline"], cwd=ROOT, stderr=subprocess.DEVNULL, check=False).returncode:  # noqa: S603 # own argv
        run(*locked)
    run(*install, "--offline", "--no-deps", "--no-build-isolation", "--editable", ".")
    STAMP.write_text(wanted)
    print("setup: done", flush=True)


def fingerprint() -> str:
    """What decides whether there is something to do."""
    digest = hashlib.sha256(sys.version.encode())
    for file in (LOCK, ROOT / "pyproject.toml", Path(__file__)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def find_uv() -> str:
    """The installer, from the cache or fetched once."""
    block = re.search(r"^uv==(\S+).*?(?=^\S)", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    if block is None:
        return leave("requirements.lock names no uv")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tabiji"
    kept = cache / f"uv-{block[1]}"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as draft:
            fetch_uv(Path(draft), block[0]).rename(kept)
    return str(kept)


def fetch_uv(draft: Path, locked: str) -> Path:
    """Install uv from the lock into a throw-away environment and take the program out of it."""
    print("setup: fetching the installer", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", draft / "venv"], capture_output=True, check=False)  # noqa: S603 # own argv
    if made.returncode:
        leave("this Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv")
    (draft / "uv.lock").write_text(locked)
    pip = draft / "venv" / "bin" / "pip"
    run(
        pip,
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "-r",
        draft / "uv.lock",
    )
    return Path(shutil.copy2(draft / "venv" / "bin" / "uv", draft / "uv"))


def run(*argv: str | Path) -> None:
    """Run a step, or stop with its name."""
    if subprocess.run(argv, cwd=ROOT, check=False).returncode:  # noqa: S603 # own argv
        leave(f"`{' '.join(map(str, argv[:3]))} …` failed; its own words are above. Is the network there?")


def leave(why: str) -> str:
    """Stop with one line."""
    raise SystemExit(f"setup: {why}")


if __name__ == "__main__":
    main()
