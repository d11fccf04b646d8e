"""Remember what a function returned, with its types kept: `functools.cache` does not accept classes as arguments of a
typed function, because a class looks unhashable where its instances define a hash of their own."""

from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar, cast

__all__ = ["memo"]

P = ParamSpec("P")
R = TypeVar("R")


def memo(function: Callable[P, R]) -> Callable[P, R]:
    """Call a function once for each set of arguments."""
    return cast(Callable[P, R], cache(function))
