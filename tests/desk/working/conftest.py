"""What the tests of a desk's worker share: a platform that answers, or does not, and workers that can die anywhere."""

import hashlib
import io
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio.to_thread
import pytest
from anyio.from_thread import start_blocking_portal

from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.memory import AsyncMemoryStorage, MemoryStorage
from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision, Dismissed, MediaDecision, ThreadDecision
from cybertip.cases.enrichment import AdditionalInfo, AdditionalInfoRequest, nothing_known
from cybertip.cases.journal import CaseJournal
from cybertip.cases.notices import CaseEvent, Preservation
from cybertip.cases.profile import IncidentKind, Profile
from cybertip.cases.references import EvidenceId, ItemRef, MessageId, ReviewerId, SignalId, ThreadId, UserRef
from cybertip.cases.signals import Escalated, Media, Signal
from cybertip.cases.transcripts import Message
from cybertip.courier import AsyncCourier, Courier
from cybertip.desk.driving import AsyncHands, Hands
from cybertip.desk.following import follow
from cybertip.desk.office import Office
from cybertip.desk.placing import receive
from cybertip.desk.reviewing import claim, decide
from cybertip.desk.working import work
from cybertip.filing import Journal
from cybertip.filing.effects import Flow
from cybertip.model import IncidentType
from cybertip.ports.evidence import Keeps
from cybertip.ports.storage import Claim, Letter
from cybertip.ports.webhooks import Fetched
from cybertip.protocol import Answer, Environment, Request
from cybertip.sandbox import Behaviour, Ncmec, VirtualClock
from cybertip.testing.simulation import SandboxWire
from cybertip.webhooks.failures import WebhookError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(minutes=5)
ANN, BOB = ReviewerId("ann"), ReviewerId("bob")
USER, OTHER = UserRef(id="u1", type_id="user"), UserRef(id="u2", type_id="user")
THREAD = ThreadId("t1")
PROFILE = Profile(
    company_name="Example",
    reporter_email="safety@company.example",
    legal_url="https://company.example/legal",
    default_incident=IncidentKind.CHAT_IM,
    preservation_url="https://company.example/preserve",
    case_event_url="https://company.example/events",
)
SECRET = "https://media.example/m?token=do-not-tell"


def image(number: int = 1) -> ItemRef:
    """Return the name of a file."""
    return ItemRef(id=f"m{number}", type_id="image")


def kept(number: int = 1) -> Media:
    """Return a file whose bytes the host has kept."""
    return Media(ref=image(number), evidence=EvidenceId(f"e{number}"), uploaded_at=NOW - timedelta(hours=2))


def at_url(number: int = 1, url: str = SECRET) -> Media:
    """Return a file that has to be fetched."""
    return Media(ref=image(number), url=url, uploaded_at=NOW - timedelta(hours=2))


def signal(*media: Media, number: int = 1, **more: Any) -> Signal:
    """Return a signal about the user."""
    parts: dict[str, Any] = {
        "id": SignalId(f"s{number}"),
        "source": "chat",
        "at": NOW - timedelta(hours=1),
        "basis": "invented",
        "media": media,
        "creator": USER,
        "moderator": ReviewerId("mod"),
    }
    return Escalated(**parts | more)


def decision(*numbers: int, left_out: tuple[int, ...] = (), **said: Any) -> Decision:
    """Return the decision to report some files, and a text."""
    left = tuple(MediaDecision(media=image(one), include=False) for one in left_out)
    parts: dict[str, Any] = {
        "incident_type": IncidentType.CHILD_PORNOGRAPHY,
        "incident_at": NOW - timedelta(hours=2),
        "media": tuple(MediaDecision(media=image(one), include=True) for one in numbers) + left,
        "additional_info": "invented",
    }
    return Decision(**parts | said)


def conversation() -> dict[str, Any]:
    """Return what makes a decision one about a conversation."""
    return {"threads": (ThreadDecision(thread=THREAD, messages=(MessageId("1"), MessageId("2"))),)}


def messages(thread: ThreadId, ids: tuple[MessageId, ...]) -> Iterator[Message]:
    """Return messages, in the order in which they were sent."""
    for number, id in enumerate(ids):
        yield Message(id=id, thread=thread, sent_at=NOW + timedelta(minutes=number), sender=USER, text=f"text {id}")


def digests(data: bytes) -> tuple[int, str, str]:
    """Return the size and the digests of bytes."""
    md5 = hashlib.md5(data, usedforsecurity=False)
    return len(data), hashlib.sha256(data).hexdigest(), md5.hexdigest()


