"""What a platform is asked before a report is built."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from cybertip.cases.checking import members, sequence
from cybertip.cases.enrichment.answer import AdditionalInfo, MediaInfo, UserInfo
from cybertip.cases.references import ItemRef, UserRef

__all__ = ["AdditionalInfoRequest", "AsyncSource", "Source", "nothing_known"]


@attrs.frozen(kw_only=True)
class AdditionalInfoRequest:
    """Ask what is known of users and of media.

    >>> AdditionalInfoRequest(users=(UserRef(id="u1", type_id="user"),)).as_json()
    {'users': [{'id': 'u1', 'typeId': 'user'}], 'media': []}
    """

    users: tuple[UserRef, ...] = attrs.field(default=(), converter=sequence, validator=members(UserRef))
    media: tuple[ItemRef, ...] = attrs.field(default=(), converter=sequence, validator=members(ItemRef))

    def as_json(self) -> dict[str, Any]:
        """Return the request as the webhook's contract spells it."""
        return {"users": [one.as_json() for one in self.users], "media": [one.as_json() for one in self.media]}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "AdditionalInfoRequest":
        """Read what `as_json` returned."""
        return cls(
            users=tuple(map(UserRef.from_json, plain["users"])), media=tuple(map(ItemRef.from_json, plain["media"]))
        )


#: A function of the host's that answers, for those who need no HTTP between them and themselves.
Source = Callable[[AdditionalInfoRequest], AdditionalInfo]
AsyncSource = Callable[[AdditionalInfoRequest], Awaitable[AdditionalInfo]]


def nothing_known(request: AdditionalInfoRequest) -> AdditionalInfo:
    """Answer that nothing more is known: a `Source` for a platform that has none.

    What the case itself holds is filed all the same. An identifier is never passed off as a screen name.
    """
    return AdditionalInfo(
        users=tuple(UserInfo(id=one.id, type_id=one.type_id) for one in request.users),
        media=tuple(MediaInfo(id=one.id, type_id=one.type_id) for one in request.media),
    )
