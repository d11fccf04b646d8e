"""`case`: what waits for somebody, one case with its history, and what people decide."""

import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cybertip.cli import case_signals, case_steps, show as printing
from cybertip.cli.case_shown import plain_case, print_case
from cybertip.cli.case_steps import CaseArgument
from cybertip.cli.chronicle import passages
from cybertip.cli.documents import JsonOption
from cybertip.cli.organisation import ChildSafetyOption, ReviewerOption, opened_desk, viewer
from cybertip.cli.outcome import Misuse, outcomes
from cybertip.cli.settings import ConfigOption, load

if TYPE_CHECKING:
    from cybertip.desk.asking import Summary
    from cybertip.desk.desks import CaseDesk
    from cybertip.desk.visibility import Viewer

__all__ = ["case"]

_PAGE = 500

case = typer.Typer(
    no_args_is_help=True,
    help="Work on cases: what waits for somebody, what is known of it, and what you decide. They are seen as your "
    "organisation's rules say: cases for NCMEC's real system only with --child-safety.",
)


@case.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="All that you may see, not only what waits.")] = False,
    status: Annotated[str | None, typer.Option(help="Only those that stand so, such as blocked or reported.")] = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those of which the platform could not be told.")
    ] = False,
    queue: Annotated[str | None, typer.Option(help="Only those of this queue.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="At the most so many.")] = None,
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the cases that wait for somebody, the most urgent first, without those that others have just now.

    With --all, --status or --overdue: the cases that stand so, in the order of their keys.
    """
    with outcomes():
        settings = load(config)
        asks = viewer(settings, reviewer, child_safety=child_safety)
        with opened_desk(settings) as (desk, _):
            if everything or status or overdue:
                pages = _cases(desk, asks, status=status, overdue=overdue)
                found = list(islice((one for one in pages if queue in (None, one.queue)), limit))
            else:
                found = list(desk.pending(viewer=asks, queue=queue, limit=limit or sys.maxsize))
        if as_json or not printing.console.is_terminal:
            printing.data([_plain(one) for one in found])
        else:
            _print(found)


def _cases(desk: "CaseDesk", asks: "Viewer", *, status: str | None, overdue: bool) -> "Iterator[Summary]":
    after: str | None = None
    while page := desk.cases(viewer=asks, status=status, overdue=overdue, after=after, limit=_PAGE):
        yield from page
        after = page[-1].case


def _plain(one: "Summary") -> dict[str, Any]:
    return {
        "case": one.case,
        "status": one.status,
        "priority": one.priority,
        "queue": one.queue,
        "reportId": one.report_id,
        "delayed": one.delayed,
        "overdue": one.overdue,
    }


def _print(found: "list[Summary]") -> None:
    if not found:
        printing.line("none")
        return
    rows = (
        (
            one.case,
            one.status,
            one.priority,
            one.queue or "",
            one.report_id or "",
            ", ".join(word for word, holds in (("delayed", one.delayed), ("overdue", one.overdue)) if holds),
        )
        for one in found
    )
    printing.table(("case", "status", "priority", "queue", "report", ""), rows)


@case.command()
def show(
    key: CaseArgument,
    details: Annotated[
        bool, typer.Option("--details", help="Show whom and what it is about, too; only with --child-safety.")
    ] = False,
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell a case's history: its signals, its files, who viewed them, the decision, what it waits for, and its filing.

    No user, no identifier, no file's name and nobody's words are shown without --details.
    """
    with outcomes():
        if details and not child_safety:
            raise Misuse("--details shows whom a case is about: it takes the permission --child-safety")
        settings = load(config)
        asks = viewer(settings, reviewer, child_safety=child_safety)
        with opened_desk(settings) as (desk, storage):
            # First, for it refuses whoever may not see it.
            found = desk.case(key, viewer=asks)
            told = passages(key, storage.read(key), details=details)
            head = storage.head(found.filed.submission) if found.filed is not None else None
        if as_json or not printing.console.is_terminal:
            printing.data(plain_case(found, told, head, details=details))
        else:
            print_case(found, told, head, details=details)


case.command()(case_steps.decide)
case.command()(case_steps.view)
case.command()(case_steps.release)
case.command()(case_steps.approve)
case.command("return")(case_steps.return_)
case.command()(case_steps.retry)
case.command()(case_steps.resend)
case.command()(case_signals.signal)
case.command()(case_signals.unresolved)
case.command()(case_signals.resolve)
