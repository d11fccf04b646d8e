"""A sync adapter serves async callers on any event loop."""

import threading
import time
from typing import Any

import anyio
import pytest

from cybertip.adapters.bridge import Lifted, lift
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.adapters.storage.sql import AsyncSqlStorage
from cybertip.errors import AdapterError, Conflict
from cybertip.testing.conformance.storage.samples import entries, head

_LOOPS = ("asyncio", "trio")


class Slow:
    """An adapter whose calls take a while."""

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.most = 0
        self.running = 0
        self.done = 0
        self.closed = False
        self._lock = threading.Lock()

    def work(self, number: int, *, more: int = 0) -> int:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
            self.threads.add(threading.get_ident())
        time.sleep(0.05)
        with self._lock:
            self.running -= 1
            self.done += 1
        return number + more

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("loop", _LOOPS)
def test_the_loop_goes_on(loop: str) -> None:
    """Calls happen beside each other in threads, as many as were allowed, and never in the event loop's own."""
    slow = Slow()

    async def main() -> None:
        async with Lifted(slow, limiter=anyio.CapacityLimiter(2)) as lifted, anyio.create_task_group() as group:
            for number in range(6):
                group.start_soon(lifted.call, slow.work, number)
        assert await lifted.call(slow.work, 1, more=2) == 3

    anyio.run(main, backend=loop)
    assert slow.done == 7
    assert slow.most == 2
    assert threading.get_ident() not in slow.threads
    assert slow.closed


@pytest.mark.parametrize("loop", _LOOPS)
def test_a_call_is_never_abandoned(loop: str) -> None:
    """A cancelled caller learns of it when the call has ended, so that nothing goes on behind its back."""
    slow = Slow()

    async def main() -> None:
        with anyio.move_on_after(0.01) as scope:
            async with Lifted(slow) as lifted:
                await lifted.call(slow.work, 1)
                assert slow.done == 1
                await anyio.sleep(60)
        assert scope.cancelled_caught
        assert slow.done == 1
        assert slow.closed

    anyio.run(main, backend=loop)


@pytest.mark.parametrize("loop", _LOOPS)
def test_errors_come_through(loop: str) -> None:
    """What the adapter raises is raised where it was awaited."""

    async def main() -> None:
        storage = lift(MemoryStorage())
        await storage.append(entries("a", 1), head("a", 1), expected=0)
        with pytest.raises(Conflict):
            await storage.append(entries("a", 1), head("a", 1), expected=0)
        assert repr(storage).startswith("<LiftedStorage of ")
        await storage.aclose()

    anyio.run(main, backend=loop)


def test_where_a_driver_needs_asyncio(tmp_path: Any) -> None:
    """On trio the async storage in a database says what to use instead, and nothing hangs."""

    async def main() -> None:
        storage = AsyncSqlStorage(f"sqlite:///{tmp_path}/a.db")
        with pytest.raises(AdapterError, match="needs asyncio"):
            await storage.head("a")
        with pytest.raises(AdapterError, match="needs asyncio"):
            await storage.upgrade()

    anyio.run(main, backend="trio")
