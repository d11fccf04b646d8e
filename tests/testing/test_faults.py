"""The faults that hosts put around their own stack strike where they were told to, and nowhere else."""

import inspect
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import anyio
import pytest

from cybertip import protocol
from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.memory import AsyncMemoryStorage, MemoryStorage
from cybertip.drivers import AsyncDriver, Driver
from cybertip.errors import AdapterError, Conflict, InDoubt, NeverSent
from cybertip.filing.effects import Now, Read
from cybertip.model import ReportId
from cybertip.ports.policing import policed
from cybertip.protocol import Answer
from cybertip.sandbox import Ncmec
from cybertip.testing.clock import START, ShiftedClock, VirtualClock, WrongClock
from cybertip.testing.faults import (
    Crash,
    Faults,
    Strike,
    answered,
    away,
    corrupt,
    crash,
    every_crash,
    lost_answer,
    lost_request,
    never_sent,
    slow,
    unreadable,
)
from cybertip.testing.simulation import SandboxWire


class Counting:
    """A transport that counts what gets through, and answers with the count."""

    def __init__(self) -> None:
        self.arrived = 0

    def exchange(self, request: Any, content: Any = None) -> Answer:
        self.arrived += 1
        return Answer(status=200 + self.arrived)


class AsyncCounting(Counting):
    async def exchange(self, request: Any, content: Any = None) -> Answer:  # type: ignore[override] # the other colour
        return super().exchange(request, content)


