"""The words of a case's journal: every event has some, and none of them say what must not be said."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cybertip.cases import events
from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.decisions import Decision, Dismissed, MediaDecision, View
from cybertip.cases.events import encode
from cybertip.cases.profile import Profile
from cybertip.cases.references import CaseId, EvidenceId, ItemRef, ReviewerId, SignalId, ThreadId, UserRef
from cybertip.cases.signals import (
    ClassifierScored,
    ContentRemoved,
    Escalated,
    HashMatched,
    KnownMatch,
    Media,
    Noticed,
    Signal,
    UserReported,
)
from cybertip.cli.chronicle import passages, what_signal
from cybertip.filing.chain import FIRST, Entry, following
from cybertip.model import IncidentType, ReportId

CANARY = "canary-7f3a"
AT = datetime(2026, 1, 1, tzinfo=UTC)
ANN = ReviewerId("ann")
IMAGE = ItemRef(id=CANARY, type_id="image")
USER = UserRef(id=CANARY, type_id="user")
VIEW = View(sha256="ab" * 32, reviewer=ANN, at=AT, wholly=False, exif=True)


def signal(kind: Any = Escalated, **more: Any) -> Signal:
    """Return a signal with a canary in each place that could tell something."""
    media = (Media(ref=IMAGE, url=f"https://{CANARY}.example/", file_name=CANARY),)
    parts = {"id": SignalId(CANARY), "source": "chat", "at": AT, "basis": CANARY, "media": media, "creator": USER}
    made: Signal = kind(**parts | {"threads": (CANARY,), "victims": (USER,), "recipients": (USER,)} | more)
    return made


SIGNALS = {
    "hash match with list 1 by pdq": signal(
        HashMatched, matches=(KnownMatch(media=IMAGE, bank="list 1", algorithm="pdq", distance=4),)
    ),
    "score 0.5 for nudity by model 1": signal(ClassifierScored, classifier="model 1", label="nudity", score=0.5),
    "user report": signal(UserReported, csam=True, reporter=USER),
    "user report for another reason": signal(UserReported, csam=False),
    "escalation by a moderator": signal(moderator=ReviewerId(CANARY)),
    "removal of content": signal(ContentRemoved, removed_at=AT, moderator=CANARY),
    "grooming": signal(Noticed, name="grooming"),
}
DECISION = Decision(
    incident_type=IncidentType.ONLINE_ENTICEMENT,
    media=(MediaDecision(media=IMAGE, include=True),),
    additional_info=CANARY,
    escalation=CANARY,
)
ATTACHMENT = Attachment(
    kind=AttachmentKind.TRANSCRIPT,
    evidence=EvidenceId(CANARY),
    name=CANARY,
    size=1,
    sha256="ab" * 32,
    md5="ab" * 16,
    thread=ThreadId(CANARY),
    messages=1,
    newest_at=AT,
)
HAPPENED: list[tuple[Any, str]] = [
    (events.Opened(organisation="o", user=USER, environment=events.Environment.TEST), "opened about a user, for test"),
    (events.Joined(signal=signal(moderator=ANN)), "signal: escalation by a moderator"),
    (events.Routed(reviewer=ANN, queue="q"), "ann sent it to review, queue q"),
    (
        events.MediaKept(media=IMAGE, evidence=EvidenceId(CANARY), sha256="ab" * 32, md5="ab" * 16, size=2000),
        "file 1 of 1 (image) is kept (2.0 kB)",
    ),
    (events.MediaMissing(media=IMAGE, reason="expired"), "file 1 of 1 (image) cannot be had any more: expired"),
    (events.Viewed(view=VIEW), "ann viewed file 1 of 1 (image), in part, with its EXIF data"),
    (events.Claimed(reviewer=ANN, until=AT + timedelta(hours=1)), "ann has it until 2026-01-01T01:00:00+00:00"),
    (events.Released(reviewer=ANN), "ann gave it back"),
    (
        events.Decided(reviewer=ANN, decision=DECISION, needs_approval=True),
        "1 of 1 file, urgent; a second person is to approve",
    ),
    (
        events.Decided(reviewer=ANN, decision=Dismissed(reason=CANARY), needs_approval=False),
        "ann dismissed it: nothing is reported",
    ),
    (events.Approved(reviewer=ANN), "ann approved the decision"),
    (events.Returned(reviewer=ANN, reason=CANARY), "ann took the decision back"),
    (
        events.Enriched(answer=f'{{"users": ["{CANARY}"]}}', profile=Profile(), attachments=(ATTACHMENT,)),
        "the platform said what it knows; 1 file of transcripts and 0 supplemental files are kept",
    ),
    (events.Delayed(reason="no answer"), "it waits: no answer"),
    (events.Blocked(reasons=("one", "two")), "it cannot be filed as it is: one; two"),
    (events.Retried(reviewer=ANN, reason=CANARY), "ann has it tried again"),
    (events.Filed(submission="k/report", digest="ab" * 32), "its filing was handed over as k/report"),
    (events.Reported(report_id=ReportId(7)), "reported: NCMEC has report 7"),
    (events.Retracted(), "nothing was reported"),
    (events.Preserved(), "the platform was told to preserve"),
    (events.Notified(of="case.filed"), "the host was told of case.filed"),
    (events.Overdue(of="preservation", reason="HTTP 500"), "the host could not be told to preserve so far: HTTP 500"),
]


def journal(*happened: Any) -> list[Entry]:
    """Return entries in which just this happened; the words need not be of a case that can be."""
    entries: list[Entry] = []
    for event in happened:
        kind, data = encode(event)
        version, digest = (entries[-1].version, entries[-1].digest) if entries else (0, FIRST)
        entries.append(following("k", version, digest, kind=kind, data=data, at=AT))
    return entries


def test_every_kind_of_event_is_among_them() -> None:
    """A new kind of event gets words, or this test fails."""
    assert {type(event) for event, _ in HAPPENED} == set(events.Event.__args__)


def test_everything_that_happens_is_told_without_saying_whom_it_is_about() -> None:
    """Each event has its words, and no identifier, no name and nobody's own words are in them."""
    told = passages("k", journal(*(event for event, _ in HAPPENED)))
    assert [said for (_, said), one in zip(HAPPENED, told, strict=True) if said not in one.text] == []
    assert CANARY not in str(told)


def test_reasons_are_told_to_who_asks_for_them() -> None:
    """Why something was noticed, dismissed, taken back or tried again."""
    told = passages("k", journal(*(event for event, _ in HAPPENED)), details=True)
    assert [one.event for one in told if CANARY in one.text] == ["joined", "decided", "returned", "retried"]


def test_what_a_newer_program_wrote_is_said_to_be_unread() -> None:
    """It is neither left out nor guessed."""
    entry = following("k", 0, FIRST, kind="case.dreamt/1", data="{}", at=AT)
    (told,) = passages("k", [entry])
    assert told.text == "a newer program wrote an entry 'case.dreamt/1', which this one cannot read"


@pytest.mark.parametrize("said", SIGNALS)
def test_each_kind_of_signal_is_told(said: str) -> None:
    """What noticed it and how many files there are, and nothing of whom."""
    assert what_signal(SIGNALS[said]) == f"{said}, noticed by chat, 1 file"


def test_a_case_that_follows_another_says_so() -> None:
    """A reviewer wants to look at that one, too."""
    opened = events.Opened(
        organisation="o", user=USER, environment=events.Environment.PRODUCTION, predecessor=CaseId("case/0/000001")
    )
    (told,) = passages("k", journal(opened))
    assert told.text == "opened about a user, for production, after case/0/000001"
