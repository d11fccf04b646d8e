"""Every statement that durable filing sends to a database, as values. What order they come in is `works`' business.

Those of every day are made once, with a name for each value: what makes a statement anew costs SQLAlchemy more than what
sends it.
"""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Delete,
    Insert,
    Select,
    Update,
    bindparam,
    case,
    delete,
    func,
    insert,
    null,
    select,
    union_all,
    update,
)

from cybertip.adapters.storage.tables import entries, heads, letters, tags

__all__ = [
    "claim_at_once",
    "delete_letter",
    "delete_tags",
    "due_heads",
    "due_letters",
    "give_turn",
    "go_on_at_once",
    "hide_letters",
    "insert_entries",
    "insert_head",
    "insert_letters",
    "insert_tags",
    "keep_head",
    "lock_head",
    "lock_heads",
    "lock_letters",
    "next_lane",
    "next_letter",
    "next_ready",
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

#: What an append replaces of a head, besides its claim.
_REPLACED = {"version", "digest", "status", "due_at", "priority", "tenant", "lane", "report_id", "tags"}


@cache
def insert_entries() -> Insert:
    return insert(entries)


@cache
def insert_head() -> Insert:
    return insert(heads)


@cache
def insert_letters() -> Insert:
    return insert(letters)


@cache
def insert_tags() -> Insert:
    return insert(tags)


@cache
def delete_tags() -> Delete:
    """Forget the tags of the key `of`."""
    return delete(tags).where(tags.c.key == _given("of"))


@cache
def lock_head() -> Select[Any]:
    """Read what an append has to know of the key `of`, and let nobody change it until the transaction ends."""
    columns = (heads.c.version, heads.c.claim_token, heads.c.tags)
    return select(*columns).where(heads.c.key == _given("of")).with_for_update()


@cache
def replace_head(*, claimed: bool, settled: bool) -> Update:
    """Replace the head of the key `of`: its columns, as they are given, and what follows for its claim.

    Only where it has the version `expected`, the tags `before`, and, if it is claimed, the claim `by`: each other is left
    alone, whatever the database's isolation. A head that is settled loses its claim; one that is not is due at `due`.
    """
    conditions = [heads.c.key == _given("of"), heads.c.version == _given("expected"), heads.c.tags == _given("before")]
    if claimed:
        conditions.append(heads.c.claim_token == _given("by"))
    if settled:
        return update(heads).where(*conditions).values(claim_token=null(), claim_until=null(), ready_at=null())
    later = case((heads.c.claim_until > _given("due"), heads.c.claim_until), else_=_given("due"))
    return update(heads).where(*conditions).values(ready_at=later)


@cache
def keep_head() -> Update:
    """Replace the head of the key `of` in what no index knows, if all else stays as it is and the claim `by` lasts to `due`.

    So it is between most calls of a delivery. SQLite writes every index anew whose columns are set, changed or not, and half
    of what goes to the disk with a commit would be those.
    """
    same = (heads.c[name] == _given(f"same_{name}") for name in ("status", "priority", "tenant", "lane", "tags"))
    claimed = heads.c.claim_until >= _given("due"), heads.c.ready_at == heads.c.claim_until
    return update(heads).where(*_held(), heads.c.version == _given("expected"), *claimed, *same)


@cache
def go_on_at_once(count: int, *, claimed: bool, settled: bool) -> Insert:
    """Replace a head as `replace_head` does, and insert some entries if it was replaced, in one statement of PostgreSQL.

    An entry's columns are given with its number, as `version_0`, and the head's as `new_version`.
    """
    columns = {column: _given(f"new_{column.name}", column) for column in heads.c if column.name in _REPLACED}
    head = replace_head(claimed=claimed, settled=settled).values(columns).returning(heads.c.key).cte("head")
    rows = (
        select(*(_given(f"{column.name}_{number}", column) for column in entries.c)).select_from(head)
        for number in range(count)
    )
    statement = insert(entries).from_select(list(entries.c), union_all(*rows))
    # Of an insertion SQLAlchemy forgets it otherwise.
    return statement.execution_options(preserve_rowcount=True)


@cache
def select_entries() -> Select[Any]:
    """Read the entries of the key `of` that come after the version `after`."""
    wanted = entries.c.key == _given("of"), entries.c.version > _given("after")
    return select(entries).where(*wanted).order_by(entries.c.version)


@cache
def select_head() -> Select[Any]:
    return select(heads).where(heads.c.key == _given("of"))


def select_heads(
    after: str | None, limit: int, status: str | None, tenant: str | None, lane: str | None, tag: str | None
) -> Select[Any]:
    """Read a page of heads. It is made anew each time, for each choice of what is asked for is another statement."""
    statement, key = select(heads), heads.c.key
    if tag is not None:
        # The tags lead: of those that have one, the page is the next in their order, however many others there are.
        key = tags.c.key
        statement = statement.join(tags, tags.c.key == heads.c.key).where(tags.c.tag == tag)
    if after is not None:
        statement = statement.where(heads.c.key > after)
    if after is not None and tag is not None:
        # No database concludes the one from the other.
        statement = statement.where(tags.c.key > after)
    if status is not None:
        statement = statement.where(heads.c.status == status)
    if tenant is not None:
        statement = statement.where(heads.c.tenant == tenant)
    if lane is not None:
        statement = statement.where(heads.c.lane == lane)
    if any(one is not None for one in (status, tenant, lane)):
        # Left to itself, MariaDB would rather look for them among all keys, where there may be few, and late.
        statement = statement.with_hint(heads, "IGNORE INDEX FOR ORDER BY (PRIMARY)", "mariadb")
    return statement.order_by(key).limit(limit)


@cache
def set_claim() -> Update:
    """Claim the key `of` for `by`, from `now` to `until`, unless a claim on it lasts."""
    free = heads.c.claim_until.is_(None) | (heads.c.claim_until <= _given("now"))
    return update(heads).where(heads.c.key == _given("of"), free).values(_claimed())


@cache
def renew_claim() -> Update:
    """Have the claim `by` of the key `of` last to `until`."""
    return update(heads).where(*_held()).values(_claimed())


@cache
def release_claim() -> Update:
    """Give back the claim `by` of the key `of`."""
    freed = {"claim_token": null(), "claim_until": null(), "ready_at": heads.c.due_at}
    return update(heads).where(*_held()).values(freed)


@cache
def due_heads(*, placed: bool = False) -> Select[Any]:
    """Find keys of what is due `now` in `lanes`, in the order in which it is to be claimed, without locking any.

    Each tenant's first comes before anyone's second; among equals, who waited longest for a turn comes first, so that a
    tenant with much to do starves nobody even where workers claim one at a time. `placed` adds the place in that order.
    """
    waiting = select(
        heads.c.key,
        heads.c.priority,
        heads.c.tenant,
        heads.c.due_at,
        func.row_number()
        .over(partition_by=(heads.c.priority, heads.c.tenant), order_by=(heads.c.due_at, heads.c.key))
        .label("turn"),
    ).where(heads.c.lane.in_(_some("lanes")), heads.c.ready_at <= _given("now"))
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
    order = due.c.priority.desc(), due.c.turn, func.coalesce(served, _NEVER), due.c.due_at, due.c.key
    found = select(due.c.key).where(due.c.turn <= _given("most")).order_by(*order).limit(_given("most"))
    return found.add_columns(func.row_number().over(order_by=order).label("place")) if placed else found


@cache
def claim_at_once() -> Update:
    """Find what is due as `due_heads` does, lock the first `limit` that nobody holds, and claim them for `by` to `until`.

    In one statement of PostgreSQL, which returns the heads, each with its `place` in the order.
    """
    due = due_heads(placed=True).cte("due_in_order")
    locked = (
        select(heads.c.key, due.c.place)
        .join(due, due.c.key == heads.c.key)
        .where(heads.c.ready_at <= _given("now"))
        .order_by(due.c.place)
        .limit(_given("limit"))
        .with_for_update(of=heads, skip_locked=True)
        .cte("locked")
    )
    taken = update(heads).where(heads.c.key == locked.c.key).values(_claimed() | {"served_at": _given("now")})
    return taken.returning(heads, locked.c.place)


@cache
def lock_heads() -> Select[Any]:
    """Lock those of `some` heads that are still due `now` and that nobody holds; the others are left to whoever does."""
    wanted = heads.c.key.in_(_some("some")), heads.c.ready_at <= _given("now")
    return select(heads).where(*wanted).with_for_update(skip_locked=True)


@cache
def give_turn() -> Update:
    """Claim `some` heads that are locked, for `by`, from `now` to `until`."""
    return update(heads).where(heads.c.key.in_(_some("some"))).values(_claimed() | {"served_at": _given("now")})


def due_letters(topics: Collection[str] | None) -> Select[Any]:
    """Find `most` ids of letters that are due `now`, without locking any."""
    statement = select(letters.c.id).where(letters.c.due_at <= _given("now"))
    if topics is not None:
        statement = statement.where(letters.c.topic.in_(sorted(topics)))
    return statement.order_by(letters.c.due_at, letters.c.id).limit(_given("most"))


@cache
def lock_letters() -> Select[Any]:
    """Lock those of `some` letters that are still due `now` and that nobody else holds."""
    wanted = letters.c.id.in_(_some("some")), letters.c.due_at <= _given("now")
    return select(letters).where(*wanted).with_for_update(skip_locked=True)


@cache
def hide_letters() -> Update:
    """Hide `some` letters from others to `until`, and count that they were taken."""
    hidden = {"due_at": _given("until"), "tries": letters.c.tries + 1}
    return update(letters).where(letters.c.id.in_(_some("some"))).values(hidden)


@cache
def delete_letter() -> Delete:
    return delete(letters).where(letters.c.id == _given("one"))


@cache
def postpone_letter() -> Update:
    """Have the letter `one` be due at `until`."""
    return update(letters).where(letters.c.id == _given("one")).values(due_at=_given("until"))


@cache
def next_ready() -> Select[Any]:
    """Read when there is next something to claim in `lanes`."""
    return select(func.min(heads.c.ready_at)).where(heads.c.lane.in_(_some("lanes")), heads.c.ready_at.is_not(None))


@cache
def next_lane(*, first: bool) -> Select[Any]:
    """Read the first lane of all, or the one `after` another."""
    statement = select(heads.c.lane).order_by(heads.c.lane).limit(1)
    return statement if first else statement.where(heads.c.lane > _given("after"))


def next_letter(topics: Collection[str] | None) -> Select[Any]:
    """Read when there is next a letter to take."""
    statement = select(func.min(letters.c.due_at))
    return statement if topics is None else statement.where(letters.c.topic.in_(sorted(topics)))


def _given(name: str, column: Column[Any] | None = None) -> BindParameter[Any]:
    """Return the place of a value that is given when the statement is sent; of a column's type, where nothing else tells."""
    return bindparam(name, type_=None if column is None else column.type)


def _some(name: str) -> BindParameter[Any]:
    """Return the place of a list of values, of which there may be none."""
    return bindparam(name, expanding=True)


def _held() -> tuple[ColumnElement[bool], ...]:
    return heads.c.key == _given("of"), heads.c.claim_token == _given("by")


def _claimed() -> dict[str, Any]:
    until = _given("until", heads.c.claim_until)
    # Without due_at, none of the cases holds and ready_at stays NULL.
    ready_at = case((heads.c.due_at > until, heads.c.due_at), (heads.c.due_at <= until, until))
    return {"claim_token": _given("by"), "claim_until": until, "ready_at": ready_at}
