"""Mails that real servers sent back: the samples of the bounce library, which are in its source distribution alone.

They are fetched once, with pip, and kept with pytest's own cache. Nothing of them is in this repository.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

SAMPLES = 117


def samples(folder: Path) -> dict[str, bytes]:
    """Each sample by its name. Skips, in plain sight, where they cannot be had."""
    archive = f"flufl_bounce-{version('flufl.bounce')}.tar.gz"
    if not (folder / archive).exists():
        _fetch(folder)
    if not (folder / archive).exists():
        pytest.skip("the samples of flufl.bounce cannot be fetched: no package index answers here")
    return _read(folder / archive)


def _fetch(folder: Path) -> None:
    wanted = f"flufl.bounce=={version('flufl.bounce')}"
    # An environment made by uv has no pip of its own.
    pip = [str(Path(sys.executable).parent / "uvx"), "--quiet", "--from", "pip", "pip"]
    command = [*pip, "download", "--quiet", "--no-deps", "--no-binary", "flufl.bounce", wanted]
    subprocess.run([*command, "--dest", str(folder)], check=False, capture_output=True, timeout=60)


def _read(archive: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as opened:
        for member in opened.getmembers():
            path = Path(member.name)
            if path.parent.parts[-2:] == ("tests", "data") and path.suffix == ".txt":
                inside = opened.extractfile(member)
                assert inside is not None
                found[path.stem] = inside.read()
    return found
