"""A case's journal in words that a person can read: what happened, oldest first.

Nobody's identifier, no file's name, no text of anybody's is said. What a person gave as a reason, and why something was
noticed, is told only to who asks for it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

import attrs

from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.decisions import Decision, Dismissed, View
from cybertip.cases.events import (
    PRESERVATION,
    Approved,
    Blocked,
    Claimed,
    Decided,
    Delayed,
    Enriched,
    Event,
    Filed,
    Joined,
    MediaKept,
    MediaMissing,
    Notified,
    Opened,
    Overdue,
    Preserved,
    Released,
    Reported,
    Retracted,
    Retried,
    Returned,
    Routed,
    Viewed,
    decode,
)
from cybertip.cases.references import ItemRef
from cybertip.cases.signals import (
    ClassifierScored,
    ContentRemoved,
    Escalated,
    HashMatched,
    Noticed,
    Signal,
    UserReported,
)
from cybertip.cli import show
from cybertip.cli.show import count
from cybertip.cli.timeline import size, which
from cybertip.errors import UnknownEvent
from cybertip.filing import Entry

__all__ = ["Passage", "how_viewed", "passages", "what_signal"]


@attrs.frozen(kw_only=True)
class Passage:
    """One thing that happened."""

    at: datetime
    version: int
    #: The event's name.
    event: str
    text: str


def passages(key: str, entries: Iterable[Entry], *, details: bool = False) -> list[Passage]:
    """Return what happened; with `details`, also the reasons that people gave, and why something was noticed."""
    known = [(entry, _known(key, entry)) for entry in entries]
    teller = _Teller([event for _, event in known if event is not None], details=details)
    return [
        Passage(
            at=entry.recorded_at,
            version=entry.version,
            event=entry.kind.partition("/")[0].removeprefix("case."),
            text=f"a newer program wrote an entry {entry.kind!r}, which this one cannot read"
            if event is None
            else teller.told(event),
        )
        for entry, event in known
    ]


def _known(key: str, entry: Entry) -> Event | None:
    try:
        return decode(entry.kind, entry.data, key=key)
    except UnknownEvent:
        return None


class _Teller:
    """Tell events, with each file by its number."""

    def __init__(self, events: Iterable[Event], *, details: bool) -> None:
        known = tuple(events)
        joined = (event.signal for event in known if isinstance(event, Joined))
        self._files = list(dict.fromkeys(one.ref for signal in joined for one in signal.media))
        self._kept = {event.sha256: event.media for event in known if isinstance(event, MediaKept)}
        self._details = details

    def told(self, event: Event) -> str:
        match event:
            case Opened():
                after = f", after {event.predecessor}" if event.predecessor else ""
                return f"opened about a {event.user.type_id}, for {event.environment}{after}"
            case Joined():
                return f"signal: {what_signal(event.signal)}{self._because(event.signal.basis)}; it goes to {event.to}"
            case Routed():
                queue = f", queue {event.queue}" if event.queue else ""
                return f"{event.reviewer} sent it to {event.to}{queue}"
            case MediaKept():
                return f"{self._file(event.media)} is kept ({size(event.size)})"
            case MediaMissing():
                return f"{self._file(event.media)} cannot be had any more: {event.reason}"
            case Viewed():
                kept = self._kept.get(event.view.sha256)
                file = "a file" if kept is None else self._file(kept)
                return f"{event.view.reviewer} viewed {file}, {how_viewed(event.view)}"
            case _:
                return self._decided(event)

    def _decided(self, event: Event) -> str:
        """Tell what people did, and what came of it."""
        match event:
            case Claimed():
                return f"{event.reviewer} has it until {show.at(event.until)}"
            case Released():
                return f"{event.reviewer} gave it back"
            case Decided(decision=Dismissed() as dismissed):
                return f"{event.reviewer} dismissed it: nothing is reported{self._because(dismissed.reason)}"
            case Decided():
                assert isinstance(event.decision, Decision)
                second = "; a second person is to approve" if event.needs_approval else ""
                return f"{event.reviewer} decided: {_of_decision(event.decision)}{second}"
            case Approved():
                return f"{event.reviewer} approved the decision"
            case Returned():
                return f"{event.reviewer} took the decision back{self._because(event.reason)}"
            case Retried():
                return f"{event.reviewer} has it tried again{self._because(event.reason)}"
            case _:
                return self._worked(event)

    def _worked(self, event: Event) -> str:
        """Tell what workers did."""
        match event:
            case Enriched():
                return f"the platform said what it knows; {_of_attachments(event.attachments)}"
            case Delayed():
                return f"it waits: {event.reason}"
            case Blocked():
                return f"it cannot be filed as it is: {'; '.join(event.reasons)}"
            case Filed():
                return f"its filing was handed over as {event.submission}"
            case Reported():
                return f"reported: NCMEC has report {event.report_id}"
            case Retracted():
                return "the filing was withdrawn before it was finished: nothing was reported"
            case Preserved():
                return "the platform was told to preserve, and said that it heard"
            case Notified():
                return f"the host was told of {event.of}"
            case Overdue():
                what = "to preserve" if event.of == PRESERVATION else f"of {event.of}"
                return f"the host could not be told {what} so far: {event.reason}"
            case _:
                raise AssertionError(type(event).__name__)

    def _because(self, reason: str) -> str:
        return f" ({reason})" if self._details else ""

    def _file(self, ref: ItemRef) -> str:
        number = self._files.index(ref) if ref in self._files else None
        return f"{which(number, len(self._files)) or 'a file'} ({ref.type_id})"


def what_signal(signal: Signal) -> str:
    """Say what was noticed, by what."""
    files = f", {count(len(signal.media), 'file')}" if signal.media else ""
    return f"{_what(signal)}, noticed by {signal.source}{files}"


def _what(signal: Signal) -> str:
    match signal:
        case HashMatched():
            lists = ", ".join(dict.fromkeys(f"{one.bank} by {one.algorithm}" for one in signal.matches))
            return f"hash match with {lists}"
        case ClassifierScored():
            return f"score {signal.score:g} for {signal.label} by {signal.classifier}"
        case UserReported():
            return "user report" if signal.csam else "user report for another reason"
        case Escalated():
            return "escalation by a moderator"
        case ContentRemoved():
            return "removal of content"
        case Noticed():
            return signal.name
        case never:
            assert_never(never)


def how_viewed(view: View) -> str:
    """Say how much of a file was looked at.

    >>> from cybertip.cases.references import ReviewerId
    >>> from datetime import UTC
    >>> how_viewed(View(sha256="0" * 64, reviewer=ReviewerId("r"), at=datetime.now(UTC), wholly=False, exif=True))
    'in part, with its EXIF data'
    """
    return f"{'wholly' if view.wholly else 'in part'}, {'with' if view.exif else 'without'} its EXIF data"


def _of_decision(decision: Decision) -> str:
    said = [f"report as {decision.incident_type}", f"{len(decision.included)} of {count(len(decision.media), 'file')}"]
    if decision.threads:
        messages = sum(len(one.messages) for one in decision.threads)
        said.append(f"{count(messages, 'message')} of {count(len(decision.threads), 'conversation')}")
    if decision.victims:
        said.append(count(len(decision.victims), "victim"))
    if decision.escalation:
        said.append("urgent")
    if decision.batched:
        said.append(f"for {count(1 + len(decision.batched_users), 'user')} together")
    return ", ".join(said)


def _of_attachments(attachments: tuple[Attachment, ...]) -> str:
    transcripts = [one for one in attachments if one.kind is AttachmentKind.TRANSCRIPT]
    others = len(attachments) - len(transcripts)
    written = f"{count(len(transcripts), 'file')} of transcripts" if transcripts else "no transcripts"
    return f"{written} and {count(others, 'supplemental file')} are kept"
