"""A request is remembered for as long as it could come again, and counts once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from cybertip.adapters.webhooks import MemorySeen
from cybertip.webhooks.signing import Replayed, Verified, refuse_replay

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


class Ticking:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        """Return the time that was set."""
        return self.time


def test_a_request_counts_once() -> None:
    """The second time it is refused; another one is not, and a forgotten one may come again."""
    seen = MemorySeen()
    verified = Verified(id="case-1_2", sent_at=None, until=None)
    refuse_replay(verified, seen)
    with pytest.raises(Replayed):
        refuse_replay(verified, seen)
    refuse_replay(Verified(id="case-1_3", sent_at=None, until=None), seen)
    seen.forget("case-1_2")
    seen.forget("never seen")
    refuse_replay(verified, seen)


def test_nothing_is_remembered_longer_than_it_must_be() -> None:
    """Once a request could not come again it takes no memory; one without a time is remembered for good."""
    clock = Ticking()
    seen = MemorySeen(clock=clock)
    for number in range(100):
        assert seen.add(f"a{number}", until=NOON + timedelta(minutes=5))
    assert seen.add("for good", until=None)
    clock.time = NOON + timedelta(minutes=5)
    assert not seen.add("a0", until=NOON + timedelta(minutes=5))
    clock.time += timedelta(seconds=1)
    assert seen.add("new", until=clock.time)
    assert repr(seen) == "<MemorySeen of 2>"
    assert not seen.add("for good", until=None)


def test_a_request_that_was_forgotten_and_came_again_is_remembered_anew() -> None:
    """The end of its first time does not end its second."""
    clock = Ticking()
    seen = MemorySeen(clock=clock)
    assert seen.add("a", until=NOON + timedelta(minutes=1))
    seen.forget("a")
    assert seen.add("a", until=NOON + timedelta(minutes=9))
    clock.time = NOON + timedelta(minutes=2)
    assert not seen.add("a", until=NOON + timedelta(minutes=9))


def test_of_several_at_once_one_is_new() -> None:
    """Two workers that get the same request do not both act on it."""
    seen = MemorySeen()
    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda number: seen.add(str(number % 50), until=None), range(400)))
    assert sum(added) == 50
