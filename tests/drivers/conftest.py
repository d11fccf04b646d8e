"""A world for couriers of both colours: one clock, one NCMEC double, one script of what happens to whom and when."""

import sys
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import attrs
import pytest
from hypothesis import strategies as st

from cybertip.adapters.evidence import MemoryEvidence
from cybertip.courier import AsyncCourier, Courier
from cybertip.errors import CybertipError, InDoubt, NeverSent
from cybertip.filing import Entry, Filing, Policy
from cybertip.model import (
    Email,
    FileDescription,
    IncidentSummary,
    IncidentType,
    Person,
    PersonOrUserReported,
    Report,
    Reporter,
)
from cybertip.ports.evidence import entry_of
from cybertip.ports.storage import Head
from cybertip.protocol import Answer, Environment, Request
from cybertip.sandbox import Behaviour, Ncmec, VirtualClock
from cybertip.testing.simulation import SandboxWire

ENVIRONMENT = Environment.sandbox("http://127.0.0.1:8025")
LEASE = timedelta(minutes=5)
KEYS = ("case-1", "case-2")
POLICY = Policy(failures=4, attempts=3, repeats=2)


class Death(BaseException):
    """The worker is gone, in the middle of what it did. No code of ours gets to see it."""


# -- what happens -------------------------------------------------------------------------------------------------------


@attrs.frozen
class File:
    """The host files something under a key."""

    key: str
    filing: int


@attrs.frozen
class Deliver:
    """A worker takes up one submission. It may die: at so many appends from here, before or after one."""

    key: str
    dies_at: int | None = None
    after: bool = False


@attrs.frozen
class RunDue:
    """A worker takes up what is due."""

    limit: int
    dies_at: int | None = None
    after: bool = False


@attrs.frozen
class Retract:
    """A person decides that a report must not be filed."""

    key: str


@attrs.frozen
class Override:
    """A person decides that a delivery goes on."""

    key: str


@attrs.frozen
class Wait:
    """Time passes."""

    seconds: int


@attrs.frozen
class Spoil:
    """The evidence is not what it was; or it is again."""

    spoiled: bool


Step = File | Deliver | RunDue | Retract | Override | Wait | Spoil

#: What becomes of an exchange.
FATES = (
    "fine",
    "never sent",
    "request lost",
    "answer lost",
    "broken off",
    "busy",
    "gateway",
    "garbled",
    "other bytes",
    "not allowed",
    "refused",
    "unknown code",
    "slow",
    "overtaken",
    "death before",
    "death after",
)

_keys = st.sampled_from(KEYS)
_deaths: dict[str, Any] = {"dies_at": st.none() | st.integers(0, 12), "after": st.booleans()}
_steps = st.one_of(
    st.builds(Deliver, key=_keys, **_deaths),
    st.builds(RunDue, limit=st.integers(1, 3), **_deaths),
    st.builds(Wait, st.sampled_from((1, 30, 301, 3600, 90_000))),
    st.builds(File, key=_keys, filing=st.integers(0, 2)),
    st.builds(Retract, key=_keys),
    st.builds(Override, key=_keys),
    st.builds(Spoil, st.booleans()),
)
_fates = st.integers(0, len(FATES) + 5).map(lambda number: FATES[max(0, number - 6)])


@attrs.frozen
class Script:
    """What happens, and what becomes of one exchange after the other; those beyond the last are fine."""

    steps: tuple[Step, ...]
    fates: tuple[str, ...] = ()


#: How each script ends: whatever stands open is taken up until it is settled, or a person is called for it.
END: tuple[Step, ...] = (
    Spoil(False),
    *(Wait(301), RunDue(3), Wait(3_700), RunDue(3)),
    *map(Override, KEYS),
    *(Wait(3_700), RunDue(3), Wait(90_000), RunDue(3)),
)

#: Scripts that begin with a filing, for without one there is nothing to see.
scripts = st.builds(
    lambda filing, steps, fates: Script((File(KEYS[0], filing), *steps, *END), tuple(fates)),
    st.integers(0, 2),
    st.lists(_steps, min_size=2, max_size=14),
    st.lists(_fates, max_size=25),
)


# -- whom it happens to -------------------------------------------------------------------------------------------------


