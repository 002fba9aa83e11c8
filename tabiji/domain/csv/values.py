"""One cell, cleaned into what a contact keeps. Each reader raises `Unclean` with the reason in words.

No reason quotes the cell: reasons are logged and shown; the cell stands beside them in the file they are written to.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import JsonValue

from tabiji.domain.attributes import is_locale, problem_with_name, zones
from tabiji.domain.csv.dates import NoDay, Notation, read_day

Kind = Literal["text", "exact", "kana", "number", "yes/no", "date", "phone"]
"""How an attribute is read. `exact`: as an export writes it, nothing is cleaned."""

_BLANKS = re.compile(r"[^\S\n]+")
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NUMBER = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")
_SEPARATORS = re.compile(r"[;,、;\n|]")
_NOT_A_DIGIT = re.compile(r"[^\d+]")
_YES = (
    "yes,y,true,t,1,on,x,○,◯,〇,✓,✔,はい,有,有り,あり,可,希望,希望する,同意,同意する,同意済,"
    "同意済み,済,購読,許可,ja,oui,si,sí"
)
YES = frozenset(_YES.split(","))
_NO = "no,n,false,f,0,off,×,✕,✗,-,いいえ,無,無し,なし,不可,希望しない,不要,同意しない,未同意,未,停止,解除,拒否,nein,non"
NO = frozenset(_NO.split(","))
_ZONES = {
    "jst": "Asia/Tokyo",
    "japan": "Asia/Tokyo",
    "日本": "Asia/Tokyo",
    "東京": "Asia/Tokyo",
    "utc": "UTC",
    "gmt": "UTC",
}
_LOCALES = {
    "日本語": "ja", "英語": "en", "中国語": "zh", "韓国語": "ko", "japanese": "ja", "english": "en", "chinese": "zh",
    "korean": "ko", "german": "de", "deutsch": "de", "french": "fr", "français": "fr", "spanish": "es", "español": "es",
}  # fmt: skip
_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}
_LONGEST_EMAIL = 254


class Unclean(ValueError):
    """A cell cannot be kept. The message says why."""


def text(cell: str) -> str:
    """Full-width letters and digits made half, half-width kana made full, blanks made one, ends trimmed."""
    plain = cell if cell.isascii() else unicodedata.normalize("NFKC", cell)
    if plain.isalnum():
        return plain
    plain = _BLANKS.sub(" ", plain.replace("\r\n", "\n").replace("\r", "\n")).strip()
    _check_text(plain)
    return plain


def kana(cell: str) -> str:
    """A reading, in full-width katakana."""
    return text(cell).translate(_KATAKANA)


def email(cell: str) -> str:
    """An address in the one form we keep."""
    plain = unicodedata.normalize("NFKC", cell).strip().strip("<>").removeprefix("mailto:").strip().lower()
    local, at, domain = plain.rpartition("@")
    if not at:
        raise Unclean("is no e-mail address: there is no @ in it")
    common = len(local) <= 64 and _LOCAL.fullmatch(local)
    whole = f"{local}@{_domain(domain)}" if common else _validated(plain)
    if len(whole) > _LONGEST_EMAIL:
        raise Unclean("is longer than an e-mail address may be")
    return whole


@lru_cache(maxsize=50_000)
def _domain(domain: str) -> str:
    return _validated(f"a@{domain}").partition("@")[2]


def _validated(address: str) -> str:
    try:
        return validate_email(address, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise Unclean(f"is no e-mail address: {_without_quotes(str(error))}") from None


def _without_quotes(message: str) -> str:
    # The validator's own words are good, but some repeat characters of the address.
    return message.partition(":")[0].rstrip(".")[:1].lower() + message.partition(":")[0].rstrip(".")[1:]


def identifier(cell: str) -> str:
    """A user id: as it is but for blanks around it, since case and width may tell two apart."""
    plain = cell.strip()
    if len(plain) > 256:
        raise Unclean("may have at most 256 characters")
    _check_text(plain)
    return plain


@lru_cache(maxsize=20_000)
def phone(cell: str, region: str | None) -> str:
    """A telephone number as +819012345678.

    Args:
        cell: Any notation.
        region: Two letters, of numbers that name no country.
    """
    plain = unicodedata.normalize("NFKC", cell).strip()
    try:
        found = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        hint = "" if region or plain.startswith("+") else '; say of which country: region = "JP" in the mapping'
        raise Unclean(f"is no telephone number{hint}") from None
    if not phonenumbers.is_valid_number(found):
        lost = region == "JP" and not plain.startswith(("0", "+")) and len(_NOT_A_DIGIT.sub("", plain)) in (9, 10)
        if lost:  # Excel takes 090… for a number and drops its first digit
            return phone(f"0{plain}", region)
        raise Unclean("is no telephone number that exists" + (f" in {region}" if region else ""))
    return str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))


def number(cell: str) -> int | float:
    """A number; commas between thousands, a currency's sign and a percent sign are left out."""
    plain = unicodedata.normalize("NFKC", cell).strip().strip("¥\\$€£円%").strip()
    if not _NUMBER.fullmatch(plain):
        raise Unclean("is no number, e.g. 1234.5")
    plain = plain.replace(",", "")
    read = float(plain) if "." in plain else int(plain) if len(plain) < 20 else math.inf
    if not math.isfinite(read) or abs(read) >= 2**63:
        raise Unclean("is a number a database cannot keep; read it as text")
    return read


