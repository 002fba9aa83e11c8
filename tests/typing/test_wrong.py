"""A mistake in a journey is an error before anything runs: each checker names it, at its line, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
EXPECTED = re.compile(r"# mypy: (\S+) pyright: (\S+)$")
MYPY = re.compile(r"^[^:]+:(\d+): error: .*\[([\w-]+)\]$", re.MULTILINE)

Found = set[tuple[int, str]]


def found_by_mypy(file: Path) -> Found:
    # As a project made by `tabiji new` has it.
    flags = ["--strict", "--enable-error-code", "truthy-bool", "--python-version", "3.11"]
    command = [sys.executable, "-m", "mypy", *flags, "--config-file", "", str(file)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return {(int(line), code) for line, code in MYPY.findall(said)}


def found_by_pyright(file: Path) -> Found:
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": [str(file)]}
    settings |= {"venvPath": str(ROOT), "venv": ".venv", "extraPaths": [str(ROOT)]}
    project = file.parent / "pyrightconfig.json"
    project.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", str(project)]
    said = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout)
    return {(one["range"]["start"]["line"] + 1, one["rule"]) for one in said["generalDiagnostics"] if "rule" in one}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("place", "find"), [(1, found_by_mypy), (2, found_by_pyright)], ids=["mypy", "pyright"])
def test_each_mistake_is_named_at_its_line(tmp_path: Path, place: int, find: Callable[[Path], Found]) -> None:
    text = (HERE / "wrong.py.txt").read_text()
    file = tmp_path / "wrong.py"
    file.write_text(text)
    lines = enumerate(text.splitlines(), start=1)
    expected = {(number, said[place]) for number, line in lines if (said := EXPECTED.search(line))}

    found = find(file)

    assert expected <= found
    assert {line for line, _ in found} == {line for line, _ in expected}
