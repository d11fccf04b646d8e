"""The answer to the additional-info call, as values, with every field that the contract documents.

Unknown keys are passed over everywhere. What has the wrong type, a time without an offset, an address that is none and a
port that cannot be are named by their paths in the JSON (`answer.users[0].ipCaptureEvent[1].ipAddress`), all at once. Of a
time that is finer than a microsecond, as logs have it, the microseconds are kept.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from cybertip.cases.checking import (
    aware,
    identifier,
    instance,
    ip_address,
    mark,
    members,
    optional,
    port,
    sequence,
    words,
)
from cybertip.cases.reading import Reader, camel
from cybertip.cases.references import ItemRef, UserRef
from cybertip.errors import InvalidReport, Violation
from cybertip.model import Email, EmailType, IpCaptureEvent, IpCaptureType
from cybertip.model.declaration import Vocabulary
from cybertip.rules.values import is_ip
from cybertip.xml.as_json import parse_json

__all__ = ["AdditionalFile", "AdditionalInfo", "MediaHash", "MediaInfo", "MessageInfo", "UserInfo"]


def _addresses(entry: Any, attribute: "attrs.Attribute[Any]", events: Any) -> None:
    """Demand events whose addresses are some: NCMEC's XSD would take any text."""
    members(IpCaptureEvent)(entry, attribute, events)
    path = f"{type(entry).__name__}.{attribute.name}"
    wrong = tuple(
        Violation(path=f"{path}[{index}].ip_address", rule="ip", message="must be an IP address")
        for index, event in enumerate(events)
        if not is_ip(event.ip_address)
    )
    if wrong:
        raise InvalidReport(wrong)


def _texts(key: str) -> Any:
    return attrs.field(default=(), repr=False, converter=sequence, validator=members(str), metadata={"key": key})


def _events() -> Any:
    return attrs.field(
        default=(), repr=False, converter=sequence, validator=_addresses, metadata={"key": "ipCaptureEvent"}
    )


@attrs.frozen(kw_only=True)
class UserInfo:
    """What the platform knows of a user."""

    id: str = attrs.field(repr=False, validator=identifier)
    type_id: str = attrs.field(validator=identifier)
    screen_name: str | None = attrs.field(default=None, repr=False, validator=optional(words))
    emails: tuple[Email, ...] = attrs.field(
        default=(), repr=False, converter=sequence, validator=members(Email), metadata={"key": "email"}
    )
    ip_capture_events: tuple[IpCaptureEvent, ...] = _events()
    #: The user as an item of the platform, in the platform's own form.
    data: Mapping[str, Any] = attrs.field(factory=dict, repr=False, validator=instance(Mapping))

    @property
    def ref(self) -> UserRef:
        """Whom this is about."""
        return UserRef(id=self.id, type_id=self.type_id)


@attrs.frozen(kw_only=True)
class MediaHash:
    """A hash of a file, of whatever kind: it belongs to this one item only."""

    value: str = attrs.field(repr=False, validator=identifier, metadata={"key": "hash"})
    type: str = attrs.field(validator=identifier, metadata={"key": "hashType"})


@attrs.frozen(kw_only=True)
class MediaInfo:
    """What the platform knows of a piece of media."""

    id: str = attrs.field(repr=False, validator=identifier)
    type_id: str = attrs.field(validator=identifier)
    #: The media is gone. It is noted and never fetched.
    missing: bool = attrs.field(default=False, validator=mark)
    #: None says nothing.
    publicly_available: bool | None = attrs.field(default=None, validator=optional(mark))
    file_name: str | None = attrs.field(default=None, repr=False, validator=optional(words))
    additional_infos: tuple[str, ...] = _texts("additionalInfo")
    ip_capture_events: tuple[IpCaptureEvent, ...] = _events()
    hash: MediaHash | None = attrs.field(
        default=None, repr=False, validator=optional(instance(MediaHash)), metadata={"key": "fileDetails"}
    )

    @property
    def ref(self) -> ItemRef:
        """What this is about."""
        return ItemRef(id=self.id, type_id=self.type_id)


