"""A file is digested when it is filed, and read once more before /submit; nothing is hashed again while it goes up."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio
import httpx
import pytest

from cybertip.adapters.bridge import lift
from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.adapters.transport.httpx_transport import AsyncHttpxTransport, HttpxTransport
from cybertip.courier import AsyncCourier, Courier
from cybertip.filing import Filing, Status
from cybertip.model import Email, IncidentSummary, IncidentType, Person, Report, Reporter
from cybertip.ports.evidence import entry_of
from cybertip.protocol import Environment

_SANDBOX = Environment.sandbox("http://127.0.0.1:1")
_CONTENT = b"synthetic bytes!" * (3 << 16)

#: What is hashed in larger pieces than a journal's entries are is a file.
_LARGE = 100_000


class _Ncmec:
    """Answers without looking at what was sent, so that what is hashed here is hashed by us."""

    def __init__(self, md5: str) -> None:
        self.md5 = md5
        self.lines: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        call = request.url.path.rpartition("/")[2]
        self.lines.append(call)
        more = {"upload": f"<fileId>{'0' * 32}</fileId><hash>{self.md5}</hash>"}.get(call, "")
        text = f"<responseCode>0</responseCode><responseDescription/><reportId>4564654</reportId>{more}"
        if call == "finish":
            text = "<responseCode>0</responseCode><reportId>4564654</reportId><files/>"
        kind = "reportDoneResponse" if call == "finish" else "reportResponse"
        return httpx.Response(200, content=f"<{kind}>{text}</{kind}>".encode())


class _Counting:
    """A digest that notes in a list whether it was fed a file."""

    def __init__(self, made: Callable[..., Any], name: str, lines: list[str], data: bytes = b"", **more: Any) -> None:
        self._digest = made(**more)
        self._name, self._lines = name, lines
        self.update(data)

    def update(self, data: bytes) -> None:
        if len(data) > _LARGE:
            self._lines.append(f"{self._name} of {len(data)}")
        self._digest.update(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._digest, name)


@pytest.fixture
def evidence() -> MemoryEvidence:
    evidence = MemoryEvidence()
    evidence.kept["file"] = _CONTENT
    return evidence


@pytest.fixture
def ncmec() -> _Ncmec:
    return _Ncmec(hashlib.md5(_CONTENT, usedforsecurity=False).hexdigest())


@pytest.fixture
def filing(evidence: MemoryEvidence) -> Filing:
    report = Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
        ),
        reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
    )
    return Filing(report=report, files=(entry_of(evidence, "file", name="0.bin"),))


@pytest.fixture
def lines(ncmec: _Ncmec, filing: Filing, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is called and what is hashed from here on, in order."""
    for name in ("md5", "sha1", "sha256"):
        monkeypatch.setattr(hashlib, name, partial(_Counting, getattr(hashlib, name), name, ncmec.lines))
    # Whatever counted nothing would find nothing.
    entry_of(MemoryEvidence({"other": _CONTENT}), "other", name="0.bin")
    assert {line.split()[0] for line in ncmec.lines} == {"md5", "sha256"}
    ncmec.lines.clear()
    return ncmec.lines


def _deliver(filing: Filing, evidence: MemoryEvidence, ncmec: _Ncmec) -> Status:
    with httpx.Client(transport=httpx.MockTransport(ncmec)) as http:
        transport = HttpxTransport(_SANDBOX, http=http)
        courier = Courier(_SANDBOX, storage=MemoryStorage(), evidence=evidence, transport=transport)
        courier.file(filing, key="a")
        return courier.deliver("a").status


def _deliver_async(filing: Filing, evidence: MemoryEvidence, ncmec: _Ncmec) -> Status:
    async def main() -> Status:
        async with httpx.AsyncClient(transport=httpx.MockTransport(ncmec)) as http:
            transport = AsyncHttpxTransport(_SANDBOX, http=http)
            courier = AsyncCourier(_SANDBOX, storage=lift(MemoryStorage()), evidence=evidence, transport=transport)
            await courier.file(filing, key="a")
            return (await courier.deliver("a")).status

    return anyio.run(main)


_Deliver = Callable[[Filing, MemoryEvidence, _Ncmec], Status]
each_colour = pytest.mark.parametrize("deliver", [_deliver, _deliver_async])


@each_colour
def test_nothing_is_hashed_while_a_file_goes_up(
    filing: Filing, evidence: MemoryEvidence, ncmec: _Ncmec, lines: list[str], deliver: _Deliver
) -> None:
    """The evidence is verified once, against its SHA-256 and before a report is opened; NCMEC's MD5 is the manifest's."""
    assert deliver(filing, evidence, ncmec) is Status.FINISHED
    verified = [line for line in lines[: lines.index("submit")] if line.startswith("sha256")]
    assert sum(int(line.split()[-1]) for line in verified) == len(_CONTENT)
    assert lines == [*verified, "submit", "upload", "finish"]


@each_colour
def test_another_md5_is_noticed(
    filing: Filing, evidence: MemoryEvidence, ncmec: _Ncmec, lines: list[str], deliver: _Deliver
) -> None:
    """Though we hash nothing, a file that arrived otherwise than it was is not finished."""
    ncmec.md5 = "0" * 32
    assert deliver(filing, evidence, ncmec) is not Status.FINISHED
    assert "upload" in lines
    assert "finish" not in lines
