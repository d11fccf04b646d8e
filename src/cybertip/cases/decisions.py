"""What a reviewer decides: what is reported and how, or that nothing is.

Whether a person viewed the whole of a file decides whether the police need a warrant (US v. Wilson, US v. Maher). So a view
is a record, made when somebody looked, of the bytes they looked at; a match with a known hash is none, and nothing ever
counts as viewed because nobody said otherwise.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import attrs

from cybertip.cases.checking import aware, checks, fixed, identifier, instance, mark, members, optional, sequence
from cybertip.cases.references import ItemRef, MessageId, ReviewerId, ThreadId, UserRef
from cybertip.errors import InvalidReport, Violation
from cybertip.model import (
    BatchedReportReason,
    FileAnnotations,
    FileClassification,
    FileRelevance,
    IncidentType,
    IntendedRecipient,
    ReportAnnotations,
    Victim,
)
from cybertip.rules.values import is_blank

__all__ = ["Decision", "Dismissed", "MediaDecision", "ThreadDecision", "View", "sha256"]

_SHA256 = re.compile(r"[0-9a-f]{64}")


def _sha256(value: object) -> str | None:
    sound = isinstance(value, str) and _SHA256.fullmatch(value) is not None
    return None if sound else "must be a SHA-256 of 64 hexadecimal digits, in small letters"


def _prose(value: object) -> str | None:
    if not isinstance(value, str):
        return "must be text"
    return "is blank: leave it out where there is nothing to say" if is_blank(value) else None


def _urgency(value: object) -> str | None:
    wrong = _prose(value)
    if wrong is None and isinstance(value, str) and len(value) > 3000:
        # NCMEC: incidentSummary, escalateToHighPriority. What does not fit is never cut off.
        return "has more than 3000 characters"
    return wrong


#: What a report about many users says nothing of. A transcript is a file, and is of somebody.
_OF_ONE_USER = ("escalation", "threads", "victims", "recipients", "additional_info")

#: The SHA-256 of the bytes of a file.
sha256 = checks("sha256", _sha256)


@attrs.frozen(kw_only=True)
class View:
    """Record that a person looked at a file: at which bytes, when, and at how much. None of it has a default."""

    sha256: str = attrs.field(validator=sha256)
    reviewer: ReviewerId = attrs.field(repr=False, validator=identifier)
    at: datetime = attrs.field(converter=fixed, validator=aware)
    #: Whether it was looked at as a whole: a film to its end, every page of a document.
    wholly: bool = attrs.field(validator=mark)
    #: Whether its EXIF data was looked at, too.
    exif: bool = attrs.field(validator=mark)


@attrs.frozen(kw_only=True)
class MediaDecision:
    """Decide about one file. To leave it out is a decision, too."""

    media: ItemRef = attrs.field(validator=instance(ItemRef))
    include: bool = attrs.field(validator=mark)
    relevance: FileRelevance | None = attrs.field(default=None, validator=optional(instance(FileRelevance)))
    #: None: none of A1, A2, B1 and B2.
    classification: FileClassification | None = attrs.field(
        default=None, validator=optional(instance(FileClassification))
    )
    annotations: FileAnnotations | None = attrs.field(default=None, validator=optional(instance(FileAnnotations)))
    #: Who looked at it. None: nobody is known to have, which is not to say that nobody did.
    views: tuple[View, ...] = attrs.field(default=(), converter=sequence, validator=members(View))

    def __attrs_post_init__(self) -> None:
        faults = []
        if not self.include:
            message = "is said of a file that is left out"
            for field in ("relevance", "classification", "annotations"):
                if getattr(self, field) is not None:
                    faults.append(Violation(path=f"MediaDecision.{field}", rule="left-out", message=message))
        if len({view.sha256 for view in self.views}) > 1:
            message = "are of different bytes: a view is of this file or of another"
            faults.append(Violation(path="MediaDecision.views", rule="other-bytes", message=message))
        _refuse(faults)


@attrs.frozen(kw_only=True)
class ThreadDecision:
    """Choose the messages of a conversation that are reported."""

    thread: ThreadId = attrs.field(repr=False, validator=identifier)
    messages: tuple[MessageId, ...] = attrs.field(repr=False, converter=sequence, validator=members(str))

    def __attrs_post_init__(self) -> None:
        faults = list(_doubled("ThreadDecision.messages", self.messages))
        if not self.messages:
            message = "is empty: leave out the thread where none of its messages is reported"
            faults.append(Violation(path="ThreadDecision.messages", rule="required", message=message))
        _refuse(faults)


@attrs.frozen(kw_only=True)
class Decision:
    """Say what is reported, and how.

    >>> Decision(incident_type=IncidentType.ONLINE_ENTICEMENT)
    Traceback (most recent call last):
    cybertip.errors.InvalidReport: Decision.media: reports no file, no message and no text: dismiss it instead [empty]
    """

    incident_type: IncidentType = attrs.field(validator=instance(IncidentType))
    #: When it happened, where that is not to be taken from what is reported.
    incident_at: datetime | None = attrs.field(default=None, converter=fixed, validator=optional(aware))
    #: Why it is urgent; None where it is not.
    escalation: str | None = attrs.field(default=None, repr=False, validator=optional(checks("text", _urgency)))
    annotations: ReportAnnotations | None = attrs.field(default=None, validator=optional(instance(ReportAnnotations)))
    media: tuple[MediaDecision, ...] = attrs.field(default=(), converter=sequence, validator=members(MediaDecision))
    threads: tuple[ThreadDecision, ...] = attrs.field(default=(), converter=sequence, validator=members(ThreadDecision))
    victims: tuple[Victim, ...] = attrs.field(default=(), repr=False, converter=sequence, validator=members(Victim))
    recipients: tuple[IntendedRecipient, ...] = attrs.field(
        default=(), repr=False, converter=sequence, validator=members(IntendedRecipient)
    )
    #: What else an investigator should know.
    additional_info: str | None = attrs.field(default=None, repr=False, validator=optional(checks("text", _prose)))
    #: Why the report stands for many users, of whom it says nothing but who they are. None: it is about one.
    batched: BatchedReportReason | None = attrs.field(default=None, validator=optional(instance(BatchedReportReason)))
    #: The others whom a batched report is about, beside the user of the case.
    batched_users: tuple[UserRef, ...] = attrs.field(
        default=(), repr=False, converter=sequence, validator=members(UserRef)
    )

    def __attrs_post_init__(self) -> None:
        faults = [
            *_doubled("Decision.media", [one.media for one in self.media]),
            *_doubled("Decision.threads", [one.thread for one in self.threads]),
            *_doubled("Decision.batched_users", self.batched_users),
            *self._unbatched(),
        ]
        if not (self.included or self.threads or self.additional_info):
            message = "reports no file, no message and no text: dismiss it instead"
            faults.append(Violation(path="Decision.media", rule="empty", message=message))
        _refuse(faults)

    def _unbatched(self) -> Iterator[Violation]:
        """Say what does not go into a report about many users, or only into such a one (NCMEC: section 5)."""
        if self.batched is None:
            if self.batched_users:
                message = "are for a batched report, and this is none"
                yield Violation(path="Decision.batched_users", rule="not-batched", message=message)
            return
        for field in _OF_ONE_USER:
            if getattr(self, field):
                yield Violation(path=f"Decision.{field}", rule="batched", message="must not be in a batched report")
        if len(self.included) > 1:
            message = "reports several files, and a batched report has one at the most"
            yield Violation(path="Decision.media", rule="batched", message=message)

    @property
    def included(self) -> tuple[MediaDecision, ...]:
        """What was decided about the files that are reported."""
        return tuple(one for one in self.media if one.include)

    @property
    def views(self) -> tuple[View, ...]:
        """Every view that it claims."""
        return tuple(view for one in self.media for view in one.views)


@attrs.frozen(kw_only=True)
class Dismissed:
    """Say that nothing is reported, and why. What is known stays recorded."""

    reason: str = attrs.field(repr=False, validator=checks("text", _prose))


def _doubled(path: str, values: Sequence[Hashable]) -> Iterator[Violation]:
    seen: set[Any] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield Violation(path=f"{path}[{index}]", rule="doubled", message="is decided twice")
        seen.add(value)


def _refuse(faults: Iterable[Violation]) -> None:
    found = tuple(faults)
    if found:
        raise InvalidReport(found)
