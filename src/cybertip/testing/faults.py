"""Faults to order, around your own transport, storage, queue or evidence, in either colour, and around a driver.

`Faults` counts the calls of all that it is put around, and strikes where it was told to. So you can test your own stack:
that a report arrives once and whole when the answer to `/finish` is lost, or when the process dies at any call it makes.

```python
faults = Faults(lost_answer("/finish"))
courier = Courier(environment, storage=faults.around(storage), transport=faults.around(transport), evidence=evidence)
```

>>> from cybertip.adapters.storage.memory import MemoryStorage
>>> from cybertip.errors import AdapterError
>>> storage = Faults(away("read", times=2)).around(MemoryStorage())
>>> for _ in range(3):
...     try:
...         print(storage.read("decision-1"))
...     except AdapterError:
...         print("the database is away")
the database is away
the database is away
()
"""

import functools
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar, cast

import attrs

from cybertip.drivers import AsyncDriver, Driver
from cybertip.errors import AdapterError, InDoubt, NeverSent
from cybertip.protocol import Request

__all__ = [
    "Crash",
    "Faults",
    "Strike",
    "answered",
    "away",
    "corrupt",
    "crash",
    "every_crash",
    "lost_answer",
    "lost_request",
    "never_sent",
    "slow",
    "unreadable",
]

P = TypeVar("P")
T = TypeVar("T")


class Crash(BaseException):
    """The process is dead: nothing that follows in it takes effect. Catch it where your test starts the next process.

    No code that handles errors sees it, as none would see a power cut.
    """


@attrs.frozen(kw_only=True)
class Strike:
    """One fault: where it strikes, and what it does there.

    Args:
        call: which calls it is about: a method's name such as "append", an endpoint such as "/finish", an effect's name such
            as "Record" for a driver, or "*" for every call.
        at: how many of these calls pass before it strikes.
        times: how many calls it then strikes; None for all that follow.
        before: done before the call takes effect; what it raises is raised in the call's place.
        instead: makes what is returned; the call does not take effect.
        after: given what the call returned; what it returns is returned in its place.
    """

    call: str = "*"
    at: int = 0
    times: int | None = 1
    before: Callable[[str], object] | None = attrs.field(default=None, repr=False)
    instead: Callable[[str], Any] | None = attrs.field(default=None, repr=False)
    after: Callable[[str, Any], Any] | None = attrs.field(default=None, repr=False)


# -- what can go wrong ----------------------------------------------------------------------------------------------------


def never_sent(call: str = "exchange", *, at: int = 0, times: int | None = 1) -> Strike:
    """No connection is made: `NeverSent`, and nothing leaves."""
    return _raising(lambda name: NeverSent(endpoint=name, reason="no connection"), call, at, times)


def lost_request(call: str = "exchange", *, at: int = 0, times: int | None = 1) -> Strike:
    """The request is lost on its way: `InDoubt`, and NCMEC does not act."""
    return _raising(lambda name: InDoubt(endpoint=name, reason="the request was lost"), call, at, times)


def lost_answer(call: str = "exchange", *, at: int = 0, times: int | None = 1) -> Strike:
    """The answer is lost on its way back: `InDoubt`, and NCMEC has acted."""
    return _raising(lambda name: InDoubt(endpoint=name, reason="the answer was lost"), call, at, times, after=True)


def answered(call: str, answer: Any, *, at: int = 0, times: int | None = 1) -> Strike:
    """Something answers in NCMEC's place, such as a gateway that takes no more: NCMEC does not act."""
    return Strike(call=call, at=at, times=times, instead=lambda _: answer)


def away(call: str = "*", *, at: int = 0, times: int | None = 1, after: bool = False) -> Strike:
    """A database or queue fails: `AdapterError`. With `after` it fails when the call has taken effect."""
    return _raising(lambda name: AdapterError(f"{name}: the connection was lost"), call, at, times, after=after)


def unreadable(call: str = "open", *, at: int = 0, times: int | None = 1) -> Strike:
    """Evidence cannot be opened: `OSError`."""
    return _raising(lambda _: OSError("the disk failed"), call, at, times)


def corrupt(call: str, edit: Callable[[Any], Any], *, at: int = 0, times: int | None = 1) -> Strike:
    """What a call returns is changed on its way: `edit` gets it and returns what arrives."""
    return Strike(call=call, at=at, times=times, after=lambda _, result: edit(result))


def slow(call: str, pause: Callable[[], object], *, at: int = 0, times: int | None = 1, after: bool = False) -> Strike:
    """A call takes long: `pause` is called before it takes effect, or after. A virtual clock's `advance` takes no time."""
    if after:
        return Strike(call=call, at=at, times=times, after=lambda _, result: _then(pause(), result))
    return Strike(call=call, at=at, times=times, before=lambda _: pause())


def crash(call: str = "*", *, at: int = 0, after: bool = False) -> Strike:
    """The process dies before a call takes effect, or after: `Crash`, now and in all that it still tries."""
    return _raising(lambda name: Crash(f"at {name}"), call, at, 1, after=after)


def _raising(
    error: Callable[[str], BaseException], call: str, at: int, times: int | None, *, after: bool = False
) -> Strike:
    def strike(name: str, *_: Any) -> None:
        raise error(name)

    return Strike(call=call, at=at, times=times, **{"after" if after else "before": strike})


# -- where it goes wrong --------------------------------------------------------------------------------------------------