def yes(cell: str) -> bool:
    """Yes or no, in common words."""
    plain = text(cell).casefold()
    if plain in YES:
        return True
    if plain in NO:
        return False
    raise Unclean("is neither yes nor no, e.g. yes, 1, はい, ○; no, 0, いいえ, ×")


def day(cell: str, notation: Notation) -> str:
    """A day, with or without a year."""
    try:
        return read_day(cell, notation, yearless=True)
    except NoDay as error:
        raise Unclean(str(error)) from None


def moment(cell: str, notation: Notation) -> datetime:
    """An instant; of a day without a time its beginning, of a time without a zone that in UTC."""
    plain = unicodedata.normalize("NFKC", cell).strip()
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        try:
            found = datetime.fromisoformat(read_day(plain, notation))
        except NoDay as error:
            raise Unclean(str(error)) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def zone(cell: str) -> str:
    """A time zone by its IANA name, whatever its case."""
    plain = text(cell)
    found = plain if plain in zones() else _ZONES.get(plain.casefold()) or _zones_by_case().get(plain.casefold())
    if found is None:
        raise Unclean("is not an IANA time zone, e.g. Asia/Tokyo")
    return found


@lru_cache(maxsize=1)
def _zones_by_case() -> dict[str, str]:
    return {name.casefold(): name for name in zones()}


def locale(cell: str) -> str:
    """A language tag, such as ja-JP."""
    plain = text(cell)
    plain = _LOCALES.get(plain.casefold(), plain.replace("_", "-"))
    if not is_locale(plain):
        raise Unclean("is not a language tag, e.g. ja-JP")
    return plain


def names(cell: str) -> tuple[str, ...]:
    """Tags or lists, between commas or semicolons, or as a JSON list."""
    several: JsonValue = _json(cell) if cell.startswith("[") else None
    if isinstance(several, list) and all(isinstance(one, str) for one in several):
        found = [str(one) for one in several]
    else:
        found = [plain for part in _SEPARATORS.split(cell) if (plain := text(part))]
    for name in found:
        if (problem := problem_with_name(name)) is not None:
            raise Unclean(f"one of them {problem}")
    return tuple(dict.fromkeys(found))


def names_written(several: list[str]) -> str:
    """Tags or lists such that `names` reads them as they were."""
    plain = "; ".join(several)
    return plain if names_or_none(plain) == tuple(several) else json.dumps(several, ensure_ascii=False)


def names_or_none(cell: str) -> tuple[str, ...] | None:
    """What `names` reads, None where it cannot."""
    try:
        return names(cell)
    except Unclean:
        return None


def exact(cell: str) -> JsonValue:
    """A value as `exact_written` writes it: JSON where it is JSON, else the text itself."""
    _check_text(cell)
    read = _json(cell)
    return cell if read is None and cell != "null" else read


def exact_written(value: JsonValue) -> str:
    """A value for one cell such that `exact` reads the same again."""
    if isinstance(value, str) and value and value == value.strip() and _json(value) is None and value != "null":
        return value
    return json.dumps(value, ensure_ascii=False)


def _json(cell: str) -> Any:
    if not cell or cell[0] not in '[{"-0123456789tfn':
        return None
    try:
        return json.loads(cell, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None


def _refused(constant: str) -> None:
    raise ValueError(constant)


def _check_text(plain: str) -> None:
    if "\x00" in plain:
        raise Unclean("contains a NUL character")
    if not plain.isascii() and any("\ud800" <= character <= "\udfff" for character in plain):
        raise Unclean("contains bytes that are no characters in this encoding; say which it is with --encoding")
