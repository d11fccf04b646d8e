"""A world in which one thing goes wrong: a NCMEC double, a storage, evidence and a clock; couriers come and go in it."""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.courier import Courier
from cybertip.drivers import Driver
from cybertip.errors import UnknownEvent
from cybertip.filing import Filing, Journal, Policy, Status, Submission
from cybertip.filing.events import Event, Intended, decode
from cybertip.filing.flows import ALARM, RECEIPT, deliver
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
from cybertip.ports.evidence import Evidence, entry_of
from cybertip.ports.storage import Letter, Storage
from cybertip.ports.transport import Transport
from cybertip.protocol import Answer, Environment, Request
from cybertip.sandbox import Behaviour, Ncmec
from cybertip.testing.clock import START, VirtualClock
from cybertip.testing.faults import Crash, Faults
from cybertip.testing.simulation import SandboxWire, check_history

ENVIRONMENT = Environment.sandbox("http://127.0.0.1")
KEY = "case-1"
LEASE = timedelta(minutes=5)

#: What is filed: for each file, whether anything is said of it.
SHAPES: tuple[tuple[bool, ...], ...] = ((), (False,), (True,), (True, False), (True, True))


def report(user: str, **more: Any) -> Report:
    """Return a report that NCMEC takes, about one user."""
    return Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
        ),
        reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
        persons_or_users_reported=(PersonOrUserReported(esp_identifier=user),),
        **more,
    )


#: What each call is to, and what a reply of NCMEC's is called.
ENDPOINTS = {
    "submit": "/submit",
    "upload": "/upload",
    "describe": "/fileinfo",
    "finish": "/finish",
    "retract": "/retract",
}
_ANYONES = {"observed", "overridden", "suspended", "withdrawn"}


def reply(code: int, *, status: int = 200, root: str = "reportResponse", **fields: object) -> Answer:
    """Return a reply of NCMEC's with a code."""
    more = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    text = f"<{root}><responseCode>{code}</responseCode>{more}</{root}>"
    return Answer(status=status, headers=(("Request-ID", "abc"),), body=text.encode())


class Unrecorded(BaseException):
    """Something was sent that was not recorded before. No code that handles errors may hide it."""


class Wire(SandboxWire):
    """Carries to the double what is intended on disk, and nothing else; notes what was sent, and when."""

    def __init__(self, world: "World") -> None:
        super().__init__(world.ncmec)
        self._world = world

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        world, endpoint = self._world, str(request.endpoint)
        if endpoint != "/status" and endpoint not in map(world.begun, world.filings):
            raise Unrecorded(f"{endpoint} was sent, and nothing of it is on disk")
        world.sent.append((world.time.now(), endpoint))
        return super().exchange(request, content)


