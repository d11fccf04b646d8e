"""Faults to order: what goes wrong with the next requests, instead of their answers."""

from collections.abc import MutableSequence
from dataclasses import dataclass, replace
from typing import Literal

from cybertip.sandbox.answers import Answer

__all__ = ["Fault", "Word", "take"]

Word = Literal["drop", "truncate", "hang", "trickle"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Spoil the next `times` answers of a path.

    Args:
        path: such as "/m/lookup"; "*" for any.
        answer: an `Answer` that is sent instead; or "drop" for a connection that ends without one, "truncate" for half of
            one, "hang" for none while the connection stays, "trickle" for a body that never ends, a byte at a time.
        times: how many requests are spoiled; None for all that follow.

    >>> Fault(path="/m/lookup", answer="drop").times
    1
    """

    path: str = "*"
    answer: Answer | Word
    times: int | None = 1


def take(faults: MutableSequence[Fault], path: str) -> Answer | Word | None:
    """Return what the first fault for a path orders, and count it."""
    for index, fault in enumerate(faults):
        if fault.path in ("*", path):
            if fault.times == 1:
                del faults[index]
            elif fault.times is not None:
                faults[index] = replace(fault, times=fault.times - 1)
            return fault.answer
    return None
