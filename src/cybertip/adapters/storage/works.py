"""What each of the port's methods does in one transaction, stated once for both colours.

A work is a generator: it yields a statement, with the rows to send where there are any, and gets the result. Whoever runs
it opens the transaction, executes with or without `await`, and commits when the work returns.
"""

from collections.abc import Collection, Generator, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import CursorResult, Executable, Row, Select
from sqlalchemy.exc import IntegrityError

from cybertip.adapters.storage import statements
from cybertip.adapters.storage.checks import LENGTH_OF_ID, append_of, moment, name, time
from cybertip.adapters.storage.rows import (
    entry_of,
    head_of,
    letter_of,
    values_of_entry,
    values_of_head,
    values_of_letter,
)
from cybertip.errors import AdapterError, Conflict
from cybertip.ports.storage import Claim, Entry, Head, Letter

__all__ = [
    "Work",
    "append",
    "append_at_once",
    "claim",
    "claim_due",
    "claim_due_at_once",
    "every_lane",
    "head",
    "heads",
    "may_be_at_once",
    "next_due",
    "next_letter",
    "read",
    "release",
    "renew",
    "settle_letter",
    "take_letters",
]

T = TypeVar("T")

#: A statement, and the values for it; a list of them where it is sent with many.
Ask = tuple[Executable, dict[str, Any] | list[dict[str, Any]] | None]

Work = Generator[Ask, CursorResult[Any], T]

#: How many more are looked at than are wanted, for others may be taking the first of them at this moment.
_SPARE = 64

#: What `statements.keep_head` keeps.
_KEPT = ("status", "priority", "tenant", "lane", "tags")

#: Entries that are appended at once at the most: an outcome and the next intent are two.
_AT_ONCE = 4


def append(
    entries: Sequence[Entry], head: Head, *, expected: int, claim: Claim | None, letters: Sequence[Letter]
) -> Work[None]:
    append_of(entries, head, expected=expected, claim=claim, letters=letters)
    values, rows = values_of_head(head), [values_of_entry(entry) for entry in entries]
    posted = [values_of_letter(letter) for letter in letters]
    before = "[]"
    if expected == 0:
        if claim is not None:
            raise Conflict("the claim was lost", key=head.key)
        yield from _begin(values)
    else:
        before = yield from _go_on(head.key, values, expected, claim)
    if rows:
        try:
            yield statements.insert_entries(), rows
        except IntegrityError as error:
            raise Conflict("the journal went on meanwhile", key=head.key) from error
    if values["tags"] != before:
        yield statements.delete_tags(), {"of": head.key}
        if head.tags:
            yield statements.insert_tags(), [{"tag": tag, "key": head.key} for tag in sorted(set(head.tags))]
    if posted:
        try:
            yield statements.insert_letters(), posted
        except IntegrityError as error:
            raise AdapterError("a letter with this id is waiting already: nothing was done") from error


def append_at_once(entries: Sequence[Entry], head: Head, *, expected: int, claim: Claim | None) -> Work[bool]:
    """Append to a journal that is there with one statement of PostgreSQL, or do nothing and return False.

    So it is where the journal went on, the claim was lost or the tags are others: `append` finds out which, and what to do.
    """
    append_of(entries, head, expected=expected, claim=claim, letters=())
    given = {f"new_{name}": value for name, value in values_of_head(head).items() if name != "key"}
    given |= _conditions(head.key, given["new_due_at"], expected, claim) | {"before": given["new_tags"]}
    for number, entry in enumerate(entries):
        given |= {f"{name}_{number}": value for name, value in values_of_entry(entry).items()}
    statement = statements.go_on_at_once(len(entries), claimed=claim is not None, settled=head.due_at is None)
    try:
        done = yield statement, given
    except IntegrityError:
        return False
    return done.rowcount == len(entries)


def may_be_at_once(entries: Sequence[Entry], head: Head, expected: int, claim: Claim | None) -> bool:
    """Tell whether `append_at_once` is made for such an append: what a delivery nearly always records."""
    return expected > 0 and 0 < len(entries) <= _AT_ONCE and (claim is None or claim.key == head.key)


def _begin(values: dict[str, Any]) -> Work[None]:
    # It is the insertion that decides; who wants to know beforehand has read.
    try:
        yield statements.insert_head(), [values | {"ready_at": values["due_at"]}]
    except IntegrityError as error:
        raise Conflict("there is such a journal already", key=values["key"]) from error


def _go_on(key: str, values: dict[str, Any], expected: int, claim: Claim | None) -> Work[str]:
    """Replace the head of a journal that is there, and return the tags that it had."""
    statement = statements.replace_head(claimed=claim is not None, settled=values["due_at"] is None)
    given = {name: value for name, value in values.items() if name != "key"}
    given |= _conditions(key, values["due_at"], expected, claim)
    before: str = values["tags"]
    if claim is not None and claim.key == key and values["due_at"] is not None:
        same = {f"same_{name}": values[name] for name in _KEPT}
        kept = yield statements.keep_head(), {name: given[name] for name in given if name not in _KEPT} | same
        if kept.rowcount == 1:
            return before
    if claim is None or claim.key == key:
        # What nearly always is all there is to do: nobody else wrote, and the tags stay.
        replaced = yield statement, given | {"before": before}
        if replaced.rowcount == 1:
            return before
    found = yield statements.lock_head(), {"of": key}
    row = found.first()
    if row is None or row.version != expected:
        raise Conflict("the journal went on meanwhile" if row is not None else "there is no such journal", key=key)
    if claim is not None and (claim.key != key or claim.token != row.claim_token):
        raise Conflict("the claim was lost", key=key)
    before = row.tags
    replaced = yield statement, given | {"before": before}
    if replaced.rowcount != 1:
        raise Conflict("the journal went on meanwhile", key=key)
    return before


