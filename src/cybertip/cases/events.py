"""What can happen to a case: past participles, each recorded as versioned JSON.

An event says what was seen or decided, and by whom. A program that meets a kind or a version which it does not know holds
the case (`UnknownEvent`): it never guesses.
"""

import json
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

import attrs

from cybertip.cases.attachments import Attachment
from cybertip.cases.checking import aware, checks, fixed, identifier, instance, mark, members, optional, sequence
from cybertip.cases.decisions import Decision, Dismissed, View, sha256
from cybertip.cases.profile import Profile
from cybertip.cases.references import CaseId, EvidenceId, ItemRef, ReviewerId, UserRef
from cybertip.cases.routing import Destination
from cybertip.cases.signals import Signal, converter
from cybertip.errors import UnknownEvent
from cybertip.filing.manifest import canonical
from cybertip.model import ReportId

__all__ = [
    "PRESERVATION",
    "Approved",
    "Blocked",
    "Claimed",
    "Decided",
    "Delayed",
    "Enriched",
    "Environment",
    "Event",
    "Filed",
    "Joined",
    "MediaKept",
    "MediaMissing",
    "Notified",
    "Opened",
    "Overdue",
    "Preserved",
    "Released",
    "Reported",
    "Retracted",
    "Retried",
    "Returned",
    "Routed",
    "Viewed",
    "decode",
    "encode",
]


#: What `Overdue` calls the request to preserve.
PRESERVATION = "preservation"


class Environment(StrEnum):
    """Say which NCMEC a case is for."""

    TEST = "test"
    PRODUCTION = "production"


def _size(value: object) -> str | None:
    sound = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if sound else "must be a whole number of bytes, 1 or more"


def _one_of(*kinds: type) -> Any:
    names = ", ".join(kind.__name__ for kind in kinds)
    return checks("type", lambda value: None if isinstance(value, kinds) else f"must be one of {names}")


_NAME: Any = attrs.field(repr=False, validator=identifier)
_NAME_OR_NONE: Any = attrs.field(default=None, repr=False, validator=optional(identifier))
_TIME: Any = attrs.field(converter=fixed, validator=aware)
_DESTINATION: Any = attrs.field(default=Destination.REVIEW, validator=instance(Destination))


@attrs.frozen(kw_only=True)
class Opened:
    """A case was opened about a user."""

    organisation: str = attrs.field(validator=identifier)
    user: UserRef = attrs.field(validator=instance(UserRef))
    environment: Environment = attrs.field(validator=instance(Environment))
    #: The case of the same user that was decided before.
    predecessor: CaseId | None = _NAME_OR_NONE


@attrs.frozen(kw_only=True)
class Joined:
    """A signal came in. One that is in the case already changes nothing."""

    signal: Signal = attrs.field(validator=_one_of(*Signal.__args__))
    #: Where the rules sent it, of which the case takes the most urgent.
    to: Destination = _DESTINATION
    queue: str | None = _NAME_OR_NONE
    priority: int = attrs.field(default=0, validator=instance(int))


@attrs.frozen(kw_only=True)
class Routed:
    """A person sent the case to another queue, or from triage to review."""

    reviewer: ReviewerId = _NAME
    to: Destination = _DESTINATION
    queue: str | None = _NAME_OR_NONE


@attrs.frozen(kw_only=True)
class MediaKept:
    """The bytes of a file are preserved."""

    media: ItemRef = attrs.field(validator=instance(ItemRef))
    evidence: EvidenceId = _NAME
    sha256: str = attrs.field(validator=sha256)
    md5: str = attrs.field(validator=identifier)
    size: int = attrs.field(validator=checks("range", _size))


@attrs.frozen(kw_only=True)
class MediaMissing:
    """The bytes of a file cannot be had any more. The reason is in our own words, and quotes nothing."""

    media: ItemRef = attrs.field(validator=instance(ItemRef))
    reason: str = attrs.field(validator=identifier)


@attrs.frozen(kw_only=True)
class Viewed:
    """Somebody looked at a file of the case."""

    view: View = attrs.field(validator=instance(View))


@attrs.frozen(kw_only=True)
class Claimed:
    """A reviewer took the case, until a time at which it is anybody's again."""

    reviewer: ReviewerId = _NAME
    until: datetime = _TIME


@attrs.frozen(kw_only=True)
class Released:
    """A reviewer gave the case back."""

    reviewer: ReviewerId = _NAME


@attrs.frozen(kw_only=True)
class Decided:
    """A reviewer decided, under the policy of that time."""

    reviewer: ReviewerId = _NAME
    decision: Decision | Dismissed = attrs.field(validator=_one_of(Decision, Dismissed))
    #: Whether a second person must approve before anything is filed.
    needs_approval: bool = attrs.field(validator=mark)


