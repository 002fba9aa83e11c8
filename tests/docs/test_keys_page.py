"""What docs/keys.md has a reader do."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from api.guard import LARGEST_BODY
from api.ingest.calls import LARGEST_BATCH, LARGEST_EVENT
from models.key import SCOPES
from tabiji.domain.user_hash import is_users_hash, user_secret
from tabiji.server import LARGEST_HEAD
from tabiji.settings import Settings
from tests.docs.pages import ROOT, blocks

PAGE = "docs/keys.md"
SECRET = user_secret("s" * 32, "page")


def test_the_hash_in_python_is_one_we_take() -> None:
    [block] = blocks(PAGE, "py")
    names: dict[str, Any] = {}
    exec(block.text, names)  # noqa: S102 # a page of our own

    assert is_users_hash(SECRET, "u-1001", names["user_hash"](SECRET, "u-1001"))


def test_the_hash_in_javascript_is_one_we_take() -> None:
    [block] = blocks(PAGE, "js")
    script = f"{block.text}\nconsole.log(userHash({json.dumps(SECRET)}, 'u-花子'));"
    made = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True, timeout=30)

    assert is_users_hash(SECRET, "u-花子", made.stdout)


def test_the_page_names_every_scope_and_the_limits_in_force() -> None:
    text, fresh = (ROOT / PAGE).read_text(encoding="utf-8"), Settings.model_fields

    assert all(f"| `{scope}` |" in text for scope in SCOPES)
    assert f"{fresh['key_rate'].default:,} a second" in text
    assert f"{fresh['address_rate'].default} a second" in text
    assert LARGEST_BATCH == 500 * 1024
    assert LARGEST_EVENT == LARGEST_BODY == 32 * 1024
    assert LARGEST_HEAD == 64 * 1024
    assert json.loads(blocks(PAGE, "json")[0].text)["context"]["tabiji"].keys() == {"userHash"}
