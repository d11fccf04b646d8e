"""Clocks for tests: time that passes when a test says so, and a machine's clock that is wrong.

>>> true = VirtualClock()
>>> machine = WrongClock(true)
>>> machine.off = timedelta(hours=-1)
>>> true.advance(timedelta(minutes=5))
>>> machine.now() - true.now() == timedelta(hours=-1)
True
"""

from datetime import datetime, timedelta

from cybertip.ports.clock import Clock
from cybertip.sandbox.clock import START, ShiftedClock, VirtualClock

__all__ = ["START", "ShiftedClock", "VirtualClock", "WrongClock"]


class WrongClock:
    """Run as another clock does, and be wrong by `off`, which may be set at any time: a clock that jumps.

    Args:
        true: the clock that is right.
        off: by how much this one is ahead; a negative time is behind.
    """

    def __init__(self, true: Clock, *, off: timedelta = timedelta(0)) -> None:
        self._true = true
        self.off = off

    def now(self) -> datetime:
        """Return the time, as this clock has it."""
        return self._true.now() + self.off
