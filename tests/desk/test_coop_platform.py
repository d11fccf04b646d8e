"""A platform that has built Coop's two endpoints, with nothing of ours, goes on from a signal to preservation unchanged."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cybertip import (
    AsyncCaseDesk,
    AsyncCourier,
    AsyncHttpxWebhooks,
    AsyncMemoryStorage,
    Case,
    CaseDesk,
    CoopSigner,
    Courier,
    Decision,
    Endpoint,
    Environment,
    Escalated,
    EvidenceId,
    Guard,
    HttpxWebhooks,
    IncidentType,
    ItemRef,
    Media,
    MediaDecision,
    MemoryEvidence,
    MemoryStorage,
    Profile,
    Report,
    ReviewerId,
    SignalId,
    UserRef,
    Viewer,
    read,
)
from cybertip.protocol import Answer, Request
from cybertip.sandbox import Ncmec, VirtualClock
from cybertip.testing.simulation import SandboxWire
from cybertip.webhooks.addresses import LOOPBACK

PROGRAM = Path(__file__).parents[1] / "adapters/webhooks/coop_platform.py"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANN = Viewer(reviewer=ReviewerId("ann"), child_safety=True)
#: The platform's program calls the second one gone.
KEPT, GONE = ItemRef(id="mü1", type_id="image"), ItemRef(id="gone", type_id="image")
SIGNAL = Escalated(
    id=SignalId("s1"),
    source="moderators",
    at=NOW - timedelta(hours=1),
    basis="invented",
    creator=UserRef(id="u1", type_id="user"),
    media=tuple(Media(ref=one, evidence=EvidenceId(one.id)) for one in (KEPT, GONE)),
    moderator=ReviewerId("bob"),
)
DECISION = Decision(
    incident_type=IncidentType.CHILD_PORNOGRAPHY,
    incident_at=NOW - timedelta(hours=2),
    media=tuple(MediaDecision(media=one, include=True) for one in (KEPT, GONE)),
)


class Platform:
    """The program, and what it prints of the requests that it took."""

    def __init__(self, program: "subprocess.Popen[str]", signer: CoopSigner) -> None:
        assert program.stdout is not None
        self._lines = program.stdout
        self.url = f"http://127.0.0.1:{int(self._lines.readline())}"
        self.signer = signer

    def webhooks(self, kind: Callable[..., Any]) -> Any:
        """Return an adapter for the two endpoints, as they are."""
        return kind(
            additional_info=Endpoint(address=f"{self.url}/additional-info", signer=self.signer),
            preservation=Endpoint(address=f"{self.url}/preserve", signer=self.signer),
            guard=Guard(hosts=["127.0.0.1"], networks=LOOPBACK),
        )

    def profile(self) -> Profile:
        """Return the settings of the platform's organisation."""
        return Profile(
            company_name="Example",
            reporter_email="safety@example.com",
            legal_url="https://example.com/legal",
            additional_info_url=f"{self.url}/additional-info",
            preservation_url=f"{self.url}/preserve",
        )

    def took(self) -> tuple[str, Any]:
        """Return the next request that it verified and took."""
        line = json.loads(self._lines.readline())
        return line["path"], json.loads(line["raw"])


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform's program, which believes one key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path_factory.mktemp("keys") / "coop.pem"
    path.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with subprocess.Popen([sys.executable, str(PROGRAM), str(path)], stdout=subprocess.PIPE, text=True) as program:
        try:
            yield Platform(program, CoopSigner(key))
        finally:
            program.terminate()


class AsyncWire:
    """The same double, for couriers that await it."""

    def __init__(self, wire: SandboxWire) -> None:
        self._wire = wire

    async def exchange(self, request: Request[Any], content: Any = None) -> Answer:
        """Make one exchange."""
        parts: Iterable[bytes] = [part async for part in content] if content is not None else []
        return await anyio.to_thread.run_sync(partial(self._wire.exchange, request, parts))


def told(platform: Platform, ncmec: Ncmec) -> Case:
    """Bring a signal to its end on threads, and return the case. It is production's: only the wire is the double's."""
    clock, evidence = VirtualClock(NOW), MemoryEvidence({one.id: b"synthetic" for one in (KEPT, GONE)})
    parts: dict[str, Any] = {"evidence": evidence, "profile": platform.profile()}
    storage, wire = MemoryStorage(), SandboxWire(ncmec)
    courier = Courier(Environment.PRODUCTION, storage=storage, evidence=evidence, transport=wire, clock=clock)
    desk = CaseDesk("o1", courier=courier, webhooks=platform.webhooks(HttpxWebhooks), **parts)
    key = desk.signal(SIGNAL).case
    assert key is not None
    desk.run_due()
    desk.claim(key, viewer=ANN)
    desk.decide(key, DECISION, viewer=ANN)
    for _ in range(10):
        desk.run_due()
        courier.run_due()
        clock.advance(timedelta(minutes=1))
    return desk.case(key, viewer=ANN)


async def async_told(platform: Platform, ncmec: Ncmec) -> Case:
    """As `told`, without blocking the event loop."""
    clock, evidence = VirtualClock(NOW), MemoryEvidence({one.id: b"synthetic" for one in (KEPT, GONE)})
    parts: dict[str, Any] = {"evidence": evidence, "profile": platform.profile()}
    storage, wire = AsyncMemoryStorage(), AsyncWire(SandboxWire(ncmec))
    courier = AsyncCourier(Environment.PRODUCTION, storage=storage, evidence=evidence, transport=wire, clock=clock)
    desk = AsyncCaseDesk("o1", courier=courier, webhooks=platform.webhooks(AsyncHttpxWebhooks), **parts)
    key = (await desk.signal(SIGNAL)).case
    assert key is not None
    await desk.run_due()
    await desk.claim(key, viewer=ANN)
    await desk.decide(key, DECISION, viewer=ANN)
    for _ in range(10):
        await desk.run_due()
        await courier.run_due()
        clock.advance(timedelta(minutes=1))
    return await desk.case(key, viewer=ANN)


@pytest.mark.parametrize("colour", ["sync", "asyncio", "trio"])
def test_an_endpoint_of_somebody_elses_serves_the_whole_way(platform: Platform, colour: str) -> None:
    """It verifies with its own key what is asked, in its own contract's words; what it says is gone is neither sent nor to
    be preserved; what it knows of the user is in the report; and it is told to preserve once NCMEC has the report."""
    ncmec = Ncmec(clock=VirtualClock(NOW))
    case = told(platform, ncmec) if colour == "sync" else anyio.run(async_told, platform, ncmec, backend=colour)
    assert (case.stage, case.preserved) == ("reported", True)
    user, kept, gone = ({"id": one.id, "typeId": one.type_id} for one in (case.user, KEPT, GONE))
    assert platform.took() == ("/additional-info", {"users": [user], "media": [kept, gone]})
    (report,) = ncmec.reports()
    assert (report["state"], len(report["files"])) == ("finished", 1)
    asked_to_preserve = {"user": user, "reportedMedia": [kept], "reportId": str(case.report_id)}
    assert platform.took() == ("/preserve", asked_to_preserve)
    assert report["reportId"] == case.report_id
    filed = read(report["report"].encode())
    assert isinstance(filed, Report)
    (reported,) = filed.persons_or_users_reported
    assert (reported.esp_identifier, reported.screen_name) == ("u1", "invented")
    assert {event.ip_address for event in reported.ip_capture_events} == {"192.0.2.1"}
