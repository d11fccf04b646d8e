"""How the command shows things: colour and tables for a person, plain lines or JSON for a pipe."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["at", "bytes_out", "console", "count", "data", "fields", "line", "table"]

#: Rich finds out by itself whether a person is looking.
console = Console(highlight=False, soft_wrap=True)


def line(text: str, style: str = "") -> None:
    """Print one line. Square brackets in it are just that."""
    console.print(Text(text, style=style))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """Print a table; through a pipe, a line of tab-separated fields each, headed by their names."""
    if not console.is_terminal:
        _print_row(columns)
        for row in rows:
            _print_row(row)
        return
    shown = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(str(cell)) for cell in row))
    console.print(shown)


def fields(cells: Sequence[Any], style: str = "") -> None:
    """Print a line of fields at once; through a pipe they are separated by tabs, and nothing waits in a buffer."""
    if console.is_terminal:
        line("  ".join(" ".join(str(cell).split()) for cell in cells), style)
    else:
        _print_row(cells)
        sys.stdout.flush()


def _print_row(cells: Sequence[Any]) -> None:
    # In one piece: `print` writes the line's end apart, and another thread's line could come between.
    sys.stdout.write("\t".join(" ".join(str(cell).split()) for cell in cells) + "\n")


def at(time: datetime | None) -> str:
    """Return a time as this machine's people read it, with its zone; through a pipe, in ISO 8601 and UTC."""
    if time is None:
        return ""
    if not console.is_terminal:
        return time.astimezone(UTC).isoformat(timespec="seconds")
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def count(number: int, one: str, many: str = "") -> str:
    """Return a number of things.

    >>> count(1, "file"), count(0, "file"), count(2, "entry", "entries")
    ('1 file', '0 files', '2 entries')
    """
    return f"{number} {one if number == 1 else many or one + 's'}"


def data(value: Any) -> None:
    """Print JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def bytes_out(value: bytes) -> None:
    """Write bytes as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(value)
    sys.stdout.buffer.flush()
