"""A disk that fills and a database that goes away lose nothing: when all is well again, each report arrives exactly once."""

import asyncio
import re
import shutil
import sys
import threading
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, event, make_url

from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.engines import async_engine_of, engine_of
from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.courier import AsyncCourier, Courier
from cybertip.errors import AdapterError
from cybertip.filing import Filing, Journal, Policy, Status
from cybertip.filing.events import Intended, decode
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
from cybertip.ports.clock import SystemClock
from cybertip.ports.evidence import entry_of
from cybertip.ports.storage import Storage
from cybertip.protocol import Answer, Environment, Request
from cybertip.sandbox import Ncmec, VirtualClock
from cybertip.testing.simulation import SandboxWire, check_history

_ENVIRONMENT = Environment.sandbox("http://127.0.0.1")
_KEYS = ("case-1", "case-2")
_LEASE = timedelta(minutes=5)
_PAGE = 512
_ANYTHING = re.compile(b"", re.DOTALL)

colours = pytest.mark.parametrize("colour", ["sync", "async"])
servers = pytest.mark.parametrize("kind", ["postgresql", "mariadb"], indirect=True)


class _Transport:
    """Carries to a double, and notes what is sent while its intent cannot be read in the database."""

    def __init__(self, ncmec: Ncmec, storage: Storage) -> None:
        self._wire = SandboxWire(ncmec)
        self._storage = storage
        self._opened: dict[int, str] = {}
        self.unrecorded: list[str] = []
        self.sent = 0
        #: Called before anything is sent.
        self.before: Callable[[Request[Any]], object] = lambda request: None

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        self.before(request)
        self.sent += 1
        if request.report_id is None:
            (key,) = (key for key in _KEYS if key.encode() in request.body)
        else:
            key = self._opened[request.report_id]
        entries = self._storage.read(key)
        if not entries or not isinstance(decode(entries[-1].kind, entries[-1].data), Intended):
            self.unrecorded.append(str(request.endpoint))
        answer = self._wire.exchange(request, content)
        opened = re.search(rb"<reportId>(\d+)<", answer.body)
        if opened:
            self._opened[int(opened[1])] = key
        return answer


class _AsyncTransport:
    """Carries as `_Transport` does, in a thread."""

    def __init__(self, transport: _Transport) -> None:
        self._transport = transport

    async def exchange(self, request: Request[Any], content: AsyncIterable[bytes] | None = None) -> Answer:
        blocks = None if content is None else [block async for block in content]
        return await asyncio.to_thread(self._transport.exchange, request, blocks)


class _Platform:
    """A platform that files two reports on a storage that may fail, and files again what was not taken.

    Args:
        storage: reads the same database, and does not fail.
        clock: by default one that stands still until it is moved.
    """

    def __init__(self, storage: Storage, clock: Any = None) -> None:
        self.storage = storage
        self.clock = clock or VirtualClock()
        self.ncmec = Ncmec(clock=self.clock)
        self.transport = _Transport(self.ncmec, storage)
        self.policy = Policy(pause_for=timedelta(seconds=0.05), longest_pause_for=timedelta(seconds=0.2))
        self.evidence = MemoryEvidence({key: b"synthetic bytes of " + key.encode() for key in _KEYS})
        self.filings = {key: self._filing(key) for key in _KEYS}

    def _filing(self, key: str) -> Filing:
        incident = IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
        )
        report = Report(
            incident_summary=incident,
            reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
            persons_or_users_reported=(PersonOrUserReported(esp_identifier=key),),
        )
        description = FileDescription(file_viewed_by_esp=False)
        return Filing(report=report, files=(entry_of(self.evidence, key, name="a.bin", description=description),))

    def courier(self, storage: Storage, **more: Any) -> Courier:
        """Return a courier that records in a storage."""
        options: dict[str, Any] = {"lease_for": _LEASE, "policy": self.policy, "clock": self.clock} | more
        return Courier(_ENVIRONMENT, storage=storage, evidence=self.evidence, transport=self.transport, **options)

    def work(self, storage: Storage) -> None:
        """File and deliver; the storage's first failure gets out."""
        with self.courier(storage) as courier:
            for key, filing in self.filings.items():
                courier.file(filing, key=key)
            courier.run_due()

    async def async_work(self, storage: AsyncSqlStorage) -> None:
        """Do as `work` does."""
        transport = _AsyncTransport(self.transport)
        async with AsyncCourier(
            _ENVIRONMENT,
            storage=storage,
            evidence=self.evidence,
            transport=transport,
            lease_for=_LEASE,
            policy=self.policy,
            clock=self.clock,
        ) as courier:
            for key, filing in self.filings.items():
                await courier.file(filing, key=key)
            await courier.run_due()

    def try_to(self, work: Callable[[], None], times: int = 2) -> int:
        """Work several times, each when the claims of the last are over; return how often the storage failed."""
        failures = 0
        for _ in range(times):
            try:
                work()
            except AdapterError:
                failures += 1
            self.clock.advance(2 * _LEASE)
        return failures

    def settle(self, work: Callable[[], None]) -> None:
        """Work until there is nothing to do, on a storage that is well."""
        for _ in range(100):
            work()
            due_at = self.storage.next_due(now=self.clock.now())
            if due_at is None:
                return
            self.clock.advance(max(due_at - self.clock.now(), timedelta(seconds=1)))
        raise AssertionError("there is something to do for ever")

    def check(self) -> None:
        """Each report arrived exactly once, with its file; its journal is whole; nothing was sent unrecorded."""
        assert self.transport.unrecorded == []
        for key in _KEYS:
            assert Journal.of(key, self.storage.read(key)).status is Status.FINISHED
        reports = self.ncmec.reports()
        assert [report["state"] for report in reports].count("finished") == len(_KEYS)
        check_history(storage=self.storage, reports=reports, filings=self.filings, policy=self.policy)


