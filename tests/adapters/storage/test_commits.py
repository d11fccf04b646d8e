"""What a filing costs: how often it waits for the disk, and that it does so wherever it has to."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, make_url

from cybertip import Environment, FileDescription
from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.engines import engine_of
from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.courier import AsyncCourier, Courier
from cybertip.filing import Filing, Status
from cybertip.model import Email, IncidentSummary, IncidentType, Person, Report, Reporter
from cybertip.ports.evidence import entry_of
from cybertip.ports.transport import AsyncTransport, Transport
from cybertip.protocol import Answer, Request
from cybertip.sandbox import Ncmec
from cybertip.testing.conformance.storage.samples import NOW, at, begin, claimed, go_on, letter
from cybertip.testing.simulation import SandboxWire

_SANDBOX = Environment.sandbox("http://127.0.0.1:1")


def _waits(connection: Connection) -> bool:
    """Tell whether the commits of a connection wait for the disk."""
    match connection.dialect.name:
        case "sqlite":
            return bool(connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2)
        case "postgresql":
            return bool(connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on")
    return True


class _Ledger:
    """What was committed and exchanged, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def commit(self, connection: Connection) -> None:
        self.lines.append("wait" if _waits(connection) else "pass")

    def exchange(self, transport: SandboxWire, request: Request[Any], content: Any) -> Answer:
        self.lines.append(str(request.endpoint))
        return transport.exchange(request, content)


class _Wire:
    def __init__(self, ledger: _Ledger) -> None:
        self._ledger, self._wire = ledger, SandboxWire(Ncmec())

    def exchange(self, request: Request[Any], content: Any = None) -> Answer:
        return self._ledger.exchange(self._wire, request, content)


class _AsyncWire(_Wire):
    async def exchange(self, request: Request[Any], content: Any = None) -> Answer:  # type: ignore[override]
        parts = None if content is None else [block async for block in content]
        return self._ledger.exchange(self._wire, request, parts)


@pytest.fixture
def ledger() -> Iterator[_Ledger]:
    """Every commit of every engine."""
    ledger = _Ledger()
    event.listen(Engine, "commit", ledger.commit)
    yield ledger
    event.remove(Engine, "commit", ledger.commit)


def _filing(evidence: MemoryEvidence, files: int) -> Filing:
    evidence.kept["a"] = b"synthetic bytes"
    described = FileDescription(file_viewed_by_esp=False)
    report = Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
        ),
        reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
    )
    entries = (entry_of(evidence, "a", name=f"{number}.bin", description=described) for number in range(files))
    return Filing(report=report, files=tuple(entries))


def _deliver(url: str, ledger: _Ledger, files: int) -> Status:
    evidence = MemoryEvidence()
    transport: Transport = _Wire(ledger)
    with SqlStorage(url) as storage:
        courier = Courier(_SANDBOX, storage=storage, evidence=evidence, transport=transport)
        courier.file(_filing(evidence, files), key="a")
        courier.run_due()
        return courier.status("a").status


def _deliver_async(url: str, ledger: _Ledger, files: int) -> Status:
    async def main() -> Status:
        evidence = MemoryEvidence()
        transport: AsyncTransport = _AsyncWire(ledger)
        async with AsyncSqlStorage(url) as storage:
            courier = AsyncCourier(_SANDBOX, storage=storage, evidence=evidence, transport=transport)
            await courier.file(_filing(evidence, files), key="a")
            await courier.run_due()
            return (await courier.status("a")).status

    return asyncio.run(main())


@pytest.mark.parametrize("files", [0, 2])
@pytest.mark.parametrize("deliver", [_deliver, _deliver_async])
def test_n_calls_wait_n_plus_two_times(
    url: str, kind: str, ledger: _Ledger, files: int, deliver: Callable[[str, _Ledger, int], Status]
) -> None:
    """A filing of n calls waits for the disk n + 2 times: once before each call, and once at either end.

    The claim between the first two waits only where the database cannot do without.
    """
    assert deliver(url, ledger, files) is Status.FINISHED
    calls = ["submit", *["upload", "fileinfo"] * files, "finish"]
    claim = "wait" if kind == "mariadb" else "pass"
    wanted = ["wait", claim, *(line for call in calls for line in ("wait", call)), "wait"]
    # The look for more at the end of a run finds nothing, and commits that.
    assert [line.strip("/") for line in ledger.lines] == [*wanted, claim]


def test_only_claims_do_not_wait(url: str, kind: str, ledger: _Ledger) -> None:
    """What is recorded is on the disk when the call returns; only what a power cut may undo is not waited for."""
    claim = "wait" if kind == "mariadb" else "pass"
    with SqlStorage(url) as storage:
        begin(storage, "a", letters=[letter("one"), letter("two")])
        storage.settle_letter("one")
        storage.settle_letter("two", due_at=NOW)
        assert ledger.lines == ["wait"] * 3
        ledger.lines.clear()
        held = claimed(storage, "a", "t")
        assert storage.renew(held, until=at(90)) is not None
        storage.release(held)
        assert len(storage.claim_due(token="u", now=NOW, until=at(60), limit=1)) == 1
        assert len(storage.take_letters(now=NOW, until=at(60), limit=1)) == 1
        assert ledger.lines == [claim] * 5


def test_an_engine_of_the_hosts_decides_for_itself(url: str, ledger: _Ledger) -> None:
    """Commits on an engine of the host's are as the host made it: none of ours is quicker."""
    engine = engine_of(url)
    storage = SqlStorage(engine)
    begin(storage, "a")
    claimed(storage, "a", "t")
    assert ledger.lines == ["wait"] * 2
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_little_is_written(url: str) -> None:
    """Between two calls of a delivery SQLite writes the pages of the new entries and of the head, and of no other index."""
    log = Path(f"{make_url(url).database}-wal")
    with SqlStorage(url) as storage:
        begin(storage, "a", lane="x", tenant="t")
        held = claimed(storage, "a", "t")
        go_on(storage, "a", 2, claim=held, lane="x", tenant="t")
        before = log.stat().st_size
        go_on(storage, "a", 3, claim=held, lane="x", tenant="t")
        # A page has 4096 bytes, and 24 in front of it.
        assert log.stat().st_size - before == 3 * 4120
        # What does not stay as it is, is changed nevertheless, and found by it.
        changed = go_on(storage, "a", 4, claim=held, lane="y", tenant="u", status="else", tags=("x",), priority=3)
        assert storage.heads(lane="y", tenant="u", status="else", tag="x") == (changed,)
        assert storage.heads(lane="x") == storage.heads(tenant="t") == storage.heads(status="open") == ()