class World:
    """Play a script. Everything in it is reckoned, so that two worlds with one script are the same world."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.ncmec = Ncmec(Behaviour(seed=7), clock=self.clock)
        self.evidence = MemoryEvidence({f"{number}": f"synthetic bytes {number}".encode() for number in range(2)})
        self.filings = tuple(self._filing(files) for files in ((), ((0, True),), ((0, False), (1, True))))
        self.fates = list(reversed(script.fates))
        #: Another worker, of the colour of the first.
        self.rival: Any = None
        self.dead = False
        self.dies_in: int | None = None
        self.after = False

    def _filing(self, files: tuple[tuple[int, bool], ...]) -> Filing:
        report = Report(
            incident_summary=IncidentSummary(
                incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
            ),
            reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
            persons_or_users_reported=(PersonOrUserReported(esp_identifier="user-1"),),
        )
        entries = [
            entry_of(
                self.evidence,
                str(number),
                name=f"{number}.bin",
                description=FileDescription(file_viewed_by_esp=False) if described else None,
            )
            for number, described in files
        ]
        return Filing(report=report, files=tuple(entries))

    def calls(self) -> Iterator[Callable[[Any], Any]]:
        """Yield what is to be called of a courier, of either colour, one after the other."""
        for step in self.script.steps:
            self.dead, self.dies_in = False, None
            if isinstance(step, Deliver | RunDue):
                self.dies_in, self.after = step.dies_at, step.after
            if isinstance(step, Wait):
                self.clock.advance(timedelta(seconds=step.seconds))
            elif isinstance(step, Spoil):
                self.evidence.kept["0"] = b"spoiled" if step.spoiled else b"synthetic bytes 0"
            else:
                yield partial(self._call, step)
        self.dead, self.dies_in = False, None

    def _call(self, step: Step, courier: Any) -> Any:
        match step:
            case File(key, filing):
                return courier.file(self.filings[filing], key=key, tenant=key)
            case Deliver(key):
                return courier.deliver(key)
            case RunDue(limit):
                return courier.run_due(limit=limit)
            case Retract(key):
                return courier.retract(key, actor="reviewer", reason="filed by mistake")
            case Override(key):
                return courier.override(key, actor="reviewer", reason="looked at")

    # -- storage that a worker's death cuts off -----------------------------------------------------------------------------

    def check(self, method: str, *, before: bool) -> None:
        """Die here, if it is time to."""
        if self.dead:
            raise Death
        if method == "append" and self.dies_in is not None and self.after is not before:
            if self.dies_in == 0:
                self.die()
            self.dies_in -= 1

    def die(self) -> None:
        self.dead = True
        raise Death

    # -- the wire -----------------------------------------------------------------------------------------------------------

    def is_overtaken(self) -> bool:
        """Tell whether the worker stands still before its call for so long that another takes over."""
        if self.fates and self.fates[-1] == "overtaken":
            self.fates.pop()
            self.clock.advance(2 * LEASE)
            return True
        return False

    def exchange(self, request: Request[Any], parts: list[bytes]) -> Answer:
        """Carry a request as its fate wants it."""
        fate, endpoint = self.fates.pop() if self.fates else "fine", str(request.endpoint)
        self.clock.advance(timedelta(seconds=1))
        if fate == "never sent":
            raise NeverSent(endpoint=endpoint, reason="no connection")
        if fate in ("request lost", "broken off"):
            raise InDoubt(endpoint=endpoint, reason=fate)
        if fate == "death before":
            self.die()
        replies = {
            "busy": Answer(status=503, headers=(("Retry-After", "30"),)),
            "not allowed": Answer(status=401),
            "refused": _reply(4100),
            "unknown code": _reply(6000),
        }
        if fate in replies:
            return replies[fate]
        if fate == "slow":
            self.clock.advance(LEASE)
        if fate == "other bytes":
            parts = [b"x" * len(part) for part in parts]
        answer = SandboxWire(self.ncmec).exchange(request, parts)
        if fate == "answer lost":
            raise InDoubt(endpoint=endpoint, reason=fate)
        if fate == "death after":
            self.die()
        if fate == "gateway":
            return Answer(status=502, body=b"<html>gateway</html>")
        return Answer(status=200, body=answer.body[:20]) if fate == "garbled" else answer


def _reply(code: int) -> Answer:
    return Answer(status=200, body=f"<reportResponse><responseCode>{code}</responseCode></reportResponse>".encode())


class _Wire:
    def __init__(self, world: World) -> None:
        self._world = world

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        if self._world.is_overtaken():
            self._world.rival.run_due(limit=1)
        return self._world.exchange(request, list(content or ()))


class _AsyncWire:
    def __init__(self, world: World) -> None:
        self._world = world

    async def exchange(self, request: Request[Any], content: AsyncIterable[bytes] | None = None) -> Answer:
        if self._world.is_overtaken():
            await self._world.rival.run_due(limit=1)
        parts = [part async for part in content] if content is not None else []
        return self._world.exchange(request, parts)


class _Mortal:
    """Storage as one worker sees it: when the worker dies, it reaches it no more."""

    def __init__(self, world: World, storage: Any) -> None:
        self._world, self._storage = world, storage

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._storage, name)

        def mortal(*args: Any, **kwargs: Any) -> Any:
            self._world.check(name, before=True)
            found = method(*args, **kwargs)
            self._world.check(name, before=False)
            return found

        return mortal


class _AsyncMortal:
    """Async storage as one worker sees it."""

    def __init__(self, world: World, storage: Any) -> None:
        self._world, self._storage = world, storage

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._storage, name)

        async def mortal(*args: Any, **kwargs: Any) -> Any:
            self._world.check(name, before=True)
            found = await method(*args, **kwargs)
            self._world.check(name, before=False)
            return found

        return mortal


# -- what came of it ----------------------------------------------------------------------------------------------------


@attrs.frozen
class Outcome:
    """All that can be seen afterwards."""

    journals: dict[str, tuple[Entry, ...]]
    heads: tuple[Head, ...]
    letters: tuple[Any, ...]
    #: What each call returned, or the kind of its error.
    results: tuple[Any, ...]
    reports: tuple[Any, ...]
    #: Where each report stands at NCMEC.
    states: tuple[str, ...]
    hooks: tuple[Any, ...]

    @property
    def kinds(self) -> set[str]:
        """The kinds of events in the journals."""
        return {entry.kind.partition("/")[0] for entries in self.journals.values() for entry in entries}


def _failed(error: BaseException) -> str:
    """Return what is seen of an error; tasks raise a group, of a worker and of what started it, who die together."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, CybertipError | Death):
        raise error
    return f"{type(error).__name__} {error}"


