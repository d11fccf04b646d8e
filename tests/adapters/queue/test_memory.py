"""The queues in memory wait in real time, keep little, and are not confused by what a queue may not know."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
import pytest

from cybertip.adapters.bridge import LiftedStorage, lift
from cybertip.adapters.queue.memory import AsyncMemoryQueue, MemoryQueue
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.ports.policing import policed
from cybertip.ports.queue import Wake

_LONG = timedelta(seconds=60)
_MOMENT = timedelta(seconds=0.01)
_LOOPS = ("asyncio", "trio")


def test_it_comes_again_by_itself() -> None:
    """Whoever waits gets what was not done as soon as its time is up, though nobody puts anything."""
    queue = MemoryQueue(hidden_for=_MOMENT)
    queue.put("a")
    wakes = [queue.take(wait_for=_LONG) for _ in range(3)]
    assert [wake.key for wake in wakes if wake is not None] == ["a", "a", "a"]


@pytest.mark.parametrize("loop", _LOOPS)
@pytest.mark.parametrize(
    "make", [lambda: AsyncMemoryQueue(hidden_for=_MOMENT), lambda: lift(MemoryQueue(hidden_for=_MOMENT))]
)
def test_it_comes_again_by_itself_async(make: Callable[[], Any], loop: str) -> None:
    """A task that waits gets it, too."""

    async def main() -> list[Wake | None]:
        queue = make()
        await queue.put("a")
        return [await queue.take(wait_for=_LONG) for _ in range(3)]

    assert [wake and wake.key for wake in anyio.run(main, backend=loop)] == ["a", "a", "a"]


def test_it_is_no_longer_than_there_are_submissions() -> None:
    """A program that files and files while nobody delivers fills no memory with the same keys."""
    queue = MemoryQueue()
    for number in range(1000):
        queue.put(f"{number % 3}")
    wakes = [queue.take(wait_for=timedelta(0)) for _ in range(4)]
    assert [wake and wake.key for wake in wakes] == ["0", "1", "2", None]


@pytest.mark.parametrize("loop", _LOOPS)
def test_one_put_wakes_one_of_many(loop: str) -> None:
    """Of many tasks that wait, one gets the key; the others wait for theirs."""

    async def main() -> list[str]:
        queue = AsyncMemoryQueue()
        got: list[str] = []

        async def wait() -> None:
            wake = await queue.take(wait_for=_LONG)
            assert wake is not None
            got.append(wake.key)

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            for number in range(5):
                await queue.put(f"{number}")
                await anyio.wait_all_tasks_blocked()
                assert got == [f"{n}" for n in range(number + 1)]
        return got

    assert anyio.run(main, backend=loop) == ["0", "1", "2", "3", "4"]


def test_what_nobody_gave() -> None:
    """A wake of another queue, or of this one before a restart, is not known and harms nothing."""
    queue = MemoryQueue()
    queue.put("a")
    queue.done(Wake(key="a", token="of another"))
    wake = queue.take(wait_for=timedelta(0))
    assert wake is not None
    assert wake.key == "a"


def test_lifting_tells_the_ports_apart() -> None:
    """A lifted storage is a storage, though it is wrapped."""
    assert isinstance(lift(policed(MemoryStorage())), LiftedStorage)
    assert repr(lift(policed(MemoryQueue()))).startswith("<LiftedQueue of <policed ")
