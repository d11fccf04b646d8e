"""Requests that came before, in memory: for one process, or for tests."""

import heapq
import threading
from datetime import datetime

from cybertip.ports.clock import Clock, SystemClock

__all__ = ["MemorySeen"]


class MemorySeen:
    """Remember requests (see `cybertip.webhooks.signing.Seen`) until this process ends, or their time is over.

    >>> seen = MemorySeen()
    >>> seen.add("case-1_2", until=None), seen.add("case-1_2", until=None)
    (True, False)
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._until: dict[str, datetime | None] = {}
        self._ends: list[tuple[datetime, str]] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._until)}>"

    def add(self, id: str, *, until: datetime | None) -> bool:
        """Remember a request; return whether it is new."""
        with self._lock:
            self._forget_what_is_over()
            if id in self._until:
                return False
            self._until[id] = until
            if until is not None:
                heapq.heappush(self._ends, (until, id))
            return True

    def forget(self, id: str) -> None:
        """Forget a request that could not be acted on."""
        with self._lock:
            self._until.pop(id, None)

    def _forget_what_is_over(self) -> None:
        now = self._clock.now()
        while self._ends and self._ends[0][0] < now:
            until, id = heapq.heappop(self._ends)
            if self._until.get(id) == until:
                del self._until[id]
