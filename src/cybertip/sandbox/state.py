"""What NCMEC knows of a report: its state, its files, and when it deletes itself."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cybertip.model.identifiers import FileId, ReportId
from cybertip.protocol.codes import Code
from cybertip.sandbox.answers import Refusal
from cybertip.sandbox.behaviour import AfterDeletion
from cybertip.sandbox.clock import Clock
from cybertip.sandbox.documents import Document

__all__ = ["Identifiers", "ReceivedFile", "ReceivedReport", "Register", "State"]

#: An unfinished report is deleted at the later of the two (NCMEC: section 2).
LASTS_AFTER_OPENING_FOR = timedelta(hours=24)
LASTS_AFTER_CHANGE_FOR = timedelta(hours=1)


class State(StrEnum):
    """Say how far a report has come."""

    OPEN = "open"
    FINISHED = "finished"
    RETRACTED = "retracted"
    DELETED = "deleted"


@dataclass(kw_only=True, slots=True)
class ReceivedFile:
    """A file of a report: what arrived of it, and what was said of it."""

    file_id: FileId
    filename: str | None = field(repr=False)
    media_type: str | None
    size: int
    md5: str
    sha256: str
    path: Path | None
    details: Document | None = None


@dataclass(kw_only=True, slots=True)
class ReceivedReport:
    """A report that was opened; it is remembered for the test, even when NCMEC would have forgotten it."""

    report_id: ReportId
    document: Document
    opened_at: datetime
    changed_at: datetime
    state: State = State.OPEN
    finished_at: datetime | None = None
    files: dict[FileId, ReceivedFile] = field(default_factory=dict)

    @property
    def deletes_at(self) -> datetime:
        """When it deletes itself unless it is finished: the later of 24 h after opening and 1 h after the last change."""
        return max(self.opened_at + LASTS_AFTER_OPENING_FOR, self.changed_at + LASTS_AFTER_CHANGE_FOR)


class Identifiers:
    """Make identifiers that look like NCMEC's and are the same at every run."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made: dict[str, int] = {}

    def request(self) -> str:
        return self._next("request")

    def file(self) -> FileId:
        return FileId(self._next("file"))

    def report(self) -> ReportId:
        """Return nine digits that do not start with a zero."""
        return ReportId(100_000_000 + int(self._next("report"), 16) % 900_000_000)

    def _next(self, kind: str) -> str:
        number = self._made[kind] = self._made.get(kind, 0) + 1
        return hashlib.sha256(f"{self._seed}/{kind}/{number}".encode()).hexdigest()[:32]


class Register:
    """Keep the reports, and let each be changed only while NCMEC would."""

    def __init__(self, clock: Clock, identifiers: Identifiers, after_deletion: AfterDeletion) -> None:
        self._clock = clock
        self._identifiers = identifiers
        self._after_deletion = after_deletion
        self._reports: dict[ReportId, ReceivedReport] = {}

    def all(self) -> tuple[ReceivedReport, ...]:
        """Return every report there ever was, in the order of opening, in its state of now."""
        for report in self._reports.values():
            self._age(report)
        return tuple(self._reports.values())

    def open(self, document: Document) -> ReceivedReport:
        """Open a report for a document that was accepted."""
        report_id = self._identifiers.report()
        while report_id in self._reports:
            report_id = self._identifiers.report()
        now = self._clock.now()
        report = ReceivedReport(report_id=report_id, document=document, opened_at=now, changed_at=now)
        self._reports[report_id] = report
        return report

    def get(self, report_id: int) -> ReceivedReport | None:
        """Return a report in any state."""
        report = self._reports.get(ReportId(report_id))
        if report is not None:
            self._age(report)
        return report

    def opened(self, report_id: int) -> ReceivedReport:
        """Return a report that is still open, or refuse with the code of its state (NCMEC: section 4)."""
        report = self.get(report_id)
        match report.state if report is not None else None:
            case None:
                raise Refusal(Code.REPORT_DOES_NOT_EXIST, "Report does not exist")
            case State.FINISHED:
                raise Refusal(Code.ALREADY_FINISHED, "Report has already been finished")
            case State.RETRACTED:
                raise Refusal(Code.ALREADY_RETRACTED, "Report has already been retracted")
            case State.DELETED if self._after_deletion == 5101:
                raise Refusal(Code.ALREADY_RETRACTED, "Report has already been retracted")
            case State.DELETED:
                raise Refusal(Code.REPORT_DOES_NOT_EXIST, "Report does not exist")
        assert report is not None
        return report

    def _age(self, report: ReceivedReport) -> None:
        # Nothing runs in the background: a report is found to be deleted when somebody looks.
        if report.state is State.OPEN and self._clock.now() >= report.deletes_at:
            report.state = State.DELETED
