"""Time that can be moved: a day passes when somebody says so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["START", "Clock", "ShiftedClock", "VirtualClock"]

#: When a virtual clock starts unless it is told otherwise.
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock(Protocol):
    """Tell the time, and let it be moved forwards."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    def advance(self, by: timedelta) -> None:
        """Let time pass. Raises `ValueError` for a negative time: NCMEC's clock does not run backwards."""
        ...


class VirtualClock:
    """Stand still until moved, so that a simulation replays exactly.

    >>> clock = VirtualClock()
    >>> clock.advance(timedelta(hours=24))
    >>> clock.now().isoformat()
    '2026-01-02T12:00:00+00:00'
    """

    def __init__(self, start: datetime = START) -> None:
        self._now = _in_utc(start)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += _forwards(by)


class ShiftedClock:
    """Run as another clock does, and be ahead of it by what was advanced.

    `base` returns an aware time; the server gives the system's clock.
    """

    def __init__(self, base: Callable[[], datetime]) -> None:
        self._base = base
        self._ahead = timedelta()

    def now(self) -> datetime:
        return _in_utc(self._base()) + self._ahead

    def advance(self, by: timedelta) -> None:
        self._ahead += _forwards(by)


def _forwards(by: timedelta) -> timedelta:
    if by < timedelta():
        raise ValueError("the clock cannot be moved backwards")
    return by


def _in_utc(time: datetime) -> datetime:
    if time.utcoffset() is None:
        raise ValueError("a time must have an offset from UTC")
    return time.astimezone(UTC)