def _worker(
    platform: _Platform, colour: str, url: str | URL, prepare: Callable[[Engine], object] = lambda engine: None
) -> Callable[[], None]:
    """Return what a platform's worker does: it connects to a database, files, delivers and leaves."""

    def work() -> None:
        engine = engine_of(url)
        prepare(engine)
        try:
            platform.work(SqlStorage(engine))
        finally:
            engine.dispose()

    async def async_work() -> None:
        engine = async_engine_of(url)
        prepare(engine.sync_engine)
        try:
            await platform.async_work(AsyncSqlStorage(engine))
        finally:
            await engine.dispose()

    return work if colour == "sync" else lambda: asyncio.run(async_work())


# -- a disk that fills ----------------------------------------------------------------------------------------------------


class _Room:
    """How much of a file there may be."""

    def __init__(self) -> None:
        self.pages = 2**30

    def limit(self, engine: Engine) -> None:
        """Have the connections of an engine keep to it."""
        event.listen(engine, "checkout", self._limit)

    def _limit(self, connection: Any, *rest: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={self.pages}")
        cursor.close()


@pytest.fixture
def empty_file(tmp_path: Path) -> Path:
    """A database of SQLite's without journals."""
    path = tmp_path / "empty.db"
    engine = engine_of(f"sqlite:///{path}")
    # Small ones, so that it runs out of them in many places.
    small = f"PRAGMA page_size={_PAGE}"
    event.listen(engine, "connect", lambda connection, record: connection.execute(small).close(), insert=True)
    SqlStorage(engine).upgrade()
    engine.dispose()
    return path


def _copies(empty_file: Path) -> Iterator[Path]:
    number = 0
    while True:
        yield Path(shutil.copy(empty_file, empty_file.with_name(f"{number}.db")))
        number += 1


@colours
def test_no_room_for_a_page(empty_file: Path, colour: str) -> None:
    """Wherever filing and delivering run out of room, all of it goes on when there is room again."""
    room = _Room()
    failures: list[int] = []
    for path in _copies(empty_file):
        with SqlStorage(f"sqlite:///{path}") as storage:
            platform = _Platform(storage)
            work = _worker(platform, colour, f"sqlite:///{path}", room.limit)
            room.pages = path.stat().st_size // _PAGE + 3 * len(failures)
            failures.append(platform.try_to(work))
            room.pages = 2**30
            platform.settle(work)
            platform.check()
        if not failures[-1]:
            break
    # At first there was no room to file anything, then each time some more.
    assert failures[0] == 2
    assert len(failures) > 5


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """Let this process make no file larger than so many bytes: whatever it writes beyond is cut off or refused."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such quota")
@colours
def test_a_quota(empty_file: Path, colour: str) -> None:
    """Wherever the system cuts off what is written of a commit, all of it goes on when it writes again."""
    failures: list[int] = []
    for path in _copies(empty_file):
        log = Path(f"{path}-wal")
        with SqlStorage(f"sqlite:///{path}") as storage:
            platform = _Platform(storage)
            work = _worker(platform, colour, f"sqlite:///{path}")
            # This keeps the log open, and so its size what it is.
            assert storage.heads() == ()
            with _largest_file(max(log.stat().st_size, path.stat().st_size) + 7_001 * len(failures)):
                failures.append(platform.try_to(work))
            platform.settle(work)
            platform.check()
        if not failures[-1]:
            break
    assert failures[0] == 2
    assert len(failures) > 5


# -- a database that goes away --------------------------------------------------------------------------------------------


@servers
@colours
@pytest.mark.parametrize("lost", [True, False], ids=["the request is lost", "the answer is lost"])
def test_the_connection_is_cut(
    url: str, kind: str, empty: Callable[[], object], sql_storage: SqlStorage, wire: Any, colour: str, lost: bool
) -> None:
    """Wherever the connection to the database is cut, before it hears or before it answers, the work goes on."""
    # It speaks to MariaDB more often. So many calls lie between those at which the connection is cut.
    stride = {"postgresql": 3, "mariadb": 11}[kind] * {"sync": 1, "async": 3}[colour]
    failures: list[int] = []
    while not failures or failures[-1]:
        empty()
        platform = _Platform(sql_storage)
        work = _worker(platform, colour, make_url(url).set(port=wire.port))
        cuts = wire.cuts
        wire.cut(_ANYTHING, skip=stride * len(failures), lost=lost)
        platform.try_to(work, times=1)
        wire.mend()
        failures.append(wire.cuts - cuts)
        platform.settle(work)
        platform.check()
    assert len(failures) > 3


@servers
@colours
def test_the_database_is_down(url: str, sql_storage: SqlStorage, wire: Any, colour: str) -> None:
    """As long as the database is away, in the middle of a delivery, nothing is sent; then the delivery goes on."""
    platform = _Platform(sql_storage)
    work = _worker(platform, colour, make_url(url).set(port=wire.port))

    def go_down(request: Request[Any]) -> None:
        # NCMEC gets the file, and nobody will know.
        wire.is_down = request.file is not None

    platform.transport.before = go_down
    assert platform.try_to(work, times=1) == 1
    platform.transport.before = lambda request: None
    sent = platform.transport.sent
    assert platform.try_to(work, times=3) == 3
    assert platform.transport.sent == sent > 0
    wire.mend()
    platform.settle(work)
    platform.check()


# -- a worker that goes on ------------------------------------------------------------------------------------------------


def _outlast(
    platform: _Platform, storage: Storage, storage_failed: threading.Event, heal: Callable[[], object]
) -> None:
    """Run a worker until the storage failed it, heal the storage, and wait until the worker has delivered all of it."""
    finished: set[str] = set()
    stop, delivered = threading.Event(), threading.Event()

    def watch(journal: Journal) -> None:
        if journal.status is Status.FINISHED:
            finished.add(journal.key)
        if len(finished) == len(_KEYS):
            delivered.set()

    with platform.courier(storage, lease_for=timedelta(seconds=2), watch=watch) as courier:
        worker = threading.Thread(target=courier.run_until_stopped, args=(stop,))
        worker.start()
        try:
            assert storage_failed.wait(60)
            assert not finished
            heal()
            assert delivered.wait(60)
        finally:
            stop.set()
            worker.join()
    platform.check()


def test_a_worker_outlasts_a_full_disk(empty_file: Path) -> None:
    """A worker goes on by itself when there is room again."""
    room, failed = _Room(), threading.Event()
    engine = engine_of(f"sqlite:///{empty_file}")
    room.limit(engine)
    event.listen(engine, "handle_error", lambda context: failed.set())
    with SqlStorage(f"sqlite:///{empty_file}") as reader:
        platform = _Platform(reader, clock=SystemClock())
        storage = SqlStorage(engine)
        for key, filing in platform.filings.items():
            platform.courier(storage).file(filing, key=key)
        room.pages = 1
        _outlast(platform, storage, failed, lambda: setattr(room, "pages", 2**30))
    engine.dispose()


@servers
def test_a_worker_outlasts_its_database(url: str, sql_storage: SqlStorage, wire: Any) -> None:
    """A worker goes on by itself when the database is there again."""
    failed = threading.Event()
    platform = _Platform(sql_storage, clock=SystemClock())
    for key, filing in platform.filings.items():
        platform.courier(sql_storage).file(filing, key=key)
    engine = engine_of(make_url(url).set(port=wire.port))
    event.listen(engine, "handle_error", lambda context: failed.set())
    wire.is_down = True
    _outlast(platform, SqlStorage(engine), failed, wire.mend)
    engine.dispose()
