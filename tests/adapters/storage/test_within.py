"""A platform's decision and its submission are committed together, or neither is."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cybertip.adapters.storage.engines import async_engine_of, engine_of
from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.errors import AdapterError, Conflict
from cybertip.testing.conformance.storage.samples import NOW, at, begin, entries, go_on, head, letter


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """The host's own engine, with a table of the host's."""
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS decisions"))
        connection.execute(text("CREATE TABLE decisions (what INTEGER)"))
    yield engine
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE decisions"))
    engine.dispose()


def _decide(connection: Connection) -> None:
    connection.execute(text("INSERT INTO decisions VALUES (1)"))


def _decisions(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT COUNT(*) FROM decisions")).scalar_one())


def test_rolled_back(engine: Engine, sql_storage: SqlStorage) -> None:
    """Where the host takes its decision back, the submission, its head and its letters are gone with it."""
    for first in (True, False):
        with engine.connect() as connection:
            if first:
                _decide(connection)
            begin(sql_storage.within(connection), "a", letters=[letter("one")])
            assert sql_storage.within(connection).read("a") == entries("a", 1)
            if not first:
                _decide(connection)
            connection.rollback()
        assert _decisions(engine) == 0
        assert sql_storage.head("a") is None
        assert sql_storage.read("a") == ()
        assert sql_storage.take_letters(now=NOW, until=at(60), limit=9) == ()


def test_committed(engine: Engine, sql_storage: SqlStorage) -> None:
    """What the host commits is there, and nobody sees it before."""
    with engine.begin() as connection:
        begin(sql_storage.within(connection), "a")
        assert sql_storage.head("a") is None
        _decide(connection)
    assert sql_storage.head("a") == head("a", 1)
    assert _decisions(engine) == 1


def test_goes_on_after_a_conflict(engine: Engine, sql_storage: SqlStorage) -> None:
    """A refused append leaves the host's transaction as it was: the decision can be committed all the same."""
    begin(sql_storage, "a")
    with engine.begin() as connection:
        inside = sql_storage.within(connection)
        _decide(connection)
        begin(inside, "b")
        with pytest.raises(Conflict):
            begin(inside, "a", status="other")
        with pytest.raises(AdapterError):
            begin(inside, "c", letters=[letter("one"), letter("one")])
        go_on(inside, "b", 2)
    assert _decisions(engine) == 1
    assert sql_storage.head("a") == head("a", 1)
    assert sql_storage.head("b") == head("b", 2)
    assert sql_storage.head("c") is None


def test_nothing_is_claimed_in_the_hosts_transaction(engine: Engine, sql_storage: SqlStorage) -> None:
    """A report must not be sent whose journal the host can still undo: there is nothing to deliver in there."""
    begin(sql_storage, "a")
    with engine.begin() as connection:
        inside = sql_storage.within(connection)
        with pytest.raises(AdapterError, match="delivered after the commit"):
            inside.claim("a", token="one", now=NOW, until=at(60))
        with pytest.raises(AdapterError, match="delivered after the commit"):
            inside.claim_due(token="one", now=NOW, until=at(60), limit=1)
    assert sql_storage.claim("a", token="two", now=NOW, until=at(60)) is not None


def test_a_conflict_of_the_database_leaves_the_transaction(engine: Engine, sql_storage: SqlStorage) -> None:
    """Where another has just begun the journal, the database's refusal of the row does not spoil the host's transaction."""
    with engine.connect() as connection:
        inside = sql_storage.within(connection)
        _decide(connection)
        # The look whether there is such a journal comes too early, as another's commit just after it would make it.
        hidden = connection.execution_options()

        @event.listens_for(hidden, "before_execute", retval=True)
        def late(one: Connection, statement: object, *rest: object) -> object:
            if "FROM cybertip_heads" in str(statement):
                statement = text("SELECT 1 FROM cybertip_heads WHERE 1 = 0")
            return (statement, *rest[:2])

        begin(inside, "a")
        with pytest.raises(Conflict) as caught:
            begin(inside, "a")
        assert isinstance(caught.value.__cause__, IntegrityError)
        event.remove(hidden, "before_execute", late)
        begin(inside, "b")
        connection.commit()
    assert _decisions(engine) == 1
    assert [one.key for one in sql_storage.heads()] == ["a", "b"]


def test_autocommit_is_refused(engine: Engine, sql_storage: SqlStorage) -> None:
    """A connection that commits each statement by itself could record half an append: it is refused."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        with pytest.raises(AdapterError, match="commits each statement"):
            begin(sql_storage.within(connection), "a")
        connection.rollback()
    assert sql_storage.head("a") is None


def test_the_hosts_way_with_sqlite(tmp_path: object) -> None:
    """A host that begins SQLite's transactions itself keeps its way, with our transactions and with its own."""
    engine = create_engine(f"sqlite:///{tmp_path}/host.db")

    @event.listens_for(engine, "connect")
    def ours(connection: object, record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    storage = SqlStorage(engine)
    storage.upgrade()
    begin(storage, "a")
    with engine.connect() as connection:
        begin(storage.within(connection), "b")
        connection.rollback()
    with engine.begin() as connection:
        begin(storage.within(connection), "c")
    assert [one.key for one in storage.heads()] == ["a", "c"]
    storage.close()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM cybertip_heads").scalar() == 2
    engine.dispose()


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[tuple[AsyncSqlStorage, AsyncConnection]]:
    engine = async_engine_of(url)
    try:
        async with engine.connect() as connection:
            yield AsyncSqlStorage(engine), connection
    finally:
        await engine.dispose()


def test_async(url: str, sql_storage: SqlStorage) -> None:
    """An async host commits, takes back and goes on as a sync one does."""

    async def main() -> None:
        async with _connection(url) as (storage, connection):
            inside = storage.within(connection)
            await inside.append(entries("a", 1), head("a", 1), expected=0)
            await connection.rollback()
            assert await storage.head("a") is None

            await inside.append(entries("a", 1), head("a", 1), expected=0)
            with pytest.raises(Conflict):
                await inside.append(entries("a", 1), head("a", 1), expected=0)
            assert await inside.read("a") == entries("a", 1)
            await connection.commit()
            assert await storage.head("a") == head("a", 1)

            await connection.execution_options(isolation_level="AUTOCOMMIT")
            with pytest.raises(AdapterError, match="commits each statement"):
                await inside.append(entries("b", 1), head("b", 1), expected=0)

    asyncio.run(main())
    assert sql_storage.head("a") == head("a", 1)