class Platform:
    """The platform's endpoints and its media: each does what a test sets, and notes what it was asked."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.asked: list[tuple[str, AdditionalInfoRequest]] = []
        self.preserved: list[tuple[str, Preservation]] = []
        self.told: list[tuple[str, CaseEvent]] = []
        self.fetched: list[str] = []
        #: What each call fails with, as long as it does.
        self.fails: dict[str, WebhookError] = {}
        self.answer: Callable[[AdditionalInfoRequest], AdditionalInfo] = nothing_known
        self.files: dict[str, bytes] = {SECRET: b"synthetic picture"}
        #: How long each piece of a file takes, and what happens then.
        self.takes = timedelta(0)
        self.meanwhile: Callable[[], object] = lambda: None

    def additional_info(self, request: AdditionalInfoRequest, *, id: str) -> AdditionalInfo:
        self.asked.append((id, request))
        self._fail("ask")
        return self.answer(request)

    def preserve(self, notice: Preservation, *, id: str) -> None:
        self._fail("preserve")
        self.preserved.append((id, notice))

    def notify(self, event: CaseEvent, *, id: str) -> None:
        self._fail("notify")
        self.told.append((id, event))

    def fetch(self, url: str, *, into: Keeps, html: bool = False) -> Fetched:
        self.fetched.append(url)
        self._fail("fetch")
        data = self.files[url]
        reference = into.keep(_Slow(data, self))
        return Fetched(evidence=EvidenceId(reference), size=len(data), sha256="0" * 64, media_type="image/png")

    def _fail(self, call: str) -> None:
        if call in self.fails:
            raise self.fails[call]


class _Slow(io.BytesIO):
    """Bytes that take their time to arrive."""

    def __init__(self, data: bytes, platform: Platform) -> None:
        super().__init__(data)
        self._platform = platform

    def read(self, size: int | None = -1, /) -> bytes:
        self._platform.clock.advance(self._platform.takes)
        self._platform.meanwhile()
        return super().read(size)


class AsyncPlatform:
    """The same platform for async desks; it may block, and so it is asked in a thread."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._platform, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await anyio.to_thread.run_sync(partial(found, *args, **kwargs))

        return call


async def async_messages(thread: ThreadId, ids: tuple[MessageId, ...]) -> AsyncIterator[Message]:
    """Return messages as `messages` does."""
    for message in messages(thread, ids):
        yield message


class Died(Exception):
    """The worker's process is gone."""


def die() -> None:
    raise Died


