"""What the tests of the couriers share: a world to file in, and three colours, so that each test is written once."""

import sys
import threading
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from cybertip.adapters.bridge import LiftedQueue
from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.memory import AsyncMemoryStorage, MemoryStorage
from cybertip.courier import AsyncCourier, Courier
from cybertip.filing import Filing, Journal
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
from cybertip.protocol import Answer, Credentials, Environment, Request
from cybertip.sandbox import Behaviour, Ncmec, VirtualClock
from cybertip.testing.simulation import SandboxWire

SANDBOX = Environment.sandbox("http://127.0.0.1:8025")
CREDENTIALS = Credentials(username="sandbox", password="sandbox")
LEASE = timedelta(minutes=5)
#: How long a test waits for what has to come, in seconds; it passes only where something is wrong.
PATIENCE = 60


class Wire:
    """Carry exchanges to the world's NCMEC, and let tests in between: before a call leaves, and after its answer came."""

    def __init__(self, ncmec: Ncmec) -> None:
        self._wire = SandboxWire(ncmec)
        #: The endpoints that were called, in order, with the report's number where it has one.
        self.calls: list[tuple[str, int | None]] = []
        #: Called with each request before it leaves; an answer of its own is what comes back, and what it raises is raised.
        self.before: Callable[[Request[Any]], Answer | None] = lambda request: None
        self.after: Callable[[Request[Any]], object] = lambda request: None

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        self.calls.append((str(request.endpoint), request.report_id))
        parts = list(content or ())
        answer = self.before(request)
        if answer is None:
            answer = self._wire.exchange(request, parts)
        self.after(request)
        return answer

    @property
    def endpoints(self) -> list[str]:
        return [endpoint for endpoint, _ in self.calls]


class _AsyncWire:
    """The same wire for async couriers; it may block, and so it is asked in a thread."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire

    async def exchange(self, request: Request[Any], content: AsyncIterable[bytes] | None = None) -> Answer:
        parts = [part async for part in content] if content is not None else []
        answer: Answer = await anyio.to_thread.run_sync(partial(self._wire.exchange, request, parts))
        return answer


class Colour:
    """Make couriers of one colour that are used without a colour."""

    def __init__(self, backend: str | None, stack: ExitStack) -> None:
        self.backend = backend
        self._portal: BlockingPortal | None = None
        if backend is not None:
            self._portal = stack.enter_context(start_blocking_portal(backend))
        self._threads = stack.enter_context(ThreadPoolExecutor(8))

    def __repr__(self) -> str:
        return self.backend or "sync"

    def courier(self, *args: Any, storage: Any, transport: Any = None, **settings: Any) -> Any:
        """Make a courier from sync parts: storage in memory, or a subclass of it that does anything, a wire, a queue."""
        if self._portal is None:
            return Courier(*args, storage=storage, transport=transport, **settings)
        if "queue" in settings:
            settings["queue"] = LiftedQueue(settings["queue"])
        portal, wire = self._portal, None if transport is None else _AsyncWire(transport)

        def make() -> AsyncCourier:
            return AsyncCourier(*args, storage=AsyncMemoryStorage(storage), transport=wire, **settings)

        return _Blocking(portal, portal.call(make))

    def handler(self, work: Callable[[Any], object]) -> Any:
        """Return a handler of letters in the courier's colour."""
        if self._portal is None:
            return work

        async def handle(letter: Any) -> None:
            work(letter)

        return handle

    def stop(self) -> Any:
        """Return an event that stops a worker, with `set`; `event` is what the courier takes."""
        return _Stop(self._portal)

    def begin(self, call: Callable[..., Any], *args: Any, **settings: Any) -> "Future[Any]":
        """Call a method in the background."""
        return self._threads.submit(call, *args, **settings)


class _Blocking:
    """An async courier whose methods are called in its event loop, from any thread."""

    def __init__(self, portal: BlockingPortal, courier: AsyncCourier) -> None:
        self._portal, self.courier = portal, courier

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.courier, "aclose" if name == "close" else name)
        return lambda *args, **kwargs: self._portal.call(partial(found, *args, **kwargs))


class _Stop:
    def __init__(self, portal: BlockingPortal | None) -> None:
        self._portal = portal
        self.event: Any = threading.Event() if portal is None else portal.call(anyio.Event)

    def set(self) -> None:
        if self._portal is None:
            self.event.set()
        else:
            self._portal.call(self.event.set)


class World:
    """One storage, one NCMEC, one clock, and couriers of one colour."""

    def __init__(self, colour: Colour) -> None:
        self.colour = colour
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.ncmec = Ncmec(Behaviour(), clock=self.clock)
        self.storage: Any = MemoryStorage()
        self.evidence = MemoryEvidence()
        self.wire = Wire(self.ncmec)

    def courier(self, environment: Environment = SANDBOX, *args: Any, **settings: Any) -> Any:
        """Make a courier."""
        parts = {
            "storage": self.storage,
            "transport": self.wire,
            "evidence": self.evidence,
            "clock": self.clock,
            "lease_for": LEASE,
        }
        return self.colour.courier(environment, *args, **parts | settings)

    def filing(self, *described: bool, user: str = "user-1", **report: Any) -> Filing:
        """Return a filing with one file for each argument, which says whether there are details of it."""
        entries = []
        for number, one in enumerate(described):
            reference = f"{user}/{number}"
            self.evidence.kept[reference] = f"synthetic bytes of {reference}".encode()
            description = FileDescription(file_viewed_by_esp=False) if one else None
            entries.append(entry_of(self.evidence, reference, name=f"{number}.bin", description=description))
        parts: dict[str, Any] = {
            "incident_summary": IncidentSummary(
                incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
            ),
            "reporter": Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
            "persons_or_users_reported": (PersonOrUserReported(esp_identifier=user),),
        }
        return Filing(report=Report(**parts | report), files=tuple(entries))

    def pass_time(self, seconds: float = 3600) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def journal(self, key: str) -> Journal:
        """Return a submission's journal as storage has it."""
        return Journal.of(key, self.storage.read(key))

    def kinds(self, key: str) -> list[str]:
        """Return the kinds of a submission's events."""
        return [entry.kind.partition("/")[0] for entry in self.storage.read(key)]

    def states(self) -> list[str]:
        """Return where each report at NCMEC stands, in the order in which they were opened."""
        return [report["state"] for report in self.ncmec.reports()]


def reply(code: int) -> Answer:
    """Return a reply with a code."""
    body = f"<reportResponse><responseCode>{code}</responseCode></reportResponse>"
    return Answer(status=200, body=body.encode())


@pytest.fixture(params=[None, "asyncio", "trio"], ids=["sync", "asyncio", "trio"])
def colour(request: pytest.FixtureRequest) -> Iterator[Colour]:
    """Run a test with the sync courier, and with the async one on both event loops."""
    with ExitStack() as stack:
        yield Colour(request.param, stack)


@pytest.fixture
def world(colour: Colour) -> World:
    """A world of one colour."""
    return World(colour)


@pytest.fixture(scope="session")
def kit() -> Any:
    """The helpers above, for tests in other files."""
    return sys.modules[__name__]
