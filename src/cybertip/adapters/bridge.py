"""A sync adapter for async callers: each call happens in a thread, on asyncio and trio alike.

So an adapter's author writes one colour. A database's driver that knows no event loop serves an async platform as well, and
`SqlStorage` serves one on trio.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast, overload

import anyio
import anyio.to_thread

from cybertip.ports.queue import Queue, Wake
from cybertip.ports.storage import Claim, Entry, Head, Letter, Storage

__all__ = ["Lifted", "LiftedQueue", "LiftedStorage", "lift"]

A = TypeVar("A")
T = TypeVar("T")

#: How long a take waits in its thread before it comes back to see whether it was cancelled.
_LOOK_FOR = timedelta(seconds=1)


class Lifted(Generic[A]):
    """Call a sync adapter's methods from async code.

    Args:
        adapter: its methods may be called from several threads at once.
        limiter: how many threads at a time; without it, anyio's own limit for the event loop, 40 for everybody.

    A call that was begun is never abandoned: a cancellation waits for its end, so that nothing happens behind its back.
    """

    def __init__(self, adapter: A, *, limiter: anyio.CapacityLimiter | None = None) -> None:
        #: The adapter itself, for what is no method of its port.
        self.adapter = adapter
        self._limiter = limiter

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.adapter!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the adapter, where it can be closed."""
        close = getattr(self.adapter, "close", None)
        if close is not None:
            # A cancelled caller closes it, too.
            with anyio.CancelScope(shield=True):
                await self.call(close)

    async def call(self, method: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call a method of the adapter in a thread."""
        return await anyio.to_thread.run_sync(partial(method, *args, **kwargs), limiter=self._limiter)


class LiftedStorage(Lifted[Storage]):
    """Keep journals and heads as `cybertip.ports.storage.AsyncStorage` says, in a sync storage."""

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
        await self.call(self.adapter.append, entries, head, expected=expected, claim=claim, letters=letters)

    async def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
        """Return the entries of a journal that come after a version."""
        return await self.call(self.adapter.read, key, after=after)

    async def head(self, key: str) -> Head | None:
        """Return where a submission stands."""
        return await self.call(self.adapter.head, key)

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
        filters = {"status": status, "tenant": tenant, "lane": lane, "tag": tag}
        return await self.call(self.adapter.heads, after=after, limit=limit, **filters)

    async def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """Claim one submission, unless a claim on it lasts."""
        return await self.call(self.adapter.claim, key, token=token, now=now, until=until)

    async def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None = None
    ) -> tuple[tuple[Head, Claim], ...]:
        """Claim what is due, the tenants in turn."""
        return await self.call(self.adapter.claim_due, token=token, now=now, until=until, limit=limit, lanes=lanes)

    async def renew(self, claim: Claim, *, until: datetime) -> Claim | None:
        """Prolong a claim, unless it was lost."""
        return await self.call(self.adapter.renew, claim, until=until)

    async def release(self, claim: Claim) -> None:
        """Give a claim back, unless it was lost."""
        await self.call(self.adapter.release, claim)

    async def take_letters(
        self, *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None = None
    ) -> tuple[Letter, ...]:
        """Take letters that are due, and hide them until a time."""
        return await self.call(self.adapter.take_letters, now=now, until=until, limit=limit, topics=topics)

    async def settle_letter(self, id: str, *, due_at: datetime | None = None) -> None:
        """Forget a letter, or have it taken again later."""
        await self.call(self.adapter.settle_letter, id, due_at=due_at)

    async def next_due(self, *, now: datetime, lanes: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which there is something to claim, `now` at the earliest."""
        return await self.call(self.adapter.next_due, now=now, lanes=lanes)

    async def next_letter(self, *, now: datetime, topics: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which there is a letter to take, `now` at the earliest."""
        return await self.call(self.adapter.next_letter, now=now, topics=topics)


class LiftedQueue(Lifted[Queue]):
    """Wake tasks as `cybertip.ports.queue.AsyncQueue` says, by a sync queue. A take that waits does so in a thread."""

    async def put(self, key: str) -> None:
        """Have somebody look at a submission."""
        await self.call(self.adapter.put, key)

    async def take(self, *, wait_for: timedelta) -> Wake | None:
        """Take a key that somebody should look at; None when none came.

        A cancellation waits for a second at the most. What was taken meanwhile comes again after the queue's own time.
        """
        end = anyio.current_time() + wait_for.total_seconds()
        while True:
            left = timedelta(seconds=max(end - anyio.current_time(), 0))
            wake = await self.call(self.adapter.take, wait_for=min(left, _LOOK_FOR))
            if wake is not None or left <= _LOOK_FOR:
                return wake

    async def done(self, wake: Wake) -> None:
        """Say that somebody has looked."""
        await self.call(self.adapter.done, wake)


@overload
def lift(adapter: Storage, *, limiter: anyio.CapacityLimiter | None = None) -> LiftedStorage: ...


@overload
def lift(adapter: Queue, *, limiter: anyio.CapacityLimiter | None = None) -> LiftedQueue: ...


def lift(adapter: Storage | Queue, *, limiter: anyio.CapacityLimiter | None = None) -> LiftedStorage | LiftedQueue:
    """Return a sync storage or queue as an async one.

    Each of its calls takes a thread: give a `limiter` where it should take few of them.
    """
    # By what they can do: an adapter that is wrapped is of no type that one could ask for.
    if hasattr(adapter, "take"):
        return LiftedQueue(cast(Queue, adapter), limiter=limiter)
    return LiftedStorage(adapter, limiter=limiter)
