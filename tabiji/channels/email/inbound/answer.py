"""What a person wrote, without what they quoted; and whether that is nothing but a wish to leave."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 50_000
"""Characters that are looked at."""

_QUOTES = re.compile(
    r"^(?:[ \t]*>.*|[ \t]*-{2,}[ \t]*(?:original message|urspr[üu]ngliche nachricht|message d'origine|mensaje original"
    r"|元のメッセージ|転送メッセージ|forwarded message).*|[ \t]*_{10,}[ \t]*|[ \t]*on\b.{5,200}\bwrote:[ \t]*"
    r"|[ \t]*(?:am|le|el|il)\b.{5,200}(?:schrieb|a [ée]crit|escribi[óo]|ha scritto)\b.{0,120}:[ \t]*"
    r"|[ \t]*\d{4}年\d{1,2}月\d{1,2}日.{0,200}[:\uff1a][ \t]*"
    r"|[ \t]*\d{4}/\d{1,2}/\d{1,2}.{0,120}(?:<[^>]+@[^>]+>|wrote).{0,10}[:\uff1a][ \t]*"
    r"|[ \t]*(?:from|von|de|差出人)[ \t]*[:\uff1a].{0,200}@.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_WROTE = re.compile(r"^(\s*on\b[^\n]{5,200})\n([^\n]{0,120}\bwrote:\s*)$", re.IGNORECASE | re.MULTILINE)
_SIGNATURE = re.compile(r"^--\s*$|^sent from my .*$|^iPhoneから送信.*$", re.IGNORECASE | re.MULTILINE)
_LEAVES = re.compile(
    r"(?:please |pls |kindly )?(?:unsubscribe|stop|remove|opt ?out|cancel)"
    r"(?: me| us| this| all| e?mails?| sending(?: me)?"
    r"| from(?: your| this| the)?(?: mailing)?(?: list| newsletter)?| subscription| these| messages| mails?| it"
    r"| immediately| now| please| thank you| thanks)*"
    r"|(?:メール|メルマガ|ニュースレター)?(?:の)?(?:配信|購読|受信)(?:の|を)?(?:停止|解除|中止|不要|拒否|止め)(?:希望|依頼)?"
    r"(?:(?:を|に)?(?:希望|お願い)?(?:します|いたします|致します|しました|したいです)?"
    r"|して(?:ください|下さい|欲しい(?:です)?|ほしい(?:です)?)|て(?:ください|下さい))?"
    r"|(?:退会|解除|停止)(?:希望|します|お願いします|してください|して下さい)?|abmelden|abbestellen|d[ée]sabonner|baja",
    re.IGNORECASE,
)


def written(text: str) -> str:
    """What is new in an answer: without quotes below it, and without signature."""
    joined = _WROTE.sub(r"\1 \2", text[:LONGEST])
    found = _QUOTES.search(joined)
    if found and not joined[: found.start()].strip():
        # They wrote below the quote, or between its lines.
        lines = [line for line in joined.splitlines() if not _QUOTES.match(line)]
        return _SIGNATURE.split("\n".join(lines))[0].strip()
    above = joined[: found.start()] if found else joined
    return _SIGNATURE.split(above)[0].strip()


def wants_to_leave(text: str, subject: str) -> bool:
    """Whether somebody wrote nothing but that they want no more: in the text, or in the subject of an empty one.

    Args:
        text: As `written` gives it.
        subject: Of the answer, as it stands.
    """
    said = _plain(text) or ("" if re.match(r"\s*\w{1,3}\s*[:\uff1a]", subject) else _plain(subject))
    return bool(said) and _LEAVES.fullmatch(said) is not None


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[\W_]+", " ", folded).split())
