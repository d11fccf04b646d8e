"""What durable filing needs of a database: journals of events that only grow, and heads to find work by.

A submission is a journal: entries with versions 1, 2, 3 ..., each carrying the digest of the one before it. Beside it stands
a head, which says in a few columns where the submission stands, so that work can be found without reading journals. What an
entry means is no business of storage: `data` is text.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from cybertip.filing.chain import Entry

__all__ = ["AsyncStorage", "Claim", "Entry", "Head", "Letter", "Storage"]


@attrs.frozen(kw_only=True)
class Head:
    """Where a submission stands."""

    key: str
    #: The version and the digest of the journal's last entry.
    version: int
    digest: str
    status: str
    #: When there is something to do; None when there is not.
    due_at: datetime | None = None
    #: Higher goes first.
    priority: int = 0
    #: Whose turn it is: tenants take turns within a priority.
    tenant: str = ""
    #: Who is to work on it: a worker claims what is due in the lanes that it serves. Whatever NCMEC's other environment is
    #: told stays apart by it.
    lane: str = ""
    #: The open or finished report at NCMEC.
    report_id: int | None = None
    tags: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Claim:
    """The right to work on a submission until a time. Whoever holds no valid claim cannot record an intent."""

    key: str
    #: Unique to this claim: a later claim of the same worker is another.
    token: str
    until: datetime


@attrs.frozen(kw_only=True)
class Letter:
    """Follow-up work that was decided with an event and is done after it."""

    #: Unique; delivering it twice is recognised by it.
    id: str
    key: str
    topic: str
    data: str = attrs.field(repr=False)
    due_at: datetime
    tries: int = 0


class Storage(Protocol):
    """Keep journals and heads.

    Only `AdapterError` and `Conflict` get out. Times are aware and kept to the microsecond. A method has taken effect,
    durably and as a whole, when it returns; when it raises `Conflict` it had no effect; after `AdapterError` nobody knows.

    Claims alone need not outlive a power cut, and neither need the hiding of a letter: who held one can record nothing with
    it any more, and another claims, or takes the letter again. What is recorded with a claim lasts together with it.
    """

    def append(
        self,
        entries: Sequence[Entry],
        head: Head,
        *,
        expected: int,
        claim: Claim | None = None,
        letters: Sequence[Letter] = (),
    ) -> None:
        """Record entries, replace the head and post letters. Without entries the head alone is replaced.

        - All of it is recorded, or nothing.
        - It raises `Conflict` unless the journal's last version is `expected` (0 for a journal that is not there).
        - With a claim, it raises `Conflict` unless that claim is the journal's present one. A claim whose time is up is
          still valid as long as nobody else has claimed.
        - With letters the claim counts no less: if it was lost, none is posted.
        - Without entries the claim counts no less: if it was lost, the head stays as it was.
        - Without a claim it is recorded whoever holds one, and while the head has a `due_at` the present claim stays valid.
        - Of two appends with the same `expected`, one raises `Conflict`.
        - A head whose `due_at` is None loses its claim.
        """
        ...

    def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
        """Return the entries of a journal.

        - They come in the order of their versions, beginning with the one after `after`.
        - All of them come, however long the journal is.
        - A journal that is not there is empty.
        - What an append that returned has recorded is in it.
        """
        ...

    def head(self, key: str) -> Head | None:
        """Return where a submission stands.

        - It is the head of the last append that returned.
        - None means that there is no such submission.
        """
        ...

    def heads(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        status: str | None = None,
        tenant: str | None = None,
        lane: str | None = None,
        tag: str | None = None,
    ) -> tuple[Head, ...]:
        """Return a page of heads.

        - They come in the order of their keys, by code point, beginning with the one after `after`.
        - There are `limit` at the most; fewer mean that there are no more.
        - `status`, `tenant`, `lane` and `tag` leave out what differs.
        """
        ...

    def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """Claim one submission, whether or not it is due.

        - It returns None while another claim lasts, and when there is no such submission.
        - The token of a claim that lasts is refused like any other: it is `renew` that prolongs a claim.
        - After it returned a claim, every earlier claim of the submission is invalid.
        - Of two that claim at once, one gets the claim.
        """
        ...

    def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None = None
    ) -> tuple[tuple[Head, Claim], ...]:
        """Claim submissions that have something to do.

        - Each was due at `now` or before, and no other claim on it lasted beyond `now`.
        - Higher priorities come first; within a priority tenants take turns; a tenant's own come in the order of `due_at`.
        - From call to call tenants take turns as well: within a priority, whoever was served goes behind those who wait.
        - With `lanes`, only those of these lanes are claimed; of no lanes, none is.
        - Two that claim at once never get the same submission.
        - There are `limit` at the most; it returns at once when there is nothing.
        """
        ...

    def renew(self, claim: Claim, *, until: datetime) -> Claim | None:
        """Prolong a claim.

        - It returns None when the claim is no longer the submission's present one.
        """
        ...

    def release(self, claim: Claim) -> None:
        """Give a claim back.

        - Others can claim at once.
        - It does nothing when the claim is no longer the present one.
        """
        ...

    def take_letters(
        self, *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None = None
    ) -> tuple[Letter, ...]:
        """Take letters that are due, and hide them from others until a time.

        - They come in the order of `due_at`.
        - A letter that is not settled until then can be taken again: delivery is at least once.
        - `tries` counts how often it was taken, this time included.
        """
        ...

    def settle_letter(self, id: str, *, due_at: datetime | None = None) -> None:
        """Say what became of a letter.

        - Without `due_at` it is done and gone.
        - With it, the letter can be taken again from then on.
        - Settling a letter that is gone does nothing.
        """
        ...

    def next_due(self, *, now: datetime, lanes: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which `claim_due` has something to claim; None if there is none.

        - It is `now` at the earliest.
        - Claims that last count until their end.
        - With `lanes`, only submissions of these lanes count.
        """
        ...

    def next_letter(self, *, now: datetime, topics: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which `take_letters` has something to take; None if there is none.

        - It is `now` at the earliest.
        - A letter that was taken counts from the time until which it is hidden.
        - With `topics`, only letters of these topics count.
        """
        ...


class AsyncStorage(Protocol):
    """Keep journals and heads, as `Storage` does and with its guarantees."""

    async def append(
        self,
        entries: Sequence[Entry],
        head: Head,
        *,
        expected: int,
        claim: Claim | None = None,
        letters: Sequence[Letter] = (),
    ) -> None:
        """As `Storage.append`."""
        ...

    async def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
        """As `Storage.read`."""
        ...

    async def head(self, key: str) -> Head | None:
        """As `Storage.head`."""
        ...

    async def heads(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        status: str | None = None,
        tenant: str | None = None,
        lane: str | None = None,
        tag: str | None = None,
    ) -> tuple[Head, ...]:
        """As `Storage.heads`."""
        ...

    async def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """As `Storage.claim`."""
        ...

    async def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None = None
    ) -> tuple[tuple[Head, Claim], ...]:
        """As `Storage.claim_due`."""
        ...

    async def renew(self, claim: Claim, *, until: datetime) -> Claim | None:
        """As `Storage.renew`."""
        ...

    async def release(self, claim: Claim) -> None:
        """As `Storage.release`."""
        ...

    async def take_letters(
        self, *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None = None
    ) -> tuple[Letter, ...]:
        """As `Storage.take_letters`."""
        ...

    async def settle_letter(self, id: str, *, due_at: datetime | None = None) -> None:
        """As `Storage.settle_letter`."""
        ...

    async def next_due(self, *, now: datetime, lanes: Collection[str] | None = None) -> datetime | None:
        """As `Storage.next_due`."""
        ...

    async def next_letter(self, *, now: datetime, topics: Collection[str] | None = None) -> datetime | None:
        """As `Storage.next_letter`."""
        ...
