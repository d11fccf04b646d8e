"""`list` and `receipt`: how submissions stand, and what NCMEC answered."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cybertip.cli import show
from cybertip.cli.documents import JsonOption
from cybertip.cli.outcome import outcomes
from cybertip.cli.settings import ConfigOption, load
from cybertip.filing import Status

if TYPE_CHECKING:
    from cybertip.ports.storage import Head, Storage

__all__ = ["is_of_desk", "list_"]

#: Heads that are read at a time, however many are asked for.
_PAGE = 500


def list_(
    status: Annotated[Status | None, typer.Option(help="Only those that stand so.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    after: Annotated[str | None, typer.Option(metavar="KEY", help="Begin with the key after this one.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="At the most so many.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List submissions in the order of their keys, page by page, so that a million of them take no memory."""
    with outcomes(), load(config).open_storage() as storage:
        pages = _pages(storage, limit, after=after, status=status, tenant=tenant, tag=tag)
        if as_json:
            _print_json(pages)
        else:
            _print_table(pages)


def _pages(storage: "Storage", limit: int | None, *, after: str | None, **wanted: str | None) -> "Iterator[list[Head]]":
    while limit is None or limit > 0:
        size = _PAGE if limit is None else min(limit, _PAGE)
        page = list(storage.heads(after=after, limit=size, **wanted))
        submissions = [head for head in page if not is_of_desk(head)]
        if submissions:
            yield submissions
        if len(page) < size:
            return
        after = page[-1].key
        limit = None if limit is None else limit - len(submissions)


def is_of_desk(head: "Head") -> bool:
    """Tell whether a head is that of a case or of a signal: a desk keeps them beside the submissions.

    The lane of a submission is called like its environment, and has no colon.
    """
    return ":" in head.lane


def _print_json(pages: "Iterator[list[Head]]") -> None:
    """Print an array of objects, each on a line, as they come."""
    separator = "[\n"
    for page in pages:
        for head in page:
            sys.stdout.write(f"{separator}  {json.dumps(_plain(head), ensure_ascii=False)}")
            separator = ",\n"
    sys.stdout.write("[]\n" if separator.startswith("[") else "\n]\n")


def _plain(head: "Head") -> dict[str, Any]:
    return {
        "key": head.key,
        "status": head.status,
        "reportId": head.report_id,
        "environment": head.lane,
        "dueAt": head.due_at.isoformat() if head.due_at is not None else None,
        "priority": head.priority,
        "tenant": head.tenant,
        "tags": list(head.tags),
    }


_COLUMNS = ("key", "status", "report", "due", "environment", "priority", "tenant", "tags")


def _print_table(pages: "Iterator[list[Head]]") -> None:
    if not show.console.is_terminal:
        show.table(_COLUMNS, (_row(head) for page in pages for head in page))
        return
    for page in pages:
        show.table(_COLUMNS, map(_row, page))


def _row(head: "Head") -> tuple[Any, ...]:
    report = head.report_id if head.report_id is not None else ""
    due = show.at(head.due_at)
    return head.key, head.status, report, due, head.lane, head.priority, head.tenant, ", ".join(head.tags)
