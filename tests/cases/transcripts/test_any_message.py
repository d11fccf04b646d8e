"""Any message that there can be is written, in every form, so that nothing of it is lost and nothing of it runs."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, strategies as st
from openpyxl import Workbook, load_workbook

from cybertip.cases.references import MessageId, ThreadId, UserRef
from cybertip.cases.transcripts import COLUMNS, Message, read_lines, write_coop_table, write_lines, write_table
from cybertip.filing.manifest import canonical

#: What is likely to go wrong, and everything else.
HARD = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", " \r", "\u200b\tx", "\u200b=1", "\ufeff=1", "\uff1d1",
    "'=1",
    '"', '""', ",", ";", "\x00", "a\x00b\\c", "\\", "\\x00", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u2029", "\x0b",
    "\x0c", "\x1c", "\ufffe", "\uffff", "\u202eabc", "\u2066", "e\u0301", "\u00e9",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U000e0067", "\U0010ffff", "\ue000", "\u0634\u0643\u0631",
    "\u0e01\u0e33", "\ufdfa", "\u1112\u1161\u11ab", "\r\n", "a\rb", "a\nb", "", " ", "\x00=1", "null", "1e5", "_x0041_",
)  # fmt: skip

texts = st.sampled_from(HARD) | st.text() | st.lists(st.sampled_from(HARD), max_size=4).map("".join)
names = texts.filter(bool)
users = st.builds(UserRef, id=names, type_id=names)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=zones)  # noqa: DTZ001 - the zones come in beside them


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Draw any message."""
    edited, deleted = draw(st.booleans()), draw(st.booleans())
    return Message(
        id=MessageId(draw(names)),
        type_id=draw(st.none() | names),
        thread=ThreadId(draw(names)),
        sent_at=draw(times),
        sender=draw(users),
        recipients=tuple(draw(st.lists(users, max_size=3))),
        text=draw(texts),
        attachments=tuple(draw(st.lists(names, max_size=2))),
        ip=draw(st.none() | st.ip_addresses().map(str)),
        port=draw(st.none() | st.integers(1, 65535)),
        edited=edited,
        edited_at=draw(st.none() | times) if edited else None,
        deleted=deleted,
        deleted_at=draw(st.none() | times) if deleted else None,
    )


conversations = st.lists(messages(), max_size=3)


@given(conversations)
def test_the_canonical_transcript_gives_back_what_it_was_made_of(conversation: list[Message]) -> None:
    """Whatever characters a message is made of, and wherever it was sent from, reading gives back an equal one."""
    written = b"".join(write_lines(conversation))
    assert list(read_lines(io.BytesIO(written))) == conversation


@given(conversations)
def test_the_canonical_transcript_is_one_text(conversation: list[Message]) -> None:
    """The same messages have the same bytes, one line each for whatever splits lines, and so one digest everywhere."""
    written = b"".join(write_lines(conversation))
    again = b"".join(write_lines(read_lines(io.BytesIO(written))))
    assert written == again
    lines = written.decode("ascii").splitlines()
    assert len(lines) == len(conversation)
    assert lines == [canonical(json.loads(line)) for line in lines]


@given(conversations)
def test_the_times_keep_their_zones(conversation: list[Message]) -> None:
    """A time is read with the offset that it was written with, not only as the same moment."""
    read = list(read_lines(io.BytesIO(b"".join(write_lines(conversation)))))
    assert [one.sent_at.isoformat() for one in read] == [one.sent_at.isoformat() for one in conversation]


