"""What the tests of cases share: small values, one event of each kind, and cases that are told event by event."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cybertip.cases import events as e
from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision, Dismissed, MediaDecision, ThreadDecision, View
from cybertip.cases.journal import CaseJournal
from cybertip.cases.profile import Contact, IncidentKind, Profile
from cybertip.cases.references import CaseId, EvidenceId, ItemRef, MessageId, ReviewerId, SignalId, ThreadId, UserRef
from cybertip.cases.routing import Destination
from cybertip.cases.signals import HashMatched, KnownMatch, Media, Noticed, Signal
from cybertip.model import (
    FileAnnotations,
    FileClassification,
    FileRelevance,
    IncidentType,
    IntendedRecipient,
    Person,
    ReportAnnotations,
    ReportId,
    Victim,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "case/0123456789abcdef/1"
USER = UserRef(id="u1", type_id="user")
ANN, BOB = ReviewerId("ann"), ReviewerId("bob")


def after(seconds: float) -> datetime:
    """Return the time so many seconds after `NOW`."""
    return NOW + timedelta(seconds=seconds)


def image(number: int = 1) -> ItemRef:
    """Return the name of a file."""
    return ItemRef(id=f"m{number}", type_id="image")


def digest(number: int = 1) -> str:
    """Return the digest of a file's bytes."""
    return f"{number:064x}"


def signal(number: int = 1, *media: int) -> Signal:
    """Return a signal with some files."""
    files = tuple(Media(ref=image(one)) for one in media)
    threads = (ThreadId(f"t{number}"),)
    return Noticed(id=SignalId(f"s{number}"), source="chat", at=NOW, basis="", name="x", media=files, threads=threads)


def matched(number: int, media: int) -> Signal:
    """Return a match with known material."""
    match = KnownMatch(media=image(media), bank="known", algorithm="PDQ")
    files = (Media(ref=image(media)),)
    return HashMatched(id=SignalId(f"s{number}"), source="hashes", at=NOW, basis="", media=files, matches=(match,))


def kept(number: int = 1) -> e.MediaKept:
    """Return the event of a file that is preserved."""
    evidence = EvidenceId(f"e{number}")
    return e.MediaKept(media=image(number), evidence=evidence, sha256=digest(number), md5=f"{number:032x}", size=9)


def view(number: int = 1, *, wholly: bool = True, exif: bool = False, reviewer: ReviewerId = ANN) -> View:
    """Return the record of a view."""
    return View(sha256=digest(number), reviewer=reviewer, at=NOW, wholly=wholly, exif=exif)


def decision(*media: int, views: bool = False) -> Decision:
    """Return a decision that reports some files, and a text."""
    files = tuple(MediaDecision(media=image(one), include=True, views=(view(one),) if views else ()) for one in media)
    return Decision(incident_type=IncidentType.ONLINE_ENTICEMENT, media=files, additional_info="invented")


def opened(environment: e.Environment = e.Environment.PRODUCTION) -> e.Opened:
    """Return the event of a case that was opened."""
    return e.Opened(organisation="o1", user=USER, environment=environment)


def claimed(reviewer: ReviewerId = ANN, until: float = 600) -> e.Claimed:
    """Return the event of a case that was taken."""
    return e.Claimed(reviewer=reviewer, until=after(until))


def enriched() -> e.Enriched:
    """Return the event of an answer."""
    return e.Enriched(answer='{"users": []}', profile=Profile(company_name="Example"), prior_reports=(ReportId(7),))


FILED = e.Filed(submission=f"{KEY}/report", digest=digest(7))

FULL = Decision(
    incident_type=IncidentType.ONLINE_ENTICEMENT,
    incident_at=NOW,
    escalation="invented",
    annotations=ReportAnnotations(sextortion=True),
    media=(
        MediaDecision(
            media=image(),
            include=True,
            relevance=FileRelevance.REPORTED,
            classification=FileClassification.A1,
            annotations=FileAnnotations(viral=True),
            views=(view(wholly=False, exif=True),),
        ),
        MediaDecision(media=image(2), include=False),
    ),
    threads=(ThreadDecision(thread=ThreadId("t1"), messages=(MessageId("1"), MessageId("2"))),),
    victims=(Victim(victim_person=Person(first_name="Invented")),),
    recipients=(IntendedRecipient(esp_identifier="u3"),),
    additional_info="invented",
)
TRANSCRIPT = Attachment(
    kind=AttachmentKind.TRANSCRIPT,
    evidence=EvidenceId("e7"),
    name="t1.jsonl",
    media_type="application/x-ndjson",
    size=100,
    sha256=digest(7),
    md5="ab" * 16,
    thread=ThreadId("t1"),
    messages=2,
    newest_at=NOW,
)
PROFILE = Profile(
    company_name="Example",
    legal_url="https://company.example/legal",
    contact=Contact(first_name="Invented", phone="+1 202 555 0100"),
    default_incident=IncidentKind.CHAT_IM,
    preservation_url="https://platform.example/preserve",
)

#: Each form that was ever recorded, with its meaning. Neither is ever changed; a new form gets a new version and file.
GOLDEN: dict[str, e.Event] = {
    "case.opened-1": e.Opened(
        organisation="o1", user=USER, environment=e.Environment.TEST, predecessor=CaseId("case/0123456789abcdef/1")
    ),
    "case.joined-1": e.Joined(signal=matched(1, 1), to=Destination.TRIAGE, queue="urgent", priority=2),
    "case.routed-1": e.Routed(reviewer=ANN, to=Destination.REVIEW, queue="urgent"),
    "case.mediakept-1": kept(),
    "case.mediamissing-1": e.MediaMissing(media=image(), reason="the platform says that it is gone"),
    "case.viewed-1": e.Viewed(view=view()),
    "case.claimed-1": claimed(),
    "case.released-1": e.Released(reviewer=ANN),
    "case.decided-1": e.Decided(reviewer=ANN, decision=FULL, needs_approval=True),
    "case.decided-1-dismissed": e.Decided(reviewer=ANN, decision=Dismissed(reason="invented"), needs_approval=False),
    "case.approved-1": e.Approved(reviewer=BOB),
    "case.returned-1": e.Returned(reviewer=BOB, reason="invented"),
    "case.enriched-1": e.Enriched(
        answer='{"users": []}', profile=PROFILE, prior_reports=(ReportId(4564654),), attachments=(TRANSCRIPT,)
    ),
    "case.blocked-1": e.Blocked(reasons=("request.media[0]: has no entry in the answer [absent]",)),
    "case.filed-1": FILED,
    "case.reported-1": e.Reported(report_id=ReportId(4564654)),
    "case.preserved-1": e.Preserved(),
    "case.delayed-1": e.Delayed(reason="the platform's endpoint has no answer"),
    "case.retried-1": e.Retried(reviewer=BOB, reason="invented"),
    "case.retracted-1": e.Retracted(),
    "case.overdue-1": e.Overdue(of=e.PRESERVATION, reason="the platform's endpoint has no answer"),
    "case.notified-1": e.Notified(of="case.filed"),
}


def told(*events: e.Event, at: datetime = NOW) -> CaseJournal:
    """Return the journal of a case to which all of this happened."""
    journal = CaseJournal(key=KEY)
    for event in events:
        journal = journal.then(event, at)
    return journal


def case(*events: e.Event, at: datetime = NOW) -> Case:
    """Return what follows from all of this."""
    return told(*events, at=at).case


@pytest.fixture(scope="session")
def kit() -> Any:
    """Give the tests all of this."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if not name.startswith("_")})
