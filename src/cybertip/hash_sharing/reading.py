"""Documents of hash sharing, read with forgiveness: what is unknown is counted and passed over, never a reason to stop.

One odd element must not keep a list from being read for ever; but a document of another kind is no answer, and raises
`ValueError` with a reason that quotes nothing.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from cybertip.hash_sharing.replies import (
    Categories,
    Category,
    CategoryGroup,
    Identity,
    Member,
    Members,
    Page,
    Reason,
    Reasons,
    SharedEntry,
)
from cybertip.hashing.values import PHOTODNA, HashType, MediaHash

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["categories", "identity", "members", "page", "reasons"]

#: The elements that hold entries, and what each may hold: entries, and what is left of deleted ones.
_HOLDERS: Final = {"images": ("image", "deletedImage"), "videos": ("video", "deletedVideo")}

#: All that an entry is known to hold. What else there is, is counted.
_KNOWN: Final = frozenset({"member", "timestamp", "id", "classification", "fingerprints", "feedback"})

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?")


def page(root: "etree._Element") -> Page:
    """Read a page of entries."""
    _expect(root, "queryResult")
    reading = _Page()
    next: str | None = None
    for holder in _children(root):
        name = _name(holder)
        if name in _HOLDERS:
            for element in _children(holder):
                reading.take(element, *_HOLDERS[name])
        elif name == "paging":
            next = _text(holder, "next") or None
        else:
            reading.unknown += 1
    return Page(
        entries=tuple(reading.entries),
        next=next,
        left=None if next is None else _left(next),
        unread=reading.unread,
        unknown=reading.unknown,
    )


def identity(root: "etree._Element") -> Identity:
    """Read who NCMEC takes us for."""
    _expect(root, "status")
    found = list(_members(root))
    if not found:
        raise ValueError("it does not say whom the credentials belong to")
    username, address = _text(root, "username"), _text(root, "ipAddress")
    return Identity(member=found[0], username=username, ip_address=address, date=None)


def members(root: "etree._Element") -> Members:
    """Read who shares hashes. What the document is called is not known: whoever is named in it counts."""
    return Members(members=tuple(_members(root)))


def categories(root: "etree._Element") -> Categories:
    """Read the words that entries may be described with."""
    _expect(root, "availableCategorizations")
    return Categories(
        groups=tuple(
            CategoryGroup(
                name=group.get("name", ""),
                allows_multiple=group.get("allowMultiple", "").strip().lower() in ("true", "1"),
                categories=tuple(
                    Category(guid=one.get("guid", ""), name=one.get("name", ""))
                    for one in _children(group, "categorization")
                    if one.get("guid")
                ),
            )
            for group in _children(root, "group")
        )
    )


def reasons(root: "etree._Element") -> Reasons:
    """Read the reasons for which a hash may be disputed."""
    _expect(root, "availableFeedbackReasons")
    return Reasons(
        reasons=tuple(
            Reason(guid=one.get("guid", ""), name=one.get("name", ""), type=_kind(one.get("type", "")))
            for one in _children(root, "reason")
            if one.get("guid")
        )
    )


class _Page:
    """A page while it is read."""

    def __init__(self) -> None:
        self.entries: list[SharedEntry] = []
        self.unread = self.unknown = 0

    def take(self, element: "etree._Element", entry: str, tombstone: str) -> None:
        """Take an entry or a tombstone. Anything else could mean whatever: it changes nothing."""
        name = _name(element)
        if name not in (entry, tombstone):
            self.unknown += 1
            return
        parts: dict[str, etree._Element] = {}
        children = list(_children(element))
        for child in children:
            parts.setdefault(_name(child), child)
        member = parts["member"].get("id", "").strip() if "member" in parts else ""
        id = _content(parts.get("id"))
        if not member or not id:
            self.unread += 1
            return
        # What stands there twice is as unknown as what nobody has heard of.
        self.unknown += len(children) - len(parts.keys() & _KNOWN)
        deleted = name == tombstone
        hashes, unread = ([], []) if deleted or "fingerprints" not in parts else self._hashes(parts["fingerprints"])
        self.entries.append(
            SharedEntry(
                member=member,
                entry=id,
                at=_time(_content(parts.get("timestamp"))),
                kind=entry,
                deleted=deleted,
                classification=None if deleted else _content(parts.get("classification")) or None,
                hashes=tuple(hashes),
                unread=frozenset(unread),
                disputed=not deleted and "feedback" in parts and _is_disputed(parts["feedback"]),
            )
        )

    def _hashes(self, holder: "etree._Element") -> tuple[list[MediaHash], list[HashType]]:
        """Return an entry's hashes, known kinds or not, but for those that are too large to be on the page; and the kinds of
        those that could not be read."""
        hashes: list[MediaHash] = []
        unread: list[HashType] = []
        for one in _children(holder):
            kind, value = _kind(_name(one)), _content(one)
            if one.get("href") is not None and not value:
                continue
            try:
                if not value:
                    raise ValueError("a hash without a value")
                hashes.append(MediaHash(type=kind, value=value))
            except ValueError:
                self.unread += 1
                unread.append(kind)
        return hashes, unread


def _is_disputed(feedback: "etree._Element") -> bool:
    return any(_name(one) == "negativeFeedback" for one in _children(feedback))


def _kind(name: str) -> HashType:
    """Return a kind by what an element or an attribute calls it; kinds that are not known keep their name."""
    plain = name.strip().lower().replace("_", "-")
    return PHOTODNA if plain in ("pdna", "photodna") else HashType(plain)


def _left(next: str) -> int | None:
    """Return how many entries are left, as the address of the next page tells by the way."""
    query = parse_qs(next.partition("?")[2])
    try:
        first, last = int(query["start"][0]), int(query["max"][0])
    except (KeyError, ValueError):
        return None
    return max(last - first + 1, 0)


def _time(text: str) -> datetime | None:
    """Read a time; one without a zone is in UTC, as all of the API's are."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    whole, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{whole}{(fraction or '')[:7]}{zone or 'Z'}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _expect(root: "etree._Element", name: str) -> None:
    if _name(root) != name:
        raise ValueError(f"its body is no {name}")


def _members(element: "etree._Element") -> Iterator[Member]:
    for one in element.iter("{*}member"):
        if one.get("id"):
            yield Member(id=one.get("id", "").strip(), name="".join(one.itertext()).strip())


def _name(element: "etree._Element") -> str:
    """Return an element's name without its namespace, which nothing depends on."""
    return str(element.tag).rpartition("}")[2]


def _children(element: "etree._Element", name: str | None = None) -> "Iterator[etree._Element]":
    for child in element:
        # What is left of an entity has a function in the place of its name.
        if isinstance(child.tag, str) and (name is None or _name(child) == name):
            yield child


def _text(element: "etree._Element", name: str) -> str:
    return _content(next(_children(element, name), None))


def _content(element: "etree._Element | None") -> str:
    """Return an element's text; what is within other elements, too, should there be some."""
    if element is None:
        return ""
    return ("".join(element.itertext()) if len(element) else element.text or "").strip()
