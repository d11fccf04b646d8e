"""Wake-ups within this process: a thread or a task that files wakes one that delivers."""

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from threading import Condition

import anyio
import anyio.lowlevel

from cybertip.ports.queue import Wake

__all__ = ["AsyncMemoryQueue", "MemoryQueue"]

_HIDDEN_FOR = timedelta(minutes=5)


class MemoryQueue:
    """Wake threads of this process (see `cybertip.ports.queue.Queue` for what is guaranteed).

    Args:
        hidden_for: how long a key that came and is not done stays hidden before it comes again.
        monotonic: the clock in seconds that `hidden_for` is measured by, for tests. Whoever waits does so in real time.

    Puts of a key that has not come yet become one, so it holds no more than there are submissions.

    >>> queue = MemoryQueue()
    >>> queue.put("report-1")
    >>> wake = queue.take(wait_for=timedelta(seconds=1))
    >>> wake.key
    'report-1'
    >>> queue.done(wake)
    >>> queue.take(wait_for=timedelta(0)) is None
    True
    """

    def __init__(self, *, hidden_for: timedelta = _HIDDEN_FOR, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keys = _Keys(hidden_for, monotonic)
        self._changed = Condition()

    def put(self, key: str) -> None:
        """Have a thread look at a submission."""
        with self._changed:
            self._keys.put(key)
            self._changed.notify()

    def take(self, *, wait_for: timedelta) -> Wake | None:
        """Take a key that somebody should look at; None when none came."""
        end = time.monotonic() + wait_for.total_seconds()
        with self._changed:
            while (wake := self._keys.take()) is None:
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(min(left, self._keys.hidden()))
            return wake

    def done(self, wake: Wake) -> None:
        """Say that somebody has looked."""
        with self._changed:
            self._keys.done(wake)


class AsyncMemoryQueue:
    """Wake tasks of one event loop of asyncio or trio, as `MemoryQueue` wakes threads.

    Args:
        hidden_for: how long a key that came and is not done stays hidden before it comes again.
        monotonic: the clock in seconds that `hidden_for` is measured by, for tests. Whoever waits does so in real time.
    """

    def __init__(self, *, hidden_for: timedelta = _HIDDEN_FOR, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keys = _Keys(hidden_for, monotonic)
        self._changed = anyio.Event()

    async def put(self, key: str) -> None:
        """Have a task look at a submission."""
        await anyio.lowlevel.checkpoint()
        self._keys.put(key)
        # Whoever waits finds out by looking; who comes later waits for what comes later.
        self._changed.set()
        self._changed = anyio.Event()

    async def take(self, *, wait_for: timedelta) -> Wake | None:
        """Take a key that somebody should look at; None when none came."""
        # A cancellation strikes here or while it waits, and never between taking and returning.
        await anyio.lowlevel.checkpoint()
        end = anyio.current_time() + wait_for.total_seconds()
        while (wake := self._keys.take()) is None:
            left = end - anyio.current_time()
            if left <= 0:
                return None
            with anyio.move_on_after(min(left, self._keys.hidden())):
                await self._changed.wait()
        return wake

    async def done(self, wake: Wake) -> None:
        """Say that somebody has looked."""
        await anyio.lowlevel.checkpoint()
        self._keys.done(wake)


class _Keys:
    """What is to come, in the order in which it was put, and what came and is not done."""

    def __init__(self, hidden_for: timedelta, monotonic: Callable[[], float]) -> None:
        self._hidden_for = hidden_for.total_seconds()
        self._monotonic = monotonic
        self._numbers = count(1)
        self._coming: dict[str, None] = {}
        #: By token, when each comes again: soonest first, for all are hidden for as long.
        self._came: dict[str, tuple[float, str]] = {}

    def put(self, key: str) -> None:
        self._coming[key] = None

    def take(self) -> Wake | None:
        now = self._monotonic()
        while self._came:
            token, (at, key) = next(iter(self._came.items()))
            if at > now:
                break
            del self._came[token]
            self._coming[key] = None
        if not self._coming:
            return None
        key = next(iter(self._coming))
        del self._coming[key]
        wake = Wake(key=key, token=str(next(self._numbers)))
        self._came[wake.token] = (now + self._hidden_for, key)
        return wake

    def done(self, wake: Wake) -> None:
        self._came.pop(wake.token, None)

    def hidden(self) -> float:
        """Return for how many seconds the first of what came stays hidden."""
        at, _ = next(iter(self._came.values()), (float("inf"), ""))
        return max(at - self._monotonic(), 0)
