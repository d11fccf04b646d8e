"""How a platform calls its own things. Identifiers are text of the platform's making, and never mean anything here.

An identifier of a user tells who somebody is, so none is in a repr, an error or a log.
"""

from typing import Any, NewType, Self

import attrs

from cybertip.cases.checking import identifier

__all__ = ["CaseId", "EvidenceId", "ItemRef", "MessageId", "ReviewerId", "SignalId", "ThreadId", "UserRef"]

CaseId = NewType("CaseId", str)
SignalId = NewType("SignalId", str)
ThreadId = NewType("ThreadId", str)
MessageId = NewType("MessageId", str)
#: Whoever looked or decided, as the host knows its people.
ReviewerId = NewType("ReviewerId", str)
#: A reference of the `Evidence` port.
EvidenceId = NewType("EvidenceId", str)


@attrs.frozen(kw_only=True)
class _Ref:
    #: Unique among things of the same type.
    id: str = attrs.field(repr=False, validator=identifier)
    #: The platform's name for the kind of thing.
    type_id: str = attrs.field(validator=identifier)

    def as_json(self) -> dict[str, str]:
        """Return the reference as webhooks spell it."""
        return {"id": self.id, "typeId": self.type_id}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Self:
        """Read what `as_json` returned."""
        return cls(id=plain["id"], type_id=plain["typeId"])


@attrs.frozen(kw_only=True)
class ItemRef(_Ref):
    """Name a piece of content: an image, a message, a post.

    >>> ItemRef(id="m1", type_id="image")
    ItemRef(type_id='image')
    """


@attrs.frozen(kw_only=True)
class UserRef(_Ref):
    """Name a user.

    >>> UserRef(id="u1", type_id="user").as_json()
    {'id': 'u1', 'typeId': 'user'}
    >>> UserRef(id="u1", type_id="user") == ItemRef(id="u1", type_id="user")
    False
    """
