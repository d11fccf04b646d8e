"""How long a worker waits before it tries again. It follows from how long it has tried: nothing is counted."""

from datetime import timedelta

__all__ = ["FIRST", "LONGEST", "PATIENCE", "pause"]

#: Between two tries at the least, and at the most.
FIRST = timedelta(seconds=5)
LONGEST = timedelta(hours=6)
#: After this a person is called.
PATIENCE = timedelta(hours=1)


def pause(tried_for: timedelta, *, shortest: timedelta = FIRST, longest: timedelta = LONGEST) -> timedelta:
    """Return the pause after something has failed for some time: half as long again, within bounds.

    A clock that was set back makes it the shortest, never longer.

    >>> [pause(timedelta(minutes=minutes)).total_seconds() for minutes in (0, 1, 60, 1_000_000)]
    [5.0, 30.0, 1800.0, 21600.0]
    """
    return min(max(tried_for / 2, shortest), longest)
