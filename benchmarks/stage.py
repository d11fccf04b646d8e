"""What the benchmarks of durable filing play on: a filing, a NCMEC in the same process, and databases of their own."""

import os
import re
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from cybertip import Environment, FileDescription
from cybertip.adapters.evidence import MemoryEvidence
from cybertip.courier import Courier
from cybertip.filing import Filing
from cybertip.model import Email, IncidentSummary, IncidentType, Person, PersonOrUserReported, Report, Reporter
from cybertip.ports.evidence import entry_of
from cybertip.ports.storage import Storage
from cybertip.protocol import Answer, Endpoint, Request
from cybertip.sandbox import Behaviour, Ncmec
from cybertip.testing.simulation import SandboxWire

#: As in the tests.
_POSTGRESQL = os.environ.get("CYBERTIP_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")

#: One line of the table.
Row = dict[str, object]

ENVIRONMENT = Environment.sandbox("http://127.0.0.1:1")

#: Calls that the filing below takes: submit, upload, fileinfo, finish.
CALLS = 4

#: And how often its delivery has to wait for the disk.
WAITS = CALLS + 2

_REPORT = re.compile(rb"<reportId>(\d+)")

EVIDENCE = MemoryEvidence()
EVIDENCE.kept["file"] = b"synthetic bytes " * 64


def filing(number: int) -> Filing:
    """Return a small filing: one reported user, and one file with its details."""
    report = Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
        ),
        reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
        persons_or_users_reported=(PersonOrUserReported(esp_identifier=f"user-{number}"),),
    )
    described = FileDescription(file_viewed_by_esp=False)
    return Filing(report=report, files=(entry_of(EVIDENCE, "file", name="0.bin", description=described),))


class Wire:
    """Carry exchanges to a double in this process, which is changed for a new one now and then: its memory stays small.

    Args:
        latency: seconds that an answer takes, during which this process does nothing.
    """

    def __init__(self, latency: float = 0.0) -> None:
        self._latency = latency
        self._lock = threading.Lock()
        self._opened = 0
        self._newest = SandboxWire(Ncmec())
        #: Which double has a report.
        self._open: dict[int, SandboxWire] = {}
        self.calls = 0

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        """Make one exchange."""
        if self._latency:
            time.sleep(self._latency)
        # The doubles are not made for threads; calls that wait do so outside.
        with self._lock:
            self.calls += 1
            if request.report_id is None:
                return self._submitted(request)
            wire = self._open[request.report_id]
            if request.endpoint is Endpoint.FINISH:
                del self._open[request.report_id]
            return wire.exchange(request, content)

    def _submitted(self, request: Request[Any]) -> Answer:
        self._opened += 1
        if self._opened % 100 == 0:
            self._newest = SandboxWire(Ncmec(Behaviour(seed=self._opened)))
        answer = self._newest.exchange(request)
        found = _REPORT.search(answer.body)
        assert found is not None
        self._open[int(found[1])] = self._newest
        return answer


def courier(storage: Storage, wire: Wire) -> Courier:
    """Return a courier that files with the double."""
    return Courier(ENVIRONMENT, storage=storage, evidence=EVIDENCE, transport=wire)


@contextmanager
def sqlite(folder: str) -> Iterator[str]:
    """Return the URL of a file that is gone afterwards."""
    path = Path(folder) / f"{uuid.uuid4().hex}.db"
    yield f"sqlite:///{path}"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


@contextmanager
def postgresql(folder: str) -> Iterator[str]:
    """Return the URL of a schema that is gone afterwards; raise `OperationalError` where there is no server."""
    address = make_url(_POSTGRESQL)
    engine = create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    name = f"cybertip_{uuid.uuid4().hex}"
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    try:
        yield address.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()


def has_postgresql() -> bool:
    """Tell whether there is a server to measure with."""
    try:
        with postgresql(""):
            return True
    except OperationalError:
        return False


def resident() -> int:
    """Return this process's memory in bytes."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def row(what: str, ratio: float, goal: float | None, note: str) -> Row:
    """Return one line of the table."""
    return {"what": what, "ratio": round(ratio, 2), "goal": goal, "note": note}


def databases() -> dict[str, Any]:
    """Return what there is to measure with, by name."""
    return {"SQLite": sqlite} | ({"PostgreSQL": postgresql} if has_postgresql() else {})
