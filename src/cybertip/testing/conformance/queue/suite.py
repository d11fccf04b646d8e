"""What a queue promises, in both colours. The async suite drives the same tests through an event loop of its own."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

import pytest
from anyio.from_thread import BlockingPortal

from cybertip.ports.queue import Queue, Wake
from cybertip.testing.conformance.running import OnEventLoops, at_once, driven

__all__ = ["AsyncQueueSuite", "QueueSuite"]

#: Keys as storage takes them.
_KEYS = {"a", "A", "a ", " a", "", "a/b", "..", "a\nb", "%61", "{}", "'", "é", "\U0001f600", "\U0001f600" * 255}


class QueueSuite:
    """Test a `Queue`: one test for each sentence of the port's docstrings.

    Override the fixture `queue`; it returns a queue with nothing in it. Override `another` as well if two programs can use
    one queue: it returns a second way to what `queue` holds. Override `later` if the queue's own time can be made to pass;
    without it, the tests wait until what is not done comes again.
    """

    #: How long to wait for what has to come.
    patience: ClassVar[timedelta] = timedelta(seconds=60)

    @pytest.fixture
    def queue(self) -> Any:
        """An empty queue."""
        pytest.fail("override the fixture `queue` of the suite")

    @pytest.fixture
    def another(self, queue: Queue) -> Any:
        """A second way to what `queue` holds: here, the same one, used from other threads."""
        return queue

    @pytest.fixture
    def later(self) -> Callable[[], object]:
        """A function that lets the time pass after which what is not done comes again: here, it just comes when it comes."""
        return lambda: None

    def taken(self, queue: Queue) -> Wake:
        """Take a key that has to come."""
        wake = queue.take(wait_for=self.patience)
        assert wake is not None, "nothing came"
        return wake

    def come_again(self, queue: Queue, later: Callable[[], object]) -> Wake:
        """Take a key that came and was not done."""
        end = time.monotonic() + self.patience.total_seconds()
        wake = None
        while wake is None:
            assert time.monotonic() < end, "it did not come again"
            later()
            wake = queue.take(wait_for=timedelta(seconds=0.2))
        return wake

    def test_put_comes(self, queue: Queue, another: Queue) -> None:
        """The key comes at least once after `put` returned, to whoever takes."""
        for key in _KEYS:
            queue.put(key)
        missing = set(_KEYS)
        while missing:
            wake = self.taken(another)
            assert wake.key in _KEYS
            missing.discard(wake.key)
            another.done(wake)

    def test_put_again(self, queue: Queue, another: Queue) -> None:
        """A key that came and is not done comes once more for a `put` meanwhile."""
        queue.put("a")
        first = self.taken(queue)
        another.put("a")
        queue.done(first)
        second = self.taken(queue)
        another.put("a")
        third = self.taken(another)
        assert {first.key, second.key, third.key} == {"a"}
        assert len({first.token, second.token, third.token}) == 3

    def test_put_merged(self, queue: Queue, another: Queue) -> None:
        """Puts of a key that has not come yet may become one."""
        for _ in range(3):
            queue.put("a")
            another.put("a")
        assert self.taken(queue).key == "a"
        # Whether they became one or not: of six puts no more than six are left.
        rest = [queue.take(wait_for=timedelta(0)) for _ in range(6)]
        assert {wake.key for wake in rest if wake is not None} <= {"a"}
        assert rest[-1] is None

    def test_take_waits(self, queue: Queue, another: Queue) -> None:
        """It waits until a key comes, and no longer than `wait_for`; None says that none came."""
        assert queue.take(wait_for=timedelta(0)) is None
        begun = time.monotonic()
        assert queue.take(wait_for=timedelta(seconds=0.05)) is None
        # A hair's breadth for clocks that differ.
        assert time.monotonic() - begun > 0.04
        patience = self.patience.total_seconds()
        with ThreadPoolExecutor(1) as pool:
            for key in "abc":
                waiting = pool.submit(queue.take, wait_for=2 * self.patience)
                assert not wait([waiting], timeout=0.05).done, "it did not wait"
                another.put(key)
                wake = waiting.result(patience)
                assert wake is not None
                assert wake.key == key
                queue.done(wake)

    def test_take_apart(self, queue: Queue, another: Queue) -> None:
        """Of many that take at once, each gets deliveries of its own."""
        keys = {f"{number:02}" for number in range(24)}
        for key in keys:
            queue.put(key)

        def take(one: Queue) -> list[Wake]:
            mine: list[Wake] = []
            while len(mine) <= len(keys) and (wake := one.take(wait_for=timedelta(0))) is not None:
                mine.append(wake)
            return mine

        outcomes = at_once([partial(take, one) for one in (queue, another) * 3])
        wakes: list[Wake] = []
        for outcome in outcomes:
            assert not isinstance(outcome, Exception), outcome
            wakes += outcome
        # A take that returns at once may miss what another program has just put.
        wakes += [self.taken(queue) for _ in range(len(keys) - len(wakes))]
        assert sorted(wake.key for wake in wakes) == sorted(keys)
        assert len({wake.token for wake in wakes}) == len(wakes)

    def test_take_again(self, queue: Queue, another: Queue, later: Callable[[], object]) -> None:
        """What is not done after a time of the queue's own comes again."""
        queue.put("a")
        first = self.taken(queue)
        second = self.come_again(another, later)
        third = self.come_again(queue, later)
        assert [first.key, second.key, third.key] == ["a", "a", "a"]
        assert len({first.token, second.token, third.token}) == 3

    def test_done_gone(self, queue: Queue, another: Queue, later: Callable[[], object]) -> None:
        """This delivery does not come again."""
        queue.put("a")
        queue.put("b")
        wakes = {wake.key: wake for wake in (self.taken(queue), self.taken(queue))}
        another.done(wakes["a"])
        # By the time that one of the two comes again, both would have.
        again = self.come_again(queue, later)
        assert again.key == "b"
        queue.done(again)
        later()
        assert queue.take(wait_for=timedelta(0)) is None

    def test_done_late(self, queue: Queue, another: Queue, later: Callable[[], object]) -> None:
        """It does nothing when the delivery is done already, or when the key has come again since."""
        queue.put("a")
        first = self.taken(queue)
        second = self.come_again(another, later)
        queue.done(first)
        third = self.come_again(another, later)
        assert third.key == second.key == "a"
        queue.done(third)
        queue.put("a")
        for old in (first, second, third):
            another.done(old)
        assert self.taken(queue).key == "a"


