"""What the platform is asked about a decided case, and what is recorded of its answer. Nothing here waits for anything."""

from collections.abc import Iterator

from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision
from cybertip.cases.enrichment import AdditionalInfo, AdditionalInfoRequest, AllMissing, Enriched, Uncovered, reconcile
from cybertip.cases.references import ItemRef, UserRef
from cybertip.filing.manifest import canonical
from cybertip.model import IntendedRecipient, Victim

__all__ = ["answer_of", "decision_of", "question", "question_id", "reported_media", "written"]


def decision_of(case: Case) -> Decision:
    """Return what was decided of a case that is to be filed, or was."""
    assert isinstance(case.decision, Decision)
    return case.decision


def question(case: Case) -> AdditionalInfoRequest:
    """Return what the platform is asked: about everybody and everything that the report will name."""
    decision = decision_of(case)
    users = (case.user, *_named(case, decision), *decision.batched_users)
    return AdditionalInfoRequest(users=tuple(dict.fromkeys(users)), media=tuple(one.media for one in decision.included))


def _named(case: Case, decision: Decision) -> Iterator[UserRef]:
    """Yield the victims and recipients who are users of the platform.

    A decision names them by their identifiers alone, and only signals say of which type they are: where none does, or two
    users have the identifier, the platform could not answer for them, and nothing would ever be filed.
    """
    known: dict[str, set[UserRef]] = {}
    for user in (*case.victims, *case.recipients):
        known.setdefault(user.id, set()).add(user)
    people: tuple[Victim | IntendedRecipient, ...] = (*decision.victims, *decision.recipients)
    for person in people:
        found = known.get(person.esp_identifier or "", set())
        if len(found) == 1:
            yield next(iter(found))


def question_id(case: Case) -> str:
    """Return the name of the question, the same however often it is asked about the same decision."""
    assert case.decided_at is not None
    return f"{case.key}/{int(case.decided_at.timestamp() * 1_000_000)}/additional-info"


def written(answer: AdditionalInfo) -> str:
    """Return an answer as it is recorded; raise `ValueError` or `TypeError` where it holds what is no JSON."""
    return canonical(answer.as_json())


def answer_of(case: Case) -> Enriched | Uncovered | AllMissing:
    """Return the answer that was recorded, compared with what was asked."""
    assert case.enriched is not None
    return reconcile(question(case), AdditionalInfo.from_json(case.enriched.answer))


def reported_media(case: Case) -> tuple[ItemRef, ...]:
    """Return the media that was filed: of what was decided on, all that the platform still had."""
    answer = answer_of(case)
    gone = set(answer.missing) if isinstance(answer, Enriched) else set()
    return tuple(one.media for one in decision_of(case).included if one.media not in gone)
