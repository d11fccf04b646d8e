"""From a URL to an engine that keeps the port's promises, and how a transaction begins in each database.

An engine that the host gives is used as it is, but for the isolation of our own transactions.
"""

import select
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

__all__ = [
    "async_engine_of",
    "async_passing_engine_of",
    "engine_of",
    "is_autocommit",
    "isolation_for",
    "needs_begin",
    "passing_engine_of",
]

_DATABASES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mariadb": "mariadb",
    "mysql": "mariadb",
}
_DRIVERS = {"sqlite": "pysqlite", "postgresql": "psycopg", "mariadb": "pymysql"}
_ASYNC_DRIVERS = {"sqlite": "aiosqlite", "postgresql": "psycopg", "mariadb": "aiomysql"}

#: Each statement sees what is committed, and a row that is locked or changed is read as it is by then. MariaDB locks
#: no gaps with it, which spares it most deadlocks. What has to hold is held by locks and conditions, not by isolation.
_ISOLATION = "READ COMMITTED"

#: Seconds that SQLite waits for another process's transaction.
_BUSY = 10

#: Seconds for which a connection may lie idle and be used again without asking the server whether it is still there.
_IDLE = 1.0


def engine_of(url: str | URL) -> Engine:
    """Return an engine of our own."""
    address = _address(url, _DRIVERS)
    engine = _made(create_engine, address)
    assert isinstance(engine, Engine)
    _prepare(engine)
    return engine


def async_engine_of(url: str | URL) -> AsyncEngine:
    """Return an engine of our own for asyncio."""
    address = _address(url, _ASYNC_DRIVERS)
    engine = _made(create_async_engine, address)
    assert isinstance(engine, AsyncEngine)
    _prepare(engine.sync_engine)
    return engine


def passing_engine_of(url: str | URL) -> Engine | None:
    """Return an engine of our own whose commits do not wait for the disk; None where the database knows no such commits.

    A power cut can undo the last of them. Both databases keep one log, in the order of the commits: what is committed by an
    engine that does wait brings all before it to the disk as well, and nothing lasts without what it was built on.
    """
    engine = engine_of(url)
    hasty = _HASTY.get(engine.dialect.name)
    if hasty is None:
        return None
    event.listen(engine, "connect", hasty)
    return engine


def async_passing_engine_of(url: str | URL) -> AsyncEngine | None:
    """Return an engine of our own for asyncio whose commits do not wait for the disk, as `passing_engine_of` does."""
    engine = async_engine_of(url)
    hasty = _HASTY.get(engine.dialect.name)
    if hasty is None:
        return None
    event.listen(engine.sync_engine, "connect", hasty)
    return engine


def isolation_for(engine: Engine | AsyncEngine) -> dict[str, Any]:
    """Return the options of our connections of an engine of the host's, which the pool takes back afterwards."""
    return {} if engine.dialect.name == "sqlite" else {"isolation_level": _ISOLATION}


def needs_begin(connection: Connection | AsyncConnection) -> bool:
    """Tell whether a transaction that will write has still to be begun by a statement.

    Python's driver for SQLite begins none before the first row is written, and one that began by reading may fail to
    write. And outside of a transaction the end of a savepoint would commit.
    """
    plain = connection.sync_connection if isinstance(connection, AsyncConnection) else connection
    if plain is None or plain.dialect.name != "sqlite":
        return False
    return not getattr(plain.connection.driver_connection, "in_transaction", False)


def is_autocommit(connection: Connection | AsyncConnection) -> bool:
    """Tell whether a connection commits each statement by itself."""
    plain = connection.sync_connection if isinstance(connection, AsyncConnection) else connection
    assert plain is not None
    if plain.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return True
    # For SQLite the answer would be that of Python's driver, which commits nothing by itself after our own BEGIN.
    dbapi = plain.connection.dbapi_connection
    return plain.dialect.name != "sqlite" and dbapi is not None and plain.dialect.detect_autocommit_setting(dbapi)


