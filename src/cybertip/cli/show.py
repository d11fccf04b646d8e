"""How the command shows things: colour and tables for a person, plain lines or JSON for a pipe."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["bytes_out", "console", "data", "line", "table"]

#: Rich finds out by itself whether a person is looking.
console = Console(highlight=False, soft_wrap=True)


def line(text: str, style: str = "") -> None:
    """Print one line. Square brackets in it are just that."""
    console.print(Text(text, style=style))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """Print a table; through a pipe, a line of tab-separated fields each, headed by their names."""
    if not console.is_terminal:
        for row in [columns, *rows]:
            print("\t".join(" ".join(str(cell).split()) for cell in row))
        return
    shown = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(str(cell)) for cell in row))
    console.print(shown)


def data(value: Any) -> None:
    """Print JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def bytes_out(value: bytes) -> None:
    """Write bytes as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(value)
    sys.stdout.buffer.flush()
