"""Mails that differ in values alone are finished once: the rest is putting values into their places.

A broadcast's mails have the same words but for a name. Their filled templates with the values left out, the
*skeletons*, are equal, and so are parsing, inlining and telling in text. A mould is made from a skeleton by the plain
way, and gives what the plain way would give; where that is not certain there is no mould, or it declines a person:

* a place whose meaning depends on the value: within a tag, a style, a class, a comment
* a text whose layout depends on a value's length, as columns of a table do, or that is preformatted
* a value with spaces at its ends, in runs, breaks or control characters, and an empty one
* an address whose beginning is a value, where it is not safe
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from css_inline import InlineError
from selectolax.lexbor import LexborHTMLParser

from tabiji.channels.email.filling import ENDS, OPENS, SLOT, Filled
from tabiji.channels.email.finishing import Rendered, finish, one_line, told
from tabiji.channels.email.safe_links import ADDRESSES, is_safe

KEPT = 512
"""Skeletons that are remembered. One mail has a few: one for each language and each way through its conditions."""

_LONGER = "-" * 40
_SPACES = " \u3000\xa0\u202f"
_WORD = r"[^\s\x00-\x1f\x7f-\x9f\ufdd0\ufdd1\ud800-\udfff]+"
_PLAIN = re.compile(f"{_WORD}([{_SPACES}]{_WORD})*")
_TAG_OR_ENTITY = re.compile(f"(</?|&[#\\w]*){OPENS}")
_SELECTS_BY_ATTRIBUTE = re.compile(r"<style[^>]*>[^<]*\[", re.IGNORECASE)
_PREFORMATTED = re.compile(r"<pre\b|white-space", re.IGNORECASE)
_RAW = frozenset({"style", "script", "template", "noscript", "textarea", "xmp", "iframe", "svg", "math"})
_MATCHED = frozenset({"class", "id", "style"})
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\xa0": "&nbsp;"})
_IN_ATTRIBUTE = str.maketrans({"&": "&amp;", '"': "&quot;", "\xa0": "&nbsp;"})
_IN_LINES = str.maketrans(dict.fromkeys(_SPACES, " "))

Write = Callable[[str], str]


class _Declined(Exception):
    """No mould can be made of this skeleton."""


@dataclass(frozen=True)
class _Places:
    """A text with places in it: words, then a value, then words, …, words."""

    words: tuple[str, ...]
    slots: tuple[int, ...]
    writes: tuple[Write, ...]

    @classmethod
    def of(cls, text: str, write: Callable[[int], Write]) -> _Places:
        parts = SLOT.split(text)
        slots = tuple(int(number) for number in parts[1::2])
        return cls(tuple(parts[::2]), slots, tuple(write(slot) for slot in slots))

    def filled(self, values: Sequence[str]) -> str:
        out = [self.words[0]]
        for slot, write, words in zip(self.slots, self.writes, self.words[1:], strict=True):
            out += (write(values[slot]), words)
        return "".join(out)


@dataclass(frozen=True)
class Mould:
    """Makes mails of one skeleton."""

    subject: _Places
    preheader: _Places
    html: _Places
    text: _Places | None
    """None: how the text is laid out depends on the values."""
    judged: tuple[tuple[str, _Places], ...]
    """Attribute and address, of addresses that begin with a value."""

    def cast(self, filled: Filled, text: str | None) -> Rendered | None:
        """One person's mail; None where the plain way must be gone. `text` is the text part, where it has a file."""
        values = filled.values
        if not all(_PLAIN.fullmatch(value) for value in values):
            return None
        if any(not is_safe(name, address.filled(values)) for name, address in self.judged):
            return None
        if text is None:
            text = told(filled.whole()) if self.text is None else self.text.filled(values)
        return Rendered(
            subject=one_line(self.subject.filled(values)),
            html=self.html.filled(values),
            text=text,
            preheader=one_line(self.preheader.filled(values)),
        )


