"""The port polices its adapters' errors: whatever a stranger's adapter raises, its callers see only what the port names.

An adapter for a database that we never heard of raises that database's errors. Our callers have to know what an error tells
about the world, so the unknown ones become `AdapterError`, with the original as the cause: after it nobody knows.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from cybertip.errors import AdapterError, Conflict

__all__ = ["policed", "policing"]

A = TypeVar("A")


@contextmanager
def policing(what: str, *named: type[Exception]) -> Iterator[None]:
    """Turn every exception but `named`, `AdapterError` and `Conflict` into `AdapterError`.

    Cancellations and `KeyboardInterrupt` are no errors of the adapter, and pass.

    >>> with policing("Storage.read"):
    ...     raise OSError("disk on fire")
    Traceback (most recent call last):
    cybertip.errors.AdapterError: Storage.read failed (OSError)
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (AdapterError, Conflict, *named)):
            raise
        # The original's text is not quoted: it can hold what nobody should read.
        raise AdapterError(f"{what} failed ({type(error).__name__})") from error


def policed(adapter: A, *named: type[Exception]) -> A:
    """Return an adapter, sync or async, whose methods raise only `named`, `AdapterError` and `Conflict`.

    Args:
        adapter: any adapter of a port.
        named: what else the port allows.

    It passes for the adapter's own type; its attributes are the adapter's.
    """
    return cast(A, _Policed(adapter, named))


class _Policed:
    def __init__(self, adapter: object, named: tuple[type[Exception], ...]) -> None:
        self._adapter = adapter
        self._named = named

    def __repr__(self) -> str:
        return f"<policed {self._adapter!r}>"

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)
        if name.startswith("_") or not callable(found):
            return found
        return _guarded(found, f"{type(self._adapter).__name__}.{name}", self._named)


def _guarded(method: Callable[..., Any], what: str, named: tuple[type[Exception], ...]) -> Callable[..., Any]:
    # Built on each access, and cheap beside any adapter's work: the adapter may change its methods.
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def awaiting(*args: Any, **kwargs: Any) -> Any:
            with policing(what, *named):
                return await method(*args, **kwargs)

        return awaiting

    @functools.wraps(method)
    def calling(*args: Any, **kwargs: Any) -> Any:
        with policing(what, *named):
            result = method(*args, **kwargs)
        return _awaited(result, what, named) if inspect.isawaitable(result) else result

    return calling


async def _awaited(result: Any, what: str, named: tuple[type[Exception], ...]) -> Any:
    # Of an async method in disguise: a partial, or one that a decorator of the adapter's wrapped.
    with policing(what, *named):
        return await result