def _settings(world: World, hooks: list[Any]) -> dict[str, Any]:
    return {
        "evidence": world.evidence,
        "policy": POLICY,
        "clock": world.clock,
        "lease_for": LEASE,
        "watch": lambda journal: hooks.append((journal.key, journal.version, journal.status)),
        "progress": lambda *about: hooks.append(about),
    }


def _outcome(world: World, *seen: Any) -> Outcome:
    reports = tuple(world.ncmec.reports())
    journals, heads, letters, results, hooks = seen
    states = tuple(report["state"] for report in reports)
    return Outcome(journals, heads, letters, tuple(results), reports, states, tuple(hooks))


def play(script: Script, storage: Any) -> Outcome:
    """Play a script with couriers."""
    world, results, hooks = World(script), list[Any](), list[Any]()
    parts: dict[str, Any] = {"storage": _Mortal(world, storage), "transport": _Wire(world), **_settings(world, hooks)}
    courier, world.rival = (Courier(ENVIRONMENT, worker=name, **parts) for name in ("worker-1", "worker-2"))
    for call in world.calls():
        try:
            results.append(call(courier))
        except BaseException as error:
            results.append(_failed(error))
    journals = {key: storage.read(key) for key in KEYS}
    now = world.clock.now()
    letters = storage.take_letters(now=now, until=now, limit=100)
    return _outcome(world, journals, storage.heads(), letters, results, hooks)


async def async_play(script: Script, storage: Any) -> Outcome:
    """Play a script with async couriers."""
    world, results, hooks = World(script), list[Any](), list[Any]()
    mortal, wire = _AsyncMortal(world, storage), _AsyncWire(world)
    parts: dict[str, Any] = {"storage": mortal, "transport": wire, **_settings(world, hooks)}
    courier, world.rival = (AsyncCourier(ENVIRONMENT, worker=name, **parts) for name in ("worker-1", "worker-2"))
    for call in world.calls():
        try:
            results.append(await call(courier))
        except BaseException as error:
            results.append(_failed(error))
    journals = {key: await storage.read(key) for key in KEYS}
    now = world.clock.now()
    letters = await storage.take_letters(now=now, until=now, limit=100)
    return _outcome(world, journals, await storage.heads(), letters, results, hooks)


@pytest.fixture(scope="session")
def kit() -> Any:
    """The helpers above, for tests in other files."""
    return sys.modules[__name__]
