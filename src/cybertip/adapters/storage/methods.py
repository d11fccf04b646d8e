"""The port's methods on a database, for whoever runs their works: side by side, in both colours."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from cybertip.adapters.storage import works
from cybertip.adapters.storage.driving import AsyncRun, Run
from cybertip.ports.storage import Claim, Entry, Head, Letter

__all__ = ["AsyncMethods", "Methods"]


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
        work = partial(works.append, entries, head, expected=expected, claim=claim, letters=letters)
        self._run(work, write=True)

    def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
        """Return the entries of a journal that come after a version."""
        return self._run(partial(works.read, key, after=after), write=False)

    def head(self, key: str) -> Head | None:
        """Return where a submission stands."""
        return self._run(partial(works.head, key), write=False)

    def heads(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        status: str | None = None,
        tenant: str | None = None,
        tag: str | None = None,
    ) -> tuple[Head, ...]:
        """Return a page of heads in the order of their keys."""
        work = partial(works.heads, after=after, limit=limit, status=status, tenant=tenant, tag=tag)
        return self._run(work, write=False)

    def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """Claim one submission, unless a claim on it lasts."""
        return self._run(partial(works.claim, key, token=token, now=now, until=until), write=True)

    def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, paused: Collection[str] = ()
    ) -> tuple[tuple[Head, Claim], ...]:
        """Claim what is due, the tenants in turn."""
        work = partial(works.claim_due, token=token, now=now, until=until, limit=limit, paused=paused)
        return self._run(work, write=True)

    def renew(self, claim: Claim, *, until: datetime) -> Claim | None:
        """Prolong a claim, unless it was lost."""
        return self._run(partial(works.renew, claim, until=until), write=True)

    def release(self, claim: Claim) -> None:
        """Give a claim back, unless it was lost."""
        self._run(partial(works.release, claim), write=True)

    def take_letters(
        self, *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None = None
    ) -> tuple[Letter, ...]:
        """Take letters that are due, and hide them until a time."""
        work = partial(works.take_letters, now=now, until=until, limit=limit, topics=topics)
        return self._run(work, write=True)

    def settle_letter(self, id: str, *, due_at: datetime | None = None) -> None:
        """Forget a letter, or have it taken again later."""
        self._run(partial(works.settle_letter, id, due_at=due_at), write=True)

    def next_due(self, *, now: datetime) -> datetime | None:
        """Return the next time at which there is something to do, `now` at the earliest."""
        return self._run(partial(works.next_due, now=now), write=False)


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
        work = partial(works.append, entries, head, expected=expected, claim=claim, letters=letters)
        await self._run(work, write=True)

    async def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
        """Return the entries of a journal that come after a version."""
        return await self._run(partial(works.read, key, after=after), write=False)

    async def head(self, key: str) -> Head | None:
        """Return where a submission stands."""
        return await self._run(partial(works.head, key), write=False)

    async def heads(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        status: str | None = None,
        tenant: str | None = None,
        tag: str | None = None,
    ) -> tuple[Head, ...]:
        """Return a page of heads in the order of their keys."""
        work = partial(works.heads, after=after, limit=limit, status=status, tenant=tenant, tag=tag)
        return await self._run(work, write=False)

    async def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """Claim one submission, unless a claim on it lasts."""
        return await self._run(partial(works.claim, key, token=token, now=now, until=until), write=True)

    async def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, paused: Collection[str] = ()
    ) -> tuple[tuple[Head, Claim], ...]:
        """Claim what is due, the tenants in turn."""
        work = partial(works.claim_due, token=token, now=now, until=until, limit=limit, paused=paused)
        return await self._run(work, write=True)

    async def renew(self, claim: Claim, *, until: datetime) -> Claim | None:
        """Prolong a claim, unless it was lost."""
        return await self._run(partial(works.renew, claim, until=until), write=True)

    async def release(self, claim: Claim) -> None:
        """Give a claim back, unless it was lost."""
        await self._run(partial(works.release, claim), write=True)

    async def take_letters(
        self, *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None = None
    ) -> tuple[Letter, ...]:
        """Take letters that are due, and hide them until a time."""
        work = partial(works.take_letters, now=now, until=until, limit=limit, topics=topics)
        return await self._run(work, write=True)

    async def settle_letter(self, id: str, *, due_at: datetime | None = None) -> None:
        """Forget a letter, or have it taken again later."""
        await self._run(partial(works.settle_letter, id, due_at=due_at), write=True)

    async def next_due(self, *, now: datetime) -> datetime | None:
        """Return the next time at which there is something to do, `now` at the earliest."""
        return await self._run(partial(works.next_due, now=now), write=False)
