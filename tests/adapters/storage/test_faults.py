"""A database that fails tells so, records nothing by halves, and is used again when it is well."""

import asyncio
import re
import socket
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import Connection, Engine, create_engine, event, insert, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from cybertip.adapters.storage import tables
from cybertip.adapters.storage.engines import async_engine_of, engine_of
from cybertip.adapters.storage.failures import RETRIES, may_repeat
from cybertip.adapters.storage.rows import values_of_entry
from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.errors import AdapterError, Conflict
from cybertip.testing.conformance.storage.samples import NOW, at, at_once, begin, claimed, entries, go_on, head, letter

_SERVERS = ("postgresql", "mariadb")

#: What commits: to PostgreSQL, an append is one statement, which does.
_COMMIT = re.compile(rb"COMMIT(?!TED)|WITH head AS")


def _id_of(connection: Connection) -> int:
    """Return the server's number of a connection."""
    own = "pg_backend_pid()" if connection.dialect.name == "postgresql" else "CONNECTION_ID()"
    return int(connection.exec_driver_sql(f"SELECT {own}").scalar_one())


def _kill(engine: Engine, id: int) -> None:
    """End a connection from the server's side, as a restart or a switch-over does, and wait until it has ended."""
    kill, look = {
        "postgresql": ("SELECT pg_terminate_backend(:id)", "SELECT 1 FROM pg_stat_activity WHERE pid = :id"),
        "mariadb": ("KILL CONNECTION :id", "SELECT 1 FROM information_schema.processlist WHERE id = :id"),
    }[engine.dialect.name]
    other = create_engine(engine.url, isolation_level="AUTOCOMMIT")
    with other.connect() as killer:
        killer.execute(text(kill), {"id": id})
        end = time.monotonic() + 60
        while killer.execute(text(look), {"id": id}).first() is not None:
            assert time.monotonic() < end, "it did not end"
    other.dispose()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """The engine of a storage, to meddle with."""
    engine = engine_of(url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("kind", _SERVERS, indirect=True)
@pytest.mark.parametrize("moment", ["INSERT INTO cybertip_entries", "INSERT INTO cybertip_letters"])
def test_gone_in_mid_work(engine: Engine, moment: str) -> None:
    """A connection that ends within a transaction undoes it; the error says so, and the next call works."""
    storage = SqlStorage(engine)
    begin(storage, "a")
    armed = [True]

    @event.listens_for(engine, "before_cursor_execute")
    def strike(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
        if armed and statement.startswith(moment):
            armed.clear()
            _kill(engine, _id_of(connection))

    with pytest.raises(AdapterError, match="before the commit") as caught:
        storage.append(entries("a", 2), head("a", 2), expected=1, letters=[letter("one")])
    assert caught.value.__cause__ is not None
    assert not armed
    assert storage.read("a") == entries("a", 1)
    assert storage.head("a") == head("a", 1)
    storage.append(entries("a", 2), head("a", 2), expected=1, letters=[letter("one")])
    assert len(storage.take_letters(now=NOW, until=at(60), limit=9)) == 1


@pytest.mark.parametrize("kind", _SERVERS, indirect=True)
def test_gone_while_idle(engine: Engine) -> None:
    """A connection that ended while nobody used it is replaced without a word."""
    storage = SqlStorage(engine)
    begin(storage, "a")
    with engine.connect() as connection:
        id = _id_of(connection)
    _kill(engine, id)
    assert storage.head("a") == head("a", 1)
    with engine.connect() as connection:
        assert _id_of(connection) != id


@pytest.mark.parametrize("kind", _SERVERS, indirect=True)
def test_gone_in_the_commit(url: str, sql_storage: SqlStorage, wire: Any) -> None:
    """Where the answer to the commit is lost, the error says that nobody knows; to repeat it does no harm."""
    with SqlStorage(make_url(url).set(port=wire.port)) as storage:
        begin(storage, "a")
        wire.cut(_COMMIT)
        with pytest.raises(AdapterError, match="in the commit; nobody knows"):
            go_on(storage, "a", 2)
        # It may take effect even now; repeated, it is recorded once.
        with suppress(Conflict):
            go_on(storage, "a", 2)
        assert sql_storage.read("a") == entries("a", 1, 2)


@pytest.mark.parametrize("kind", _SERVERS, indirect=True)
def test_gone_in_the_commit_async(url: str, sql_storage: SqlStorage, wire: Any) -> None:
    """An async caller learns the same."""

    async def main() -> None:
        async with AsyncSqlStorage(make_url(url).set(port=wire.port)) as storage:
            await storage.append(entries("a", 1), head("a", 1), expected=0)
            wire.cut(_COMMIT)
            with pytest.raises(AdapterError, match="in the commit; nobody knows"):
                await storage.append(entries("a", 2), head("a", 2), expected=1)
            with suppress(Conflict):
                await storage.append(entries("a", 2), head("a", 2), expected=1)
            assert sql_storage.read("a") == entries("a", 1, 2)

    asyncio.run(main())


def test_no_server() -> None:
    """A server that is not there is an error of the port, and nothing waits for it."""
    # Bound, so that nobody else gets the port meanwhile, and not listening.
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        for url in (f"postgresql://postgres@127.0.0.1:{port}/test", f"mariadb://root@127.0.0.1:{port}/test"):
            with SqlStorage(url) as storage, pytest.raises(AdapterError, match="before the commit"):
                storage.read("a")


def test_disk_full(tmp_path: Path) -> None:
    """Where there is no room, nothing is recorded by halves; with room, the same append goes through."""
    engine = engine_of(f"sqlite:///{tmp_path}/small.db")
    pages = [0]

    @event.listens_for(engine, "checkout")
    def limit(connection: Any, *rest: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages[0] or 2**30}").close()

    storage = SqlStorage(engine)
    storage.upgrade()
    begin(storage, "a")
    pages[0] = 60
    big = entries("a", 2, data="x" * 100) + entries("a", 3, data="x" * 1_000_000)
    with pytest.raises(AdapterError, match="no room left; nothing was done") as caught:
        storage.append(big, head("a", 3, tags=("x",)), expected=1, letters=[letter("one")])
    assert isinstance(caught.value.__cause__, OperationalError)
    assert storage.read("a") == entries("a", 1)
    assert storage.head("a") == head("a", 1)
    assert storage.heads(tag="x") == ()
    go_on(storage, "a", 2)
    pages[0] = 0
    storage.append(entries("a", 3, data="x" * 1_000_000), head("a", 3), expected=2)
    assert len(storage.read("a")) == 3
    engine.dispose()


def test_a_locked_file(tmp_path: Path) -> None:
    """While another program holds SQLite's one writer's place for too long, the error says that nothing was done."""
    path = tmp_path / "busy.db"
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 0.05})
    storage = SqlStorage(engine)
    storage.upgrade()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AdapterError, match=r"too busy.*nothing was done"):
        begin(storage, "a")
    other.execute("ROLLBACK")
    other.close()
    begin(storage, "a")
    engine.dispose()


