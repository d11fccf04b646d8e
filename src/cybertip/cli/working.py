"""`worker`: deliver whatever is due, and do what is due of cases, until it is stopped or nothing is left."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from cybertip.cli import show
from cybertip.cli.board import Board, notices
from cybertip.cli.desk_working import left_of_cases, side_by_side, works
from cybertip.cli.organisation import desk_at, office_of
from cybertip.cli.outcome import Misuse, Outcome, outcomes, warn
from cybertip.cli.settings import ConfigOption, load
from cybertip.filing import Status

if TYPE_CHECKING:
    from cybertip.ports.storage import Storage

__all__ = ["worker"]


def worker(
    until_idle: Annotated[
        bool,
        typer.Option(
            "--until-idle", help="End when nothing is left that can be done now; what other workers have is waited for."
        ),
    ] = False,
    lease_for: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How long what it works on stays its own if it dies.")
    ] = 300.0,
    concurrency: Annotated[int, typer.Option(min=1, metavar="N", help="Submissions delivered at a time.")] = 1,
    config: ConfigOption = None,
) -> None:
    """Deliver what is recorded. Any number may run on one database: each submission has one of them at a time.

    Where an organisation is set, it also works on its cases: it keeps media, asks the platform about what was decided, files
    it, and tells the platform.

    SIGTERM and Control-C end it after the call that is under way, with exit code 0; a second one ends it at once, and the
    next worker goes on from the journal. It outlives failures of the database. With --until-idle it waits for what another
    worker has, or had when it died: until that is done, or its lease is over. The exit code then says what is left: 0
    nothing, 3 all, for NCMEC refuses our credentials, 4 what NCMEC asked us to bring later, 5 what a person has to decide; 7
    means that the database keeps failing.
    """
    with outcomes():
        settings = load(config)
        environment = settings.chosen_environment()
        office = office_of(settings) if settings.organisation else None
        folder = Path(settings.evidence)
        if not folder.is_dir():
            raise Misuse(f"there is no folder {folder.absolute()}: CYBERTIP_EVIDENCE must name that of the evidence")
        with (
            settings.open_storage(make=True) as storage,
            Board() as board,
            notices(),
            settings.courier(
                storage,
                settings.renewable_credentials(),
                lease_for=timedelta(seconds=lease_for),
                watch=board.changed,
                progress=board.sent,
            ) as courier,
            _stopping() as stop,
        ):
            desk = desk_at(settings, courier) if office else None
            side_by_side(works(courier, desk, office, stop, concurrency=concurrency, until_idle=until_idle), stop)
            if until_idle and not stop.is_set():
                left = _left(storage, environment.name, refused=board.refused)
                if office is not None and left is Outcome.DONE:
                    left = left_of_cases(storage, office)
                if left is not Outcome.DONE:
                    raise typer.Exit(left)


def _left(storage: "Storage", lane: str, *, refused: bool) -> Outcome:
    """Say what a worker that found nothing more to do leaves behind."""

    def any_is(*statuses: Status) -> bool:
        return any(storage.heads(status=one, lane=lane, limit=1) for one in statuses)

    if refused:
        warn("NCMEC refuses our credentials: nothing is lost, and nothing is sent until they are right")
        return Outcome.REFUSED
    if any_is(Status.WAITING, Status.DELIVERING):
        warn("something is left for later: `cybertip list` says what, and a worker brings it when it is time")
        return Outcome.NO_ANSWER
    if any_is(Status.NEEDS_HUMAN, Status.HELD):
        warn("a person has to decide something: `cybertip list --status needs_human`, then `cybertip show KEY`")
        return Outcome.NEEDS_HUMAN
    return Outcome.DONE


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Yield an event that the first SIGTERM or Control-C sets; the second one ends the process as if nobody listened."""
    stop = threading.Event()

    def handle(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            show.console.show_cursor(True)
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            # Still here: the kernel spares a container's first process.
            os._exit(128 + number)
        # Before anything is said: whoever reads it may send the second one at once.
        stop.set()
        # Not by print: the signal may have come in the middle of one.
        os.write(2, b"ending after the call that is under way; a second signal ends it at once\n")

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
