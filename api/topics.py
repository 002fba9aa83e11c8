"""Topics: what people may agree to hear about, as it is declared, and how many do."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.deps import PartsDep
from api.errors import responses
from api.keys import Guarded
from models.reads.topics import counted
from tabiji.domain.topics import LegalBasis, Topic

router = APIRouter(prefix="/v1/topics", tags=["contacts"], dependencies=[Guarded], responses=responses(401, 403, 503))


class TopicShown(BaseModel):
    """One topic and what has been decided about it."""

    name: str
    title: dict[str, str] = Field(description="by language; one text for all of them stands under an empty name")
    purpose: dict[str, str]
    version: str | None = Field(description="of the purpose; kept with each consent")
    legal_basis: LegalBasis
    reason: str | None = Field(description="why mails on it need no consent; null: they do")
    double_opt_in: bool
    refusable: bool = Field(description="people may say no to it: it is on their preference page")
    mails: bool = Field(description="false: people agree to it, and nothing is sent on it")
    declared: bool = Field(description="false: consents for it are there, and no file in topics/ declares it")
    agreed: int = Field(description="contacts whose yes is in force")
    asked: int = Field(description="contacts who were asked to confirm and have not")
    refused: int = Field(description="contacts who have taken it back, or refused it")


class TopicsShown(BaseModel):
    """All topics, and who wants nothing at all."""

    topics: list[TopicShown]
    stopped_all: int = Field(description="contacts who want no more mail, and have agreed to nothing since")


@router.get("", operation_id="listTopics")
async def list_topics(parts: PartsDep) -> TopicsShown:
    """What people may agree to, why it may be sent, and how many have agreed."""
    async with parts.database.read() as tx:
        counts = await counted(tx)
    declared = [*parts.topics]
    known = {topic.name for topic in declared}
    others = [name for name in sorted(counts.topics) if name not in known]
    shown = [_shown(topic, counts.of(topic.name)) for topic in declared]
    shown += [_undeclared(name, counts.of(name)) for name in others]
    return TopicsShown(topics=shown, stopped_all=counts.stopped_all)


def _shown(topic: Topic, counts: tuple[int, int, int]) -> TopicShown:
    agreed, asked, refused = counts
    return TopicShown(
        name=topic.name,
        title=_by_language(topic.title or topic.name),
        purpose=_by_language(topic.purpose),
        version=topic.version,
        legal_basis=topic.legal_basis,
        reason=topic.transactional or topic.interest,
        double_opt_in=topic.double_opt_in,
        refusable=topic.refusable,
        mails=topic.mails,
        declared=True,
        agreed=agreed,
        asked=asked,
        refused=refused,
    )


def _undeclared(name: str, counts: tuple[int, int, int]) -> TopicShown:
    # What nobody declared needs consent like any other, and has no words to be agreed to.
    agreed, asked, refused = counts
    return TopicShown(
        name=name,
        title={"": name},
        purpose={},
        version=None,
        legal_basis=LegalBasis.CONSENT,
        reason=None,
        double_opt_in=False,
        refusable=True,
        mails=True,
        declared=False,
        agreed=agreed,
        asked=asked,
        refused=refused,
    )


def _by_language(words: str | Mapping[str, str]) -> dict[str, str]:
    if isinstance(words, str):
        return {"": words} if words else {}
    return dict(words)
