"""A decision says what it says, is refused by its fields where it cannot be meant, and defaults nobody to having looked."""

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from cybertip.cases.decisions import Decision, Dismissed, MediaDecision, ThreadDecision, View
from cybertip.cases.references import ItemRef, MessageId, ReviewerId, ThreadId, UserRef
from cybertip.errors import InvalidReport
from cybertip.model import (
    BatchedReportReason,
    FileAnnotations,
    FileClassification,
    FileRelevance,
    IncidentType,
    IntendedRecipient,
    Person,
    Victim,
)

CANARY = "canary-4711"
AT = datetime(2026, 1, 1, tzinfo=UTC)
IMAGE = ItemRef(id="m1", type_id="image")
VIEW: dict[str, Any] = {"sha256": "0" * 64, "reviewer": ReviewerId("r1"), "at": AT, "wholly": True, "exif": False}
SHOWN = MediaDecision(media=IMAGE, include=True)
THREAD = ThreadDecision(thread=ThreadId("t1"), messages=(MessageId("1"),))
TYPE = IncidentType.ONLINE_ENTICEMENT
OTHER = UserRef(id="u2", type_id="user")
BATCH: dict[str, Any] = {
    "incident_type": IncidentType.CHILD_PORNOGRAPHY,
    "media": (SHOWN,),
    "batched": BatchedReportReason.VIRAL_POTENTIAL_MEME,
    "batched_users": (OTHER,),
}


@pytest.mark.parametrize("field", list(VIEW))
def test_nothing_of_a_view_is_made_up(field: str) -> None:
    """Who looked, when, at which bytes, wholly or not, and whether at its EXIF: whoever records a view says all of it."""
    with pytest.raises(TypeError, match=field):
        View(**{name: value for name, value in VIEW.items() if name != field})
    assert all(one.default is attrs.NOTHING for one in attrs.fields(View))


@pytest.mark.parametrize("field", ["wholly", "exif"])
@pytest.mark.parametrize("wrong", [None, 1, "true"])
def test_a_view_is_wholly_or_not(field: str, wrong: Any) -> None:
    """What might be true is not taken for it."""
    with pytest.raises(InvalidReport, match=f"View.{field}: must be True or False"):
        View(**VIEW | {field: wrong})


