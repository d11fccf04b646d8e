"""The letters of a desk: what the platform and the host are to be told of once it was recorded, until they heard it.

A letter names the case and what it is about, and nothing else: what is said follows from the case's journal up to the entry
that the letter belongs to, so that the same letter says the same however often, and however late, it is delivered.
"""

import re
from datetime import datetime

import attrs

from cybertip.cases.events import PRESERVATION
from cybertip.desk.office import Office
from cybertip.filing.manifest import canonical
from cybertip.ports.storage import Letter

__all__ = ["Subject", "letter_id", "letter_of", "request_id", "wanted"]

_UNSIGNABLE = re.compile(r"[^A-Za-z0-9_-]")


@attrs.frozen(kw_only=True)
class Subject:
    """What a letter is about."""

    case: str
    #: The entry that it belongs to.
    version: int
    #: What is told: a `CaseEventKind`, or the request to preserve.
    of: str

    @classmethod
    def of_letter(cls, letter: Letter) -> "Subject":
        """Read what a letter's id says."""
        case, version, of = letter.id.rsplit("/", 2)
        return cls(case=case, version=int(version), of=of)


def letter_id(key: str, version: int, of: str) -> str:
    """Return the id of a letter: it follows from the journal."""
    return f"{key}/{version}/{of}"


def request_id(id: str) -> str:
    """Return a letter's id in the characters that the id of a webhook may have.

    >>> request_id("case/0123/000001/7/case.filed")
    'case-0123-000001-7-case-filed'
    """
    return _UNSIGNABLE.sub("-", id)


def letter_of(office: Office, key: str, version: int, of: str, *, due_at: datetime) -> Letter:
    """Return the letter that says something of a case's entry."""
    topic = office.preserve_topic if of == PRESERVATION else office.event_topic
    data = canonical({"case": key, "kind": of})
    return Letter(id=letter_id(key, version, of), key=key, topic=topic, data=data, due_at=due_at)


def wanted(office: Office, *of: str) -> tuple[str, ...]:
    """Return what the organisation has an endpoint for that wants to be told of it."""
    profile = office.profile
    return tuple(
        str(one)
        for one in of
        if (profile.preservation_url if one == PRESERVATION else profile.case_event_url) is not None
    )
