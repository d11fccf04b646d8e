"""A list of NCMEC's brought into the store of this machine, and kept up to date.

Each page is kept as it comes, and the checkpoint moves in the transaction of a window's last page: whenever the process
dies, the store holds whole entries, and the next run goes on from the checkpoint.
"""

import logging
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, assert_never, cast

import attrs

from cybertip.adapters.matching.sharing.client import HttpxHashSharing
from cybertip.adapters.matching.store import Change, HashStore, ListEntry
from cybertip.errors import AdapterError, Misunderstanding, TransportError, Unavailable
from cybertip.filing.policy import Policy
from cybertip.hash_sharing import Ask, Checkpoint, Keep, Pace, Request, SharedEntry, Source, drain, status
from cybertip.ports.clock import Clock, SystemClock
from cybertip.ports.matching import EntryId, ListName, MemberId

__all__ = ["HashSharingSync", "Overtaken", "Synced", "WrongList"]

R = TypeVar("R")

#: The last window ends so long before now: the second that is still filling up is read the next time.
_GUARD: Final = timedelta(seconds=5)

#: A minute's trouble is waited out; an hour's is the next run's.
_PATIENCE: Final = Policy(
    failures=6,
    pause_for=timedelta(seconds=1),
    longest_pause_for=timedelta(minutes=1),
    longest_retry_after_for=timedelta(minutes=15),
)

_log = logging.getLogger("cybertip")


class WrongList(AdapterError):
    """The list here is not one that this source may be brought into. Nothing was changed."""


class Overtaken(AdapterError):
    """Another sync of the same list began: this one ended. What it kept is whole, and the other goes on from there."""


@attrs.frozen(kw_only=True)
class Synced:
    """How far a sync has come."""

    list: ListName
    #: All that changed until then is on the list; None before the first window is read.
    until: datetime | None
    #: Until when it is to be.
    target: datetime
    pages: int = 0
    #: Entries that were put on the list, and tombstones; those that were read again count again.
    put: int = 0
    removed: int = 0
    #: What could not be read, and what nobody here knows (see `cybertip.hash_sharing.Page`).
    unread: int = 0
    unknown: int = 0
    #: How many entries of the window are left, as far as is known.
    left: int | None = None

    @property
    def is_complete(self) -> bool:
        """Tell whether the list is as it was at the target."""
        return self.until is not None and self.until >= self.target


class HashSharingSync:
    """Bring a list of NCMEC's into a store, from the checkpoint to now.

    Of several that are run on the same list at once, the last to begin goes on, and the others end with `Overtaken`.

    Args:
        store: where the list is kept, under the source's name for it.
        sharing: leads to NCMEC. Its credentials are in no store.
        pace: how much is asked for at once.
        patience: how often a call is repeated that failed, and after how long.
        progress: called after each page, with how far it has come.
        clock: tells the time. Where NCMEC's says less, that counts.
        pause: waits for some seconds between tries; what it raises ends the sync.
    """

    def __init__(
        self,
        store: HashStore,
        sharing: HttpxHashSharing,
        *,
        pace: Pace | None = None,
        patience: Policy = _PATIENCE,
        progress: Callable[[Synced], object] | None = None,
        clock: Clock | None = None,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._store = store
        self._sharing = sharing
        self._pace = pace
        self._patience = patience
        self._progress = progress
        self._clock = clock or SystemClock()
        self._pause = pause or time.sleep

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._sharing.source.list!r}>"

    def run(self) -> Synced:
        """Bring the list up to date, and return how far it has come.

        Raises `NcmecError`, `TransportError` or `Misunderstanding` where NCMEC cannot be read any further, `WrongList` or
        `Overtaken`, and `AdapterError` where the store fails. What was kept before stays, and the next run goes on.
        """
        turn = _Turn(self._store, self._sharing.source)
        identity = self._patiently(status())
        now = self._clock.now()
        # A clock of ours that is ahead would have us skip what is still to come.
        until = (now if identity.date is None else min(now, identity.date)) - _GUARD
        since = turn.begin()
        synced = Synced(list=turn.list, until=since, target=until.replace(microsecond=0))
        flow = drain(since, until, pace=self._pace)
        answer: Any = None
        while True:
            try:
                step = cast("Ask | Keep", flow.send(answer))
            except StopIteration:
                return attrs.evolve(synced, left=0)
            except ValueError as error:
                raise Misunderstanding(endpoint="/v2/entries", reason=str(error), status=200) from None
            match step:
                case Ask():
                    answer = self._patiently(step.request)
                case Keep():
                    turn.keep(step)
                    synced, answer = _further(synced, step), None
                    if self._progress is not None:
                        self._progress(synced)
                case never:
                    assert_never(never)

    def _patiently(self, request: Request[R]) -> R:
        """Make a call, and repeat it as long as that may help. All of them may be repeated."""
        failures = 0
        while True:
            try:
                return self._sharing.ask(request)
            except (Unavailable, TransportError, Misunderstanding) as error:
                failures += 1
                if failures >= self._patience.failures:
                    raise
                asked = error.retry_after_for if isinstance(error, Unavailable) else None
                pause = self._patience.pause(failures, seed=self._sharing.source.list, retry_after_for=asked)
                # The error's own words are made for a log.
                _log.warning("%s; asking again in %.0f seconds", error, pause.total_seconds())
                self._pause(pause.total_seconds())


