"""Deliveries side by side, as many at a time as the host allows: in threads, or in tasks of one event loop."""

from collections.abc import Awaitable, Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from types import TracebackType
from typing import Self

import anyio

from cybertip.ports.storage import Claim

__all__ = ["AsyncCrew", "Crew"]


class Crew:
    """Do some work with each claim, in at most `size` threads. Leaving waits for what is under way.

    Args:
        work: what is done with a claim; the first failure is raised to whoever leaves.
        size: how many claims are worked on at a time.
    """

    def __init__(self, work: Callable[[Claim], None], *, size: int) -> None:
        if size < 1:
            raise ValueError("somebody has to do the work: concurrency must be 1 or more")
        self._work, self._size = work, size
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="cybertip")
        self._under_way: set[Future[None]] = set()
        self._failure: BaseException | None = None

    @property
    def free(self) -> int:
        """How many more claims can be worked on at once."""
        self._gather(timedelta(0))
        return self._size - len(self._under_way)

    def start(self, claim: Claim) -> None:
        """Begin to work on a claim."""
        self._under_way.add(self._pool.submit(self._work, claim))

    def pause(self, pause_for: timedelta) -> None:
        """Wait until something that is under way is done, but no longer than for some time."""
        self._gather(pause_for)

    def _gather(self, wait_for: timedelta) -> None:
        done, self._under_way = wait(self._under_way, wait_for.total_seconds(), return_when=FIRST_COMPLETED)
        for one in done:
            self._failure = self._failure or one.exception()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while self._under_way:
            self._gather(timedelta(days=1))
        self._pool.shutdown()
        if error is None and self._failure is not None:
            raise self._failure


class AsyncCrew:
    """Do some work with each claim, in at most `size` tasks, as `Crew` does. A failure cancels nobody else's work."""

    def __init__(self, work: Callable[[Claim], Awaitable[None]], *, size: int) -> None:
        if size < 1:
            raise ValueError("somebody has to do the work: concurrency must be 1 or more")
        self._work, self._size = work, size
        self._tasks = anyio.create_task_group()
        self._busy = 0
        self._one_is_done = anyio.Event()
        self._failure: Exception | None = None

    @property
    def free(self) -> int:
        """How many more claims can be worked on at once."""
        return self._size - self._busy

    def start(self, claim: Claim) -> None:
        """Begin to work on a claim."""
        self._busy += 1
        self._tasks.start_soon(self._do, claim)

    async def pause(self, pause_for: timedelta) -> None:
        """Wait until something that is under way is done, but no longer than for some time."""
        with anyio.move_on_after(pause_for.total_seconds()):
            await self._one_is_done.wait()

    async def _do(self, claim: Claim) -> None:
        try:
            await self._work(claim)
        except Exception as error:
            self._failure = self._failure or error
        finally:
            self._busy -= 1
            self._one_is_done.set()
            self._one_is_done = anyio.Event()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        if isinstance(error, Exception):
            # The tasks are waited for, as the threads are: told of it, the group would cancel them and raise it in a group.
            await self._tasks.__aexit__(None, None, None)
            return None
        handled = await self._tasks.__aexit__(kind, error, traceback)
        if error is None and self._failure is not None:
            raise self._failure
        return handled