@pytest.fixture(params=[None, "asyncio", "trio"], ids=["sync", "asyncio", "trio"])
def made(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A function that calls what is sync or async and returns what comes of it."""

    def call(method: Callable[..., Any], *args: Any) -> Any:
        if request.param is None:
            return method(*args)
        return anyio.run(method, *args, backend=request.param)

    call.counting = Counting if request.param is None else AsyncCounting  # type: ignore[attr-defined] # beside it
    return call


@pytest.mark.parametrize(
    ("strike", "error", "arrived"),
    [
        (never_sent("/finish"), NeverSent, 0),
        (lost_request("/finish"), InDoubt, 0),
        (lost_answer("/finish"), InDoubt, 1),
        (crash("/finish"), Crash, 0),
        (crash("/finish", after=True), Crash, 1),
        (away("exchange"), AdapterError, 0),
        (away("*", after=True), AdapterError, 1),
    ],
    ids=["never sent", "lost request", "lost answer", "crash before", "crash after", "away", "away after"],
)
def test_a_fault_strikes_once_and_says_what_it_means(made: Any, strike: Strike, error: Any, arrived: int) -> None:
    """Each fault raises its error in both colours, with the effect that it promises at NCMEC, and the next call passes."""
    transport = made.counting()
    faults = Faults(strike)
    around = faults.around(transport)
    with pytest.raises(error):
        made(around.exchange, protocol.finish(ReportId(1)))
    assert transport.arrived == arrived
    assert faults.struck == [strike]
    if error is not Crash:
        assert made(around.exchange, protocol.status()).status == 201 + arrived
        assert faults.calls == ["/finish", "/status"]


def test_other_calls_pass(made: Any) -> None:
    """A fault at one endpoint leaves the others alone."""
    faults = Faults(lost_answer("/finish"))
    assert made(faults.around(made.counting()).exchange, protocol.status()).status == 201
    assert faults.struck == []


def test_where_it_strikes_can_be_told(made: Any) -> None:
    """`at` lets calls pass, `times` strikes several, None strikes for ever."""
    transport = made.counting()
    around = Faults(lost_request(at=1, times=2)).around(transport)

    def works() -> bool:
        with suppress(InDoubt):
            made(around.exchange, protocol.status())
            return True
        return False

    assert [works() for _ in range(5)] == [True, False, False, True, True]
    around = Faults(lost_request(times=None)).around(transport)
    assert not any(works() for _ in range(5))


def test_an_answer_can_be_changed_or_come_from_elsewhere(made: Any) -> None:
    """`corrupt` changes what NCMEC answered; `answered` keeps the request from NCMEC."""
    transport = made.counting()
    strikes = [corrupt("/status", lambda answer: answer.status * 2), answered("/status", "gateway", at=1)]
    around = Faults(*strikes).around(transport)
    assert made(around.exchange, protocol.status()) == 402
    assert made(around.exchange, protocol.status()) == "gateway"
    assert transport.arrived == 1


def test_a_slow_call_takes_the_time_that_it_is_told(made: Any) -> None:
    """`slow` lets time pass before a call takes effect, or after it: an async pause is awaited."""
    clock, transport = VirtualClock(), made.counting()
    seen: list[tuple[timedelta, int]] = []

    def pause() -> Any:
        clock.advance(timedelta(hours=1))
        seen.append((clock.now() - START, transport.arrived))
        return anyio.sleep(0.001) if isinstance(transport, AsyncCounting) else None

    around = Faults(slow("/status", pause), slow("/status", pause, at=1, after=True)).around(transport)
    for status in (201, 202):
        assert made(around.exchange, protocol.status()).status == status
    assert seen == [(timedelta(hours=1), 0), (timedelta(hours=2), 2)]


def test_the_dead_do_nothing_more() -> None:
    """After a crash, everything behind the same faults raises `Crash` and has no effect: the process is gone."""
    faults = Faults(crash("read", after=True))
    storage, transport = MemoryStorage(), Counting()
    around_storage, around_transport = faults.around(storage), faults.around(transport)
    assert around_storage.next_due(now=START) is None
    assert not faults.dead
    with pytest.raises(Crash):
        around_storage.read("case-1")
    assert faults.dead
    with pytest.raises(Crash):
        around_transport.exchange(protocol.status())
    with pytest.raises(Crash):
        around_storage.next_due(now=START)
    assert transport.arrived == 0
    assert faults.calls == ["next_due", "read"]


def test_no_handler_of_errors_sees_a_crash() -> None:
    """What catches errors, ours and the port's police among them, does not catch a crash."""
    storage = policed(Faults(crash("read")).around(MemoryStorage()))
    with pytest.raises(Crash), suppress(Exception):
        storage.read("case-1")


def test_evidence_can_be_unreadable_or_other() -> None:
    """A store of evidence fails as a disk does, or has other bytes than it was given."""
    evidence = MemoryEvidence({"a": b"synthetic"})
    around = Faults(unreadable(), corrupt("open", lambda file: BytesIO(file.read()[::-1]), at=1)).around(evidence)
    with pytest.raises(OSError, match="disk"):
        around.open("a")
    assert around.open("a").read() == b"citehtnys"
    assert around.open("a").read() == b"synthetic"
    assert around.kept == {"a": b"synthetic"}


def test_a_drivers_effects_are_calls_too() -> None:
    """Around a driver, in either colour, faults strike at effects, by their names."""
    ports: Any = {"evidence": MemoryEvidence(), "clock": VirtualClock(), "lease_for": timedelta(minutes=5)}
    faults = Faults(crash("Read", after=True))
    driver = faults.around(Driver(storage=MemoryStorage(), transport=Counting(), **ports))
    assert driver.perform(Now()) == START
    with pytest.raises(Crash):
        driver.perform(Read("case-1"))
    assert faults.calls == ["Now", "Read"]
    faults = Faults(crash("Read"))
    other = faults.around(AsyncDriver(storage=AsyncMemoryStorage(), transport=AsyncCounting(), **ports))

    async def main() -> None:
        assert await other.perform(Now()) == START
        await other.perform(Read("case-1"))

    with pytest.raises(Crash):
        anyio.run(main)
    assert faults.calls == ["Now", "Read"]


def test_what_is_around_a_port_passes_for_it() -> None:
    """Attributes that are no methods are the port's own, private ones included, and its repr names it."""
    storage = AsyncMemoryStorage()
    around = Faults().around(storage)
    assert around._storage is storage._storage
    assert inspect.iscoroutinefunction(around.read)
    assert repr(Faults().around(MemoryEvidence({"a": b""}))) == "<faults around <MemoryEvidence of 1>>"


def test_every_crash_finds_what_a_crash_breaks() -> None:
    """A program that does two things that belong together is found out at the call between them."""

    def life(faults: Faults) -> list[str]:
        done: list[str] = []

        class Port:
            def take(self) -> None:
                done.append("taken")

            def give(self) -> None:
                done.append("given")

        port = faults.around(Port())
        with suppress(Crash):
            port.take()
            port.give()
        return done

    found = dict(every_crash(life))
    assert [where for where, done in found.items() if done == ["taken"]] == [
        "after call 0, take",
        "before call 1, give",
    ]
    assert len(found) == 4


def test_every_crash_wants_the_same_story_each_time() -> None:
    """A story that is shorter the second time proves nothing, and says so."""
    stories = iter((2, 0))

    def life(faults: Faults) -> None:
        with suppress(Crash):
            for _ in range(next(stories)):
                faults.around(MemoryStorage()).read("case-1")

    with pytest.raises(AssertionError, match="not the same story"):
        list(every_crash(life))


def test_names_of_calls_quote_nothing() -> None:
    """What is recorded of a call is its method or its endpoint: no argument."""
    faults = Faults(away("read"))
    with pytest.raises(AdapterError) as raised:
        faults.around(MemoryStorage()).read("canary")
    assert "canary" not in f"{raised.value}{faults.calls}{faults.struck}"


def test_the_sandbox_wire_speaks_to_the_double() -> None:
    """A wire without a socket authenticates and carries as a transport does."""
    ncmec = Ncmec()
    assert SandboxWire(ncmec).exchange(protocol.status()).status == 200
    stranger = protocol.Credentials(username="stranger", password="synthetic")
    assert SandboxWire(ncmec, stranger).exchange(protocol.status()).status == 401


def test_clocks_stand_still_run_and_are_wrong() -> None:
    """The public clocks: one that moves when it is told, one that runs with another, and one that is off."""
    true = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    wrong, ahead = WrongClock(true, off=timedelta(hours=-1)), ShiftedClock(true.now)
    true.advance(timedelta(minutes=5))
    ahead.advance(timedelta(days=1))
    assert true.now() == datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
    assert wrong.now() == datetime(2025, 12, 31, 23, 5, tzinfo=UTC)
    assert ahead.now() == datetime(2026, 1, 2, 0, 5, tzinfo=UTC)
    wrong.off = timedelta(hours=1)
    assert wrong.now() == datetime(2026, 1, 1, 1, 5, tzinfo=UTC)


def test_a_conflict_passes_through_faults() -> None:
    """Faults change nothing else: what a port raises by itself is raised."""

    class Port:
        def append(self) -> None:
            raise Conflict("the journal went on meanwhile", key="case-1")

    with pytest.raises(Conflict, match="went on"):
        Faults(corrupt("append", lambda result: result)).around(Port()).append()
