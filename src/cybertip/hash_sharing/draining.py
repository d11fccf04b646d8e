"""In which order a list is read, so that nothing is missed: the rules, in one place.

Hash sharing answers with all that changed in a window of time, page by page. What is known of it leaves these rules:

- **Only a window that was read to its end counts.** Pages are in no order of time, so no time on a page, and no page, is a
  place to go on from. The checkpoint moves to a window's end when its last page is kept, and not before.
- **The address of a next page belongs to its window.** It is followed at once and never kept: after an interruption the
  window begins again. That costs time, and nothing else: keeping the same entry twice keeps it once.
- **An entry may come more than once in a window**, as it was and as it is. The latest state is kept; where two are of the
  same second and one is a tombstone, that one is.
- **Windows overlap by a second.** Whether their first and last seconds belong to them is promised nowhere.
- **Windows are not too large.** A page tells how many are left; where that is more than should be lost to an interruption,
  the window is given up and a shorter one asked for, down to one second, which is read whatever is in it. After windows
  with little in them they grow again.
- **The last window ends before now**, so that the second that is still filling up is left for the next time. Whoever calls
  `drain` sees to that.

What is not known: whether an entry that changes while its window is being read can make another slip from a page not yet
read to one that was. Windows of one page, as a list that is read often has, cannot lose anything by it.
"""

from collections.abc import Generator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from cybertip.filing.effects import Effect
from cybertip.hash_sharing.replies import Page, SharedEntry
from cybertip.hash_sharing.requests import Request, Window, entries, following

__all__ = ["BEGINNING", "Ask", "Keep", "Pace", "drain"]

#: Nothing was shared before.
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)

_SECOND: Final = timedelta(seconds=1)

_UNTIMED: Final = datetime.min.replace(tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Pace:
    """How much is asked for at once."""

    #: Entries in a window: an interruption has so many read again.
    most: int = attrs.field(default=50_000, validator=attrs.validators.ge(1))
    #: By how much a window with too many is shortened at least, and one with few lengthened.
    shrink: int = attrs.field(default=4, validator=attrs.validators.ge(2))
    grow: int = attrs.field(default=2, validator=attrs.validators.ge(1))


@attrs.frozen
class Ask(Effect[Page]):
    """Ask for a page. Raising into the generator whatever went wrong ends it; it may be begun anew from the checkpoint."""

    request: Request[Page]


@attrs.frozen(kw_only=True)
class Keep(Effect[None]):
    """Put entries on the list and take tombstones off it, in one transaction."""

    entries: tuple[SharedEntry, ...]
    #: All that changed until then was kept: the checkpoint moves there in the same transaction. None within a window.
    until: datetime | None
    #: For whoever watches: the window, how many of its entries were read, and how many are left as far as is known.
    window: Window
    read: int
    left: int | None
    unread: int
    unknown: int


def drain(after: datetime | None, until: datetime, *, pace: Pace | None = None) -> Generator[Effect[Any], Any, None]:
    """Yield what to ask for and what to keep, until the list is complete up to a time.

    Args:
        after: the checkpoint; None where there is none.
        until: the end of the last window.
        pace: how much is asked for at once.
    """
    pace = pace or Pace()
    # No finer than what can be asked for: what is cut off the checkpoint is read again.
    start = (after or BEGINNING).astimezone(UTC).replace(microsecond=0)
    end = until.astimezone(UTC).replace(microsecond=0)
    span = end - start
    while start < end:
        window = Window(after=max(start - _SECOND, BEGINNING), until=min(start + span, end))
        shortest = window.until - start <= _SECOND
        read, estimate = yield from _window(window, most=None if shortest else pace.most)
        if estimate is not None:
            span = _shorter(window.until - start, estimate, pace)
            continue
        start = window.until
        if read * 2 * pace.grow <= pace.most:
            span = min(span * pace.grow, end - BEGINNING)


def _window(window: Window, *, most: int | None) -> Generator[Effect[Any], Any, tuple[int, int | None]]:
    """Read a window, and return how many entries it had; or, if there seem to be more than `most`, how many."""
    newest: dict[tuple[str, str], tuple[datetime, bool]] = {}
    followed: set[str] = set()
    request, read = entries(window), 0
    while True:
        page = yield from Ask(request)
        read += len(page.entries)
        total = read + (page.left or 0)
        if most is not None and page.next is not None and total > most:
            return read, total
        yield from Keep(
            entries=tuple(_newer(page.entries, newest)),
            until=window.until if page.next is None else None,
            window=window,
            read=read,
            left=page.left if page.next is not None else 0,
            unread=page.unread,
            unknown=page.unknown,
        )
        if page.next is None:
            return read, None
        if page.next in followed:
            raise ValueError("its pages lead in a circle")
        followed.add(page.next)
        request = following(page.next)


def _newer(
    entries: Iterable[SharedEntry], newest: dict[tuple[str, str], tuple[datetime, bool]]
) -> Iterator[SharedEntry]:
    """Yield the entries of which no later state was seen in the window."""
    for entry in entries:
        key = entry.member, entry.entry
        state = (entry.at or _UNTIMED, entry.deleted)
        if key not in newest or newest[key] <= state:
            newest[key] = state
            yield entry


def _shorter(span: timedelta, estimate: int, pace: Pace) -> timedelta:
    """Return the length of the next try for a window that has too many entries."""
    shorter = span * min(1 / pace.shrink, pace.most / max(estimate, 1))
    return max(shorter - shorter % _SECOND, _SECOND)
