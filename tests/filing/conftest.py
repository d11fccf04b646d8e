"""What the tests of filing share: strategies for filings and events, and small values to file."""

import hashlib
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from cybertip.filing import Entry, Journal, Policy, Status, Submission, events as e
from cybertip.filing.decision import Step, decide
from cybertip.filing.events import Call
from cybertip.filing.manifest import FileEntry, Filing
from cybertip.filing.submission import Stage
from cybertip.model import (
    Edition,
    Email,
    FileDescription,
    FileId,
    IncidentSummary,
    IncidentType,
    Person,
    PersonOrUserReported,
    Report,
    Reporter,
    ReportId,
)
from cybertip.testing import strategies

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REPORT_ID = ReportId(4564654)
FILE_ID = FileId("0123456789abcdef0123456789abcdef")


# -- one of each --------------------------------------------------------------------------------------------------------


def after(seconds: float) -> datetime:
    """Return the time so many seconds after `NOW`."""
    return NOW + timedelta(seconds=seconds)


def report(user: str = "user-1") -> Report:
    """Return a report that NCMEC would take."""
    return Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
        ),
        reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
        persons_or_users_reported=(PersonOrUserReported(esp_identifier=user),),
    )


def content(number: int) -> bytes:
    """Return the made-up bytes of a file."""
    return f"synthetic bytes of file {number}".encode()


def entry(number: int = 0, *, described: bool = False) -> FileEntry:
    """Return the entry of a file whose bytes are `content(number)`, kept under its number."""
    data = content(number)
    return FileEntry(
        evidence=str(number),
        name=f"{number}.bin",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        description=FileDescription(file_viewed_by_esp=False) if described else None,
    )


def filing(*described: bool, user: str = "user-1") -> Filing:
    """Return a filing with one file for each argument, which says whether there are details of it."""
    files = tuple(entry(number, described=one) for number, one in enumerate(described))
    return Filing(report=report(user), files=files)


def observation(date: datetime | None = None) -> e.Observation:
    """Return what is kept of an answer."""
    return e.Observation(status=200, request_id="request-1", date=date, raw=b"<reportResponse/>")


def done(call: Call, file: int | None = None, *, at: datetime | None = None) -> Any:
    """Return the event of a call that did what it should; `at` is NCMEC's time."""
    seen = observation(at)
    match call:
        case Call.SUBMIT:
            return e.Opened(report_id=REPORT_ID, observation=seen)
        case Call.UPLOAD:
            return e.Uploaded(file=file or 0, file_id=FILE_ID, observation=seen)
        case Call.DESCRIBE:
            return e.Described(file=file or 0, observation=seen)
        case Call.FINISH:
            return e.Finished(report_id=REPORT_ID, preserve_until=after(366 * 86400), observation=seen)
        case Call.RETRACT:
            return e.Retracted(observation=seen)


def adopted() -> e.Finished:
    """Return the event of a report that turned out to be finished before."""
    return e.Finished(report_id=REPORT_ID, adopted=True, preserve_until=after(366 * 86400), observation=observation())


def refused(call: Call, verdict: e.Verdict, *, retry_after_for: float | None = None) -> e.Refused:
    """Return the event of a call that NCMEC refused."""
    code = {e.Verdict.LATER: 1000, e.Verdict.CREDENTIALS: 2000, e.Verdict.OURS: 4100}.get(verdict, 5001)
    return e.Refused(call=call, verdict=verdict, code=code, retry_after_for=retry_after_for, observation=observation())


def lost(call: Call) -> e.Lost:
    """Return the event of a call whose answer was lost."""
    return e.Lost(call=call, reason="no answer")


def unsent(call: Call) -> e.Unsent:
    """Return the event of a call that never left."""
    return e.Unsent(call=call, reason="no connection")


def decoded(entry: Entry) -> e.Event:
    """Return the event of an entry."""
    return e.decode(entry.kind, entry.data)


