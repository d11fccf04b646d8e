"""What hash sharing answers, as values. No repr shows a hash."""

from datetime import datetime

import attrs

from cybertip.hashing.values import HashType, MediaHash

__all__ = [
    "Accepted",
    "Categories",
    "Category",
    "CategoryGroup",
    "Identity",
    "Member",
    "Members",
    "Page",
    "Reason",
    "Reasons",
    "SharedEntry",
]


@attrs.frozen(kw_only=True)
class Member:
    """An organisation that shares hashes."""

    id: str
    name: str


@attrs.frozen(kw_only=True)
class Identity:
    """Who NCMEC takes us for."""

    member: Member
    username: str = attrs.field(repr=False)
    ip_address: str = attrs.field(repr=False)
    #: NCMEC's clock when it answered; None where it did not say.
    date: datetime | None


@attrs.frozen(kw_only=True)
class Members:
    """Everybody who shares hashes on a list."""

    members: tuple[Member, ...]


@attrs.frozen(kw_only=True)
class SharedEntry:
    """An entry of a list as it is now, or a tombstone: what was an entry and does not belong there any more.

    An entry is the same only if both its member and its own name are.
    """

    member: str
    entry: str
    #: When it was last changed; None where that could not be read.
    at: datetime | None
    #: "image" or "video".
    kind: str
    deleted: bool = False
    #: In the list's own words, such as "A1".
    classification: str | None = None
    hashes: tuple[MediaHash, ...] = ()
    #: Kinds of which it has a hash that could not be read: it is not known to have changed.
    unread: frozenset[HashType] = frozenset()
    #: A member says that a hash of it does not belong there.
    disputed: bool = False


@attrs.frozen(kw_only=True)
class Page:
    """Some of the entries that changed in a window of time, in no order."""

    entries: tuple[SharedEntry, ...]
    #: Leads to the next page of the same window; None on the last one. It is not for keeping.
    next: str | None = attrs.field(default=None, repr=False)
    #: How many entries are still to come, as NCMEC estimates; None where it does not.
    left: int | None = None
    #: Entries without an id, and hashes of the wrong length: they are left out and counted, so that one of them does not
    #: keep a list from being read for ever.
    unread: int = 0
    #: Elements that nobody here knows.
    unknown: int = 0


@attrs.frozen(kw_only=True)
class Category:
    """A word that entries are described with. Its id is another in each environment."""

    guid: str
    name: str


@attrs.frozen(kw_only=True)
class CategoryGroup:
    """Words of which an entry has one, or several."""

    name: str
    allows_multiple: bool
    categories: tuple[Category, ...]


@attrs.frozen(kw_only=True)
class Categories:
    """The words that entries may be described with; NCMEC may add some."""

    groups: tuple[CategoryGroup, ...]


@attrs.frozen(kw_only=True)
class Reason:
    """Why a hash may be said not to belong on a list."""

    guid: str
    name: str
    type: HashType


@attrs.frozen(kw_only=True)
class Reasons:
    """The reasons that there are for a kind of hash."""

    reasons: tuple[Reason, ...]

    def guid_of(self, reason: str) -> str | None:
        """Return the id of a reason by its name or by its id; None if there is no such reason."""
        wanted = reason.casefold()
        return next((one.guid for one in self.reasons if wanted in (one.guid.casefold(), one.name.casefold())), None)


@attrs.frozen(kw_only=True)
class Accepted:
    """What was sent was taken."""
