"""The suite tests every promise of the port, and the queues in memory keep them in both colours."""

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cybertip.adapters.bridge import LiftedQueue, lift
from cybertip.adapters.queue.memory import AsyncMemoryQueue, MemoryQueue
from cybertip.ports.policing import policed
from cybertip.ports.queue import AsyncQueue, Queue
from cybertip.testing.conformance import AsyncQueueSuite, QueueSuite

_HIDDEN_FOR = timedelta(seconds=30)


class _Time:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self) -> None:
        self.seconds += _HIDDEN_FOR.total_seconds()


class _WithTime:
    @pytest.fixture
    def time(self) -> _Time:
        return _Time()

    @pytest.fixture
    def later(self, time: _Time) -> Callable[[], object]:
        return time.pass_by


class TestMemoryQueue(_WithTime, QueueSuite):
    @pytest.fixture
    def queue(self, time: _Time) -> MemoryQueue:
        return MemoryQueue(hidden_for=_HIDDEN_FOR, monotonic=time)


class TestPolicedQueue(_WithTime, QueueSuite):
    @pytest.fixture
    def queue(self, time: _Time) -> MemoryQueue:
        return policed(MemoryQueue(hidden_for=_HIDDEN_FOR, monotonic=time))


class TestAsyncMemoryQueue(_WithTime, AsyncQueueSuite):
    @pytest.fixture
    def async_queue(self, time: _Time) -> AsyncMemoryQueue:
        return AsyncMemoryQueue(hidden_for=_HIDDEN_FOR, monotonic=time)


class TestLiftedQueue(_WithTime, AsyncQueueSuite):
    @pytest.fixture
    def async_queue(self, time: _Time) -> LiftedQueue:
        return lift(MemoryQueue(hidden_for=_HIDDEN_FOR, monotonic=time))


def _sentences(port: Any) -> set[tuple[str, str]]:
    """Return a port's methods with their guarantees."""
    return {
        (name, " ".join(bullet.split()))
        for name in ("put", "take", "done")
        for bullet in re.findall(r"^- (.*(?:\n  .*)*)", inspect.getdoc(getattr(port, name)) or "", re.MULTILINE)
    }


@pytest.mark.parametrize(("port", "suite", "least"), [(Queue, QueueSuite, 8), (AsyncQueue, AsyncQueueSuite, 2)])
def test_each_guarantee_has_a_test(port: Any, suite: type, least: int) -> None:
    """The suites test each sentence of the ports, by its own words, and nothing that the ports do not say."""
    sentences = _sentences(port)
    assert len(sentences) >= least
    tests = {name: test for name, test in vars(suite).items() if name.startswith("test_")}
    tested = {(name.split("_")[1], " ".join((inspect.getdoc(test) or "").split())) for name, test in tests.items()}
    assert tested == sentences
    assert len(tests) == len(sentences)
