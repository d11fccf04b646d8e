"""The calls of hash sharing as values. Nothing here sends anything."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import attrs

from cybertip.hash_sharing import reading
from cybertip.hash_sharing.replies import Accepted, Categories, Identity, Members, Page, Reasons
from cybertip.hashing.values import PHOTODNA, HashType

if TYPE_CHECKING:
    from lxml import etree

__all__ = [
    "Request",
    "Window",
    "affirm",
    "categories",
    "dispute",
    "entries",
    "following",
    "members",
    "reasons",
    "status",
]

R_co = TypeVar("R_co", covariant=True)

_NAMESPACE: Final = "https://hashsharing.ncmec.org/hashsharing/v2"
_ENTRIES: Final = "/v2/entries"

#: What a page may call the next one: a path below the list's address, and nothing that leads elsewhere.
_NEXT: Final = re.compile(r"/v2/entries\?[\x21\x24-\x5b\x5d-\x7e]{1,4096}")


def _whole(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a window's times need their zone")
    return moment.astimezone(UTC).replace(microsecond=0)


@attrs.frozen(kw_only=True)
class Window:
    """A span of time, in whole seconds: what changed after its beginning and up to its end."""

    after: datetime = attrs.field(converter=_whole)
    until: datetime = attrs.field(converter=_whole)

    def __attrs_post_init__(self) -> None:
        if self.after >= self.until:
            raise ValueError("a window ends after it begins")


@attrs.frozen(kw_only=True)
class Request(Generic[R_co]):
    """One call; make it with the functions below."""

    #: What the call is named in errors: its path without ids.
    endpoint: str
    #: The path below the list's address, with its query.
    path: str = attrs.field(repr=False)
    #: Makes the reply of a success from its document; None where the answer's document is not known, and does not matter.
    read: "Callable[[etree._Element], R_co] | None" = attrs.field(repr=False)
    #: The reply where there is nothing to read.
    otherwise: Any = attrs.field(default=None, repr=False)
    method: str = "GET"
    body: bytes = attrs.field(default=b"", repr=False)


def status() -> Request[Identity]:
    """Ask who NCMEC takes us for: whether address and credentials are well."""
    return Request(endpoint="/v2/status", path="/v2/status", read=reading.identity)


def members() -> Request[Members]:
    """Ask who shares hashes on the list."""
    return Request(endpoint="/v2/members", path="/v2/members", read=reading.members)


def entries(window: Window) -> Request[Page]:
    """Ask for the first page of what changed in a window.

    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> entries(Window(after=noon, until=noon.replace(hour=13))).path
    '/v2/entries?from=2026-03-01T12%3A00%3A00Z&to=2026-03-01T13%3A00%3A00Z'
    """
    query = urlencode({"from": _written(window.after), "to": _written(window.until)})
    return Request(endpoint=_ENTRIES, path=f"{_ENTRIES}?{query}", read=reading.page)


def following(next: str) -> Request[Page]:
    """Ask for the page that another names as the next. It belongs to that one's window; raise `ValueError` if it leads
    anywhere but to entries of the same list, for credentials go along."""
    if not _NEXT.fullmatch(next):
        raise ValueError("its next page is not one of the same list")
    return Request(endpoint=_ENTRIES, path=next, read=reading.page)


def categories() -> Request[Categories]:
    """Ask for the words that entries may be described with."""
    path = "/v2/categorizations"
    return Request(endpoint=path, path=path, read=reading.categories)


def reasons(kind: HashType) -> Request[Reasons]:
    """Ask for the reasons for which a hash of a kind may be disputed."""
    return Request(
        endpoint="/v2/feedback/reasons", path=f"/v2/feedback/{_in_paths(kind)}/reasons", read=reading.reasons
    )


def affirm(*, member: str, entry: str, kind: HashType) -> Request[Accepted]:
    """Say that a hash of an entry belongs on the list. `member` is the one that shared the entry."""
    return _feedback(member, entry, kind, "<affirmative/>")


def dispute(*, member: str, entry: str, kind: HashType, reasons: Sequence[str]) -> Request[Accepted]:
    """Say that a hash of an entry does not belong on the list, for reasons that `Reasons` names by their ids."""
    if not reasons:
        raise ValueError("a hash is disputed for a reason")
    guids = "".join(f"<guid>{escape(one)}</guid>" for one in reasons)
    return _feedback(member, entry, kind, f"<negative><reasonIds>{guids}</reasonIds></negative>")


def _feedback(member: str, entry: str, kind: HashType, content: str) -> Request[Accepted]:
    place = "/".join(quote(part, safe="") for part in (member, entry))
    if not member or not entry or {member, entry} & {".", ".."}:
        raise ValueError("feedback is about an entry of a member")
    document = f'<feedbackSubmission xmlns="{_NAMESPACE}">{content}</feedbackSubmission>'
    return Request(
        endpoint="/v2/entries/feedback",
        path=f"{_ENTRIES}/{place}/{_in_paths(kind)}/feedback",
        read=None,
        otherwise=Accepted(),
        method="PUT",
        body=f'<?xml version="1.0" encoding="UTF-8"?>{document}'.encode(),
    )


def _written(moment: datetime) -> str:
    """Return a time as the API wants it: in UTC, whatever zone the machine is in."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _in_paths(kind: HashType) -> str:
    name = "PDNA" if kind == PHOTODNA else kind.upper().replace("-", "_")
    if not re.fullmatch(r"[A-Z0-9_]{1,64}", name):
        raise ValueError("this is no kind of hash that NCMEC's lists could have")
    return name
