"""What time it is. Tests bring a clock of their own."""

from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Tell the time.

    - Times are aware.
    """

    def now(self) -> datetime:
        """Return the time."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)
