"""How often what goes wrong."""

from datetime import timedelta
from typing import Any

import attrs

__all__ = ["Luck"]


@attrs.frozen(kw_only=True)
class Luck:
    """How often what goes wrong, each from 0 to 1.

    >>> Luck.calm().crash
    0.0
    """

    # -- on the wire, for each exchange
    never_sent: float = 0.05
    lost_request: float = 0.04
    #: It comes to NCMEC when nobody waits for an answer any more.
    late_request: float = 0.02
    lost_answer: float = 0.08
    #: Its bytes are others on arrival.
    corrupted: float = 0.02
    #: A gateway answers in NCMEC's place, or NCMEC with what nobody understands.
    garbled: float = 0.07
    refused_for_now: float = 0.05
    refused_credentials: float = 0.02

    # -- with the workers, for each effect
    crash: float = 0.02
    #: A worker is asked to stop, and does so between two calls.
    stop: float = 0.02
    #: A machine stands still after a call: the claim runs out, and another takes over.
    sleep: float = 0.05
    #: A machine's clock is an hour off from now on, or less.
    clock_jump: float = 0.01

    # -- with the people, for each submission
    withdrawal: float = 0.1
    override: float = 0.05

    #: How long a sleep lasts; the longest ones outlive a report.
    sleeps: tuple[timedelta, ...] = (
        timedelta(minutes=6),
        timedelta(hours=2),
        timedelta(hours=13),
        timedelta(hours=23, minutes=55),
    )

    @classmethod
    def calm(cls) -> "Luck":
        """Return the luck of a world in which nothing goes wrong."""
        never: dict[str, Any] = {field.name: 0.0 for field in attrs.fields(cls) if field.name != "sleeps"}
        return cls(**never)
