"""Every statement that durable filing sends to a database, as values. What order they come in is `works`' business."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Select,
    Update,
    and_,
    case,
    delete,
    func,
    insert,
    null,
    select,
    update,
)

from cybertip.adapters.storage.tables import entries, heads, letters, tags
from cybertip.ports.storage import Claim

__all__ = [
    "delete_letter",
    "delete_tags",
    "due_heads",
    "due_letters",
    "give_turn",
    "hide_letters",
    "insert_entries",
    "insert_head",
    "insert_letters",
    "insert_tags",
    "lock_head",
    "lock_heads",
    "lock_letters",
    "next_times",
    "postpone_letter",
    "release_claim",
    "renew_claim",
    "replace_head",
    "select_entries",
    "select_head",
    "select_heads",
    "set_claim",
]

#: Before every time that can be kept: a tenant that never had a turn comes first.
_NEVER = -(2**63) + 1


def insert_entries() -> Insert:
    return insert(entries)


def insert_head() -> Insert:
    return insert(heads)


def insert_letters() -> Insert:
    return insert(letters)


def insert_tags() -> Insert:
    return insert(tags)


def delete_tags(key: str) -> Delete:
    return delete(tags).where(tags.c.key == key)


def lock_head(key: str) -> Select[Any]:
    """Read what an append has to know, and let nobody change it until the transaction ends."""
    columns = (heads.c.version, heads.c.claim_token, heads.c.claim_until, heads.c.tags)
    return select(*columns).where(heads.c.key == key).with_for_update()


def replace_head(key: str, expected: int, values: dict[str, Any]) -> Update:
    """Replace a head of the expected version; another's is left alone, whatever the database's isolation."""
    return update(heads).where(heads.c.key == key, heads.c.version == expected).values(values)


def select_entries(key: str, after: int) -> Select[Any]:
    return select(entries).where(entries.c.key == key, entries.c.version > after).order_by(entries.c.version)


def select_head(key: str) -> Select[Any]:
    return select(heads).where(heads.c.key == key)


def select_heads(after: str | None, limit: int, status: str | None, tenant: str | None, tag: str | None) -> Select[Any]:
    statement = select(heads).order_by(heads.c.key).limit(limit)
    if after is not None:
        statement = statement.where(heads.c.key > after)
    if status is not None:
        statement = statement.where(heads.c.status == status)
    if tenant is not None:
        statement = statement.where(heads.c.tenant == tenant)
    if tag is not None:
        statement = statement.join(tags, and_(tags.c.key == heads.c.key, tags.c.tag == tag))
    return statement


def set_claim(key: str, token: str, now: int, until: int) -> Update:
    free = heads.c.claim_until.is_(None) | (heads.c.claim_until <= now)
    return update(heads).where(heads.c.key == key, free).values(_claimed(token, until))


def renew_claim(claim: Claim, until: int) -> Update:
    return update(heads).where(*_held(claim)).values(_claimed(claim.token, until))


def release_claim(claim: Claim) -> Update:
    freed = {"claim_token": null(), "claim_until": null(), "ready_at": heads.c.due_at}
    return update(heads).where(*_held(claim)).values(freed)


def due_heads(now: int, limit: int, paused: Collection[str]) -> Select[Any]:
    """Find the keys of what is due, in the order in which it is to be claimed, without locking any.

    Each tenant's first comes before anyone's second; among equals, who waited longest for a turn comes first, so that a
    tenant with much to do starves nobody even where workers claim one at a time.
    """
    waiting = select(
        heads.c.key,
        heads.c.priority,
        heads.c.tenant,
        heads.c.due_at,
        func.row_number()
        .over(partition_by=(heads.c.priority, heads.c.tenant), order_by=(heads.c.due_at, heads.c.key))
        .label("turn"),
    ).where(heads.c.ready_at <= now)
    if paused:
        waiting = waiting.where(heads.c.lane.not_in(sorted(paused)))
    due = waiting.subquery("due")
    others = heads.alias("others")
    # The end of an index. Asked for as a maximum, MariaDB would read all that the tenant ever had.
    served = (
        select(others.c.served_at)
        .where(others.c.tenant == due.c.tenant, others.c.served_at.is_not(None))
        .order_by(others.c.served_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(due.c.key)
        .where(due.c.turn <= limit)
        .order_by(due.c.priority.desc(), due.c.turn, func.coalesce(served, _NEVER), due.c.due_at, due.c.key)
        .limit(limit)
    )


def lock_heads(keys: Sequence[str], now: int) -> Select[Any]:
    """Lock those of some heads that are still due and that nobody else holds, and leave the others to whoever does."""
    return select(heads).where(heads.c.key.in_(keys), heads.c.ready_at <= now).with_for_update(skip_locked=True)


def give_turn(keys: Sequence[str], token: str, now: int, until: int) -> Update:
    """Claim heads that are locked."""
    return update(heads).where(heads.c.key.in_(keys)).values(_claimed(token, until) | {"served_at": now})


def due_letters(now: int, limit: int, topics: Collection[str] | None) -> Select[Any]:
    """Find the ids of letters that are due, without locking any."""
    statement = select(letters.c.id).where(letters.c.due_at <= now)
    if topics is not None:
        statement = statement.where(letters.c.topic.in_(sorted(topics)))
    return statement.order_by(letters.c.due_at, letters.c.id).limit(limit)


def lock_letters(ids: Sequence[str], now: int) -> Select[Any]:
    """Lock those of some letters that are still due and that nobody else holds."""
    return select(letters).where(letters.c.id.in_(ids), letters.c.due_at <= now).with_for_update(skip_locked=True)


def hide_letters(ids: Sequence[str], until: int) -> Update:
    return update(letters).where(letters.c.id.in_(ids)).values(due_at=until, tries=letters.c.tries + 1)


def delete_letter(id: str) -> Delete:
    return delete(letters).where(letters.c.id == id)


def postpone_letter(id: str, due_at: int) -> Update:
    return update(letters).where(letters.c.id == id).values(due_at=due_at)


def next_times() -> Select[Any]:
    """Read when there is next something to claim, and when a letter to take."""
    claimable = select(func.min(heads.c.ready_at)).where(heads.c.ready_at.is_not(None)).scalar_subquery()
    return select(claimable, select(func.min(letters.c.due_at)).scalar_subquery())


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return heads.c.key == claim.key, heads.c.claim_token == claim.token


def _claimed(token: str, until: int) -> dict[str, Any]:
    # Without due_at, none of the cases holds and ready_at stays NULL.
    ready_at = case((heads.c.due_at > until, heads.c.due_at), (heads.c.due_at <= until, until))
    return {"claim_token": token, "claim_until": until, "ready_at": ready_at}