class Moulds:
    """The moulds of one folder's templates. May be used by several threads."""

    def __init__(self, kept: int = KEPT) -> None:
        self._known: OrderedDict[str, Mould | bool] = OrderedDict()
        self._kept = kept
        self._lock = Lock()

    def finish(self, filled: Filled, text: str | None) -> Rendered:
        """The same as the plain way makes, soon without going it.

        The first mail of a skeleton goes the plain way: one that nobody else gets is not worth a mould.
        """
        mould = self._mould(filled.skeleton, len(filled.values))
        made = mould.cast(filled, text) if mould is not None else None
        return made or finish(filled.whole(), text)

    def _mould(self, skeleton: str, values: int) -> Mould | None:
        with self._lock:
            known = self._known.get(skeleton)
            if known is None:
                self._known[skeleton] = True
                if len(self._known) > self._kept:
                    self._known.popitem(last=False)
            else:
                self._known.move_to_end(skeleton)
        if known is True:
            known = mould_of(skeleton, values) or False
            with self._lock:
                self._known[skeleton] = known
        return known if isinstance(known, Mould) else None


def mould_of(skeleton: str, values: int) -> Mould | None:
    """A mould of a skeleton with so many values; None where the plain way alone is right."""
    try:
        return _made(skeleton, values)
    except (_Declined, InlineError):
        return None


def _made(skeleton: str, values: int) -> Mould:
    numbers = sorted(int(number) for number in SLOT.findall(skeleton))
    if numbers != list(range(values)) or _TAG_OR_ENTITY.search(skeleton):
        raise _Declined
    short = finish(skeleton, None, kept=OPENS)
    if short.unsafe:
        raise _Declined
    page = LexborHTMLParser(short.html)
    writes = dict(_writes(page))
    if len(writes) != values or sorted(int(number) for number in SLOT.findall(short.html)) != numbers:
        raise _Declined
    if _SELECTS_BY_ATTRIBUTE.search(skeleton) and any(write is _attribute for write in writes.values()):
        raise _Declined
    return Mould(
        subject=_Places.of(short.subject, _as_it_is),
        preheader=_Places.of(short.preheader, _as_it_is),
        html=_Places.of(short.html, lambda slot: writes[slot]),
        text=_text(skeleton, short.text),
        judged=tuple(_judged(page)),
    )


def _text(skeleton: str, text: str) -> _Places | None:
    """Where values stand in the text, if their length moves nothing else and spaces are spaces."""
    if _PREFORMATTED.search(skeleton):
        return None
    short = _Places.of(text, lambda _: _spaced)
    longer = SLOT.sub(lambda slot: f"{OPENS}{slot[1]}{_LONGER}{ENDS}", skeleton)
    long = _Places.of(told(longer, kept=OPENS), lambda _: _spaced)
    return short if (short.words, short.slots) == (long.words, long.slots) else None


def _writes(page: LexborHTMLParser) -> Iterator[tuple[int, Write]]:
    """How the value of each place is written, by what it stands in."""
    for node in page.root.traverse(include_text=True) if page.root is not None else ():
        if node.tag == "-text":
            parent = node.parent.tag if node.parent is not None else ""
            if parent not in _RAW:
                yield from ((int(slot), _words) for slot in SLOT.findall(node.text_content or ""))
            continue
        for name, value in node.attributes.items():
            if value and name not in _MATCHED and not name.startswith("on"):
                yield from ((int(slot), _attribute) for slot in SLOT.findall(value))


def _judged(page: LexborHTMLParser) -> Iterator[tuple[str, _Places]]:
    for node in page.css(", ".join(f"[{name}*='{OPENS}']" for name in ADDRESSES)):
        for name, address in node.attributes.items():
            if name in ADDRESSES and address and not is_safe(name, SLOT.split(address)[0] + "x"):
                yield name, _Places.of(address, _as_it_is)


def _as_it_is(_: int) -> Write:
    return str


def _words(value: str) -> str:
    return value.translate(_IN_TEXT)


def _attribute(value: str) -> str:
    return value.translate(_IN_ATTRIBUTE)


def _spaced(value: str) -> str:
    return value.translate(_IN_LINES)