class Story:
    """A submission's history while it is told, and what follows from it."""

    def __init__(self, filing: Filing, *, policy: Policy | None = None, key: str = "case-1") -> None:
        self.policy = policy or Policy()
        self.now = NOW
        self.journal = Journal(key=key).then(e.Filed(environment="test", filing=filing), NOW)

    @property
    def state(self) -> Submission:
        return self.journal.submission

    @property
    def status(self) -> Status:
        return self.journal.status

    @property
    def stage(self) -> Stage | None:
        return None if self.state.attempt is None else self.state.attempt.stage

    def decide(self) -> Step:
        """Return what the policy does next."""
        return decide(self.state, self.now, self.policy)

    def then(self, *events: e.Event) -> "Story":
        """Let something happen."""
        for event in events:
            self.journal = self.journal.then(event, self.now)
        return self

    def wait(self, seconds: float) -> "Story":
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self

    def intend(self, call: Call, file: int | None = None) -> "Story":
        """Let a call be under way."""
        return self.then(e.Intended(call=call, file=file))

    def call(self, call: Call, file: int | None = None) -> "Story":
        """Let a call succeed."""
        return self.intend(call, file).then(done(call, file))

    def complete(self) -> "Story":
        """Open a report and add all that belongs to it."""
        self.call(Call.SUBMIT)
        for index, file in enumerate(self.state.filing.files):
            self.call(Call.UPLOAD, index)
            if file.description is not None:
                self.call(Call.DESCRIBE, index)
        return self

    def until(self, call: Call) -> "Story":
        """Go on until a call is under way; the first file has details."""
        match call:
            case Call.SUBMIT:
                return self.intend(call)
            case Call.UPLOAD:
                return self.call(Call.SUBMIT).intend(call, 0)
            case Call.DESCRIBE:
                return self.call(Call.SUBMIT).call(Call.UPLOAD, 0).intend(call, 0)
            case Call.FINISH:
                return self.complete().intend(call)
            case Call.RETRACT:
                return self.call(Call.SUBMIT).intend(call)


# -- any of them --------------------------------------------------------------------------------------------------------

indexes = st.integers(0, 20)
texts = strategies.texts()
calls = st.sampled_from(e.Call)
report_ids = st.integers(1, (1 << 63) - 1).map(ReportId)
file_ids = st.text("0123456789abcdef", min_size=32, max_size=32).map(FileId)
moments = strategies.times()


def file_entries() -> st.SearchStrategy[FileEntry]:
    """Generate entries of files."""
    return st.builds(
        FileEntry,
        evidence=texts,
        name=texts,
        media_type=st.sampled_from(("application/octet-stream", "image/png")),
        size=st.integers(1, 1 << 60),
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
        md5=file_ids,
        description=st.none() | strategies.file_descriptions(),
    )


def filings() -> st.SearchStrategy[Filing]:
    """Generate filings of any valid report."""
    return st.builds(
        Filing,
        report=strategies.reports(),
        files=st.lists(file_entries(), max_size=3).map(tuple),
        edition=st.sampled_from(Edition),
    )


observations = st.builds(
    e.Observation,
    status=st.none() | st.integers(100, 599),
    request_id=st.none() | texts,
    date=st.none() | moments,
    raw=st.binary(max_size=50),
)

#: A strategy for each kind of event.
EVENTS: dict[type[Any], st.SearchStrategy[Any]] = {
    e.Filed: st.builds(
        e.Filed,
        environment=texts,
        filing=filings(),
        priority=st.integers(-(1 << 31), 1 << 31),
        tenant=texts,
        tags=st.lists(texts, max_size=3).map(tuple),
    ),
    e.Intended: st.builds(e.Intended, call=calls, file=st.none() | indexes, worker=texts),
    e.Opened: st.builds(e.Opened, report_id=report_ids, observation=observations),
    e.Uploaded: st.builds(e.Uploaded, file=indexes, file_id=file_ids, observation=observations),
    e.Described: st.builds(e.Described, file=indexes, observation=observations),
    e.Finished: st.builds(
        e.Finished,
        report_id=report_ids,
        file_ids=st.lists(file_ids, max_size=3).map(tuple),
        adopted=st.booleans(),
        preserve_until=moments,
        observation=observations,
    ),
    e.Retracted: st.builds(e.Retracted, observation=observations),
    e.Lost: st.builds(e.Lost, call=calls, reason=texts, observation=st.none() | observations),
    e.Unsent: st.builds(e.Unsent, call=calls, reason=texts),
    e.Refused: st.builds(
        e.Refused,
        call=calls,
        verdict=st.sampled_from(e.Verdict),
        code=st.none() | st.integers(-9999, 9999),
        retry_after_for=st.none() | st.floats(0, 1e9),
        observation=observations,
    ),
    e.Mismatched: st.builds(e.Mismatched, file=indexes, observation=observations),
    e.Damaged: st.builds(e.Damaged, file=indexes, reason=texts),
    e.Unreadable: st.builds(e.Unreadable, file=indexes, reason=texts),
    e.Escalated: st.builds(e.Escalated, reason=texts),
    e.Overridden: st.builds(e.Overridden, actor=texts, reason=texts),
    e.Withdrawn: st.builds(e.Withdrawn, actor=texts, reason=texts),
    e.Suspended: st.builds(e.Suspended, reason=texts),
    e.Observed: st.builds(e.Observed, call=calls, observation=observations),
}


@pytest.fixture(scope="session")
def kit() -> Any:
    """The helpers above, for tests in other files."""
    return sys.modules[__name__]
