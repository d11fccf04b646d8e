"""Kept evidence that belongs to a report and is no media of its case: transcripts, and files that the platform added."""

import re
from datetime import datetime
from enum import StrEnum

import attrs

from cybertip.cases.checking import aware, checks, fixed, identifier, instance, members, optional, sequence
from cybertip.cases.decisions import sha256
from cybertip.cases.references import EvidenceId, ThreadId
from cybertip.errors import InvalidReport, Violation

__all__ = ["Attachment", "AttachmentKind"]

_MD5 = re.compile(r"[0-9a-f]{32}")


class AttachmentKind(StrEnum):
    """Say what a file is that goes with a report."""

    #: What was written in a conversation.
    TRANSCRIPT = "transcript"
    #: A file that the platform added.
    SUPPLEMENTAL = "supplemental"


def _md5(value: object) -> str | None:
    sound = isinstance(value, str) and _MD5.fullmatch(value) is not None
    return None if sound else "must be an MD5 of 32 hexadecimal digits, in small letters"


def _count(value: object) -> str | None:
    sound = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if sound else "must be a whole number, 1 or more"


#: What only a transcript has.
_OF_TRANSCRIPTS = ("thread", "messages", "newest_at")


@attrs.frozen(kw_only=True)
class Attachment:
    """Say what a file is, where its bytes are kept and what they must be.

    Nobody has viewed a transcript by writing it, and nothing here says that anybody has viewed anything.

    >>> Attachment(
    ...     kind=AttachmentKind.TRANSCRIPT, evidence=EvidenceId("e1"), name="t1.csv", size=9,
    ...     sha256="ab" * 32, md5="ab" * 16, thread=ThreadId("t1"), messages=1,
    ... )
    Traceback (most recent call last):
    cybertip.errors.InvalidReport: Attachment.newest_at: is missing: a transcript is of some messages of a thread [required]
    """

    kind: AttachmentKind = attrs.field(validator=instance(AttachmentKind))
    evidence: EvidenceId = attrs.field(repr=False, validator=identifier)
    name: str = attrs.field(repr=False, validator=identifier)
    media_type: str = attrs.field(default="application/octet-stream", validator=identifier)
    size: int = attrs.field(validator=checks("range", _count))
    sha256: str = attrs.field(validator=sha256)
    md5: str = attrs.field(validator=checks("md5", _md5))
    #: The conversation that a transcript is of.
    thread: ThreadId | None = attrs.field(default=None, repr=False, validator=optional(identifier))
    #: How many messages are in it.
    messages: int | None = attrs.field(default=None, validator=optional(checks("range", _count)))
    #: When the last of them was sent.
    newest_at: datetime | None = attrs.field(default=None, converter=fixed, validator=optional(aware))
    #: What the platform says of it.
    additional_infos: tuple[str, ...] = attrs.field(default=(), repr=False, converter=sequence, validator=members(str))

    def __attrs_post_init__(self) -> None:
        is_transcript = self.kind is AttachmentKind.TRANSCRIPT
        rule, message = (
            ("required", "is missing: a transcript is of some messages of a thread")
            if is_transcript
            else ("not-with", "is said of a file that is no transcript")
        )
        wrong = tuple(
            Violation(path=f"Attachment.{field}", rule=rule, message=message)
            for field in _OF_TRANSCRIPTS
            if (getattr(self, field) is None) is is_transcript
        )
        if wrong:
            raise InvalidReport(wrong)
