"""Calls that a cancellation does not break off: it strikes when they have ended.

aiosqlite works in a thread. When a call is cancelled there, the thread's statement goes on, and what the cancelled call had
read keeps SQLite's connection alive, with its transaction and the one writer's lock, until the garbage is collected. So a
call on SQLite runs to its end, which is near: the database is on this machine. With a server, breaking the connection off
is what undoes the transaction, and to wait for a server that is gone could take for ever.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import anyio
import anyio.lowlevel

from cybertip.errors import AdapterError

__all__ = ["cancellations_so_far", "unbroken"]

P = ParamSpec("P")
T = TypeVar("T")


class _OnDatabase(Protocol):
    @property
    def dialect(self) -> str: ...


S = TypeVar("S", bound=_OnDatabase)


def unbroken(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Let a method run to its end on SQLite, whoever cancels its caller, and refuse it outside of asyncio."""

    @functools.wraps(method)
    async def whole(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            asyncio.get_running_loop()
        except RuntimeError as error:
            raise AdapterError("AsyncSqlStorage needs asyncio; elsewhere use cybertip.adapters.bridge.lift") from error
        if self.dialect != "sqlite":
            return await method(self, *args, **kwargs)
        # Whoever was cancelled before does not begin.
        await anyio.lowlevel.checkpoint()
        return await _to_the_end(asyncio.ensure_future(method(self, *args, **kwargs)))

    return whole


def cancellations_so_far() -> int:
    """Return how often the task that runs was cancelled."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


async def _to_the_end(task: "asyncio.Task[T]") -> T:
    cancelled: asyncio.CancelledError | None = None
    # anyio cancels at whatever is awaited next: the caller learns what became of the call, as of one in a thread. asyncio
    # cancels but once, which is kept for later.
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            # Fetched, or asyncio would complain that nobody did.
            task.exception()
        raise cancelled
    return task.result()
