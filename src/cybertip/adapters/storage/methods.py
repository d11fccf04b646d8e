"""The port's methods on a database, for whoever runs their works: side by side, in both colours."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from cybertip.adapters.storage import works
from cybertip.adapters.storage.driving import AsyncRun, Run
from cybertip.errors import AdapterError
from cybertip.ports.storage import Claim, Entry, Head, Letter

__all__ = ["AsyncMethods", "AsyncRecording", "Methods", "Recording"]

NOT_WITHIN = (
    "inside the host's transaction a submission is recorded; it is delivered after the commit, by another courier"
)


class Methods:
    """Do what `cybertip.ports.storage.Storage` says."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def append(
        self,
        entries: Sequence[Entry],
        head: Head,
        *,
        expected: int,
        claim: Claim | None = None,
        letters: Sequence[Letter] = (),
    ) -> None:
        """Record entries, replace the head and post letters, or raise `Conflict` and do nothing."""
        if not letters and self._run.takes_much_at_once and works.may_be_at_once(entries, head, expected, claim):
            at_once = partial(works.append_at_once, entries, head, expected=expected, claim=claim)
            if self._run(at_once, write=True, alone=True):
                return
        work = partial(works.append, entries, head, expected=expected, claim=claim, letters=letters)
        self._run(work, write=True)

    def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
        """Return the entries of a journal that come after a version."""
        return self._run(partial(works.read, key, after=after), write=False, alone=True)

    def head(self, key: str) -> Head | None:
        """Return where a submission stands."""
        return self._run(partial(works.head, key), write=False, alone=True)

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
        """Return a page of heads in the order of their keys."""
        work = partial(works.heads, after=after, limit=limit, status=status, tenant=tenant, lane=lane, tag=tag)
        return self._run(work, write=False, alone=True)

    def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """Claim one submission, unless a claim on it lasts."""
        return self._run(
            partial(works.claim, key, token=token, now=now, until=until), write=True, lasting=False, alone=True
        )

    def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None = None
    ) -> tuple[tuple[Head, Claim], ...]:
        """Claim what is due, the tenants in turn."""
        if limit > 0 and self._run.takes_much_at_once:
            if lanes is None:
                lanes = self._run(works.every_lane, write=False, alone=True)
            at_once = partial(works.claim_due_at_once, token=token, now=now, until=until, limit=limit, lanes=lanes)
            return self._run(at_once, write=True, lasting=False, alone=True)
        work = partial(works.claim_due, token=token, now=now, until=until, limit=limit, lanes=lanes)
        return self._run(work, write=True, lasting=False)

    def renew(self, claim: Claim, *, until: datetime) -> Claim | None:
        """Prolong a claim, unless it was lost."""
        return self._run(partial(works.renew, claim, until=until), write=True, lasting=False, alone=True)

    def release(self, claim: Claim) -> None:
        """Give a claim back, unless it was lost."""
        self._run(partial(works.release, claim), write=True, lasting=False, alone=True)

    def take_letters(
        self, *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None = None
    ) -> tuple[Letter, ...]:
        """Take letters that are due, and hide them until a time."""
        work = partial(works.take_letters, now=now, until=until, limit=limit, topics=topics)
        return self._run(work, write=True, lasting=False)

    def settle_letter(self, id: str, *, due_at: datetime | None = None) -> None:
        """Forget a letter, or have it taken again later."""
        self._run(partial(works.settle_letter, id, due_at=due_at), write=True, alone=True)

    def next_due(self, *, now: datetime, lanes: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which there is something to claim, `now` at the earliest."""
        return self._run(partial(works.next_due, now=now, lanes=lanes), write=False, alone=True)

    def next_letter(self, *, now: datetime, topics: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which there is a letter to take, `now` at the earliest."""
        return self._run(partial(works.next_letter, now=now, topics=topics), write=False, alone=True)


class Recording(Methods):
    """The port's methods inside a transaction of the host's: there a submission is recorded, and never delivered.

    A delivery has to know that its intent lasts before it sends anything. What the host may still undo does not last.
    """

    def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """Refuse: whoever claims wants to deliver."""
        raise AdapterError(NOT_WITHIN)

    def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None = None
    ) -> tuple[tuple[Head, Claim], ...]:
        """Refuse: whoever claims wants to deliver."""
        raise AdapterError(NOT_WITHIN)