def _address(url: str | URL, drivers: dict[str, str]) -> URL:
    address = make_url(url)
    name, _, driver = address.drivername.partition("+")
    database = _DATABASES.get(name)
    if database is None:
        raise ValueError("the URL must begin with sqlite://, postgresql:// or mariadb://")
    if database == "sqlite" and address.database in (None, "", ":memory:"):
        raise ValueError("SQLite needs a file, for each connection would have a memory of its own: use MemoryStorage")
    address = address.set(drivername=f"{database}+{driver or drivers[database]}")
    if database == "mariadb" and "charset" not in address.query:
        address = address.update_query_dict({"charset": "utf8mb4"})
    return address


def _made(create: Any, address: URL) -> object:
    # hide_parameters: what is filed must get neither into a log nor into an error's text.
    settings: dict[str, Any] = {"hide_parameters": True}
    database = address.get_backend_name()
    if database == "sqlite":
        settings["connect_args"] = {"timeout": _BUSY}
    else:
        # A connection that broke while it lay idle is replaced before it is used: see `_look_before_use` for psycopg.
        settings |= {"pool_pre_ping": not _is_psycopg(address), "isolation_level": _ISOLATION}
    try:
        return create(address, **settings)
    except ModuleNotFoundError as error:
        extra = "sql" if database == "sqlite" else database
        raise ImportError(f"the driver is missing: pip install 'cybertip[{extra}]'", name=error.name) from error


def _prepare(engine: Engine) -> None:
    prepare = {"sqlite": _durable, "postgresql": _unadorned}.get(engine.dialect.name)
    if prepare is not None:
        event.listen(engine, "connect", prepare)
    if _is_psycopg(engine.url):
        _look_before_use(engine)


def _is_psycopg(address: URL) -> bool:
    return address.get_driver_name() == "psycopg"


def _look_before_use(engine: Engine) -> None:
    """Replace a connection that broke while it lay idle, and spare the others the way to the server and back.

    Who ends a connection says so, which is there to be read. Who was cut off cannot; after a while the server is asked.
    """

    def note(connection: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    def look(connection: Any, record: Any, proxy: object) -> None:
        idle_since = record.info.get("idle_since")
        if idle_since is None:
            return
        try:
            if time.monotonic() - idle_since > _IDLE or _has_news(record.driver_connection):
                engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", look)


def _has_news(connection: Any) -> bool:
    """Tell whether a server said something that it was not asked for."""
    number = connection.fileno()
    if not hasattr(select, "poll"):
        return bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))


def _durable(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    try:
        # A commit is on the disk, not only with the operating system, when it returns.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone()[0] != "wal":
            # Readers and the writer do not wait for each other. It needs the file for itself for a moment; where that cannot
            # be had, the old journal serves as well, and a later connection tries again.
            try:
                cursor.execute("PRAGMA journal_mode=WAL")
            except Exception as error:
                if "locked" not in str(error):
                    raise
    finally:
        cursor.close()


def _hasty_sqlite(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode")
        # Without the log that is written ahead, such a commit could cost more than itself.
        if cursor.fetchone()[0] == "wal":
            cursor.execute("PRAGMA synchronous=NORMAL")
    finally:
        cursor.close()


def _hasty_postgresql(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("SET synchronous_commit = off")
    finally:
        cursor.close()
    connection.commit()


#: What makes the commits of a connection quick. MariaDB has it for the whole server only.
_HASTY = {"sqlite": _hasty_sqlite, "postgresql": _hasty_postgresql}


def _unadorned(connection: Any, record: object) -> None:
    # Each of our statements reads a few rows by an index. While PostgreSQL has no statistics of a table that grew fast, it
    # takes them for large ones, and would start processes or compile for ten times as long as they take.
    cursor = connection.cursor()
    try:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SET jit = off")
        # For what is sent without a transaction, too.
        cursor.execute(f"SET default_transaction_isolation = '{_ISOLATION.lower()}'")
    finally:
        cursor.close()
    connection.commit()
