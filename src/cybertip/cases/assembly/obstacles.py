"""What keeps a filing from being assembled at all: something that must be there is not.

| rule | what it says |
|---|---|
| `unknown-media` | a file that is decided on is not one of the case |
| `not-kept` | a file that is reported is missing, or not preserved yet |
| `other-bytes` | a view is claimed of other bytes than those that are kept |
| `absent` | the answer has no entry for the user or a file, or a conversation that is reported has no transcript |
| `all-missing` | every file that is reported is gone at the platform |
| `other-messages` | a transcript has another number of messages than were decided on |
| `stranger` | a transcript is of a conversation that the decision does not report |
| `doubled` | the user of the case is named again among those of a batched report |
| `required` | there is no time of the incident, or no email of the reporter |
"""

from collections.abc import Iterator

from cybertip.cases.assembly.known import Known
from cybertip.cases.attachments import Attachment
from cybertip.cases.review import faults
from cybertip.errors import InvalidReport, Violation

__all__ = ["obstacles"]


def obstacles(known: Known) -> Iterator[Violation]:
    """Say what must be there and is not. A reviewer, the organisation or the platform can mend each of it."""
    yield from faults(known.case, known.decision, partial=True)
    yield from _uncovered(known)
    yield from _transcripts(known)
    yield from _reporter(known)
    if known.case.user in known.decision.batched_users:
        path = f"decision.batched_users[{known.decision.batched_users.index(known.case.user)}]"
        yield Violation(path=path, rule="doubled", message="is the user of the case, who is in the report already")
    if known.incident is None:
        message = "is needed: neither the files that are reported nor the messages tell when it happened"
        yield Violation(path="decision.incident_at", rule="required", message=message)


def _uncovered(known: Known) -> Iterator[Violation]:
    """Say what the platform was not asked, or did not answer. `reconcile` has said so before, with the request at hand."""
    if known.case.user not in known.enrichment.users:
        yield Violation(path="case.user", rule="absent", message="has no entry in the platform's answer")
    gone = set(known.enrichment.missing)
    for index, one in enumerate(known.decision.media):
        if one.include and one.media not in known.enrichment.media and one.media not in gone:
            path = f"decision.media[{index}]"
            yield Violation(path=path, rule="absent", message="has no entry in the platform's answer")
    included = {one.media for one in known.decision.included}
    if included and included <= gone:
        message = f"are all missing ({len(included)}): the platform says that they are gone"
        yield Violation(path="decision.media", rule="all-missing", message=message)


def _transcripts(known: Known) -> Iterator[Violation]:
    """Say which transcripts are not of what was decided: each conversation has at least one, of just those messages."""
    found: dict[str, list[tuple[int, Attachment]]] = {}
    for index, one in enumerate(known.attachments):
        if one.thread is not None:
            found.setdefault(one.thread, []).append((index, one))
    for index, thread in enumerate(known.decision.threads):
        wanted = len(thread.messages)
        transcripts = found.pop(thread.thread, [])
        if not transcripts:
            yield Violation(path=f"decision.threads[{index}]", rule="absent", message="has no transcript")
        for place, transcript in transcripts:
            if transcript.messages != wanted:
                message = f"has {transcript.messages} messages, and decision.threads[{index}] names {wanted}"
                yield Violation(path=f"attachments[{place}]", rule="other-messages", message=message)
    for place, _ in (one for strangers in found.values() for one in strangers):
        message = "is a transcript of a conversation that the decision does not report"
        yield Violation(path=f"attachments[{place}]", rule="stranger", message=message)


def _reporter(known: Known) -> Iterator[Violation]:
    try:
        known.profile.reporter()
    except InvalidReport as error:
        yield from error.violations
