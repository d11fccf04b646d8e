"""`file`: preserve the evidence, record the filing, and deliver it here and now if that is wanted."""

import shlex
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cybertip.cli import show
from cybertip.cli.board import Bars
from cybertip.cli.documents import EditionOption, JsonOption
from cybertip.cli.filing import Draft, freeze, missing, read_draft
from cybertip.cli.outcome import Misuse, Outcome, outcomes, warn
from cybertip.cli.settings import ConfigOption, load
from cybertip.errors import AdapterError, InvalidReport
from cybertip.filing import Status
from cybertip.model import DEFAULT_EDITION, Edition
from cybertip.rules import check
from cybertip.xml.as_json import parse_json

if TYPE_CHECKING:
    from cybertip.adapters.storage.sql import SqlStorage
    from cybertip.courier import Courier, Handle

__all__ = ["KeyOption", "checked", "file", "show_handle"]

KeyOption = Annotated[str, typer.Option("--key", help="Your own name for it, such as the number of the decision.")]

#: What each end of a delivery is to a script.
_ENDS = {
    Status.FINISHED: Outcome.DONE,
    Status.RETRACTED: Outcome.NOT_SO,
    Status.NEEDS_HUMAN: Outcome.NEEDS_HUMAN,
    Status.HELD: Outcome.NEEDS_HUMAN,
}

#: What every report in the JSON form has; a filing does not.
_REPORT = {"incidentSummary", "reporter"}

#: Seconds between two looks at a submission that somebody else delivers, or that rests.
_SHORTLY = 0.05
_LOOK_FOR = 0.5


def file(
    source: Annotated[str, typer.Argument(metavar="FILING.json", help="A report and its files; - is standard input.")],
    key: KeyOption,
    wait: Annotated[bool, typer.Option("--wait", help="Deliver it, and end when that is decided.")] = False,
    priority: Annotated[int, typer.Option(help="Higher goes first.")] = 0,
    tenant: Annotated[str, typer.Option(help="Whose it is; tenants take turns.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="To find it by; as often as you like.")] = None,
    edition: EditionOption = DEFAULT_EDITION,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Preserve a filing's evidence and record it for delivery; what is printed then is durable.

    The same key with the same filing is the same submission, however often; with another filing it is refused (exit code 6).
    Priority, tenant and tags are those of the first time; another call with the key changes nothing of them. A key that was
    retracted is spent: exit code 6.

    A worker delivers it. With --wait this process does, and its exit code says what came of it: 0 finished, 3 NCMEC refuses
    our credentials, 5 a person has to decide, 6 retracted.
    """
    with outcomes():
        settings = load(config)
        settings.chosen_environment()
        _check_names(key, tenant, tag or ())
        draft, folder = _read(source)
        checked(draft, folder, edition=edition)
        with (
            settings.open_storage(make=True) as storage,
            Bars(quiet=as_json) as bars,
            settings.courier(
                storage, settings.renewable_credentials() if wait else None, progress=bars.sent
            ) as courier,
        ):
            filing = freeze(draft, folder, settings.kept_evidence(), edition=edition)
            handle = courier.file(filing, key=key, priority=priority, tenant=tenant, tags=tuple(tag or ()))
            outcome = Outcome.NOT_SO if handle.status is Status.RETRACTED else Outcome.DONE
            if wait:
                handle, outcome = _deliver(courier, storage, handle)
            show_handle(handle, as_json=as_json)
            _advise(handle, waited=wait)
        if outcome is not Outcome.DONE:
            raise typer.Exit(outcome)


def checked(draft: Draft, folder: Path, *, edition: Edition) -> None:
    """Raise `InvalidReport` for all that is wrong with a draft, before anything is preserved."""
    descriptions = [one.description for one in draft.files]
    found = (*check(draft.report, now=datetime.now(UTC), files=descriptions, edition=edition), *missing(draft, folder))
    if found:
        raise InvalidReport(found)


def show_handle(handle: "Handle", *, as_json: bool = False) -> None:
    """Print how a submission stands."""
    if as_json:
        show.data({"key": handle.key, "status": handle.status, "reportId": handle.report_id})
        return
    report = f", report {handle.report_id}" if handle.report_id is not None else ""
    show.line(f"{handle.key}: {handle.status.replace('_', ' ')}{report}")


def _advise(handle: "Handle", *, waited: bool) -> None:
    """Say what to do about a submission that nobody goes on with."""
    if handle.status is Status.RETRACTED:
        warn("it was retracted; file it with another key")
    elif waited and handle.status in (Status.NEEDS_HUMAN, Status.HELD):
        warn(f"a person has to look: `cybertip show {shlex.quote(handle.key)}` says why, and what to do")


def _check_names(key: str, tenant: str, tags: Iterable[str]) -> None:
    """Refuse names that no database keeps, before anything is done."""
    if not key:
        raise Misuse("--key must not be empty")
    for name, option in ((key, "--key"), (tenant, "--tenant"), *((one, "--tag") for one in tags)):
        if len(name) > 255 or not name.isprintable():
            raise Misuse(f"{option} must have at most 255 characters, and no control characters")


def _read(source: str) -> tuple[Draft, Path]:
    """Return the draft, and the folder that its paths are relative to."""
    data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    value = parse_json(data)
    if not isinstance(value, dict):
        raise Misuse('a filing is an object: {"report": {...}, "files": [...]}')
    if "report" not in value and value.keys() & _REPORT:
        raise Misuse('this is a report alone: wrap it as {"report": ...}, with "files" beside it if there are any')
    return read_draft(value), Path() if source == "-" else Path(source).parent


def _deliver(courier: "Courier", storage: "SqlStorage", handle: "Handle") -> "tuple[Handle, Outcome]":
    """Deliver until it is decided, and say what came of it; if another worker has it, watch."""
    try:
        while True:
            handle = courier.deliver(handle.key)
            if courier.submission(handle.key).credentials_failed:
                warn(
                    "NCMEC refuses our credentials; the filing is recorded, and a worker delivers it when they are right"
                )
                return handle, Outcome.REFUSED
            if handle.status in _ENDS:
                return handle, _ENDS[handle.status]
            time.sleep(_SHORTLY)
            _rest(storage, handle.key)
    except (AdapterError, KeyboardInterrupt):
        warn("the filing is recorded: a worker delivers it, or the same command again")
        raise


def _rest(storage: "SqlStorage", key: str) -> None:
    """Wait until there is something to do, or until somebody else did it."""
    while (head := storage.head(key)) is not None and head.due_at is not None:
        left = (head.due_at - datetime.now(UTC)).total_seconds()
        if left <= 0:
            return
        time.sleep(min(left, _LOOK_FOR))
