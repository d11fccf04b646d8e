"""A submission's journal in words that a person on call can read: what happened, oldest first.

Nothing sensitive is said: no text of the report, no name, no file's name. What a person gave as a reason, and what NCMEC
answered in its own words, is told only to who asks for it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

import attrs

from cybertip.cli.show import count
from cybertip.errors import InvalidReport, UnknownEvent
from cybertip.filing import Entry
from cybertip.filing.events import (
    Call,
    Damaged,
    Described,
    Escalated,
    Event,
    Filed,
    Finished,
    Intended,
    Lost,
    Mismatched,
    Observation,
    Observed,
    Opened,
    Overridden,
    Refused,
    Retracted,
    Suspended,
    Unreadable,
    Unsent,
    Uploaded,
    Verdict,
    Withdrawn,
    decode,
)
from cybertip.model import ReportResponse
from cybertip.xml import read

__all__ = ["Moment", "moments", "size", "which"]

#: What a refusal means for us.
_MEANING = {
    Verdict.LATER: "they could not now",
    Verdict.CREDENTIALS: "our credentials or rights",
    Verdict.OURS: "they will never take what we sent",
    Verdict.GONE: "the report is gone there",
    Verdict.FILE_GONE: "the file is gone there",
    Verdict.UNKNOWN: "what it means is not known",
}

#: What may have become of a call whose answer was lost, and what follows.
_IN_DOUBT = {
    Call.SUBMIT: "NCMEC may have opened a report, which nobody will finish and which deletes itself; a new one is opened",
    Call.UPLOAD: "NCMEC may have the file, and once more would double it: the report is retracted, and a new one opened",
    Call.DESCRIBE: "NCMEC may have the details, which it takes once: the report is retracted, and a new one opened",
    Call.FINISH: "the report may be filed: finishing it again tells, and until then no other is opened",
    Call.RETRACT: "the report may be gone: retracting it again tells",
}


@attrs.frozen(kw_only=True)
class Moment:
    """One thing that happened."""

    at: datetime
    version: int
    #: The event's name.
    event: str
    text: str
    #: NCMEC asks for it in support requests.
    request_id: str | None = None
    file_id: str | None = None
    #: What NCMEC said in its own words, which may quote the report; only if asked for.
    answer: str | None = None


def moments(key: str, entries: Iterable[Entry], *, reasons: bool = False, answers: bool = False) -> list[Moment]:
    """Return what happened. A call is told by how it ended; one that has not ended yet is not told here.

    Args:
        key: the submission's.
        entries: its journal.
        reasons: tell what persons gave as their reasons.
        answers: tell what NCMEC answered, in its own words.
    """
    found: list[Moment] = []
    attempt = files = 0
    concerned: int | None = None
    for entry in entries:
        event = _known(key, entry)
        if isinstance(event, Intended):
            attempt += event.call is Call.SUBMIT
            concerned = event.file
            continue
        if isinstance(event, Filed):
            files = len(event.filing.files)
        file = getattr(event, "file", concerned)
        observation: Observation | None = getattr(event, "observation", None)
        found.append(
            Moment(
                at=entry.recorded_at,
                version=entry.version,
                event=entry.kind.partition("/")[0],
                text=f"a newer program wrote an entry {entry.kind!r}, which this one cannot read"
                if event is None
                else _told(event, attempt, which(file, files), reasons=reasons),
                request_id=observation.request_id if observation is not None else None,
                file_id=event.file_id if isinstance(event, Uploaded) else None,
                answer=_words(observation) if answers and observation is not None else None,
            )
        )
    return found


def which(file: int | None, files: int) -> str:
    """Name a file without its name.

    >>> which(1, 3)
    'file 2 of 3'
    """
    return "" if file is None else f"file {file + 1} of {files}"


def size(number: int) -> str:
    """Return a number of bytes as people read it.

    >>> size(1), size(999), size(3_100_000)
    ('1 byte', '999 bytes', '3.1 MB')
    """
    if number < 1000:
        return count(number, "byte")
    shown = float(number)
    for unit in ("kB", "MB", "GB"):
        shown /= 1000
        if shown < 1000:
            return f"{shown:.1f} {unit}"
    return f"{shown / 1000:.1f} TB"


def _words(observation: Observation) -> str | None:
    """Return NCMEC's description of an answer, if it has one."""
    try:
        document = read(observation.raw)
    except InvalidReport:
        return None
    return document.response_description if isinstance(document, ReportResponse) else None


def _known(key: str, entry: Entry) -> Event | None:
    try:
        return decode(entry.kind, entry.data, key=key)
    except UnknownEvent:
        return None


def _told(event: Event, attempt: int, file: str, *, reasons: bool) -> str:
    match event:
        case Filed():
            sizes = [one.size for one in event.filing.files]
            return f"filed for {event.environment}, with {count(len(sizes), 'file')} ({size(sum(sizes))})"
        case Intended():
            raise AssertionError("a call is told by how it ended")
        case Opened():
            return f"attempt {attempt}: NCMEC opened report {event.report_id}"
        case Uploaded():
            return f"{file} uploaded; NCMEC's MD5 of it is ours"
        case Described():
            return f"{file} described"
        case Finished(adopted=True):
            return f"finished: NCMEC says that report {event.report_id} is filed; the list of its files was lost"
        case Finished():
            return f"finished: report {event.report_id} is filed, with {count(len(event.file_ids), 'file')}"
        case Retracted():
            return "the open report is retracted"
        case Lost():
            call = _call(event.call, file, attempt)
            return f"{call}: no answer that can be relied on ({event.reason}). {_IN_DOUBT[event.call]}"
        case Unsent():
            return f"{_call(event.call, file, attempt)}: nothing was sent ({event.reason})"
        case Refused():
            code = f"code {event.code}" if event.code is not None else f"HTTP {event.observation.status}"
            none = event.call is Call.SUBMIT and event.verdict is not Verdict.UNKNOWN
            opened = "; NCMEC did not open a report" if none else ""
            return f"{_call(event.call, file, attempt)}: NCMEC answered {code}, {_MEANING[event.verdict]}{opened}"
        case Mismatched():
            return f"{file}: NCMEC received other bytes than were sent; the report is retracted"
        case Damaged():
            return f"nothing may be sent: the evidence of {file} {event.reason}"
        case Unreadable():
            return f"nothing was sent: the evidence of {file} {event.reason}; it is tried again"
        case Escalated():
            return f"a person was called: {event.reason}"
        case Overridden():
            return f"{event.actor} decided that it goes on{_because(event.reason, reasons=reasons)}"
        case Withdrawn():
            return f"{event.actor} decided that it must not be filed{_because(event.reason, reasons=reasons)}"
        case Suspended():
            return f"nothing is filed before a person looked: {event.reason}"
        case Observed():
            return f"a late answer to {event.call}, which changes nothing, was kept"
        case never:
            assert_never(never)


def _call(call: Call, file: str, attempt: int) -> str:
    """Name a call; what may have opened a report is told with the attempt, so that none is missing in the count."""
    if call is Call.SUBMIT:
        return f"attempt {attempt}: {call}"
    return f"{call} of {file}" if file and call in (Call.UPLOAD, Call.DESCRIBE) else str(call)


def _because(reason: str, *, reasons: bool) -> str:
    return f": {reason}" if reasons else "; the reason is shown with --reasons"
