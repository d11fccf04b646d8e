"""What can happen to a submission: past participles, each recorded as versioned JSON through cattrs.

An event says what was seen, never what to do about it. A program that meets a kind or a version which it does not know
holds the submission (`UnknownEvent`): it never guesses.
"""

import base64
import json
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import attrs

from cybertip.errors import UnknownEvent
from cybertip.filing.manifest import Filing, canonical
from cybertip.model import FileId, ReportId

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = [
    "Call",
    "Damaged",
    "Described",
    "Escalated",
    "Event",
    "Filed",
    "Finished",
    "Intended",
    "Lost",
    "Mismatched",
    "Observation",
    "Observed",
    "Opened",
    "Overridden",
    "Refused",
    "Retracted",
    "Suspended",
    "Unreadable",
    "Unsent",
    "Uploaded",
    "Verdict",
    "Withdrawn",
    "decode",
    "encode",
]


class Call(StrEnum):
    """The five calls of a delivery."""

    SUBMIT = "submit"
    UPLOAD = "upload"
    DESCRIBE = "describe"
    FINISH = "finish"
    RETRACT = "retract"


class Verdict(StrEnum):
    """What a refusal tells about the world. It is recorded, so that history keeps the meaning it had."""

    LATER = "later"
    CREDENTIALS = "credentials"
    OURS = "ours"
    GONE = "gone"
    FILE_GONE = "file gone"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class Observation:
    """What came over the wire, kept whole: the record of an exchange."""

    status: int | None = None
    request_id: str | None = None
    #: NCMEC's clock.
    date: datetime | None = None
    raw: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Filed:
    """The filing was accepted for delivery."""

    environment: str
    filing: Filing = attrs.field(repr=False)
    priority: int = 0
    tenant: str = ""
    tags: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Intended:
    """A call is about to be made: from here on, its request may have left."""

    call: Call
    #: Which file, from 0, for the two calls that concern one.
    file: int | None = None
    worker: str = ""


@attrs.frozen(kw_only=True)
class Opened:
    """NCMEC opened a report."""

    report_id: ReportId
    observation: Observation


@attrs.frozen(kw_only=True)
class Uploaded:
    """A file arrived, and NCMEC's MD5 of it is the manifest's."""

    file: int
    file_id: FileId
    observation: Observation


@attrs.frozen(kw_only=True)
class Described:
    """The details of a file were taken."""

    file: int
    observation: Observation


@attrs.frozen(kw_only=True)
class Finished:
    """NCMEC filed the report. `adopted` means that this was learnt from 5102: the list of its files is lost."""

    report_id: ReportId
    file_ids: tuple[FileId, ...] = ()
    adopted: bool = False
    #: The submission's contents are to be kept until then (18 U.S.C. 2258A(h)).
    preserve_until: datetime
    observation: Observation


@attrs.frozen(kw_only=True)
class Retracted:
    """The open report was retracted. Of one that was gone before (5101, 5001), NCMEC `Refused` to retract it."""

    observation: Observation


@attrs.frozen(kw_only=True)
class Lost:
    """An answer was lost, or could not be read: nobody knows whether NCMEC acted."""

    call: Call
    reason: str
    observation: Observation | None = None


@attrs.frozen(kw_only=True)
class Unsent:
    """A request never left: nothing happened."""

    call: Call
    reason: str


@attrs.frozen(kw_only=True)
class Refused:
    """NCMEC answered no."""

    call: Call
    verdict: Verdict
    code: int | None
    retry_after_for: float | None = None
    observation: Observation


@attrs.frozen(kw_only=True)
class Mismatched:
    """NCMEC's MD5 of an upload is not the manifest's."""

    file: int
    observation: Observation


@attrs.frozen(kw_only=True)
class Damaged:
    """Evidence is missing or no longer what the manifest says: nothing may be sent."""

    file: int
    reason: str


@attrs.frozen(kw_only=True)
class Unreadable:
    """Evidence could not be read before a report was opened, which may pass: it is tried again."""

    file: int
    reason: str


@attrs.frozen(kw_only=True)
class Escalated:
    """A person was called."""

    reason: str


@attrs.frozen(kw_only=True)
class Overridden:
    """A person decided that the delivery goes on, and why."""

    actor: str = attrs.field(repr=False)
    reason: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Withdrawn:
    """A person decided that the report must not be filed, and why."""

    actor: str = attrs.field(repr=False)
    reason: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Suspended:
    """Somebody knows more of it than its journal: it may come from an old backup, and nothing is filed before a person
    looked. The reason is in our own words, and quotes nothing."""

    reason: str


@attrs.frozen(kw_only=True)
class Observed:
    """A reply came in too late to count, and is kept all the same."""

    call: Call
    observation: Observation


Event = (
    Filed
    | Intended
    | Opened
    | Uploaded
    | Described
    | Finished
    | Retracted
    | Lost
    | Unsent
    | Refused
    | Mismatched
    | Damaged
    | Unreadable
    | Escalated
    | Overridden
    | Withdrawn
    | Suspended
    | Observed
)

#: Each kind of event by the name it is recorded under, with the version of its form. A form that changes gets a new
#: version, and the old one stays readable.
_KINDS: dict[str, type[Any]] = {f"{kind.__name__.lower()}/1": kind for kind in Event.__args__}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(event: Event) -> tuple[str, str]:
    """Return an event as the name of its kind and canonical JSON."""
    return _NAMES[type(event)], canonical(_converter().unstructure(event))


def decode(kind: str, data: str, *, key: str = "") -> Event:
    """Read an event; raise `UnknownEvent` for a kind, a version or a field that this program does not know."""
    known = _KINDS.get(kind)
    if known is None:
        raise UnknownEvent(f"it has an event of kind {kind!r}, which a newer program wrote; it is held", key=key)
    try:
        return cast(Event, _converter().structure(json.loads(data), known))
    except Exception:
        # Without the cause, which would quote what could not be read.
        raise UnknownEvent(f"its event of kind {kind!r} cannot be read; it is held", key=key) from None


def _moment(value: str, _: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.utcoffset() is None:
        raise ValueError("a time must have an offset from UTC")
    return moment


@cache
def _converter() -> "Converter":
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, _moment)
    converter.register_unstructure_hook(bytes, lambda value: base64.b64encode(value).decode("ascii"))
    converter.register_structure_hook(bytes, lambda value, _: base64.b64decode(value, validate=True))
    converter.register_unstructure_hook(Filing, Filing.as_json)
    converter.register_structure_hook(Filing, lambda value, _: Filing.from_json(value))
    return converter
