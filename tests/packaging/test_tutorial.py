"""A stranger follows the tutorial word for word: install, new, write, test, map, check, run, go live."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.docs.pages import ROOT, Block, in_order
from tests.packaging.test_stranger import Stranger, answer, awaited, desk, free_ports

PAGE = "docs/tutorial.md"


@pytest.fixture
def stranger(wheel: Path, tmp_path: Path) -> Stranger:
    """Somebody who has done what the first line says, with our wheel for what the registry does not have yet."""
    home = tmp_path / "home"
    uv = [sys.executable, "-m", "uv"]
    python = str(home / "venv" / "bin" / "python")
    install = ["--python", python, "-c", str(ROOT / "requirements.lock"), f"{wheel}[desk,test]"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, home / "venv"], check=True)
    offline = subprocess.run([*uv, "pip", "install", "-q", "--offline", *install], capture_output=True, check=False)
    if offline.returncode:
        online = subprocess.run([*uv, "pip", "install", "-q", *install], capture_output=True, text=True, check=False)
        assert online.returncode == 0, online.stderr
    return Stranger(home / "venv" / "bin", home)


class Reader:
    """Does what the page says, block by block, in the folder the page has led to."""

    def __init__(self, stranger: Stranger, folder: Path) -> None:
        self._stranger = stranger
        self.folder = folder
        self._said = ""
        self._ports = dict(zip(("API", "TEMPORAL", "TEMPORAL_UI", "SMTP", "INBOX"), free_ports(5), strict=True))
        self._desk = ExitStack()

    def reads(self, block: Block) -> None:
        if block.path is not None:
            file = self.folder / block.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.language == "text":
            missing = [line for line in block.text.splitlines() if line.strip() not in self._said]
            assert missing == [], f"{block}: {self._said}"
        elif block.text.strip() == "tabiji up":
            self._starts_the_desk()
        elif block.language == "sh":
            self._types(block)

    def stops(self) -> None:
        self._desk.close()

    @property
    def settings(self) -> dict[str, object]:
        return {f"TABIJI_{name}_PORT": port for name, port in self._ports.items()}

    def mails(self) -> list[dict[str, Any]]:
        found = httpx2.get(f"http://127.0.0.1:{self._ports['INBOX']}/api/messages")
        mails: list[dict[str, Any]] = found.json()
        return mails

    def _types(self, block: Block) -> None:
        script = re.sub(r"^pip install .*$", "", block.text, flags=re.MULTILINE)
        script = script.replace(":8000", f":{self._ports['API']}")
        here = self._stranger.home / "here"
        ran = subprocess.run(
            ["bash", "-euc", f"{script}\npwd > {here}"],
            cwd=self.folder,
            env=self._stranger.environment(**self.settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=90,
        )
        self._said = ran.stdout
        assert ran.returncode == 0, f"{block}: {self._said}"
        assert '"status":4' not in self._said, f"{block}: {self._said}"
        self.folder = Path(here.read_text().strip())

    def _starts_the_desk(self) -> None:
        running, log = self._desk.enter_context(desk(self._stranger, self.folder, **self.settings))
        ready = f"http://127.0.0.1:{self._ports['API']}/readyz"
        awaited(lambda: answer(lambda: httpx2.get(ready)), running, log, within=120)


@pytest.fixture
def reader(stranger: Stranger, tmp_path: Path) -> Generator[Reader]:
    folder = tmp_path / "work"
    folder.mkdir()
    reading = Reader(stranger, folder)
    yield reading
    reading.stops()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial's visitor is made of curl, which is not here")
@pytest.mark.timeout(300)
def test_the_tutorial_works_word_for_word(reader: Reader) -> None:
    for block in in_order(PAGE):
        reader.reads(block)
    assert "Welcome" in {mail["subject"] for mail in reader.mails()}
