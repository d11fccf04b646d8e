"""Whether anything may be sent: refused credentials stop everything that would use them, and burn no report's budget."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

__all__ = ["Lane"]


class Lane:
    """A courier's way to NCMEC: open, or paused until a time, after which NCMEC is asked whether it is well.

    It may be used from several threads.

    Args:
        pause: how long the n-th pause in a row is, at least what NCMEC asked for in seconds.
    """

    def __init__(self, pause: Callable[[int, float | None], timedelta]) -> None:
        self._pause = pause
        self._lock = threading.Lock()
        self._pauses = 0
        self._paused_at: datetime | None = None
        self._paused_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether nothing is known against sending."""
        return self._paused_until is None

    @property
    def paused_until(self) -> datetime | None:
        """When NCMEC may be asked again; None while the lane is open."""
        return self._paused_until

    def pause(self, now: datetime, *, asked_for: float | None = None) -> None:
        """Send nothing for a while: for longer each time, as long as NCMEC is not well."""
        with self._lock:
            if self._paused_until is None or now >= self._paused_until or asked_for is not None:
                self._pauses += 1
            self._rest(now, asked_for)

    def may_ask(self, now: datetime) -> bool:
        """Tell whether it is time to ask NCMEC, and see to it that only one asks."""
        with self._lock:
            if self._paused_at is None or self._paused_until is None:
                return False
            # A pause that began in the future means that our clock was set back: it is no reason to wait for longer.
            if self._paused_at <= now < self._paused_until:
                return False
            self._pauses += 1
            self._rest(now, None)
            return True

    def open(self) -> None:
        """Send again."""
        with self._lock:
            self._pauses = 0
            self._paused_at = self._paused_until = None

    def _rest(self, now: datetime, asked_for: float | None) -> None:
        self._paused_at, self._paused_until = now, now + self._pause(self._pauses, asked_for)