@attrs.define
class _Waiting:
    """A fault, how many calls it still lets pass, and how many it then still strikes."""

    strike: Strike
    passing: int
    times: int | None


class Faults:
    """Put faults around ports and drivers. It may be used from several threads."""

    def __init__(self, *strikes: Strike) -> None:
        self._lock = threading.Lock()
        self._waiting = [_Waiting(strike, strike.at, strike.times) for strike in strikes]
        #: Each call so far, by the endpoint, the effect or the method's name.
        self.calls: list[str] = []
        #: Each fault that struck, as often as it did.
        self.struck: list[Strike] = []
        #: Whether the process has crashed: whatever it still tries raises `Crash` and has no effect.
        self.dead = False

    def around(self, port: P) -> P:
        """Return a port that fails to order. A driver is changed itself: its effects are its calls, too."""
        if isinstance(port, Driver | AsyncDriver):
            port.perform = self._guarded(port.perform)  # type: ignore[method-assign] # one driver, not all
            return cast(P, port)
        return cast(P, _Struck(port, self))

    def _guarded(self, method: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(method):

            @functools.wraps(method)
            async def awaiting(*args: Any, **kwargs: Any) -> Any:
                name, strikes = self._called(method.__name__, args)
                for strike in strikes:
                    await _awaited(self._before(strike, name))
                instead = next((strike.instead for strike in strikes if strike.instead is not None), None)
                result = instead(name) if instead is not None else await method(*args, **kwargs)
                for strike in strikes:
                    result = await _awaited(self._after(strike, name, result))
                return result

            return awaiting

        @functools.wraps(method)
        def calling(*args: Any, **kwargs: Any) -> Any:
            name, strikes = self._called(method.__name__, args)
            for strike in strikes:
                self._before(strike, name)
            instead = next((strike.instead for strike in strikes if strike.instead is not None), None)
            result = instead(name) if instead is not None else method(*args, **kwargs)
            for strike in strikes:
                result = self._after(strike, name, result)
            return result

        return calling

    def _called(self, method: str, args: tuple[Any, ...]) -> tuple[str, list[Strike]]:
        """Count a call, and return its name and the faults that strike it."""
        name = _name_of(method, args)
        with self._lock:
            if self.dead:
                raise Crash(f"at {name}, after the process had died")
            self.calls.append(name)
            found = []
            for one in self._waiting:
                if one.strike.call not in ("*", method, name) or one.times == 0:
                    continue
                if one.passing:
                    one.passing -= 1
                    continue
                one.times = None if one.times is None else one.times - 1
                found.append(one.strike)
            self.struck += found
            return name, found

    def _before(self, strike: Strike, name: str) -> Any:
        return self._struck(strike.before, name) if strike.before is not None else None

    def _after(self, strike: Strike, name: str, result: Any) -> Any:
        return self._struck(strike.after, name, result) if strike.after is not None else result

    def _struck(self, what: Callable[..., Any], *about: Any) -> Any:
        try:
            return what(*about)
        except Crash:
            self.dead = True
            raise


class _Struck:
    """A port with faults around it. What is no method of its port is the port's own."""

    def __init__(self, port: object, faults: Faults) -> None:
        self._port = port
        self._faults = faults

    def __repr__(self) -> str:
        return f"<faults around {self._port!r}>"

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return found if name.startswith("_") or not callable(found) else self._faults._guarded(found)


def _name_of(method: str, args: tuple[Any, ...]) -> str:
    """Return the endpoint of an exchange, the kind of an effect, or the method's own name."""
    about = args[0] if args else None
    if isinstance(about, Request):
        return str(about.endpoint)
    return type(about).__name__ if method == "perform" else method


def _then(paused: object, result: Any) -> Any:
    """Return what a call returned, when a pause is over."""
    if not isinstance(paused, Awaitable):
        return result

    async def later() -> Any:
        await paused
        return result

    return later()


async def _awaited(found: Any) -> Any:
    return await found if isinstance(found, Awaitable) else found


# -- dying everywhere -----------------------------------------------------------------------------------------------------


def every_crash(life: Callable[[Faults], T]) -> Iterator[tuple[str, T]]:
    """Live through a story once without a fault, and then once for each call that was made: dying before it, and after it.

    `life` makes a new world each time, works in it behind the faults that it is given, catches `Crash`, goes on without
    them, and returns what you want to look at. Yields where the process died ("after call 7, /finish") and what it returned.

    >>> def life(faults):
    ...     done = []
    ...     work = faults.around(Work(done))
    ...     try:
    ...         work.begin()
    ...         work.end()
    ...     except Crash:
    ...         pass
    ...     return done
    >>> class Work:
    ...     def __init__(self, done):
    ...         self.done = done
    ...     def begin(self):
    ...         self.done.append("begun")
    ...     def end(self):
    ...         self.done.append("ended")
    >>> for where, done in every_crash(life):
    ...     print(where, done)
    before call 0, begin []
    after call 0, begin ['begun']
    before call 1, end ['begun']
    after call 1, end ['begun', 'ended']
    """
    calm = Faults()
    life(calm)
    for at, name in enumerate(calm.calls):
        for after in (False, True):
            faults = Faults(crash(at=at, after=after))
            found = life(faults)
            if not faults.dead:
                raise AssertionError(f"life {at} made fewer calls than the first: it is not the same story")
            yield f"{'after' if after else 'before'} call {at}, {name}", found
