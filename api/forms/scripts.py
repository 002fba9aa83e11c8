"""Two small scripts for other sites: one puts a form in the place of its link, one shows it over the page, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response

from api.deps import PartsDep
from api.pages import not_found

router = APIRouter(tags=["forms"])

_FOLDER = Path(__file__).parent / "scripts"
_FORM = (_FOLDER / "form.js").read_text(encoding="utf-8")
_POPUP = (_FOLDER / "popup.js").read_text(encoding="utf-8")
_HEADERS = {
    "Cache-Control": "public, max-age=300",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_SCRIPT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The script", "content": {"text/javascript": {"schema": {"type": "string"}}}}
}


@router.get(
    "/f/{form}.js",
    operation_id="formScript",
    response_class=Response,
    responses={**_SCRIPT, 404: {"description": "There is no such form", "content": {"text/html": {}}}},
)
async def form_script(form: str, parts: PartsDep) -> Response:
    """Puts the form into a page of another site, in the place of its link."""
    found = parts.forms.get(form)
    if found is None:
        return not_found("There is no such form.")
    return _script(_FORM.replace('"__NAME__"', _quoted(found.name)).replace('"__TITLE__"', _quoted(found.title)))


@router.get("/popup.js", operation_id="popupScript", response_class=Response, responses=_SCRIPT)
async def popup_script() -> Response:
    """Shows a form over a page of another site, once, after a while or when somebody is about to leave."""
    return _script(_POPUP)


def _script(text: str) -> Response:
    return Response(text, media_type="text/javascript", headers=_HEADERS)


def _quoted(text: str) -> str:
    return json.dumps(text).replace("<", "\\u003c")