def table(conversation: list[Message]) -> list[dict[str, str]]:
    """Read the table for people as a spreadsheet does."""
    text = b"".join(write_table(conversation)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def undone(row: dict[str, str], column: str) -> str:
    """Take back what the table says that it did to a cell."""
    cell = row[column]
    if column in row["neutralised"].split():
        assert cell[0] == "'"
        cell = cell[1:]
    if column in row["escaped"].split():
        cell = re.sub(r"\\\\|\\x(..)|\\u(....)", _character, cell)
    return cell


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else "\\"


@given(conversations)
def test_the_table_says_what_the_messages_say(conversation: list[Message]) -> None:
    """What was done to a cell is named in its row, and can be undone: the table hides nothing and adds nothing."""
    read = table(conversation)
    assert len(read) == len(conversation)
    for row, message in zip(read, conversation, strict=True):
        assert tuple(row) == COLUMNS
        assert undone(row, "text") == message.text
        assert undone(row, "message_id") == message.id
        assert undone(row, "sender_id") == message.sender.id
        assert datetime.fromisoformat(row["sent_at"]) == message.sent_at
        assert (row["ip"] or None, row["port"]) == (message.ip, str(message.port or ""))
        assert (row["edited"], row["deleted"]) == tuple(
            "yes" if one else "no" for one in (message.edited, message.deleted)
        )
        # A list has one identifier a line; an identifier has no line ends of its own.
        shown = row["recipient_ids"][1 if "recipient_ids" in row["neutralised"].split() else 0 :]
        assert len(shown.split("\n")) == max(1, len(message.recipients))


@given(conversations)
def test_a_spreadsheet_finds_no_formula_in_the_tables(conversation: list[Message]) -> None:
    """openpyxl takes a text for a formula as Excel does, and refuses what no workbook can hold: it finds neither."""
    sheet = Workbook().active
    assert sheet is not None
    for row in table(conversation):
        sheet.append(list(row.values()))
    for cells in csv.reader(io.StringIO(b"".join(write_coop_table(conversation)).decode(), newline="")):
        sheet.append(cells)
    found = [cell for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in found if cell.data_type == "f"]
    # Other programs look further than openpyxl, past what cannot be seen.
    begins = {str(cell.value or "").lstrip(" \u200b\ufeff")[:1] for cell in found}
    assert not begins & {*"=+-@\t\r\uff1d"}


def test_a_workbook_of_a_table_opens() -> None:
    """The hardest texts, imported into a workbook and saved, open again with a cell for each and no formula."""
    conversation = [
        Message(
            id=MessageId(str(number)),
            thread=ThreadId("t1"),
            sent_at=datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            sender=UserRef(id="=u1", type_id="user"),
            text=text,
        )
        for number, text in enumerate(HARD)
    ]
    book = Workbook()
    assert book.active is not None
    for row in table(conversation):
        book.active.append(list(row.values()))
    saved = io.BytesIO()
    book.save(saved)
    sheet = load_workbook(io.BytesIO(saved.getvalue())).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert len(cells) == len(HARD) * len(COLUMNS)
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert [row[COLUMNS.index("sender_id")].value for row in sheet.iter_rows()] == ["'=u1"] * len(HARD)


@given(conversations)
def test_coops_columns_as_they_came(conversation: list[Message]) -> None:
    """For a program that reads them, the eight columns hold the cells exactly."""
    written = b"".join(write_coop_table(conversation, neutralise=False)).decode()
    read = list(csv.DictReader(io.StringIO(written, newline="")))
    assert [row["content"] for row in read] == [message.text for message in conversation]
    assert [row["src"] for row in read] == [message.sender.id for message in conversation]


def test_the_keys_of_a_line_are_the_documented_ones() -> None:
    """Each line has the same keys, those that the module's table lists, whatever the message says."""
    from cybertip.cases.transcripts import lines

    rows = re.findall(r"^\| (`.*?) \|", lines.__doc__ or "", re.MULTILINE)
    message = Message(
        id=MessageId("1"),
        thread=ThreadId("t"),
        sent_at=datetime(2025, 1, 1, tzinfo=UTC),
        sender=UserRef(id="u", type_id="t"),
    )
    assert sorted(json.loads(b"".join(write_lines([message])))) == sorted(re.findall(r"`(\w+)`", " ".join(rows)))
