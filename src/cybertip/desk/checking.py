"""What keeps a decision from being filed, as far as that can be told before anybody is asked anything."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import attrs

from cybertip.cases.assembly import assemble
from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision
from cybertip.cases.enrichment import Enriched, nothing_known, reconcile
from cybertip.cases.references import EvidenceId
from cybertip.cases.review import faults
from cybertip.desk.effects import Now
from cybertip.desk.office import Office
from cybertip.desk.questions import question
from cybertip.desk.reviewing import load
from cybertip.errors import InvalidReport, Violation
from cybertip.filing.effects import Flow

__all__ = ["check"]


def check(office: Office, key: str, decision: Decision) -> Flow[tuple[Violation, ...]]:
    """Assemble what would be filed if the platform knew nothing more, and say what NCMEC would refuse of it."""
    journal, _ = yield from load(office, key)
    now = yield from Now()
    return tuple(_violations(office, journal.case, decision, now))


def _violations(office: Office, case: Case, decision: Decision, now: datetime) -> Sequence[Violation]:
    found = list(faults(case, decision, partial=office.review.partial))
    if found:
        return found
    asked = question(attrs.evolve(case, decision=decision))
    answer = reconcile(asked, nothing_known(asked))
    assert isinstance(answer, Enriched)
    try:
        transcripts = tuple(_transcripts(decision, now))
        assemble(case, decision, answer, office.profile, now=now, attachments=transcripts)
    except InvalidReport as error:
        return error.violations
    return ()


def _transcripts(decision: Decision, now: datetime) -> Iterator[Attachment]:
    """Stand in for the transcripts that are only written after the decision."""
    for number, thread in enumerate(decision.threads, start=1):
        yield Attachment(
            kind=AttachmentKind.TRANSCRIPT,
            evidence=EvidenceId("to be written"),
            name=f"conversation-{number}.jsonl",
            size=1,
            sha256="0" * 64,
            md5="0" * 32,
            thread=thread.thread,
            messages=len(thread.messages),
            # It stands in for the time of the newest message, which lies in the past.
            newest_at=now - timedelta(minutes=1),
        )