class _Turn:
    """One sync's right to write to a list: until another one begins."""

    def __init__(self, store: HashStore, source: Source) -> None:
        self._store = store
        self._url = source.url
        self._run = secrets.token_hex(8)
        self.list = ListName(source.list)

    def begin(self) -> datetime | None:
        """Take the list over, and return until when it is complete."""
        known = self.list in {one.name for one in self._store.lists()}
        with self._store.changing(self.list) as change:
            kept = _read(change.checkpoint, self.list)
            if kept is None and known:
                raise WrongList(f"the list {self.list!r} was made in another way: give this one another name")
            if kept is not None and kept.url != self._url:
                raise WrongList(f"the list {self.list!r} is kept from another address: give this one another name")
            until = None if kept is None else kept.until
            change.checkpoint = Checkpoint(url=self._url, until=until, run=self._run).written()
            return until

    def keep(self, step: Keep) -> None:
        """Keep a page, and with the last one of a window the checkpoint."""
        with self._store.changing(self.list) as change:
            kept = _read(change.checkpoint, self.list)
            if kept is None or kept.run != self._run:
                raise Overtaken(f"another sync of the list {self.list!r} began, and this one ends.")
            for entry in step.entries:
                _apply(change, entry)
            if step.until is not None:
                change.checkpoint = attrs.evolve(kept, until=step.until).written()
                change.complete(step.until)


def _read(text: str | None, name: ListName) -> Checkpoint | None:
    try:
        return None if text is None else Checkpoint.read(text)
    except ValueError as error:
        raise WrongList(f"the list {name!r} cannot be gone on with: {error}") from None


def _apply(change: Change, entry: SharedEntry) -> None:
    id, member = EntryId(entry.entry), MemberId(entry.member)
    if entry.deleted:
        change.remove(id, member)
        return
    change.put(
        ListEntry(
            entry=id,
            member=member,
            classification=entry.classification,
            disputed=entry.disputed,
            hashes=entry.hashes,
        ),
        keeping=entry.unread,
    )


def _further(synced: Synced, step: Keep) -> Synced:
    removed = sum(one.deleted for one in step.entries)
    return attrs.evolve(
        synced,
        until=step.until or synced.until,
        pages=synced.pages + 1,
        put=synced.put + len(step.entries) - removed,
        removed=synced.removed + removed,
        unread=synced.unread + step.unread,
        unknown=synced.unknown + step.unknown,
        left=step.left,
    )
