"""What is settled costs nothing: neither a claim nor a page reads more for all that was ever filed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, insert, text

from cybertip.adapters.storage.engines import engine_of
from cybertip.adapters.storage.rows import values_of_head, values_of_letter
from cybertip.adapters.storage.sql import SqlStorage
from cybertip.adapters.storage.tables import heads, letters, tags
from cybertip.ports.storage import Storage
from cybertip.testing.conformance.storage.samples import NOW, at, head, letter

#: Settled, and due; a page is as long as all that is due. The settled come before and after.
_MANY, _DUE, _PAGE = 8000, 20, 20

#: How much may be read by whoever reads what is due a few times over. To read what is settled would take many times as much.
#: Rows, or with SQLite steps of its machine, of which a row takes four at the least.
_ENOUGH = {"sqlite": 8_000, "postgresql": 300, "mariadb": 600}


def _fill(engine: Engine) -> None:
    """Fill in what a year leaves behind, and what is due now."""
    place: dict[str, Any] = {"lane": "x", "tenant": "t"}
    settled = [
        head(f"{'az'[number % 2]}{number:05}", 3, status="finished", due_at=None, **place) for number in range(_MANY)
    ]
    due = [head(f"m{number:05}", 1, status="waiting", tags=("urgent",), **place) for number in range(_DUE)]
    rows = [values_of_head(one) | {"ready_at": None, "served_at": number} for number, one in enumerate(settled)]
    rows += [(values := values_of_head(one)) | {"ready_at": values["due_at"], "served_at": None} for one in due]
    later = [values_of_letter(letter(f"{number}", due_at=at(3600))) for number in range(_MANY)]
    now = [values_of_letter(letter(f"now-{number}")) for number in range(_DUE)]
    marks = [{"tag": "old", "key": one.key} for one in settled] + [{"tag": "urgent", "key": one.key} for one in due]
    with engine.begin() as connection:
        connection.execute(insert(heads), rows)
        connection.execute(insert(letters), later + now)
        connection.execute(insert(tags), marks)
    table = " TABLE cybertip_heads, cybertip_letters, cybertip_tags" if engine.dialect.name == "mariadb" else ""
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE{table}"))
        connection.commit()


@contextmanager
def _steps_of_sqlite(engine: Engine) -> Iterator[list[int]]:
    """Count the steps of SQLite's machine."""
    steps = [0]

    def step() -> int:
        steps[0] += 1
        return 0

    def count(handler: Callable[[], int] | None) -> None:
        # The pool has but one connection, which whoever comes next gets.
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.set_progress_handler(handler, 1)

    count(step)
    yield steps
    count(None)


@contextmanager
def _rows_of_postgresql(engine: Engine) -> Iterator[list[int]]:
    """Count the rows that PostgreSQL fetches, wanted or not, for whatever is asked."""
    rows = [0]

    def explain(connection: Connection, cursor: Any, statement: str, parameters: Any, *rest: object) -> None:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        found = cursor.fetchone()[0]
        (plan,) = json.loads(found) if isinstance(found, str) else found
        rows[0] += _fetched(plan["Plan"])

    event.listen(engine, "before_cursor_execute", explain)
    yield rows
    event.remove(engine, "before_cursor_execute", explain)


def _fetched(node: dict[str, Any]) -> int:
    mine = 0
    if "Relation Name" in node:
        removed = (value for name, value in node.items() if name.startswith("Rows Removed by"))
        mine = round((node["Actual Rows"] + sum(removed)) * node["Actual Loops"])
    return mine + sum(map(_fetched, node.get("Plans", ())))


@contextmanager
def _rows_of_mariadb(engine: Engine) -> Iterator[list[int]]:
    """Count the rows that MariaDB's engines hand out."""
    rows = [0]

    def read() -> int:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'")
            return sum(int(value) for name, value in found if name != "Handler_read_key")

    before = read()
    yield rows
    rows[0] = read() - before


_COUNTING = {"sqlite": _steps_of_sqlite, "postgresql": _rows_of_postgresql, "mariadb": _rows_of_mariadb}

_ASKED: dict[str, Callable[[Storage], object]] = {
    "a claim": lambda s: s.claim_due(token="t", now=NOW, until=at(60), limit=1, lanes=("x",)),
    "a claim in any lane": lambda s: s.claim_due(token="t", now=NOW, until=at(60), limit=_DUE),
    "a look": lambda s: s.next_due(now=NOW, lanes=("x",)),
    "a look in any lane": lambda s: s.next_due(now=NOW),
    "the first page": lambda s: s.heads(limit=_PAGE),
    "a page": lambda s: s.heads(after="a04000", limit=_PAGE),
    "the last page": lambda s: s.heads(after="z07900", limit=_PAGE),
    "a page of a status": lambda s: s.heads(after="a04000", limit=_PAGE, status="finished"),
    "the few of a status": lambda s: s.heads(limit=_PAGE, status="waiting"),
    "none of a status": lambda s: s.heads(limit=_PAGE, status="needs_human"),
    "a page of a tenant": lambda s: s.heads(after="a04000", limit=_PAGE, tenant="t"),
    "none of a tenant": lambda s: s.heads(limit=_PAGE, tenant="another"),
    "a page of a lane": lambda s: s.heads(after="a04000", limit=_PAGE, lane="x"),
    "none of a lane": lambda s: s.heads(limit=_PAGE, lane="another"),
    "a page of a tag": lambda s: s.heads(after="a04000", limit=_PAGE, tag="old"),
    "the few of a tag": lambda s: s.heads(limit=_PAGE, tag="urgent"),
    "the letters that are due": lambda s: s.take_letters(now=NOW, until=at(60), limit=_DUE),
    "the next letter": lambda s: s.next_letter(now=NOW),
}


@pytest.fixture
def filled(url: str) -> Iterator[Engine]:
    """The engine of a database that holds much that is settled."""
    engine = engine_of(url)
    _fill(engine)
    yield engine
    engine.dispose()


def test_the_settled_cost_nothing(filled: Engine, kind: str) -> None:
    """Whatever is asked reads about as much as it returns, and not what is settled."""
    storage = SqlStorage(filled)
    read = {}
    for what, ask in _ASKED.items():
        with _COUNTING[kind](filled) as count:
            ask(storage)
        read[what] = count[0]
    with _COUNTING[kind](filled) as all_there_is, filled.connect() as connection:
        connection.execute(text("SELECT count(*) FROM cybertip_heads WHERE digest <> 'none'"))
    assert all_there_is[0] > 3 * _ENOUGH[kind]
    assert {what: count for what, count in read.items() if count > _ENOUGH[kind]} == {}
