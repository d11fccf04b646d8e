"""The transcript as a table for people: CSV (RFC 4180, UTF-8 with a byte order mark), one message a row.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, so that a message could run what its sender
wants on an investigator's machine. Such a cell gets a `'` in front, and the column `neutralised` names it. Characters that
no spreadsheet can show, NUL above all, are written as `\\xNN`; the column `escaped` names those cells, and in them a
backslash is written twice. So the table says the same as the messages do, and everything can be undone.
"""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from cybertip.cases.transcripts.lines import checked
from cybertip.cases.transcripts.message import Message
from cybertip.cases.transcripts.written import Written
from cybertip.xml.lexical import write_time

__all__ = ["COLUMNS", "harmless", "rows", "visible", "write_table"]

#: The columns, in an order that stays; new ones would be added at the end.
COLUMNS = (
    "number",
    "thread_id",
    "message_id",
    "message_type",
    "sent_at",
    "sender_id",
    "sender_type",
    "recipient_ids",
    "recipient_types",
    "text",
    "attachments",
    "ip",
    "port",
    "edited",
    "edited_at",
    "deleted",
    "deleted_at",
    "neutralised",
    "escaped",
)

#: Those whose cells are of somebody else's making.
_TEXTS = (
    *("thread_id", "message_id", "message_type", "sender_id", "sender_type", "recipient_ids", "recipient_types"),
    *("text", "attachments"),
)

#: How many identifiers are known at a time.
_KNOWN = 1024

#: What begins a formula: also after white space and invisible characters, which some programs pass over, and in the wide
#: forms that some take for the narrow ones. A tab or a line end in front is enough.
_FORMULA = re.compile(r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[\t\r\n=+\-@\uff1d\uff0b\uff0d\uff20]")
#: Control characters but the tab and the ends of lines, and what XML, which spreadsheets are kept in, has no place for.
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
#: In a list of identifiers, one a line, an identifier has no line ends of its own.
_UNLISTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


def write_table(messages: Iterable[Message]) -> Written:
    """Write messages as a table for people, in the order that they come in.

    Iterating raises `InvalidReport` at a message that no encoding can hold, and names its place. A cell is never cut: a
    spreadsheet may show no more than its first 32,767 characters, and its first 1,048,576 rows.
    """
    write = rows("\r\n")
    head = b"\xef\xbb\xbf" + write(COLUMNS)
    # The same people and the same conversation are in most rows.
    known = lru_cache(_KNOWN)(_ids)
    return Written(head, (write(_row(number, one, known)) for number, one in enumerate(checked(messages), start=1)))


class _Cell(NamedTuple):
    """What a cell shows, and what had to be done for that."""

    shown: str
    escaped: bool
    neutralised: bool


def _cell(text: str, shown: str) -> _Cell:
    is_formula = _FORMULA.match(shown) is not None
    return _Cell(f"'{shown}" if is_formula else shown, shown != text, is_formula)


def _ids(*members: str) -> _Cell:
    return _cell("\n".join(members), "\n".join(map(_listable, members)))


def _row(number: int, message: Message, known: Callable[..., _Cell]) -> Sequence[str]:
    recipients = message.recipients
    cells = (
        known(message.thread),
        _ids(message.id),
        known() if message.type_id is None else known(message.type_id),
        known(message.sender.id),
        known(message.sender.type_id),
        known(*[one.id for one in recipients]),
        known(*[one.type_id for one in recipients]),
        _cell(message.text, visible(message.text)),
        _ids(*message.attachments),
    )
    thread, id_, type_, sender, sender_type, ids, types, text, attachments = cells
    changed = [(column, cell) for column, cell in zip(_TEXTS, cells, strict=True) if cell.escaped or cell.neutralised]
    return (
        str(number),
        thread.shown,
        id_.shown,
        type_.shown,
        write_time(message.sent_at),
        sender.shown,
        sender_type.shown,
        ids.shown,
        types.shown,
        text.shown,
        attachments.shown,
        message.ip or "",
        "" if message.port is None else str(message.port),
        "yes" if message.edited else "no",
        "" if message.edited_at is None else write_time(message.edited_at),
        "yes" if message.deleted else "no",
        "" if message.deleted_at is None else write_time(message.deleted_at),
        " ".join(column for column, cell in changed if cell.neutralised),
        " ".join(column for column, cell in changed if cell.escaped),
    )


def visible(text: str) -> str:
    """Write what cannot be shown as `\\xNN` or `\\uNNNN`, and then each backslash of the text twice.

    >>> print(visible("a\\x00b\\\\c"))
    a\\x00b\\\\c
    """
    return _escape(text, _UNSHOWABLE)


def _listable(identifier: str) -> str:
    return _escape(identifier, _UNLISTABLE)


def _escape(text: str, what: "re.Pattern[str]") -> str:
    if not what.search(text):
        return text
    return what.sub(lambda found: _code(ord(found[0])), text.replace("\\", "\\\\"))


def _code(character: int) -> str:
    return f"\\x{character:02x}" if character < 0x100 else f"\\u{character:04x}"


def harmless(text: str) -> str:
    """Put a `'` before what a spreadsheet would take for a formula.

    >>> harmless("=1+1"), harmless("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if _FORMULA.match(text) else text


class _Writer(Protocol):
    def writerow(self, row: Iterable[Any], /) -> Any: ...


class _Row:
    """What csv takes for a file. Its writer returns what `write` returns: the row."""

    def write(self, row: str) -> str:
        return row


def rows(end: str) -> Callable[[Iterable[str]], bytes]:
    """Return a function that spells a row, every cell quoted."""
    writer: _Writer = csv.writer(_Row(), quoting=csv.QUOTE_ALL, lineterminator=end)

    def row(cells: Iterable[str]) -> bytes:
        spelled: str = writer.writerow(cells)
        return spelled.encode()

    return row