@attrs.frozen(kw_only=True)
class Approved:
    """A second person approved the decision."""

    reviewer: ReviewerId = _NAME


@attrs.frozen(kw_only=True)
class Returned:
    """The decision was taken back: the case is to be decided again."""

    reviewer: ReviewerId = _NAME
    reason: str = attrs.field(repr=False, validator=identifier)


def _without_endpoints(profile: Any) -> Any:
    """Leave out where the organisation's endpoints are, which a report does not say."""
    if not isinstance(profile, Profile):
        return profile
    return attrs.evolve(profile, additional_info_url=None, preservation_url=None, case_event_url=None)


@attrs.frozen(kw_only=True)
class Enriched:
    """The platform said what it knows: all that the filing is assembled from is recorded before it is."""

    #: The answer as it came, and how the organisation described itself at that time.
    answer: str = attrs.field(repr=False, validator=instance(str))
    profile: Profile = attrs.field(repr=False, converter=_without_endpoints, validator=instance(Profile))
    #: What had been reported of the user by then.
    prior_reports: tuple[ReportId, ...] = attrs.field(default=(), converter=sequence, validator=members(int))
    #: What goes with the report besides the case's media; it is kept already.
    attachments: tuple[Attachment, ...] = attrs.field(default=(), converter=sequence, validator=members(Attachment))


@attrs.frozen(kw_only=True)
class Delayed:
    """It has to wait, and goes on by itself. Recorded when the reason changes: it names entries, and quotes nothing."""

    reason: str = attrs.field(validator=identifier)


@attrs.frozen(kw_only=True)
class Blocked:
    """The filing cannot be made, for reasons that a person has to see to. They name fields, and quote nothing."""

    reasons: tuple[str, ...] = attrs.field(converter=sequence, validator=members(str))


@attrs.frozen(kw_only=True)
class Retried:
    """A person said that the filing is to be tried again, as it was decided."""

    reviewer: ReviewerId = _NAME
    reason: str = attrs.field(repr=False, validator=identifier)


@attrs.frozen(kw_only=True)
class Filed:
    """The filing was handed over for delivery."""

    #: The submission's key, and the digest of what was filed.
    submission: str = attrs.field(validator=identifier)
    digest: str = attrs.field(validator=sha256)


@attrs.frozen(kw_only=True)
class Reported:
    """NCMEC took the report."""

    report_id: ReportId = attrs.field(validator=instance(int))


@attrs.frozen(kw_only=True)
class Retracted:
    """A person withdrew the filing before it was finished, and it is certain that nothing was reported."""


@attrs.frozen(kw_only=True)
class Preserved:
    """The platform was told to preserve, and said that it will."""


@attrs.frozen(kw_only=True)
class Notified:
    """The host was told what became of the case."""

    #: What it was told of, such as `case.filed`.
    of: str = attrs.field(validator=identifier)


@attrs.frozen(kw_only=True)
class Overdue:
    """The host could not be told of something so far, although it was tried time and again; it is still being tried."""

    of: str = attrs.field(validator=identifier)
    #: In our own words: it quotes nothing.
    reason: str = attrs.field(validator=identifier)


Event = (
    Opened
    | Joined
    | Routed
    | MediaKept
    | MediaMissing
    | Viewed
    | Claimed
    | Released
    | Decided
    | Approved
    | Returned
    | Enriched
    | Delayed
    | Blocked
    | Retried
    | Filed
    | Reported
    | Retracted
    | Preserved
    | Notified
    | Overdue
)

#: Each kind of event by the name it is recorded under, with the version of its form. It says that it is a case's, so that
#: no event of a submission is ever taken for one. A form that changes gets a new version, and the old one stays readable.
_KINDS: dict[str, type[Any]] = {f"case.{kind.__name__.lower()}/1": kind for kind in Event.__args__}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(event: Event) -> tuple[str, str]:
    """Return an event as the name of its kind and canonical JSON.

    >>> encode(Released(reviewer=ReviewerId("r1")))
    ('case.released/1', '{"reviewer":"r1"}')
    """
    return _NAMES[type(event)], canonical(converter().unstructure(event))


def decode(kind: str, data: str, *, key: str = "") -> Event:
    """Read an event; raise `UnknownEvent` for a kind, a version or a field that this program does not know."""
    known = _KINDS.get(kind)
    if known is None:
        raise UnknownEvent(f"it has an event of kind {kind!r}, which a newer program wrote; it is held", key=key)
    try:
        return cast(Event, converter().structure(json.loads(data), known))
    except Exception:
        # Without the cause, which would quote what could not be read.
        raise UnknownEvent(f"its event of kind {kind!r} cannot be read; it is held", key=key) from None
