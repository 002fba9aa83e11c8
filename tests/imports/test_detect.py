"""Encodings and delimiters are recognised; what is no table in text is named."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from tabiji.domain.csv.detect import NotACsv, delimiter_of, encoding_of

JAPANESE = (
    "メールアドレス,氏名,会社名\r\ntaro@example.jp,山田　太郎,株式会社たびじ\r\n"
    + "hanako@example.jp,髙橋 花子,㈱①\r\n"
)
GERMAN = "E-Mail;Name;Stadt\r\nmueller@example.de;Jürgen Müller;Köln\r\nweiss@example.de;Jörg Weiß;Düsseldorf\r\n"


@pytest.mark.parametrize(
    ("text", "written", "read"),
    [
        (JAPANESE, "utf-8", "utf-8"),
        (JAPANESE, "utf-8-sig", "utf-8-sig"),
        (JAPANESE, "cp932", "cp932"),
        (JAPANESE, "utf-16", "utf-16"),
        (JAPANESE.replace("メールアドレス", "mail address of"), "utf-16-le", "utf-16-le"),
        (GERMAN, "cp1252", "cp1252"),
        (GERMAN, "utf-8", "utf-8"),
        ("email,note\r\na@example.com,it\u2019s a caf\u00e9\r\n", "cp1252", "cp1252"),
        ("email,name\na@example.com,ann\n", "ascii", "utf-8"),
        ("ﾒｰﾙ,ﾅﾏｴ\r\na@example.jp,ﾔﾏﾀﾞ ﾀﾛｳ\r\n", "cp932", "cp932"),
    ],
)
def test_the_encoding_is_recognised(text: str, written: str, read: str) -> None:
    body = text.encode(written)
    assert encoding_of([body]) == read
    assert body.decode(encoding_of([body])).lstrip("\ufeff") == text


def test_the_only_name_that_is_not_ascii_may_stand_on_the_last_line() -> None:
    lines = [b"email,name\n", *[b"a@example.com,ann\n"] * 5000, "z@example.jp,山田\n".encode("cp932")]
    assert encoding_of(lines) == "cp932"


def test_a_character_may_lie_across_two_chunks() -> None:
    body = JAPANESE.encode("utf-8")
    assert encoding_of([body[:30], body[30:31], body[31:]]) == "utf-8"


def _xlsx() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (_xlsx(), r"\.xlsx\).*Save As.*CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, r"old Excel workbook"),
        (gzip.compress(b"email\n", mtime=0), "unpack it"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_a_workbook_or_an_archive_is_named_with_what_to_do(body: bytes, what: str) -> None:
    with pytest.raises(NotACsv, match=what):
        encoding_of([body])


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        (JAPANESE, ","),
        (GERMAN, ";"),
        ("email\tname\na@example.com\tann, of the sea\n", "\t"),
        ('email;note\na@example.com;"one, two, three, four"\nb@example.com;x,y\n', ";"),
        ("email\na@example.com\n", ","),
        ("", ","),
        ('email,note\na@example.com,"two\nlines; with semicolons;"\nb@example.com,x\n', ","),
    ],
)
def test_the_delimiter_is_recognised(text: str, delimiter: str) -> None:
    assert delimiter_of(text.splitlines(keepends=True)) == delimiter
