"""What each of the port's methods does in one transaction, stated once for both colours.

A work is a generator: it yields a statement, with the rows to send where there are any, and gets the result. Whoever runs
it opens the transaction, executes with or without `await`, and commits when the work returns.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Sequence
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
    "claim",
    "claim_due",
    "head",
    "heads",
    "next_due",
    "read",
    "release",
    "renew",
    "settle_letter",
    "take_letters",
]

T = TypeVar("T")

#: A statement, and the rows for it where it is sent with many.
Ask = tuple[Executable, list[dict[str, Any]] | None]

Work = Generator[Ask, CursorResult[Any], T]

#: How many more are looked at than are wanted, for others may be taking the first of them at this moment.
_SPARE = 256


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
        before = yield from _go_on(values, expected, claim)
    if rows:
        try:
            yield statements.insert_entries(), rows
        except IntegrityError as error:
            raise Conflict("the journal went on meanwhile", key=head.key) from error
    if values["tags"] != before:
        yield statements.delete_tags(head.key), None
        if head.tags:
            yield statements.insert_tags(), [{"tag": tag, "key": head.key} for tag in sorted(set(head.tags))]
    if posted:
        try:
            yield statements.insert_letters(), posted
        except IntegrityError as error:
            raise AdapterError("a letter with this id is waiting already: nothing was done") from error


def _begin(values: dict[str, Any]) -> Work[None]:
    # Looked for first only to keep the database's log free of refused rows: it is the insertion that decides.
    known = yield statements.select_head(values["key"]), None
    if known.first() is not None:
        raise Conflict("there is such a journal already", key=values["key"])
    try:
        yield statements.insert_head(), [values | {"ready_at": values["due_at"]}]
    except IntegrityError as error:
        raise Conflict("there is such a journal already", key=values["key"]) from error


def _go_on(values: dict[str, Any], expected: int, claim: Claim | None) -> Work[str]:
    """Replace the head of a journal that is there, and return the tags that it had."""
    key, due_at = values["key"], values["due_at"]
    found = yield statements.lock_head(key), None
    row = found.first()
    if row is None or row.version != expected:
        raise Conflict("the journal went on meanwhile" if row is not None else "there is no such journal", key=key)
    if claim is not None and (claim.key != key or claim.token != row.claim_token):
        raise Conflict("the claim was lost", key=key)
    if due_at is None:
        values |= {"claim_token": None, "claim_until": None, "ready_at": None}
    else:
        values |= {"ready_at": due_at if row.claim_until is None else max(due_at, row.claim_until)}
    replaced = yield statements.replace_head(key, expected, values), None
    if replaced.rowcount != 1:
        raise Conflict("the journal went on meanwhile", key=key)
    return str(row.tags)


def read(key: str, *, after: int) -> Work[tuple[Entry, ...]]:
    found = yield statements.select_entries(name(key, "a key"), after), None
    return tuple(map(entry_of, found))


def head(key: str) -> Work[Head | None]:
    found = yield statements.select_head(name(key, "a key")), None
    row = found.first()
    return head_of(row) if row is not None else None


def heads(
    *, after: str | None, limit: int, status: str | None, tenant: str | None, tag: str | None
) -> Work[tuple[Head, ...]]:
    found = yield statements.select_heads(after, max(limit, 0), status, tenant, tag), None
    return tuple(map(head_of, found))


def claim(key: str, *, token: str, now: datetime, until: datetime) -> Work[Claim | None]:
    name(token, "a token")
    done = yield statements.set_claim(name(key, "a key"), token, time(now), time(until)), None
    return Claim(key=key, token=token, until=moment(time(until))) if done.rowcount == 1 else None


def claim_due(
    *, token: str, now: datetime, until: datetime, limit: int, paused: Collection[str]
) -> Work[tuple[tuple[Head, Claim], ...]]:
    name(token, "a token")
    at, end = time(now), time(until)
    if limit < 1:
        return ()
    found = yield statements.due_heads(at, limit + _SPARE, paused), None
    rows = yield from _lock([row.key for row in found], limit, lambda keys: statements.lock_heads(keys, at), "key")
    if rows:
        yield statements.give_turn([row.key for row in rows], token, at, end), None
    return tuple((head_of(row), Claim(key=row.key, token=token, until=moment(end))) for row in rows)


def renew(claim: Claim, *, until: datetime) -> Work[Claim | None]:
    done = yield statements.renew_claim(claim, time(until)), None
    return Claim(key=claim.key, token=claim.token, until=moment(time(until))) if done.rowcount == 1 else None


def release(claim: Claim) -> Work[None]:
    yield statements.release_claim(claim), None


def take_letters(
    *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None
) -> Work[tuple[Letter, ...]]:
    at, end = time(now), time(until)
    if limit < 1:
        return ()
    found = yield statements.due_letters(at, limit + _SPARE, topics), None
    rows = yield from _lock([row.id for row in found], limit, lambda ids: statements.lock_letters(ids, at), "id")
    if rows:
        yield statements.hide_letters([row.id for row in rows], end), None
    return tuple(map(letter_of, rows))


def settle_letter(id: str, *, due_at: datetime | None) -> Work[None]:
    name(id, "a letter's id", LENGTH_OF_ID)
    if due_at is None:
        yield statements.delete_letter(id), None
    else:
        yield statements.postpone_letter(id, time(due_at)), None


def next_due(*, now: datetime) -> Work[datetime | None]:
    found = yield statements.next_times(), None
    times = [at for at in found.one() if at is not None]
    return moment(max(min(times), time(now))) if times else None


def _lock(
    names: Sequence[str], limit: int, statement: Callable[[Sequence[str]], Select[Any]], column: str
) -> Work[list[Row[Any]]]:
    """Lock the first `limit` of the rows with these names that nobody else holds, and return them in the names' order.

    No more are locked at a time than are missing: what is locked here, others pass over for as long.
    """
    locked: list[Row[Any]] = []
    position = 0
    while position < len(names) and len(locked) < limit:
        some = names[position : position + limit - len(locked)]
        position += len(some)
        found = yield statement(some), None
        locked += _in_order(found, some, column)
    return locked


def _in_order(rows: Iterable[Row[Any]], names: Sequence[str], column: str) -> list[Row[Any]]:
    by_name = {getattr(row, column): row for row in rows}
    return [by_name[one] for one in names if one in by_name]