class _Undone(Exception):
    """What a driver of PostgreSQL raises for a deadlock."""

    sqlstate = "40P01"


class _Lost(Exception):
    """What it raises for anything else."""

    sqlstate = "XX000"


@pytest.mark.parametrize(("times", "kind_of", "works"), [(2, _Undone, True), (99, _Undone, False), (1, _Lost, False)])
def test_repeated_only_where_undone(tmp_path: Path, times: int, kind_of: type[Exception], works: bool) -> None:
    """What the database undid is repeated a few times, and nothing else is."""
    engine = engine_of(f"sqlite:///{tmp_path}/a.db")
    SqlStorage(engine).upgrade()
    struck: list[int] = []

    @event.listens_for(engine, "before_cursor_execute")
    def strike(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("INSERT INTO cybertip_entries") and len(struck) < times:
            struck.append(1)
            raise OperationalError(statement, None, kind_of())

    def both() -> Iterator[Callable[[], object]]:
        yield lambda: begin(SqlStorage(engine), "a")
        async_engine = async_engine_of(f"sqlite:///{tmp_path}/a.db")
        event.listen(async_engine.sync_engine, "before_cursor_execute", strike)

        async def append() -> None:
            try:
                await AsyncSqlStorage(async_engine).append(entries("b", 1), head("b", 1), expected=0)
            finally:
                await async_engine.dispose()

        yield lambda: asyncio.run(append())

    for append in both():
        struck.clear()
        if works:
            append()
        else:
            with pytest.raises(AdapterError):
                append()
        assert len(struck) == min(times, len(RETRIES) + 1)
    assert len(SqlStorage(engine).heads()) == (2 if works else 0)
    engine.dispose()


@pytest.mark.parametrize("kind", _SERVERS, indirect=True)
def test_a_real_deadlock(engine: Engine) -> None:
    """Two of the host's transactions that wait for each other end in one error of the port and one that goes through."""
    storage = SqlStorage(engine)
    begin(storage, "a")
    begin(storage, "b")
    halfway = threading.Barrier(2, timeout=60)

    def cross(first: str, second: str) -> None:
        with engine.connect() as connection:
            inside = storage.within(connection)
            go_on(inside, first, 2)
            halfway.wait()
            go_on(inside, second, 2)
            connection.commit()

    outcomes = at_once([lambda: cross("a", "b"), lambda: cross("b", "a")])
    (failure,) = (outcome for outcome in outcomes if outcome is not None)
    assert isinstance(failure, AdapterError)
    assert failure.__cause__ is not None
    assert may_repeat(failure.__cause__)
    assert [one.version for one in storage.heads()] == [2, 2]


def test_errors_show_no_values(kind: str, url: str) -> None:
    """What was to be recorded stands in no error, not even where the host's engine would show it."""
    engine = create_engine(engine_url(url))
    storage = SqlStorage(engine)
    begin(storage, "a", letters=[letter("one")])
    canary = "canary-5b1f"
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE cybertip_tags RENAME TO cybertip_elsewhere"))
    try:
        with pytest.raises(AdapterError) as caught:
            storage.append(entries("a", 2, data=canary), head("a", 2, tags=(canary,)), expected=1)
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE cybertip_elsewhere RENAME TO cybertip_tags"))
    with pytest.raises(AdapterError) as again:
        storage.append(entries("a", 2, data=canary), head("a", 2), expected=1, letters=[letter("one", topic=canary)])
    engine.dispose()
    for error in (caught.value, again.value):
        assert error.__cause__ is not None
        assert canary not in "".join(traceback.format_exception(error))


def engine_url(url: str) -> Any:
    """Return a URL with the driver that is chosen for it."""
    engine = engine_of(url)
    engine.dispose()
    return engine.url


def _strike(engine: AsyncEngine, moment: int, delay: float, cancel: Callable[[], object]) -> None:
    """Cancel before the given statement or commit from now on is sent, or some seconds later; only the first time."""
    seen: list[int] = []

    def count(*rest: object) -> None:
        seen.append(1)
        if len(seen) == moment:
            if delay:
                asyncio.get_running_loop().call_later(delay, cancel)
            else:
                cancel()

    event.listen(engine.sync_engine, "before_cursor_execute", count)
    event.listen(engine.sync_engine, "commit", count)


#: When an append is cancelled: at each of its statements and at its commit, and some time after each.
_MOMENTS = [(moment, delay) for moment in range(1, 9) for delay in (0, 0.0005, 0.003)]


@pytest.mark.parametrize("begun", [0, 1], ids=["begins", "goes on"])
def test_a_cancelled_append(url: str, kind: str, begun: int) -> None:
    """An append that is cancelled is recorded as a whole or not at all, and keeps nobody waiting who comes after it."""
    outcomes: list[object] = []

    def arguments(key: str) -> dict[str, Any]:
        last = begun + 2
        new = entries(key, *range(begun + 1, last + 1))
        if begun:
            return {"entries": new, "head": head(key, last), "expected": begun}
        return {"entries": new, "head": head(key, last, tags=("x",)), "expected": 0, "letters": [letter(key)]}

    async def cancelled(key: str, moment: int, delay: float) -> None:
        engine = async_engine_of(url)
        try:
            storage = AsyncSqlStorage(engine)
            # So that it is connected.
            await storage.head(key)
            task = asyncio.create_task(storage.append(**arguments(key)))
            _strike(engine, moment, delay, task.cancel)
            # Kept, as a log of errors may: what hangs on a traceback must lock nothing.
            outcomes.extend(await asyncio.gather(task, return_exceptions=True))
        finally:
            await engine.dispose()

    address = make_url(url)
    if kind == "postgresql":
        # It would wait for ever, where the others give up by themselves.
        address = address.update_query_dict({"options": f"{address.query['options']} -clock_timeout=20s"})
    with SqlStorage(address) as storage:
        for number, (moment, delay) in enumerate(_MOMENTS):
            key = f"{number:02}"
            if begun:
                begin(storage, key)
            asyncio.run(cancelled(key, moment, delay))
            # Of an append that was broken off in its commit nobody knows, and a server may be at it still; whoever comes
            # after it waits for that. If anything were recorded by halves, this would be refused or come on top of it.
            with suppress(Conflict):
                storage.append(**arguments(key))
            assert storage.read(key) == entries(key, *range(1, begun + 3))
        assert len(storage.heads(tag="x")) == (0 if begun else len(_MOMENTS))
        assert len(storage.take_letters(now=NOW, until=at(60), limit=99)) == (0 if begun else len(_MOMENTS))
    assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError, type(None)}


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in the host's transaction"])
def test_a_cancellation_is_no_failure(url: str, sql_storage: SqlStorage, inside: bool, monkeypatch: Any) -> None:
    """A cancellation is told as one even where the driver hides it, and what it left behind is used by nobody."""
    # psycopg lets others have a turn before it sends many rows, where they had none for some time. It takes a
    # cancellation that strikes there for a fault of its own.
    monkeypatch.setattr("psycopg.waiting.MAX_BUSY_TIME", -1, raising=False)
    moments = range(1, 12)

    async def append(storage: AsyncSqlStorage, engine: AsyncEngine, key: str) -> None:
        new, letters = head(key, 2, tags=("x", "y")), [letter(key)]
        if not inside:
            await storage.append(entries(key, 1, 2), new, expected=0, letters=letters)
            return
        async with engine.connect() as connection:
            await storage.within(connection).append(entries(key, 1, 2), new, expected=0, letters=letters)
            await connection.commit()

    async def main() -> list[object]:
        outcomes: list[object] = []
        for moment in moments:
            engine = async_engine_of(url)
            storage = AsyncSqlStorage(engine)
            await storage.heads()
            task = asyncio.create_task(append(storage, engine, f"{moment}"))
            _strike(engine, moment, 0, task.cancel)
            outcomes += await asyncio.gather(task, return_exceptions=True)
            # On the connection that is left, if one is.
            key = f"after {moment}"
            await append(storage, engine, key)
            await storage.append(entries(key, 3), head(key, 3), expected=2)
            assert await storage.read(key) == entries(key, 1, 2, 3)
            await engine.dispose()
        return outcomes

    outcomes = asyncio.run(main())
    assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError, type(None)}
    for one in sql_storage.heads(limit=99):
        assert len(sql_storage.read(one.key)) == one.version


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_cancelled_scope(url: str) -> None:
    """A timeout before the append keeps it from beginning; one that comes meanwhile strikes when it has ended."""

    async def main() -> None:
        engine = async_engine_of(url)
        storage = AsyncSqlStorage(engine)
        with anyio.move_on_after(0) as early:
            await storage.append(entries("a", 1), head("a", 1), expected=0)
        assert early.cancelled_caught
        assert await storage.head("a") is None

        done = False
        with anyio.CancelScope() as late:
            _strike(engine, 1, 0, late.cancel)
            await storage.append(entries("a", 1), head("a", 1), expected=0)
            done = True
            await anyio.sleep(60)
        assert done
        assert late.cancelled_caught
        assert await storage.head("a") == head("a", 1)
        await engine.dispose()

    asyncio.run(main())


def test_a_lost_claim_is_no_failure(sql_storage: SqlStorage) -> None:
    """A `Conflict` is told apart from a failing database."""
    begin(sql_storage, "a")
    first = claimed(sql_storage, "a")
    claimed(sql_storage, "a", "second", now=60, until=120)
    with pytest.raises(Conflict) as caught:
        go_on(sql_storage, "a", 2, claim=first)
    assert caught.value.key == "a"


def test_an_entry_out_of_place(sql_storage: SqlStorage, engine: Engine) -> None:
    """An entry that is there already is never written over, not even where the head does not know of it."""
    begin(sql_storage, "a")
    row = values_of_entry(entries("a", 2)[0])
    with engine.begin() as connection:
        connection.execute(insert(tables.entries), row)
    with pytest.raises(Conflict):
        sql_storage.append(entries("a", 2, data="other"), head("a", 2), expected=1, letters=[letter("one")])
    assert sql_storage.head("a") == head("a", 1)
    assert sql_storage.read("a") == entries("a", 1, 2)
    assert sql_storage.take_letters(now=NOW, until=at(60), limit=9) == ()
