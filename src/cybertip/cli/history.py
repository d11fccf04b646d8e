"""`show` and `receipt`: all that is known of one submission, and what NCMEC gave for it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cybertip.cli import show as printing
from cybertip.cli.asking import is_of_desk
from cybertip.cli.documents import JsonOption
from cybertip.cli.outcome import Outcome, outcomes, warn
from cybertip.cli.outlook import Outlook, outlook
from cybertip.cli.settings import ConfigOption, load
from cybertip.cli.timeline import Moment, moments, size
from cybertip.errors import UnknownEvent, UnknownSubmission
from cybertip.filing import Entry, Journal, Policy, Status, Submission
from cybertip.filing.events import Finished, decode

if TYPE_CHECKING:
    from cybertip.ports.storage import Head, Storage

__all__ = ["KeyArgument", "found", "receipt", "show"]

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The key that it was filed with.")]

_HELD = (
    "bring the workers' program up to date: a newer one wrote here, or this one has a fault; workers try it slowly. Or the "
    "journal was altered: `cybertip audit verify` tells"
)


def show(
    key: KeyArgument,
    reasons: Annotated[bool, typer.Option("--reasons", help="Show what persons gave as their reasons.")] = False,
    answers: Annotated[
        bool, typer.Option("--answers", help="Show NCMEC's own words, too: they may quote the report.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell a submission's history, what happens next and when, and who has to do what; nothing sensitive unasked."""
    with outcomes():
        with load(config).open_storage() as storage:
            head, entries = found(storage, key)
        told = moments(key, entries, reasons=reasons, answers=answers)
        try:
            state: Submission | None = Journal.of(key, entries).state
        except UnknownEvent:
            state = None
        expected = (
            Outlook(person=_HELD) if state is None or head.status == Status.HELD else _expected(state, head, entries)
        )
        if as_json:
            printing.data(_plain(head, state, told, expected))
        else:
            _print(head, state, told, expected)


def receipt(key: KeyArgument, config: ConfigOption = None) -> None:
    """Write NCMEC's receipt of a finished report, byte for byte: the notice to preserve. Exit code 6 when there is none."""
    with outcomes():
        with load(config).open_storage() as storage:
            _, entries = found(storage, key)
        finished = Journal.of(key, entries).submission.receipt
        if finished is None:
            warn("there is no receipt: the report is not finished")
            raise typer.Exit(Outcome.NOT_SO)
        if finished.adopted:
            warn(
                "the receipt was lost on its way; this is NCMEC's later answer, which says that the report is finished"
            )
        printing.bytes_out(finished.observation.raw)


def found(storage: "Storage", key: str) -> "tuple[Head, Sequence[Entry]]":
    """Return a submission's head and journal, or raise `UnknownSubmission`."""
    head = storage.head(key)
    if head is None:
        raise UnknownSubmission("there is no such submission; `cybertip list` says which there are", key=key)
    if is_of_desk(head):
        raise UnknownSubmission("it is no submission: `cybertip case show` tells of cases", key=key)
    return head, storage.read(key)


def _expected(state: Submission, head: "Head", entries: Sequence[Entry]) -> Outlook:
    events = [decode(one.kind, one.data, key=one.key) for one in entries]
    return outlook(state, events, due_at=head.due_at, now=datetime.now(UTC), policy=Policy())


def _print(head: "Head", state: Submission | None, told: Sequence[Moment], expected: Outlook) -> None:
    line, at = printing.line, printing.at
    report = f", report {head.report_id}" if head.report_id is not None else ""
    line(f"{head.key}: {head.status.replace('_', ' ')}{report}", "bold")
    files = f"; {printing.count(len(state.filing.files), 'file')} ({size(_bytes(state))})" if state is not None else ""
    tenant, tags = (
        f"; tenant {head.tenant}" if head.tenant else "",
        f"; tags {', '.join(head.tags)}" if head.tags else "",
    )
    line(f"to {head.lane}; priority {head.priority}{tenant}{tags}{files}", "dim")
    if printing.console.is_terminal:
        printing.table(("when", "what happened"), ((at(one.at), _below_each_other(one)) for one in told))
    else:
        rows = ((at(one.at), _with_answer(one), one.request_id or "") for one in told)
        printing.table(("when", "what happened", "Request-ID"), rows)
    if expected.next:
        line(f"Next: {expected.next}" + (f", at {at(expected.at)}" if expected.at else ""))
    elif head.status == Status.RETRACTED:
        line("Next: nothing; it is retracted, and stays so")
    if expected.deadline is not None and expected.margin_for is not None:
        margin = int(expected.margin_for.total_seconds() / 60)
        line(f"NCMEC deletes the open report at {at(expected.deadline)}; workers give it up {margin} minutes before")
    if (finished := _finished(state)) is not None:
        line(f"Keep the contents until {at(finished.preserve_until)}: 18 U.S.C. 2258A(h)")
    if expected.person:
        line(f"A person: {expected.person}", "bold red")


def _with_answer(moment: Moment) -> str:
    return f"{moment.text}. NCMEC: {moment.answer}" if moment.answer else moment.text


def _below_each_other(moment: Moment) -> str:
    return f"{_with_answer(moment)}\nRequest-ID {moment.request_id}" if moment.request_id else moment.text


def _finished(state: Submission | None) -> Finished | None:
    return state.receipt if state is not None else None


def _bytes(state: Submission) -> int:
    return sum(file.size for file in state.filing.files)


def _plain(head: "Head", state: Submission | None, told: Sequence[Moment], expected: Outlook) -> dict[str, Any]:
    def iso(time: datetime | None) -> str | None:
        return time.isoformat() if time is not None else None

    finished = _finished(state)
    return {
        "key": head.key,
        "status": head.status,
        "reportId": head.report_id,
        "environment": head.lane,
        "priority": head.priority,
        "tenant": head.tenant,
        "tags": list(head.tags),
        "dueAt": iso(head.due_at),
        "files": {"count": len(state.filing.files), "bytes": _bytes(state)} if state is not None else None,
        "attempts": [
            {"reportId": one.report_id, "stage": one.stage, "openedAt": iso(one.opened_at)} for one in state.attempts
        ]
        if state is not None
        else None,
        "timeline": [
            {
                "at": iso(one.at),
                "version": one.version,
                "event": one.event,
                "text": one.text,
                "requestId": one.request_id,
                "fileId": one.file_id,
                "answer": one.answer,
            }
            for one in told
        ],
        "next": {"what": expected.next, "at": iso(expected.at)} if expected.next else None,
        "deadline": iso(expected.deadline),
        "person": expected.person or None,
        "preserveUntil": iso(finished.preserve_until) if finished is not None else None,
        "adopted": finished.adopted if finished is not None else None,
    }
