"""How patient durable filing is: budgets, pauses, margins. All of it can be set; none of it drops a report."""

import hashlib
from datetime import timedelta

import attrs

__all__ = ["Policy"]


@attrs.frozen(kw_only=True)
class Policy:
    """Say how often, how soon and how long things are tried.

    A budget that is spent calls a person; the delivery goes on all the same, at the slow pace.
    """

    #: Pauses after failures in a row: the first, the factor by which they grow, the longest.
    pause_for: timedelta = timedelta(seconds=2)
    pause_factor: float = 2.0
    longest_pause_for: timedelta = timedelta(minutes=15)
    #: What NCMEC asks for with Retry-After is honoured up to this: a gateway's slip must not stop a report for years.
    longest_retry_after_for: timedelta = timedelta(hours=6)
    #: The pause once a person has been called.
    slow_for: timedelta = timedelta(hours=1)
    #: Failures in a row, and reports opened, before a person is called.
    failures: int = 10
    attempts: int = 5
    #: How often a call that NCMEC could not take is repeated within one attempt before the report is retracted.
    repeats: int = 3
    #: Work stops this long before NCMEC deletes an unfinished report.
    margin_for: timedelta = timedelta(minutes=10)
    #: NCMEC deletes an unfinished report at the later of these, after opening and after the last change.
    deleted_after_opening_for: timedelta = timedelta(hours=24)
    deleted_after_change_for: timedelta = timedelta(hours=1)
    #: How long a filed submission's contents are kept (18 U.S.C. 2258A(h)).
    preserved_for: timedelta = timedelta(days=366)

    def pause(self, failures: int, *, seed: str, retry_after_for: float | None = None) -> timedelta:
        """Return the pause after some failures in a row.

        It grows, is capped, and is scattered by half so that a thousand submissions do not come back at once; the scatter
        follows from `seed`, so that the same history decides the same. What NCMEC asked for is the least.
        """
        asked = min(timedelta(seconds=retry_after_for or 0), self.longest_retry_after_for)
        longest = self.longest_pause_for.total_seconds()
        try:
            # As numbers: what grows for long is more than a timedelta can hold.
            capped = min(self.pause_for.total_seconds() * self.pause_factor ** max(failures - 1, 0), longest)
        except OverflowError:
            capped = longest
        chance = int.from_bytes(hashlib.sha256(f"{seed}:{failures}".encode()).digest()[:4], "big") / 2**32
        return max(timedelta(seconds=capped * (0.5 + chance / 2)), asked)
