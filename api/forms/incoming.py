"""What a filled-in form is recorded as: who they are, each consent with its proof, and `Form Submitted`."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from api.consenting import Proof, name_of, noted, told
from api.forms.given import Given
from models.incoming import ConsentGiven, Incoming
from tabiji.domain.events import UTM
from tabiji.domain.forms import Consent, Filled, Form
from tabiji.domain.topics import Topics

LONGEST_NONCE = 1000


def batch(
    form: Form,
    given: Given,
    filled: Filled,
    *,
    at: datetime,
    contact_id: UUID | None,
    topics: Topics,
    proof: Proof,
    trusted: bool = True,
) -> list[Incoming]:
    """One after the other: consent stands before the event that may start a journey.

    Args:
        form: What was filled in.
        given: As it was sent.
        filled: As it was understood; without errors.
        at: Journey time.
        contact_id: Who came by a link in a mail, and was not asked for their address.
        topics: What they agreed to, as it is declared.
        proof: From where and with what they did, see `proof_of`.
        trusted: See `Incoming`. Who is not may have typed anybody's address: what must be confirmed is only asked for.
    """
    key, along = _key(form, given), given.along
    answers = {field.name: field for field in form.fields if field.name in filled.answers}
    email = filled.answers.get("email")
    traits = {name: filled.answers[name] for name, field in answers.items() if field.attribute and name != "email"}
    if "timezone" in along:
        traits["timezone"] = along["timezone"]
    who = _Who(
        email if isinstance(email, str) else None,
        along.get("anonymous_id"),
        None if email else contact_id,
        f"form/{key}",
    )
    campaign: dict[str, JsonValue] = {UTM[name]: along[name] for name in UTM if name in along}
    properties: dict[str, JsonValue] = {"form": form.name}
    properties |= {name: filled.answers[name] for name, field in answers.items() if field.event}
    properties |= {name: along[name] for name in ("page", *UTM) if name in along}
    consents = [
        noted(topics, _agreed(form, consent, proof), certain=trusted, lang=form.lang) for consent in filled.agreed
    ]
    return [
        who.incoming("identify", "Identified", f"form/{key}/identify", at, trusted, traits=traits),
        *(
            who.incoming(
                "form",
                name_of(consent),
                f"form/{key}/consent/{consent.topic}",
                at,
                trusted,
                properties=told(consent, form=form.name),
                consent=consent,
            )
            for consent in consents
        ),
        who.incoming(
            "form",
            "Form Submitted",
            f"form/{key}",
            at,
            trusted,
            properties=properties,
            context={"campaign": campaign} if campaign else {},
        ),
    ]


class _Who:
    def __init__(self, email: str | None, anonymous_id: str | None, contact_id: UUID | None, nobody: str) -> None:
        self._email, self._contact_id = email, contact_id
        # Without an e-mail or a visitor's id they are at least somebody.
        self._anonymous_id = anonymous_id or (None if email or contact_id else nobody)

    def incoming(
        self,
        kind: str,
        name: str,
        message_id: str,
        at: datetime,
        trusted: bool,
        *,
        traits: dict[str, JsonValue] | None = None,
        properties: dict[str, JsonValue] | None = None,
        context: dict[str, JsonValue] | None = None,
        consent: ConsentGiven | None = None,
    ) -> Incoming:
        return Incoming(
            kind=kind,
            name=name,
            message_id=message_id,
            at=at,
            properties=properties or {},
            context=context or {},
            email=self._email,
            anonymous_id=self._anonymous_id,
            contact_id=self._contact_id,
            traits=traits or {},
            consent=consent,
            trusted=trusted,
        )


def _agreed(form: Form, consent: Consent, proof: Proof) -> ConsentGiven:
    return ConsentGiven(
        topic=consent.topic,
        source=f"form:{form.name}",
        wording=consent.wording,
        version=consent.said,
        network=proof.network,
        user_agent=proof.user_agent,
    )


def _key(form: Form, given: Given) -> str:
    """The same page sent twice with the same words, by a double click, counts once."""
    nonce = given.last("nonce")
    if not (0 < len(nonce) <= LONGEST_NONCE and nonce.isascii() and nonce.isprintable()):
        return uuid.uuid4().hex
    said = json.dumps([form.name, sorted((name, list(values)) for name, values in given.fields.items())])
    return hashlib.sha256(said.encode()).hexdigest()[:40]