@pytest.mark.parametrize("wrong", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n", 7])
def test_a_view_is_of_bytes(wrong: Any) -> None:
    """A view is of bytes that have a digest, in one spelling, so that it is found by it."""
    with pytest.raises(InvalidReport, match=r"View\.sha256"):
        View(**VIEW | {"sha256": wrong})


def test_nobody_has_looked_unless_somebody_did() -> None:
    """A decision about a file, with all that else can be said of it, claims no view."""
    said = MediaDecision(media=IMAGE, include=True, classification=FileClassification.A1, annotations=FileAnnotations())
    assert said.views == Decision(incident_type=TYPE, media=(said,)).views == ()


@pytest.mark.parametrize(
    ("make", "path", "rule"),
    [
        (lambda: Decision(incident_type=TYPE), "Decision.media", "empty"),
        (
            lambda: Decision(incident_type=TYPE, media=(MediaDecision(media=IMAGE, include=False),)),
            "Decision.media",
            "empty",
        ),
        (lambda: Decision(incident_type=TYPE, media=(SHOWN, SHOWN)), "Decision.media[1]", "doubled"),
        (lambda: Decision(incident_type=TYPE, threads=(THREAD, THREAD)), "Decision.threads[1]", "doubled"),
        (lambda: Decision(incident_type=TYPE, media=[7]), "Decision.media", "type"),
        (lambda: Decision(incident_type="csam", media=(SHOWN,)), "Decision.incident_type", "type"),  # type: ignore[arg-type]
        (lambda: Decision(incident_type=TYPE, media=(SHOWN,), escalation=" "), "Decision.escalation", "text"),
        (lambda: Decision(incident_type=TYPE, media=(SHOWN,), escalation="x" * 3001), "Decision.escalation", "text"),
        (lambda: Decision(incident_type=TYPE, additional_info=""), "Decision.additional_info", "text"),
        (
            lambda: Decision(incident_type=TYPE, media=(SHOWN,), incident_at=datetime(2026, 1, 1)),  # noqa: DTZ001
            "Decision.incident_at",
            "time",
        ),
        (lambda: ThreadDecision(thread=ThreadId("t1"), messages=()), "ThreadDecision.messages", "required"),
        (
            lambda: ThreadDecision(thread=ThreadId("t1"), messages=(MessageId("1"),) * 2),
            "ThreadDecision.messages[1]",
            "doubled",
        ),
        (
            lambda: MediaDecision(media=IMAGE, include=False, relevance=FileRelevance.REPORTED),
            "MediaDecision.relevance",
            "left-out",
        ),
        (
            lambda: MediaDecision(media=IMAGE, include=True, views=(View(**VIEW), View(**VIEW | {"sha256": "1" * 64}))),
            "MediaDecision.views",
            "other-bytes",
        ),
        (lambda: MediaDecision(media=IMAGE, include=1), "MediaDecision.include", "type"),  # type: ignore[arg-type]
        (lambda: Dismissed(reason=" "), "Dismissed.reason", "text"),
        (lambda: Decision(**BATCH | {"batched": None}), "Decision.batched_users", "not-batched"),
        (lambda: Decision(**BATCH | {"batched_users": (OTHER, OTHER)}), "Decision.batched_users[1]", "doubled"),
        (
            lambda: Decision(
                **BATCH | {"media": (SHOWN, attrs.evolve(SHOWN, media=ItemRef(id="m2", type_id="image")))}
            ),
            "Decision.media",
            "batched",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, path: str, rule: str) -> None:
    """A decision that contradicts itself, or says nothing, is refused by the field's name before it is recorded."""
    with pytest.raises(InvalidReport) as refused:
        make()
    assert [(one.path, one.rule) for one in refused.value.violations] == [(path, rule)]


def test_text_alone_is_enough() -> None:
    """Grooming leaves no file: messages, or an account of what happened, are reported by themselves."""
    assert Decision(incident_type=TYPE, threads=(THREAD,)).included == ()
    assert Decision(incident_type=TYPE, additional_info="invented").included == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("escalation", "invented"),
        ("threads", (THREAD,)),
        ("victims", (Victim(victim_person=Person()),)),
        ("recipients", (IntendedRecipient(),)),
        ("additional_info", "invented"),
    ],
)
def test_a_report_about_many_says_nothing_of_one(field: str, value: Any) -> None:
    """What NCMEC does not take in a batched report is refused when it is decided, and never left out later."""
    assert Decision(**BATCH).batched_users == (OTHER,)
    with pytest.raises(InvalidReport) as refused:
        Decision(**BATCH | {field: value})
    assert [(one.path, one.rule) for one in refused.value.violations] == [(f"Decision.{field}", "batched")]


def test_a_decision_can_stand_in_a_log() -> None:
    """Neither reasons nor reviewers nor free text are in a repr, and no error quotes them."""
    view = View(**VIEW | {"reviewer": ReviewerId(CANARY)})
    thread = ThreadDecision(thread=ThreadId(CANARY), messages=(MessageId(CANARY),))
    media = MediaDecision(media=IMAGE, include=True, views=(view,))
    decision = Decision(
        incident_type=TYPE, media=(media,), threads=(thread,), escalation=CANARY, additional_info=CANARY
    )
    assert CANARY not in repr(decision) + repr(Dismissed(reason=CANARY))
    with pytest.raises(InvalidReport) as refused:
        attrs.evolve(decision, escalation=CANARY * 1000)
    assert CANARY not in str(refused.value)
