"""Who may be who: people whose names sound alike and who share a company or a telephone.

Never more than a suggestion. Only those are compared who share a key (a telephone number, a reading, a name and a
company); a key that too many share tells nothing and is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from rapidfuzz.distance import JaroWinkler
from rapidfuzz.fuzz import token_set_ratio

T = TypeVar("T")

CROWD = 60
"""A key that more people share than this says nothing."""
NAMES_ALIKE = 0.88
"""Jaro-Winkler, from which on two names are taken for one that was written twice."""
COMPANIES_ALIKE = 88
_PHONES = ("phone", "mobile")
_COMPANY_FORM = re.compile(
    r"株式会社|有限会社|合同会社|合資会社|一般社団法人|\(株\)|\(有\)|\b(inc|ltd|co|corp|llc|gmbh|kk|k\.k|company|limited)\b\.?|[\s.,・]"
)
_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}


@dataclass(frozen=True, slots=True)
class Traits:
    """Of a person, what tells whether another may be them."""

    name: str = ""
    kana: str = ""
    company: str = ""
    phones: frozenset[str] = frozenset()
    mailbox: str = ""

    def shared(self) -> Iterator[str]:
        """Whoever shares none of these is not compared."""
        for phone in self.phones:
            yield f"phone:{phone}"
        if self.kana:
            yield f"kana:{self.kana}"
        if self.name:
            yield f"name:{self.name}"
            if self.company:
                yield f"company:{self.company[:6]}:{self.name[:1]}"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two are, from 0 to 1, and why in words."""

    score: float
    reasons: tuple[str, ...]


def traits_of(attributes: Mapping[str, object], email: str | None = None) -> Traits:
    """Of a contact's attributes, as an import or `identify` names them."""
    family, given = _text(attributes, "last_name"), _text(attributes, "first_name")
    kana = _text(attributes, "kana") or _text(attributes, "last_name_kana") + _text(attributes, "first_name_kana")
    name = family + given if family and given else _text(attributes, "name")
    return Traits(
        name=re.sub(r"\s+", "", name),
        kana=re.sub(r"\s+", "", kana).translate(_KATAKANA),
        company=_COMPANY_FORM.sub("", _text(attributes, "company")),
        phones=frozenset(re.sub(r"[^\d+]", "", number) for key in _PHONES if (number := _text(attributes, key))),
        mailbox=(email or "").partition("@")[0],
    )


def likeness(one: Traits, other: Traits) -> Likeness | None:
    """Whether two may be one, None where nothing speaks for it.

    A name must be alike, and something else too: a telephone, a company, or a reading with the same mailbox.
    """
    alike, why = _names(one, other)
    if alike < NAMES_ALIKE:
        return None
    reasons, weight = [why], 0.0
    if one.phones & other.phones:
        reasons.append("same telephone number")
        weight += 0.4
    if one.company and other.company:
        companies = token_set_ratio(one.company, other.company)
        if companies >= COMPANIES_ALIKE:
            reasons.append("same company" if one.company == other.company else "similar company")
            weight += 0.3
    if one.mailbox and one.mailbox == other.mailbox:
        reasons.append("same name before the @")
        weight += 0.2
    if not weight:
        return None
    return Likeness(round(min(1.0, 0.5 * alike + weight + 0.1), 3), tuple(reasons))


def _names(one: Traits, other: Traits) -> tuple[float, str]:
    if one.kana and one.kana == other.kana:
        return 1.0, "same reading (kana)"
    if one.name and one.name == other.name:
        return (0.0, "") if _readings_differ(one, other) else (1.0, "same name")
    by_name = JaroWinkler.similarity(one.name, other.name) if one.name and other.name else 0.0
    by_kana = JaroWinkler.similarity(one.kana, other.kana) if one.kana and other.kana else 0.0
    return (by_kana, "similar reading (kana)") if by_kana > by_name else (by_name, "similar name")


def _readings_differ(one: Traits, other: Traits) -> bool:
    """東海林 is Shoji, and is Tokairin."""
    return bool(one.kana and other.kana) and JaroWinkler.similarity(one.kana, other.kana) < NAMES_ALIKE


class Likely(Generic[T]):
    """People to compare others with, found by what they share."""

    def __init__(self) -> None:
        self._by_key: dict[str, list[T]] = {}
        self._traits: dict[T, Traits] = {}

    def add(self, who: T, traits: Traits) -> None:
        """Remember one."""
        self._traits[who] = traits
        for key in traits.shared():
            self._by_key.setdefault(key, []).append(who)

    def like(self, traits: Traits) -> Iterator[tuple[T, Likeness]]:
        """Who of those remembered may be this one."""
        seen: set[T] = set()
        for key in traits.shared():
            sharing = self._by_key.get(key, ())
            if len(sharing) > CROWD:
                continue
            for who in sharing:
                if who not in seen:
                    seen.add(who)
                    if (found := likeness(traits, self._traits[who])) is not None:
                        yield who, found


def _text(attributes: Mapping[str, object], name: str) -> str:
    value = attributes.get(name)
    return unicodedata.normalize("NFKC", value).strip().casefold() if isinstance(value, str) else ""
