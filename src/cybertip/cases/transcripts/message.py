"""One message of a conversation."""

from datetime import datetime

import attrs

from cybertip.cases.checking import (
    aware,
    fixed,
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
from cybertip.cases.references import EvidenceId, ItemRef, MessageId, ThreadId, UserRef
from cybertip.errors import InvalidReport, Violation

__all__ = ["Message"]

_OF_TEXTS = members(str)
_OF_USERS = members(UserRef)


@attrs.frozen(kw_only=True)
class Message:
    """Say who wrote what to whom, when, and from where.

    Nothing of it but its marks and its time is in a repr. The text is kept as it was written, whatever characters it is
    made of; whoever writes a transcript refuses halves of surrogate pairs, which are no characters.
    """

    id: MessageId = attrs.field(repr=False, validator=identifier)
    #: The platform's name for this kind of message.
    type_id: str | None = attrs.field(default=None, validator=optional(identifier))
    thread: ThreadId = attrs.field(repr=False, validator=identifier)
    #: With the offset that the platform's clock had, or UTC.
    sent_at: datetime = attrs.field(converter=fixed, validator=aware)
    sender: UserRef = attrs.field(repr=False, validator=instance(UserRef))
    recipients: tuple[UserRef, ...] = attrs.field(default=(), repr=False, converter=sequence, validator=_OF_USERS)
    text: str = attrs.field(default="", repr=False, validator=words)
    attachments: tuple[EvidenceId, ...] = attrs.field(default=(), repr=False, converter=sequence, validator=_OF_TEXTS)
    ip: str | None = attrs.field(default=None, repr=False, validator=optional(ip_address))
    #: The source port: under carrier-grade NAT an address means little without it.
    port: int | None = attrs.field(default=None, repr=False, validator=optional(port))
    #: Whether it was changed after it was sent; `text` is what it said last.
    edited: bool = attrs.field(default=False, validator=mark)
    edited_at: datetime | None = attrs.field(default=None, converter=fixed, validator=optional(aware))
    #: Whether it was taken back; `text` is what the platform still has of it.
    deleted: bool = attrs.field(default=False, validator=mark)
    deleted_at: datetime | None = attrs.field(default=None, converter=fixed, validator=optional(aware))

    def __attrs_post_init__(self) -> None:
        for done, at, name in ((self.edited, self.edited_at, "edited"), (self.deleted, self.deleted_at, "deleted")):
            if at is not None and not done:
                message = f"cannot be given where {name} is not"
                raise InvalidReport((Violation(path=f"Message.{name}_at", rule="not-without", message=message),))

    @property
    def ref(self) -> ItemRef | None:
        """The message as an item, where the platform has a name for its kind."""
        return None if self.type_id is None else ItemRef(id=self.id, type_id=self.type_id)