@attrs.frozen(kw_only=True)
class AdditionalFile:
    """A file that the platform adds, to be fetched and filed as supplemental."""

    url: str = attrs.field(repr=False, validator=identifier, metadata={"key": "fileUrl"})
    file_name: str | None = attrs.field(default=None, repr=False, validator=optional(words))
    additional_infos: tuple[str, ...] = _texts("additionalInfo")


@attrs.frozen(kw_only=True)
class MessageInfo:
    """Where a message came from."""

    id: str = attrs.field(repr=False, validator=identifier)
    type_id: str = attrs.field(validator=identifier)
    ip_address: str = attrs.field(repr=False, validator=ip_address)

    @property
    def ref(self) -> ItemRef:
        """Which message this is about."""
        return ItemRef(id=self.id, type_id=self.type_id)


@attrs.frozen(kw_only=True)
class AdditionalInfo:
    """Everything that the platform answered.

    >>> answer = AdditionalInfo.from_json('{"users": [{"id": "u1", "typeId": "user", "screenName": "invented", "new": 1}]}')
    >>> answer.users[0].screen_name
    'invented'
    >>> AdditionalInfo.from_json('{"users": [{"id": "u1", "typeId": "user", "screenName": 7}]}')
    Traceback (most recent call last):
    cybertip.errors.InvalidReport: answer.users[0].screenName: must be text [type]
    """

    users: tuple[UserInfo, ...] = attrs.field(converter=sequence, validator=members(UserInfo))
    media: tuple[MediaInfo, ...] = attrs.field(default=(), converter=sequence, validator=members(MediaInfo))
    additional_files: tuple[AdditionalFile, ...] = attrs.field(
        default=(), converter=sequence, validator=members(AdditionalFile)
    )
    messages: tuple[MessageInfo, ...] = attrs.field(default=(), converter=sequence, validator=members(MessageInfo))
    additional_info: str | None = attrs.field(default=None, repr=False, validator=optional(words))

    @classmethod
    def from_json(cls, data: str | bytes | Mapping[str, Any]) -> "AdditionalInfo":
        """Read an answer; raise `InvalidReport` with everything that is wrong with it."""
        return _READER.read(data if isinstance(data, Mapping) else parse_json(data), path="answer")

    def as_json(self) -> dict[str, Any]:
        """Return the answer as the contract spells it; what is None is left out.

        >>> AdditionalInfo(users=(UserInfo(id="u1", type_id="user"),)).as_json()["users"]
        [{'id': 'u1', 'typeId': 'user', 'email': [], 'ipCaptureEvent': [], 'data': {}}]
        """
        plain: dict[str, Any] = _plain(self)
        return plain


@attrs.frozen(kw_only=True)
class _Event:
    """An event as the contract spells it: an address, and whatever else is known."""

    ip_address: str = attrs.field(repr=False, validator=ip_address)
    event_name: IpCaptureType | None = None
    date_time: datetime | None = attrs.field(default=None, validator=optional(aware))
    possible_proxy: bool | None = None
    port: int | None = attrs.field(default=None, validator=optional(port))


@attrs.frozen(kw_only=True)
class _Email:
    value: str = attrs.field(repr=False, validator=identifier, metadata={"key": "email"})
    type: EmailType | None = None
    verified: bool | None = None
    verification_date: datetime | None = attrs.field(default=None, validator=optional(aware))


def _as(kind: type[Any]) -> Any:
    return lambda read: kind(**{field.name: getattr(read, field.name) for field in attrs.fields(type(read))})


def _plain(value: Any) -> Any:
    """Return what the reader would read the value from."""
    form = _FORMS.get(type(value), type(value))
    if attrs.has(form):
        found = (
            (field.metadata.get("key") or camel(field.name), getattr(value, field.name)) for field in attrs.fields(form)
        )
        return {key: _plain(one) for key, one in found if one is not None}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Vocabulary) else value


#: What is spelled in another form than the model's.
_FORMS: dict[type[Any], type[Any]] = {IpCaptureEvent: _Event, Email: _Email}

_READER = Reader(
    AdditionalInfo,
    unknown_keys=True,
    through={IpCaptureEvent: (_Event, _as(IpCaptureEvent)), Email: (_Email, _as(Email))},
)
