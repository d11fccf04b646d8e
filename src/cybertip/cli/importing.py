"""`hashes import`: lists of hashes in files, put on lists of this machine."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cybertip.adapters.matching.store import HashStore, ListEntry
from cybertip.cli import show
from cybertip.cli.documents import JsonOption
from cybertip.cli.hashing import data_line
from cybertip.cli.lists import StoreOption, opened
from cybertip.cli.outcome import Misuse, Outcome, outcomes, warn
from cybertip.cli.settings import ConfigOption, load
from cybertip.hashing.listing import KINDS, Listed, UnreadableList, read_hashes, read_table
from cybertip.ports.matching import EntryId, ListName, MemberId

__all__ = ["import_"]

#: How many bad lines of a list are named; the rest is counted.
_NAMED = 20

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


class Form(StrEnum):
    """How a list is written."""

    CSV = "csv"
    PLAIN = "plain"


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A list; - is standard input.")],
    name: Annotated[
        str, typer.Option("--list", metavar="NAME", help="The list that it is put on; it is made if it is not there.")
    ],
    form: Annotated[
        Form | None,
        typer.Option("--format", help="Else a name in .csv says that it is a table; plain is a hash a line."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="The kind of all hashes: md5, sha1, sha256, pdq, ...")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take everything else off the list.")] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(metavar="TIME", help="Until when the list is complete, in UTC; else now.", formats=_TIMES),
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a list in a file on a list here: a hash a line, or a table in CSV whose first line names its columns.

    A file with a line that cannot be read is not imported at all: all such lines are named by their numbers, and the exit
    code is 1. The same file may be imported again. A list that `sync` keeps is left alone.
    """
    with outcomes():
        settings = load(config)
        text = _read(file)
        table = form is Form.CSV or (form is None and file.lower().endswith(".csv"))
        if table and kind is not None:
            raise Misuse("--type is for a hash a line: the columns of a table say of which kind they are")
        if kind is not None and kind.lower() not in KINDS:
            # A slip would make hashes that nothing ever matches.
            raise Misuse(f"--type is one of {', '.join(KINDS)}")
        try:
            listed = (
                read_table(text) if table else read_hashes(text, kind=None if kind is None else KINDS[kind.lower()])
            )
        except UnreadableList as error:
            _refuse(error)
        if not listed:
            # A download that failed leaves an empty file: no list is emptied by it, and none is called complete.
            warn("the file has no hash\nnothing was imported")
            raise typer.Exit(Outcome.INVALID)
        now = datetime.now(UTC)
        moment = now if as_of is None else as_of.replace(tzinfo=UTC)
        if moment > now:
            raise Misuse("--as-of is in the future: a list that grows old would not be noticed")
        with opened(settings, store, make=True) as kept:
            _put(kept, ListName(name), listed, replace=replace, as_of=moment)
    number = sum(len(one.hashes) for one in listed)
    if show.console.is_terminal and not as_json:
        entries = show.count(len(listed), "entry", "entries")
        show.line(f"{name}: {entries} with {show.count(number, 'hash', 'hashes')} imported", "green")
    else:
        data_line({"list": name, "entries": len(listed), "hashes": number, "asOf": moment.isoformat()})


def _read(name: str) -> str:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        warn(f"line {line}: is not in UTF-8\nnothing was imported")
        raise typer.Exit(Outcome.INVALID) from None


def _refuse(error: UnreadableList) -> NoReturn:
    for line in error.lines[:_NAMED]:
        warn(str(line))
    if len(error.lines) > _NAMED:
        warn(f"and {len(error.lines) - _NAMED} more")
    warn("nothing was imported")
    raise typer.Exit(Outcome.INVALID) from None


def _put(store: HashStore, name: ListName, listed: tuple[Listed, ...], *, replace: bool, as_of: datetime) -> None:
    """Put entries on a list, all of them or none."""
    with store.changing(name) as change:
        if change.checkpoint is not None:
            raise Misuse(f"the list {name!r} is kept by a sync: give this one another name")
        if replace:
            change.clear()
        for one in listed:
            change.put(
                ListEntry(
                    entry=EntryId(one.entry),
                    member=None if one.member is None else MemberId(one.member),
                    classification=one.classification,
                    hashes=one.hashes,
                )
            )
        change.complete(as_of)
