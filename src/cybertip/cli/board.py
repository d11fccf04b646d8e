"""What is seen of deliveries: bars and a line that lives for a person, one plain line a change for a pipe.

Nothing of a report is shown: keys, statuses, report numbers, sizes, and which file of how many; never a file's name.
"""

import logging
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.text import Text

from cybertip.cli import show
from cybertip.filing import Journal, Status

__all__ = ["Bars", "Board", "notices"]

_SETTLED = (Status.FINISHED, Status.RETRACTED)
_STYLES = {Status.FINISHED: "green", Status.NEEDS_HUMAN: "bold red", Status.RETRACTED: "yellow"}

#: How many submissions' last lines are remembered, so that the same is not said twice. A worker's memory stays flat.
_REMEMBERED = 10_000


def _together() -> bool:
    """Tell whether errors appear on the same terminal, so that they must not write over what lives there."""
    return sys.stderr.isatty()


@contextmanager
def notices() -> Iterator[None]:
    """Show the library's warnings on standard error: they are written for the person on call, and hold nothing sensitive."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    log = logging.getLogger("cybertip")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


class Bars:
    """A bar for each upload under way, for a person; nothing for a pipe."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._shown = show.console.is_terminal and not quiet
        self._lock = threading.Lock()
        self._tasks: dict[tuple[str, int], TaskID] = {}
        columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self.progress = Progress(
            *columns, console=show.console, transient=True, redirect_stderr=_together(), disable=not self._shown
        )

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.progress.stop()

    def sent(self, key: str, file: int, sent: int, total: int) -> None:
        """Show how far an upload is; one that is through loses its bar."""
        if not self._shown:
            return
        with self._lock:
            task = self._tasks.get((key, file))
            if task is None:
                task = self._tasks[key, file] = self.progress.add_task(f"{key}, file {file + 1}", total=total)
            self.progress.update(task, completed=sent)
            if sent >= total:
                self.progress.remove_task(self._tasks.pop((key, file)))

    def forget(self, key: str) -> None:
        """Take away what is left of a submission whose uploads broke off."""
        with self._lock:
            for one in [one for one in self._tasks if one[0] == key]:
                self.progress.remove_task(self._tasks.pop(one))


class Board:
    """What a worker shows."""

    def __init__(self) -> None:
        self._bars = Bars()
        self._lock = threading.Lock()
        self._last: OrderedDict[str, tuple[Status, int | None]] = OrderedDict()
        self._counts = dict.fromkeys(Status, 0)
        self._under_way: set[str] = set()
        self._live = Live(
            get_renderable=self._picture, console=show.console, transient=True, redirect_stderr=_together()
        )
        #: NCMEC refused our credentials the last time it was asked.
        self.refused = False

    def __enter__(self) -> Self:
        if show.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def sent(self, key: str, file: int, sent: int, total: int) -> None:
        """Show how far an upload is."""
        self._bars.sent(key, file, sent, total)

    def changed(self, journal: Journal) -> None:
        """Say how a submission stands, if that has changed since it was last said."""
        status, report_id = journal.status, journal.submission.report_id
        with self._lock:
            self.refused = journal.submission.credentials_failed
            if journal.submission.intent is None:
                self._under_way.discard(journal.key)
                self._bars.forget(journal.key)
            else:
                self._under_way.add(journal.key)
            if self._last.get(journal.key) == (status, report_id):
                return
            self._last[journal.key] = (status, report_id)
            self._last.move_to_end(journal.key)
            if len(self._last) > _REMEMBERED:
                self._last.popitem(last=False)
            self._counts[status] += 1
        show.fields((journal.key, status, report_id or ""), _STYLES.get(status, ""))

    def _picture(self) -> Group:
        said = [f"{self._counts[one]} {one.replace('_', ' ')}" for one in (*_SETTLED, Status.NEEDS_HUMAN)]
        line = Text(f"{len(self._under_way)} under way; since the start: {', '.join(said)}", style="dim")
        return Group(self._bars.progress, line)