class AsyncQueueSuite(OnEventLoops, QueueSuite):
    """Test an `AsyncQueue`, on asyncio and trio.

    Override the fixture `async_queue`. It returns an empty queue, or an asynchronous context manager that yields one; it is
    entered and left within the event loop. `another_async_queue` is the like of `another`.
    """

    @pytest.fixture
    def async_queue(self) -> Any:
        """An empty queue, or what yields one."""
        pytest.fail("override the fixture `async_queue` of the suite")

    @pytest.fixture
    def another_async_queue(self) -> Any:
        """A second way to what `async_queue` holds; None for the same one."""
        return None

    @pytest.fixture
    def queue(self, portal: BlockingPortal, async_queue: Any) -> Iterator[Any]:
        """The queue, driven from outside of its event loop."""
        with driven(portal, async_queue) as queue:
            yield queue

    @pytest.fixture
    def another(self, portal: BlockingPortal, queue: Any, another_async_queue: Any) -> Iterator[Any]:
        """The second one, driven likewise."""
        with ExitStack() as stack:
            second = another_async_queue
            yield queue if second is None else stack.enter_context(driven(portal, second))

    def test_take_loop(self, queue: Any) -> None:
        """The event loop goes on while it waits."""
        waiting = queue.begun("take", wait_for=self.patience)
        queue.put("a")
        wake = waiting.result()
        assert wake is not None, "the put had to wait until the take was over"
        assert wake.key == "a"

    def test_take_cancelled(self, queue: Any, later: Callable[[], object]) -> None:
        """What a take that is cancelled might have brought is not lost: it comes to another."""
        for turn in range(20):
            key = f"{turn}"
            waiting = queue.begun("take", wait_for=self.patience)
            works = [partial(queue.put, key), waiting.cancel]
            if turn % 3 == 2:
                at_once(works)
            else:
                for work in works[:: -1 if turn % 3 else 1]:
                    work()
            try:
                wake = waiting.result()
            except CancelledError:
                wake = self.come_again(queue, later)
            assert wake.key == key
            queue.done(wake)
