"""A thread with every character that Unicode has, not only with those that somebody thought of, and not by chance."""

import csv
import io
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from cybertip.cases.references import UserRef
from cybertip.cases.transcripts import COLUMNS, Message, read_lines, write_coop_table, write_lines, write_table
from cybertip.cases.transcripts.table import harmless, visible

Make = Callable[..., Message]

#: Halves of surrogate pairs are no characters.
EVERY = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
#: What a spreadsheet takes for the beginning of a formula.
BEGINS = "=+-@\t\r"


@pytest.fixture(scope="module")
def thread(make: Make) -> list[Message]:
    """A thread that says every character once."""
    size = 8192
    return [make(id=f"m{at}", text=EVERY[at : at + size]) for at in range(0, len(EVERY), size)]


def test_it_is_every_kind_of_character() -> None:
    """Every category of Unicode is there but that of surrogates: also what is assigned to nobody, or for private use."""
    assert {unicodedata.category(one) for one in EVERY} >= {"Cc", "Cf", "Cn", "Co", "Mn", "Nd", "So", "Zl", "Zp"}
    assert len(EVERY) == 0x110000 - 0x800


def test_the_canonical_transcript_gives_back_every_character(thread: list[Message]) -> None:
    """Lines that are written and read again, as a file is, are the same thread, message by message."""
    written = b"".join(write_lines(thread))
    assert len(written.decode("ascii").splitlines()) == len(thread)
    assert list(read_lines(io.BytesIO(written))) == thread


@pytest.mark.parametrize("name", ["id", "thread", "sender", "attachments"])
def test_identifiers_may_hold_any_character(make: Make, name: str) -> None:
    """Platforms name things as they like; the first plane in an identifier comes back as it was."""
    value: Any = EVERY[:0xF800]
    value = UserRef(id=value, type_id=value) if name == "sender" else (value,) if name == "attachments" else value
    one = make(**{name: value})
    assert list(read_lines(io.BytesIO(b"".join(write_lines([one]))))) == [one]


def test_no_character_begins_a_formula() -> None:
    """Whichever character a cell begins with, what is shown begins with none that starts a formula."""
    shown = (harmless(visible(f"{one}1+1")) for one in EVERY)
    assert not [cell for cell in shown if cell[0] in BEGINS]


def _opened(rows: list[list[str]]) -> list[Any]:
    """Save rows in a workbook, open it, and return its cells."""
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    saved = io.BytesIO()
    book.save(saved)
    sheet = load_workbook(io.BytesIO(saved.getvalue())).active
    assert sheet is not None
    return [cell for row in sheet.iter_rows() for cell in row]


def test_both_tables_open_as_workbooks(make: Make) -> None:
    """A cell for each value and no formula, whatever control character or mark comes before what could be one."""
    odd = [one for one in EVERY[:0x3100] if unicodedata.category(one)[0] in "CZ" or one in BEGINS]
    thread = [make(id=f"m{number}", text=f"{one}=1+1") for number, one in enumerate(odd)]
    people = b"".join(write_table(thread)).decode("utf-8-sig")
    coop = b"".join(write_coop_table(thread)).decode()
    for text, columns in ((people, len(COLUMNS)), (coop, 8)):
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert {len(row) for row in rows} == {columns}
        cells = _opened(rows)
        assert len(cells) == (len(thread) + 1) * columns
        assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