class Luck:
    """Lets a worker live for a number of effects. Something happens when the last of them is done and nobody knows of it."""

    def __init__(self, effects: int | None = None, happens: Callable[[], object] = die) -> None:
        self.left, self._happens = effects, happens

    def spend(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                self._happens()


class _Mortal(Hands):
    luck: Luck

    def perform(self, effect: Any) -> Any:
        answer = super().perform(effect)
        self.luck.spend()
        return answer


class World:
    """One storage, one NCMEC, one platform and one clock; workers of one colour."""

    def __init__(
        self,
        colour: str | None = None,
        stack: ExitStack | None = None,
        *,
        profile: Profile = PROFILE,
        real: bool = True,
    ) -> None:
        self.clock = VirtualClock(NOW)
        self.storage: Any = MemoryStorage()
        self.evidence = MemoryEvidence({f"e{number}": f"synthetic {number}".encode() for number in range(1, 10)})
        self.platform = Platform(self.clock)
        self.ncmec = Ncmec(Behaviour(), clock=self.clock)
        self.wire = SandboxWire(self.ncmec)
        # Nothing leaves the process: the wire is the double's.
        environment = Environment.PRODUCTION if real else Environment.TEST
        self.office = Office(organisation="o1", environment=environment, profile=profile)
        self.luck = Luck()
        self._portal = None if colour is None or stack is None else stack.enter_context(start_blocking_portal(colour))
        self._tokens = 0
        parts: dict[str, Any] = {"evidence": self.evidence, "clock": self.clock, "lease_for": LEASE}
        self.courier = Courier(environment, storage=self.storage, transport=self.wire, **parts)
        self.parts: dict[str, Any] = {"evidence": self.evidence, "clock": self.clock, "resolve": None, "source": None}
        if self._portal is None:
            self.parts |= {
                "storage": self.storage,
                "courier": self.courier,
                "conversations": messages,
                "webhooks": self.platform,
                "media": self.platform,
            }
        else:
            lifted = AsyncMemoryStorage(self.storage)
            platform = AsyncPlatform(self.platform)
            self.parts |= {
                "storage": lifted,
                "courier": self._portal.call(
                    partial(AsyncCourier, environment, storage=lifted, transport=_AsyncWire(self.wire), **parts)
                ),
                "conversations": async_messages,
                "webhooks": platform,
                "media": platform,
            }

    # -- what people do -------------------------------------------------------------------------------------------------

    def receive(self, signal: Signal) -> str:
        """Bring a signal to its case, and return the case's key."""
        key = self.run(receive(self.office, signal)).case
        assert key is not None
        return str(key)

    def decide(self, key: str, decided: Decision | Dismissed) -> None:
        self.run(claim(self.office, key, reviewer=ANN, lasting=timedelta(minutes=15)))
        self.run(decide(self.office, key, decided, reviewer=ANN))

    def decided(self, *media: Media, **said: Any) -> str:
        """Return the key of a case whose kept files are to be reported."""
        key = self.receive(signal(*media))
        self.work()
        self.decide(key, decision(*(int(one.ref.id[1:]) for one in media), **said))
        return key

    # -- what workers do ------------------------------------------------------------------------------------------------

    def run(self, flow: Flow[Any], claim: Claim | None = None) -> Any:
        """Run a flow to its end."""
        if self._portal is not None:
            return self._portal.call(AsyncHands(**self.parts, claim=claim).run, flow)
        hands = _Mortal(**self.parts, claim=claim)
        hands.luck = self.luck
        return hands.run(flow)

    def work(self) -> int:
        """Work on every case that is due, once; return how many there were."""
        self._tokens += 1
        now = self.clock.now()
        claimed = self.storage.claim_due(
            token=f"w{self._tokens}", now=now, until=now + LEASE, limit=100, lanes=(self.office.cases,)
        )
        for head, held in claimed:
            self.run(work(self.office, head.key), held)
            self.storage.release(held)
        return len(claimed)

    def follow(self) -> int:
        """Deliver every letter that is due, once; return how many there were."""
        now = self.clock.now()
        letters = self.storage.take_letters(now=now, until=now + LEASE, limit=100, topics=self.office.topics)
        for letter in letters:
            self.run(follow(self.office, letter))
        return len(letters)

    def everybody(self) -> int:
        """Let every worker there is do what is due: the desk's, the courier's, and the one with the letters."""
        return self.work() + self.courier.run_due() + self.follow()

    def pass_time(self, *, hours: float = 0, seconds: float = 0, step: timedelta = timedelta(minutes=1)) -> None:
        """Let time pass while everybody works."""
        end = self.clock.now() + timedelta(hours=hours, seconds=seconds)
        while self.clock.now() < end:
            self.everybody()
            self.clock.advance(min(step, end - self.clock.now()))
        self.everybody()

    # -- what there is --------------------------------------------------------------------------------------------------

    def case(self, key: str) -> Case:
        return CaseJournal.of(key, self.storage.read(key)).case

    def kinds(self, key: str) -> list[str]:
        """Return the kinds of a case's events."""
        return [entry.kind.removeprefix("case.").partition("/")[0] for entry in self.storage.read(key)]

    def submission(self, key: str) -> Journal | None:
        entries = self.storage.read(f"{key}/report")
        return Journal.of(f"{key}/report", entries) if entries else None

    def letters(self) -> list[Letter]:
        """Return the letters of the desk that are not delivered yet."""
        far = self.clock.now() + timedelta(days=3650)
        found = sorted(self.storage._letters.values(), key=lambda one: one.id)
        return [one for one in found if one.topic in self.office.topics and one.due_at <= far]

    def states(self) -> list[str]:
        """Return where each report at NCMEC stands."""
        return [report["state"] for report in self.ncmec.reports()]


class _AsyncWire:
    def __init__(self, wire: SandboxWire) -> None:
        self._wire = wire

    async def exchange(self, request: Request[Any], content: Any = None) -> Answer:
        parts = [part async for part in content] if content is not None else []
        return await anyio.to_thread.run_sync(partial(self._wire.exchange, request, parts))


@pytest.fixture
def world() -> World:
    """A world of sync workers."""
    return World()


@pytest.fixture(params=[None, "asyncio", "trio"], ids=["sync", "asyncio", "trio"])
def any_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world in each colour."""
    with ExitStack() as stack:
        yield World(request.param, stack)


@pytest.fixture(scope="session")
def kit() -> Any:
    """The helpers above."""
    return sys.modules[__name__]