def _conditions(key: str, due_at: int | None, expected: int, claim: Claim | None) -> dict[str, Any]:
    """Return what `statements.replace_head` looks at."""
    given: dict[str, Any] = {"of": key, "expected": expected}
    if due_at is not None:
        given["due"] = due_at
    if claim is not None:
        given["by"] = claim.token
    return given


def read(key: str, *, after: int) -> Work[tuple[Entry, ...]]:
    found = yield statements.select_entries(), {"of": name(key, "a key"), "after": after}
    return tuple(map(entry_of, found))


def head(key: str) -> Work[Head | None]:
    found = yield statements.select_head(), {"of": name(key, "a key")}
    row = found.first()
    return head_of(row) if row is not None else None


def heads(
    *, after: str | None, limit: int, status: str | None, tenant: str | None, lane: str | None, tag: str | None
) -> Work[tuple[Head, ...]]:
    found = yield statements.select_heads(after, max(limit, 0), status, tenant, lane, tag), None
    return tuple(map(head_of, found))


def claim(key: str, *, token: str, now: datetime, until: datetime) -> Work[Claim | None]:
    given = {"of": name(key, "a key"), "by": name(token, "a token"), "now": time(now), "until": time(until)}
    done = yield statements.set_claim(), given
    return Claim(key=key, token=token, until=moment(time(until))) if done.rowcount == 1 else None


def claim_due(
    *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None
) -> Work[tuple[tuple[Head, Claim], ...]]:
    name(token, "a token")
    at, end = time(now), time(until)
    if limit < 1:
        return ()
    if lanes is None:
        lanes = yield from every_lane()
    found = yield statements.due_heads(), {"lanes": list(lanes), "now": at, "most": limit + _SPARE}
    rows = yield from _lock(list(found.scalars()), limit, statements.lock_heads(), at, "key")
    if rows:
        some = [row.key for row in rows]
        yield statements.give_turn(), {"some": some, "by": token, "now": at, "until": end}
    return tuple((head_of(row), Claim(key=row.key, token=token, until=moment(end))) for row in rows)


def claim_due_at_once(
    *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str]
) -> Work[tuple[tuple[Head, Claim], ...]]:
    """Claim what is due with one statement of PostgreSQL."""
    given = {"lanes": list(lanes), "now": time(now), "most": limit + _SPARE, "limit": limit}
    found = yield statements.claim_at_once(), given | {"by": name(token, "a token"), "until": time(until)}
    rows = sorted(found, key=lambda row: row.place)
    return tuple((head_of(row), Claim(key=row.key, token=token, until=moment(time(until)))) for row in rows)


def renew(claim: Claim, *, until: datetime) -> Work[Claim | None]:
    done = yield statements.renew_claim(), {"of": claim.key, "by": claim.token, "until": time(until)}
    return Claim(key=claim.key, token=claim.token, until=moment(time(until))) if done.rowcount == 1 else None


def release(claim: Claim) -> Work[None]:
    yield statements.release_claim(), {"of": claim.key, "by": claim.token}


def take_letters(
    *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None
) -> Work[tuple[Letter, ...]]:
    at, end = time(now), time(until)
    if limit < 1:
        return ()
    found = yield statements.due_letters(topics), {"now": at, "most": limit + _SPARE}
    rows = yield from _lock(list(found.scalars()), limit, statements.lock_letters(), at, "id")
    if rows:
        yield statements.hide_letters(), {"some": [row.id for row in rows], "until": end}
    return tuple(map(letter_of, rows))


def settle_letter(id: str, *, due_at: datetime | None) -> Work[None]:
    name(id, "a letter's id", LENGTH_OF_ID)
    if due_at is None:
        yield statements.delete_letter(), {"one": id}
    else:
        yield statements.postpone_letter(), {"one": id, "until": time(due_at)}


def next_due(*, now: datetime, lanes: Collection[str] | None) -> Work[datetime | None]:
    if lanes is None:
        lanes = yield from every_lane()
    found = yield statements.next_ready(), {"lanes": list(lanes)}
    at = found.scalar()
    return None if at is None else moment(max(at, time(now)))


def next_letter(*, now: datetime, topics: Collection[str] | None) -> Work[datetime | None]:
    found = yield statements.next_letter(topics), None
    at = found.scalar()
    return None if at is None else moment(max(at, time(now)))


def every_lane() -> Work[list[str]]:
    """Return all lanes. There are few: from each, an index leads to the next."""
    lanes: list[str] = []
    found = yield statements.next_lane(first=True), None
    while (lane := found.scalar()) is not None:
        lanes.append(lane)
        found = yield statements.next_lane(first=False), {"after": lane}
    return lanes


def _lock(names: Sequence[str], limit: int, statement: Select[Any], now: int, column: str) -> Work[list[Row[Any]]]:
    """Lock the first `limit` of the rows with these names that nobody else holds, and return them in the names' order.

    No more are locked at a time than are missing: what is locked here, others pass over for as long.
    """
    locked: list[Row[Any]] = []
    position = 0
    while position < len(names) and len(locked) < limit:
        some = names[position : position + limit - len(locked)]
        position += len(some)
        found = yield statement, {"some": some, "now": now}
        locked += _in_order(found, some, column)
    return locked


def _in_order(rows: Iterable[Row[Any]], names: Sequence[str], column: str) -> list[Row[Any]]:
    by_name = {getattr(row, column): row for row in rows}
    return [by_name[one] for one in names if one in by_name]