class World:
    """One platform and its NCMEC. What is filed in it is remembered, for the history check.

    Args:
        storage: where journals are kept; by default in memory.
        behaviour: how the double behaves.
        policy: how patient the platform's workers are.
    """

    def __init__(
        self, *, storage: Storage | None = None, behaviour: Behaviour | None = None, policy: Policy | None = None
    ) -> None:
        self.time = VirtualClock(START)
        self.ncmec = Ncmec(behaviour, clock=self.time)
        self.storage: Storage = storage or MemoryStorage()
        self.evidence: Evidence = MemoryEvidence()
        self.policy = policy or Policy()
        self.filings: dict[str, Filing] = {}
        #: What came to NCMEC, and when.
        self.sent: list[tuple[datetime, str]] = []

    # -- the platform -----------------------------------------------------------------------------------------------------

    def filing(self, *described: bool, key: str = KEY) -> Filing:
        """Return a filing with a file for each argument, which says whether anything is said of it."""
        entries = []
        for number, one in enumerate(described):
            reference = f"{key}/{number}"
            assert isinstance(self.evidence, MemoryEvidence)
            self.evidence.kept[reference] = f"synthetic bytes of {reference}".encode()
            description = FileDescription(file_viewed_by_esp=False) if one else None
            entries.append(entry_of(self.evidence, reference, name=f"{number}.bin", description=description))
        return Filing(report=report(key), files=tuple(entries))

    def file(self, *described: bool, key: str = KEY, **options: Any) -> Filing:
        """File something under a key, and return what."""
        self.filings[key] = self.filing(*described, key=key)
        self.courier().file(self.filings[key], key=key, **options)
        return self.filings[key]

    def courier(self, faults: Faults | None = None, **options: Any) -> Courier:
        """Return a courier of this platform's, behind faults where there are any."""
        ports: dict[str, Any] = {
            "storage": self.storage,
            "evidence": self.evidence,
            "transport": Wire(self),
            "clock": self.time,
        }
        ports |= {name: options.pop(name) for name in list(ports) if name in options}
        if faults is not None:
            ports |= {name: faults.around(ports[name]) for name in ("storage", "evidence", "transport")}
        return Courier(ENVIRONMENT, policy=self.policy, lease_for=LEASE, **ports, **options)

    def work(self, faults: Faults, *, key: str = KEY, transport: Transport | None = None) -> Journal | None:
        """Deliver a submission, one effect after the other, with faults around the driver; None if it crashed."""
        now = self.time.now()
        claim = self.storage.claim(key, token=f"worker at {now}", now=now, until=now + LEASE)
        assert claim is not None
        driver = Driver(
            storage=self.storage,
            transport=transport or Wire(self),
            evidence=self.evidence,
            clock=self.time,
            lease_for=LEASE,
            claim=claim,
        )
        with suppress(Crash):
            return faults.around(driver).run(deliver(key, environment=ENVIRONMENT.name, policy=self.policy))
        return None

    def settle(self, courier: Courier | None = None, *, limit: int = 500) -> None:
        """Let workers work until nothing is due any more, however long that takes."""
        courier = courier or self.courier()
        for _ in range(limit):
            courier.run_due()
            due_at = self.storage.next_due(now=self.time.now(), lanes=(ENVIRONMENT.name,))
            if due_at is None:
                return
            self.time.advance(max(due_at - self.time.now(), timedelta(seconds=1)))
        raise AssertionError("something is due for ever")

    def calls(self, endpoint: str | None = None) -> list[str]:
        """Return what came to NCMEC, at one endpoint or at all of them."""
        return [one for _, one in self.sent if endpoint in (None, one)]

    # -- what is known afterwards -----------------------------------------------------------------------------------------

    def check(self) -> None:
        """Check the whole history: each report once, with exactly its files, or retracted, or waiting for a person."""
        check_history(storage=self.storage, reports=self.ncmec.reports(), filings=self.filings, policy=self.policy)

    def state(self, key: str = KEY) -> Submission:
        """Return what follows from a journal."""
        return Journal.of(key, self.storage.read(key)).submission

    def status(self, key: str = KEY) -> Status:
        """Return how a submission stands."""
        return Journal.of(key, self.storage.read(key)).status

    def events(self, key: str = KEY) -> list[Event]:
        """Return what happened to a submission."""
        return [decode(entry.kind, entry.data) for entry in self.storage.read(key)]

    def kinds(self, key: str = KEY) -> list[str]:
        """Return what happened to a submission, in a word each; of calls, which one was begun."""
        return [
            str(event.call) if isinstance(event, Intended) else type(event).__name__.lower()
            for event in self.events(key)
        ]

    def begun(self, key: str) -> str | None:
        """Return the endpoint of the call that is under way by the journal; None where there is none."""
        try:
            kinds = [kind for kind in self.kinds(key) if kind not in _ANYONES]
        except UnknownEvent:
            return None
        return ENDPOINTS.get(kinds[-1]) if kinds else None

    def states(self) -> list[str]:
        """Return the state of each report that NCMEC ever opened."""
        return [report["state"] for report in self.ncmec.reports()]

    def letters(self, topic: str) -> list[Letter]:
        """Return the letters of a topic that wait."""
        far = self.time.now() + timedelta(days=400)
        taken = self.storage.take_letters(now=far, until=far, limit=1000, topics=(topic,))
        return list(taken)

    @property
    def alarms(self) -> list[str]:
        """The keys that people were called about, as often as they were."""
        return [letter.key for letter in self.letters(ALARM)]

    @property
    def receipts(self) -> list[str]:
        """The keys whose receipts were posted."""
        return [letter.key for letter in self.letters(RECEIPT)]

    def is_filed(self, key: str = KEY) -> None:
        """Demand that all is well in the end: one report, whole, with its receipt."""
        self.check()
        assert self.status(key) is Status.FINISHED
        assert self.receipts.count(key) == 1


@pytest.fixture
def world() -> World:
    """A world in which nothing was filed yet."""
    return World()


@pytest.fixture(params=SHAPES, ids=lambda shape: "+".join("described" if one else "plain" for one in shape) or "none")
def shape(request: pytest.FixtureRequest) -> tuple[bool, ...]:
    """Each kind of filing: none, one and two files, described or not."""
    found: tuple[bool, ...] = request.param
    return found


@pytest.fixture
def new_world() -> Callable[..., World]:
    """A function that makes a world."""
    return World


@pytest.fixture
def kit() -> Any:
    """The helpers above, for tests in other files."""
    return sys.modules[__name__]
