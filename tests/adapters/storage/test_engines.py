"""A plain URL is enough; what is made for it keeps the promises of durability."""

import ast
import asyncio
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from cybertip.adapters.storage import memory, methods, running, sql, within
from cybertip.adapters.storage.engines import async_engine_of, engine_of
from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.testing.conformance.storage.samples import NOW, at, begin


@pytest.mark.parametrize(
    ("url", "sync", "other"),
    [
        ("sqlite:///a.db", "sqlite+pysqlite", "sqlite+aiosqlite"),
        ("postgresql://h/d", "postgresql+psycopg", "postgresql+psycopg"),
        ("postgres://h/d", "postgresql+psycopg", "postgresql+psycopg"),
        ("mariadb://h/d", "mariadb+pymysql", "mariadb+aiomysql"),
        ("mysql://h/d", "mariadb+pymysql", "mariadb+aiomysql"),
    ],
)
def test_drivers(url: str, sync: str, other: str) -> None:
    """The driver is chosen by the database and the colour."""
    engine = engine_of(url)
    assert engine.url.drivername == sync
    async_engine = async_engine_of(url)
    assert async_engine.url.drivername == other
    engine.dispose()
    asyncio.run(async_engine.dispose())


def test_a_driver_of_the_callers() -> None:
    """A driver that the URL names is used, and a character set that it names is kept."""
    engine = engine_of("mysql+pymysql://h/d?charset=utf8mb4&connect_timeout=3")
    assert engine.url.drivername == "mariadb+pymysql"
    assert dict(engine.url.query) == {"charset": "utf8mb4", "connect_timeout": "3"}
    engine.dispose()


@pytest.mark.parametrize("url", ["oracle://h/d", "mssql+pyodbc://h/d", "sqlite://", "sqlite:///:memory:"])
def test_refused_urls(url: str) -> None:
    """A database that the promises cannot be kept in is refused at once."""
    with pytest.raises(ValueError, match=r"begin with sqlite|needs a file"):
        SqlStorage(url)
    with pytest.raises(ValueError, match=r"begin with sqlite|needs a file"):
        AsyncSqlStorage(url)


def test_a_missing_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that is not installed is asked for by the name of the extra."""
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'cybertip[mariadb]'")):
        SqlStorage("mariadb://h/d")


def test_sqlite_is_durable(tmp_path: Path) -> None:
    """SQLite writes ahead, waits for the disk at each commit, and waits for other writers, in both colours."""
    pragmas = ("journal_mode", "synchronous", "busy_timeout")
    engine = engine_of(f"sqlite:///{tmp_path}/a.db")
    with engine.connect() as connection:
        found: list[Any] = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    engine.dispose()
    assert found == ["wal", 2, 10_000]

    async def main() -> list[Any]:
        engine = async_engine_of(f"sqlite:///{tmp_path}/b.db")
        async with engine.connect() as connection:
            values = [(await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() for name in pragmas]
        await engine.dispose()
        return values

    assert asyncio.run(main()) == found


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"], indirect=True)
def test_isolation(url: str, sql_storage: SqlStorage) -> None:
    """Our own transactions run as they were written for, on an engine of ours and on one of the host's."""
    levels: list[str] = []
    host = engine_of(url).execution_options(isolation_level="SERIALIZABLE")
    for engine in (engine_of(url), host):

        @event.listens_for(engine, "before_cursor_execute")
        def note(connection: Any, cursor: object, statement: str, *rest: object) -> None:
            if statement.startswith("INSERT INTO cybertip_heads"):
                levels.append(connection.get_isolation_level())

        begin(SqlStorage(engine), f"k{len(levels)}")
        engine.dispose()
    assert levels == ["READ COMMITTED"] * 2


def test_one_commit(sql_storage: SqlStorage, url: str) -> None:
    """An append is one transaction with one commit."""
    engine = engine_of(url)
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)
    begin(SqlStorage(engine), "a", tags=("x",))
    assert len(commits) == 1
    engine.dispose()


def test_no_password_in_a_repr() -> None:
    """A storage that is printed tells no secret."""
    with SqlStorage("postgresql://me:sesame@h/d") as storage:
        assert repr(storage) == "<SqlStorage in postgresql>"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_work_is_found_by_its_index(sql_storage: SqlStorage, url: str) -> None:
    """To look for work reads what is due in the lanes that were asked for, and nothing that is settled."""
    engine = engine_of(url)
    plans: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: object) -> None:
        if any(word in statement for word in ("row_number", "min(", "SELECT cybertip_heads.lane")):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in cursor.fetchall())

    storage = SqlStorage(engine)
    for lanes in (("x",), ("x", "y")):
        storage.claim_due(token="t", now=NOW, until=at(60), limit=5, lanes=lanes)
        storage.next_due(now=NOW, lanes=lanes)
    # SEARCH goes down a tree of an index, SCAN reads through it.
    about_heads = [plan for plan in plans if "cybertip_heads " in plan]
    assert len(about_heads) == 4
    assert all(plan.startswith("SEARCH") for plan in about_heads)
    assert all("cybertip_heads_ready (lane=?" in plan for plan in about_heads)

    # Without lanes, an index leads from each to the next, and only the step to the first has no place to begin at.
    plans.clear()
    for key in "abcd":
        begin(storage, key, lane=key)
    storage.next_due(now=NOW)
    storage.claim_due(token="t", now=NOW, until=at(60), limit=5)
    about_heads = [plan for plan in plans if "cybertip_heads " in plan]
    assert len(about_heads) == 12
    assert [plan for plan in about_heads if "(lane" not in plan] == [
        "SCAN cybertip_heads USING COVERING INDEX cybertip_heads_by_lane"
    ] * 2
    engine.dispose()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (memory, "MemoryStorage"),
        (methods, "Methods"),
        (sql, "SqlStorage"),
        (running, "Transactions"),
        (within, "Within"),
    ],
)
def test_the_colours_are_twins(module: Any, name: str) -> None:
    """What is done in one colour is done in the other."""
    sync, other = (
        {one.replace("aclose", "close") for one in dir(getattr(module, prefix + name)) if not one.startswith("_")}
        for prefix in ("", "Async")
    )
    assert sync == other
    source = inspect.getsource(module)
    bodies = [_body(source, prefix + name) for prefix in ("", "Async")]
    if name != "MemoryStorage":
        assert bodies[0] == bodies[1]


def _body(source: str, name: str) -> list[str]:
    """Return the statements of a class without the words that colour them."""
    (found,) = (one for one in ast.parse(source).body if isinstance(one, ast.ClassDef) and one.name == name)
    for one in ast.walk(found):
        if isinstance(one, ast.AsyncFunctionDef):
            one.decorator_list = []
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(one):
            del one.body[0]
    text = ast.unparse(ast.Module(found.body, []))
    text = text.replace("await connection.run_sync(upgrade)", "upgrade(connection)").replace(
        "engine.sync_engine", "engine"
    )
    text = (
        text.replace("database.sync_engine", "database")
        .replace("asyncio", "time")
        .replace("anyio.Lock", "threading.Lock")
    )
    text = re.sub(r"\b(async |await )|Async|_async(?=_)|async_|(?<=__)a(?=enter|exit)|\ba(?=close)", "", text)
    return [line for line in text.splitlines() if line.strip()]
