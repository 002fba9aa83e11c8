"""Hands out a form's file to who has filled in the form, and to nobody else."""

from __future__ import annotations

import hashlib
import mimetypes
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import APIRouter, Response
from starlette.responses import FileResponse

from api.deps import PartsDep
from api.forms.tokens import Tokens
from api.pages import not_found
from api.parts import Parts
from api.recording import record
from models.incoming import Incoming
from tabiji.domain.forms import Download, Form
from tabiji.errors import Unavailable, UnknownContact

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(tags=["forms"])

_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"application/octet-stream": {}}},
    404: {"description": "The link is broken or too old", "content": {"text/html": {"schema": {"type": "string"}}}},
}


@router.get("/f/{form}/file/{token}", operation_id="formFile", response_class=Response, responses=_RESPONSES)
async def form_file(form: str, token: str, parts: PartsDep) -> Response:
    """The file of a form, by the link on its thanks page. Recorded as `File Downloaded`."""
    found = parts.forms.get(form)
    if found is None or found.file is None:
        return not_found("There is no such file.")
    tokens = Tokens(parts.settings.signing_secret)
    contact_id = tokens.read_file(form, token, now=parts.clock.wall(), lasts=found.file.lasts)
    if contact_id is None:
        return not_found("This link is too old, or broken. Fill in the form once more to get a new one.")
    path = _place(parts.settings.assets, found.file)
    if path is None:
        log.error("form.file_missing", form=form, file=found.file.path)
        return not_found("This file is not there just now. We have been told.")
    with suppress(Unavailable, UnknownContact):  # whoever may have the file gets it
        await record(parts, [_downloaded(parts, found, found.file, contact_id, token)])
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return FileResponse(path, media_type=kind, headers={"Content-Disposition": disposition(found.file)})


def disposition(file: Download) -> str:
    """Under which name a browser saves it: any letters (RFC 6266), and plain ones for old programs."""
    name = Path(file.path).name
    plain = name if name.isascii() and '"' not in name else f"file{Path(name).suffix}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.shown, safe='')}"


def _place(assets: Path, file: Download) -> Path | None:
    folder = assets.resolve()
    path = (folder / file.path).resolve()
    return path if path.is_relative_to(folder) and path.is_file() else None


def _downloaded(parts: Parts, form: Form, file: Download, contact_id: UUID, token: str) -> Incoming:
    # Once a minute: download managers fetch a file in pieces.
    minute = int(parts.clock.wall().timestamp() // 60)
    digest = hashlib.sha256(token.encode()).hexdigest()[:32]
    return Incoming(
        kind="form",
        name="File Downloaded",
        message_id=f"form/file/{digest}/{minute}",
        at=parts.clock.now(),
        properties={
            "url": f"{parts.settings.public_url}/f/{form.name}/file",
            "file": Path(file.path).name,
            "extension": Path(file.path).suffix.removeprefix("."),
            "form": form.name,
        },
        contact_id=contact_id,
    )
