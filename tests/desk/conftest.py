"""What the tests of the desk share: small values, desks over one storage, and flows that are run step by step."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision, Dismissed, MediaDecision
from cybertip.cases.events import Event, decode as decode_event
from cybertip.cases.journal import CaseJournal
from cybertip.cases.placement import SignalJournal
from cybertip.cases.profile import IncidentKind, Profile
from cybertip.cases.references import EvidenceId, ItemRef, ReviewerId, SignalId, UserRef
from cybertip.cases.signals import Escalated, Media, Signal
from cybertip.courier import Courier
from cybertip.desk.driving import Hands
from cybertip.desk.office import Office
from cybertip.desk.visibility import Viewer
from cybertip.errors import Conflict, InvalidReport
from cybertip.filing.chain import Entry
from cybertip.filing.effects import Flow
from cybertip.model import IncidentType
from cybertip.protocol import Environment
from cybertip.sandbox import VirtualClock

SANDBOX = Environment.sandbox("http://127.0.0.1:8025")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANN = Viewer(reviewer=ReviewerId("ann"), child_safety=True)
BOB = Viewer(reviewer=ReviewerId("bob"), child_safety=True)
CAROL = ReviewerId("carol")
PROFILE = Profile(
    company_name="Example",
    reporter_email="safety@company.example",
    legal_url="https://company.example/legal",
    default_incident=IncidentKind.CHAT_IM,
    default_queue="main",
)


def user(number: int = 1) -> UserRef:
    """Return the name of a user."""
    return UserRef(id=f"u{number}", type_id="user")


def image(number: int = 1) -> ItemRef:
    """Return the name of a file."""
    return ItemRef(id=f"m{number}", type_id="image")


def signal(number: int = 1, *media: int, creator: UserRef | None = None, **more: Any) -> Signal:
    """Return a signal about user 1, with some files whose bytes are kept under a reference."""
    files = tuple(Media(ref=image(one), evidence=EvidenceId(f"e{one}")) for one in media)
    parts: dict[str, Any] = {
        "id": SignalId(f"s{number}"),
        "source": "chat",
        "at": NOW - timedelta(hours=1),
        "basis": "invented",
        "media": files,
        "creator": creator or user(),
        "moderator": ReviewerId("mod"),
    }
    return Escalated(**parts | more)


def decision(*media: int) -> Decision:
    """Return a decision that reports some files, and a text."""
    files = tuple(MediaDecision(media=image(one), include=True) for one in media)
    return Decision(
        incident_type=IncidentType.CHILD_PORNOGRAPHY,
        incident_at=NOW - timedelta(hours=2),
        media=files,
        additional_info="invented",
    )


DISMISSED = Dismissed(reason="invented")


class Desk:
    """One storage with its parts, and hands that work on it."""

    def __init__(self, office: Office, *, clock: VirtualClock, **parts: Any) -> None:
        self.office, self.clock = office, clock
        self.storage, self.evidence = MemoryStorage(), MemoryEvidence()
        courier = Courier(office.environment, storage=self.storage, evidence=self.evidence, clock=clock)
        nothing = dict.fromkeys(("resolve", "source", "conversations", "webhooks", "media"))
        self.parts: dict[str, Any] = nothing | {
            "storage": self.storage,
            "courier": courier,
            "evidence": self.evidence,
            "clock": clock,
        }
        self.parts |= parts

    def run(self, flow: Flow[Any]) -> Any:
        """Run a flow to its end."""
        return Hands(**self.parts).run(flow)

    def begin(self, flow: Flow[Any]) -> "Running":
        """Begin a flow that goes on step by step."""
        return Running(Hands(**self.parts), flow)

    def cases(self) -> dict[str, Case]:
        """Return every case, as its journal says."""
        heads = self.storage.heads(lane=self.office.cases, limit=10_000)
        return {head.key: CaseJournal.of(head.key, self.storage.read(head.key)).case for head in heads}

    def signals(self) -> dict[str, SignalJournal]:
        """Return where every signal is."""
        heads = self.storage.heads(lane=self.office.signals, limit=10_000)
        return {head.key: SignalJournal.of(head.key, self.storage.read(head.key)) for head in heads}


class Running:
    """A flow under way. What is not taken on any more is as if its process had died."""

    def __init__(self, hands: Hands, flow: Flow[Any]) -> None:
        self._hands, self._flow = hands, flow
        self._answer: Any = None
        self._fault: Exception | None = None
        self.is_over = False
        self.result: Any = None
        self.effect: Any = None
        self._next()

    def step(self) -> None:
        """Do what the flow asked for, and let it ask for the next thing."""
        self._answer = self._fault = None
        try:
            self._answer = self._hands.perform(self.effect)
        except (Conflict, InvalidReport) as fault:
            self._fault = fault
        self._next()

    def _next(self) -> None:
        try:
            self.effect = self._flow.send(self._answer) if self._fault is None else self._flow.throw(self._fault)
        except StopIteration as end:
            self.is_over, self.result = True, end.value

    def finish(self) -> Any:
        """Take the flow to its end."""
        while not self.is_over:
            self.step()
        return self.result


def decode(entry: Entry) -> Event:
    """Read what happened to a case."""
    return decode_event(entry.kind, entry.data)


def desk(**parts: Any) -> Desk:
    """Return a desk of organisation o1 with a storage of its own."""
    office = Office(organisation="o1", environment=SANDBOX, profile=PROFILE)
    return Desk(office, clock=VirtualClock(NOW), **parts)


@pytest.fixture(scope="session")
def kit() -> Any:
    """The helpers above."""
    return sys.modules[__name__]
