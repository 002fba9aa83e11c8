"""Records keep their lines, and what is wrong with one does not spoil the next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tabiji.domain.csv.rows import LONGEST_CELL, Row, read_rows
from tabiji.domain.csv.write import as_meant, harmless, written


def read(text: str, delimiter: str = ",") -> list[Row]:
    return list(read_rows(text.splitlines(keepends=True), delimiter))


def test_a_record_over_several_lines_stands_where_it_begins() -> None:
    rows = read('email,note\na@example.com,"one\ntwo\nthree"\nb@example.com,x\n')
    assert [(row.line, row.cells[0]) for row in rows] == [(1, "email"), (2, "a@example.com"), (5, "b@example.com")]
    assert rows[1].cells[1] == "one\ntwo\nthree"


def test_a_cell_too_long_is_a_problem_of_its_line_alone() -> None:
    rows = read(f"email\n{'x' * (LONGEST_CELL + 1)}\nb@example.com\n")
    assert rows[1].problem is not None
    assert "more than 131072 characters" in rows[1].problem
    assert rows[2].cells == ("b@example.com",)


def test_a_quotation_mark_never_closed_is_said_with_its_line() -> None:
    (_, broken) = read('email\n"a@example.com\nb@example.com\n')
    assert broken.line == 2
    assert "never closed" in str(broken.problem)
    assert broken.cells == ('"a@example.com\nb@example.com\n',)


def test_text_after_a_closing_quotation_mark_is_a_problem_of_its_line() -> None:
    rows = read('email\n"a"b@example.com\nc@example.com\n')
    assert "written twice" in str(rows[1].problem)
    assert rows[2].cells == ("c@example.com",)


def test_nothing_but_blanks_is_empty() -> None:
    assert [row.empty for row in read("a,b\n,\n , \n\nx,\n")] == [False, True, True, True, False]


def test_two_hundred_columns_are_read() -> None:
    assert len(read(",".join(f"c{place}" for place in range(200)) + "\n")[0].cells) == 200


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20), min_size=2, max_size=5),
        max_size=5,
    )
)
def test_what_is_written_is_read_again_as_it_was(table: list[list[str]]) -> None:
    text = "".join(written(cells) for cells in table)
    lines = text.splitlines(keepends=True) if "\r" not in text.replace("\r\n", "") else None
    # `str.splitlines` knows more line ends than CSV: a file opened with newline="" does not.
    rows = read_rows(_lines(text) if lines is None or len(lines) != text.count("\n") else lines, ",")
    assert [[as_meant(cell) for cell in row.cells] for row in rows] == table


def _lines(text: str) -> list[str]:
    import io

    return list(io.StringIO(text, newline=""))


@given(st.text(max_size=20))
def test_no_cell_is_a_formula_and_each_is_read_as_it_was_meant(cell: str) -> None:
    safe = harmless(cell)
    assert as_meant(safe) == cell
    assert not safe.startswith(("=", "+", "@", "\t", "\r")) or safe == cell.lstrip("=+@\t\r")


def test_what_a_spreadsheet_would_run_gets_an_apostrophe() -> None:
    for cell in ('=HYPERLINK("http://x")', "+1+1", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "＝1+1"):
        assert harmless(cell) == f"'{cell}"
    assert [harmless(cell) for cell in ("-5", "-0.25", "a=b", "'tis")] == ["-5", "-0.25", "a=b", "'tis"]