class AsyncMethods:
    """Do what `cybertip.ports.storage.AsyncStorage` says."""

    def __init__(self, run: AsyncRun) -> None:
        self._run = run

    async def append(
        self,
        entries: Sequence[Entry],
        head: Head,
        *,
        expected: int,
        claim: Claim | None = None,
        letters: Sequence[Letter] = (),
    ) -> None:
        """Record entries, replace the head and post letters, or raise `Conflict` and do nothing."""
        if not letters and self._run.takes_much_at_once and works.may_be_at_once(entries, head, expected, claim):
            at_once = partial(works.append_at_once, entries, head, expected=expected, claim=claim)
            if await self._run(at_once, write=True, alone=True):
                return
        work = partial(works.append, entries, head, expected=expected, claim=claim, letters=letters)
        await self._run(work, write=True)

    async def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
        """Return the entries of a journal that come after a version."""
        return await self._run(partial(works.read, key, after=after), write=False, alone=True)

    async def head(self, key: str) -> Head | None:
        """Return where a submission stands."""
        return await self._run(partial(works.head, key), write=False, alone=True)

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
        """Return a page of heads in the order of their keys."""
        work = partial(works.heads, after=after, limit=limit, status=status, tenant=tenant, lane=lane, tag=tag)
        return await self._run(work, write=False, alone=True)

    async def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """Claim one submission, unless a claim on it lasts."""
        return await self._run(
            partial(works.claim, key, token=token, now=now, until=until), write=True, lasting=False, alone=True
        )

    async def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None = None
    ) -> tuple[tuple[Head, Claim], ...]:
        """Claim what is due, the tenants in turn."""
        if limit > 0 and self._run.takes_much_at_once:
            if lanes is None:
                lanes = await self._run(works.every_lane, write=False, alone=True)
            at_once = partial(works.claim_due_at_once, token=token, now=now, until=until, limit=limit, lanes=lanes)
            return await self._run(at_once, write=True, lasting=False, alone=True)
        work = partial(works.claim_due, token=token, now=now, until=until, limit=limit, lanes=lanes)
        return await self._run(work, write=True, lasting=False)

    async def renew(self, claim: Claim, *, until: datetime) -> Claim | None:
        """Prolong a claim, unless it was lost."""
        return await self._run(partial(works.renew, claim, until=until), write=True, lasting=False, alone=True)

    async def release(self, claim: Claim) -> None:
        """Give a claim back, unless it was lost."""
        await self._run(partial(works.release, claim), write=True, lasting=False, alone=True)

    async def take_letters(
        self, *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None = None
    ) -> tuple[Letter, ...]:
        """Take letters that are due, and hide them until a time."""
        work = partial(works.take_letters, now=now, until=until, limit=limit, topics=topics)
        return await self._run(work, write=True, lasting=False)

    async def settle_letter(self, id: str, *, due_at: datetime | None = None) -> None:
        """Forget a letter, or have it taken again later."""
        await self._run(partial(works.settle_letter, id, due_at=due_at), write=True, alone=True)

    async def next_due(self, *, now: datetime, lanes: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which there is something to claim, `now` at the earliest."""
        return await self._run(partial(works.next_due, now=now, lanes=lanes), write=False, alone=True)

    async def next_letter(self, *, now: datetime, topics: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which there is a letter to take, `now` at the earliest."""
        return await self._run(partial(works.next_letter, now=now, topics=topics), write=False, alone=True)


class AsyncRecording(AsyncMethods):
    """The port's methods inside a transaction of the host's, as `Recording` has them."""

    async def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """Refuse: whoever claims wants to deliver."""
        raise AdapterError(NOT_WITHIN)

    async def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None = None
    ) -> tuple[tuple[Head, Claim], ...]:
        """Refuse: whoever claims wants to deliver."""
        raise AdapterError(NOT_WITHIN)
