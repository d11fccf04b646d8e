"""Databases to test with: a file for SQLite, and a schema or database of its own for each test on a server.

Servers are used where they answer on loopback. CYBERTIP_TEST_POSTGRESQL and CYBERTIP_TEST_MARIADB are URLs of others.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, delete, make_url, text
from sqlalchemy.exc import OperationalError

from cybertip.adapters.storage.engines import engine_of
from cybertip.adapters.storage.sql import SqlStorage
from cybertip.adapters.storage.tables import metadata

DATABASES = ("sqlite", "postgresql", "mariadb")

_POSTGRESQL = os.environ.get("CYBERTIP_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
_MARIADB = os.environ.get("CYBERTIP_TEST_MARIADB", "mariadb://root@127.0.0.1:3306/test")


def _server(url: URL, name: str) -> Engine:
    if url.host not in ("127.0.0.1", "localhost", "::1"):
        pytest.fail(f"{name} must be on loopback: tests reach nothing else")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        engine.connect().close()
    except OperationalError:
        engine.dispose()
        pytest.skip(f"{name} does not answer at {url.host}:{url.port}")
    return engine


@contextmanager
def _a_schema_of_postgresql() -> Iterator[str]:
    address = make_url(_POSTGRESQL)
    server = _server(address.set(drivername="postgresql+psycopg"), "PostgreSQL")
    name = f"cybertip_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    try:
        settings = {"options": f"-csearch_path={name}"}
        yield address.update_query_dict(settings).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        server.dispose()


@contextmanager
def _a_database_of_mariadb() -> Iterator[str]:
    address = make_url(_MARIADB)
    server = _server(address.set(drivername="mariadb+pymysql"), "MariaDB")
    name = f"cybertip_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield address.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name}"))
        server.dispose()


class Databases:
    """Makes databases of each kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._shared: dict[str, str] = {}

    def new(self, kind: str) -> str:
        """Make an empty database, without tables, and return its URL."""
        if kind == "sqlite":
            return f"sqlite:///{self._folder / uuid.uuid4().hex}.db"
        make = _a_schema_of_postgresql if kind == "postgresql" else _a_database_of_mariadb
        return self._stack.enter_context(make())

    def empty(self, kind: str) -> str:
        """Return the URL of a database whose tables hold nothing: always the same one, for making tables takes a while."""
        if kind not in self._shared:
            url = self.new(kind)
            with SqlStorage(url) as storage:
                storage.upgrade()
            self._shared[kind] = url
        engine = engine_of(self._shared[kind])
        with engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(delete(table))
        engine.dispose()
        return self._shared[kind]

    def close(self) -> None:
        self._stack.close()


@pytest.fixture(scope="session")
def _databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    databases = Databases(tmp_path_factory.mktemp("databases"))
    yield databases
    databases.close()


@pytest.fixture
def new_database(_databases: Databases) -> Callable[[str], str]:
    """A function that makes a database of a kind, without tables and for this test alone, and returns its URL."""
    return _databases.new


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    return str(request.param)


@pytest.fixture
def url(_databases: Databases, kind: str) -> str:
    """The URL of a database whose tables are empty."""
    return _databases.empty(kind)


@pytest.fixture
def sql_storage(url: str) -> Iterator[SqlStorage]:
    """A storage that holds nothing."""
    with SqlStorage(url) as storage:
        yield storage


@pytest.fixture
def empty(_databases: Databases, kind: str) -> Callable[[], object]:
    """A function that empties the tables of `sql_storage`."""
    return lambda: _databases.empty(kind)
