"""`transcript`: conversations in the canonical form, as tables for people, and as Coop's columns."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from cybertip.cases.transcripts import Message, Written, read_lines, write_coop_table, write_lines, write_table
from cybertip.cli import show
from cybertip.cli.documents import JsonOption
from cybertip.cli.outcome import Misuse, Outcome, outcomes, warn
from cybertip.errors import InvalidReport, Violation

__all__ = ["transcript"]

#: Faults that are named before reading is given up: the rest is probably of the same kind.
_MOST = 100


class Form(StrEnum):
    """Name what a transcript can be written as."""

    LINES = "lines"
    TABLE = "table"
    COOP = "coop"


_WRITERS: dict[Form, Callable[[Iterable[Message]], Written]] = {
    Form.LINES: write_lines,
    Form.TABLE: write_table,
    Form.COOP: write_coop_table,
}
#: What names end in; the longest first.
_SUFFIXES = {".coop.csv": Form.COOP, ".csv": Form.TABLE, ".jsonl": Form.LINES}


class _Unreadable(Exception):
    """Some lines are no messages; they were named."""


def transcript(
    source: Annotated[str, typer.Argument(metavar="IN", help="JSON Lines, one message a line; - is standard input.")],
    target: Annotated[
        str,
        typer.Argument(metavar="OUT", help="A name in .csv, .coop.csv or .jsonl; - is standard output, for --as."),
    ],
    form: Annotated[
        Form | None,
        typer.Option(
            "--as", help="A table for people, Coop's eight columns, or canonical lines; else OUT's ending says."
        ),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="Coop's columns without guards against formulas, for a program that reads them."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check a transcript, message by message, and write it as a table, as Coop's columns, or in its canonical spelling.

    Any number of messages takes the same memory. OUT appears once it is whole, and only you can read it; where a line is no
    message every such line is named, and there is no OUT. Exit code 1 then.
    """
    with outcomes():
        chosen = _form(target, form)
        write = _WRITERS[chosen]
        if exact:
            if chosen is not Form.COOP:
                raise Misuse("--exact is for Coop's columns; a table for people is always guarded")
            write = partial(write_coop_table, neutralise=False)
        name = "standard input" if source == "-" else source
        try:
            with _reading(source) as lines, _writing(target) as out:
                written = write(_messages(lines, name))
                for block in written:
                    out.write(block)
        except _Unreadable:
            raise typer.Exit(Outcome.INVALID) from None
        if target != "-":
            _conclude(target, written, as_json=as_json)


def _form(target: str, form: Form | None) -> Form:
    if form is not None:
        return form
    for suffix, found in _SUFFIXES.items():
        if Path(target).name.lower().endswith(suffix):
            return found
    raise Misuse(f"OUT must end in {', '.join(_SUFFIXES)}, or --as must say what to write")


def _messages(lines: Iterable[bytes], name: str) -> Iterator[Message]:
    """Read messages, and name all lines that are none; then raise `_Unreadable`."""
    faults = 0
    for number, line in enumerate(lines, start=1):
        try:
            for message in read_lines([line]):
                if not faults:
                    yield message
        except InvalidReport as error:
            for one in error.violations:
                faults += 1
                warn(f"{name}, line {number}: {_said(one)}")
            if faults >= _MOST:
                warn(f"{name}: no more was read")
                break
    if faults:
        raise _Unreadable


def _said(one: Violation) -> str:
    """Return a fault without the place among the messages, for a line was named already."""
    path = one.path.removeprefix("messages[0]").removeprefix(".")
    return f"{path}: {one.message} [{one.rule}]" if path else f"{one.message} [{one.rule}]"


@contextmanager
def _reading(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    with open(source, "rb") as file:
        yield file


@contextmanager
def _writing(target: str) -> Iterator[BinaryIO]:
    """Return what to write to. A file appears under its name once all of it was written, and is on the disk."""
    if target == "-":
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(os.path.realpath(target))
    if path.exists() and not path.is_file():
        # A device or a pipe, such as /dev/null, which nothing may take the place of.
        with open(path, "wb") as device:
            yield device
        return
    if not path.parent.is_dir():
        raise Misuse(f"there is no folder {path.parent}")
    # In the same folder, as only there a file can be renamed at once; readable by nobody else, as all that `mkstemp` makes.
    number, incoming = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(incoming, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(incoming)
        raise


def _conclude(target: str, written: Written, *, as_json: bool) -> None:
    if as_json or not show.console.is_terminal:
        show.data(_plain(target, written))
    else:
        show.line(f"{target}: {show.count(written.messages, 'message')}, SHA-256 {written.sha256}", "green")


def _plain(target: str, written: Written) -> dict[str, Any]:
    return {"out": target, "messages": written.messages, "size": written.size, "sha256": written.sha256}
