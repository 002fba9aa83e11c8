"""Where calls are sent: the names of the spec, and the one letter each that Segment's browser client uses."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from api.errors import ApiProblem
from api.ingest.calls import KINDS
from api.parts import Parts
from models.keys import Key


class Path(NamedTuple):
    """One path: what comes there, its name in figures, and the method it takes."""

    kind: str
    route: str
    method: str = "POST"


LONG = {f"/v1/{kind}": Path(kind, f"/v1/{kind}") for kind in (*KINDS, "batch", "import")}
SHORT = {f"/v1/{kind[0]}": Path(kind, f"/v1/{kind[0]}") for kind in (*KINDS, "batch")}
DOORS: dict[str, Path] = {**LONG, **SHORT, "/v1/m": Path("metrics", "/v1/m")}
SITE_SETTINGS = Path("settings", "/v1/projects/{write_key}/settings", "GET")
_SETTINGS = re.compile(r"/v1/projects/([^/]+)/settings")


def write_key_in(path: str) -> str | None:
    """The key in the path Segment's browser client asks for its settings at."""
    found = _SETTINGS.fullmatch(path)
    return found[1] if found else None


def site_settings(parts: Parts, shown: str | None, key: Key) -> bytes:
    """What Segment's browser client asks for before it sends anything: where to send it, and nothing else to load.

    Raises:
        ApiProblem: 403 for a key that must not stand in a page.
    """
    if key.scope != "browser":
        words = f"a page needs a key of scope 'browser'; this one has scope {key.scope!r} and should be revoked"
        raise ApiProblem(403, "forbidden", words)
    here = urlsplit(parts.settings.public_url)
    return msgspec.json.encode(
        {
            "integrations": {
                "Segment.io": {
                    "apiKey": shown,
                    "apiHost": f"{here.netloc}{here.path.rstrip('/')}/v1",
                    "protocol": here.scheme,
                    "unbundledIntegrations": [],
                    "addBundledMetadata": False,
                    "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
                }
            },
            "plan": {
                "track": {"__default": {"enabled": True, "integrations": {}}},
                "identify": {"__default": {"enabled": True}},
                "group": {"__default": {"enabled": True}},
            },
            "edgeFunction": {},
            "analyticsNextEnabled": True,
            "middlewareSettings": {},
            "enabledMiddleware": {},
            "metrics": {"sampleRate": 0},
            "legacyVideoPluginsEnabled": False,
            "remotePlugins": [],
            "autoInstrumentationSettings": {"sampleRate": 0},
        }
    )
