"""Databases to test with: a file for SQLite, and a schema or database of its own for each test on a server.

Servers are used where they answer on loopback. CYBERTIP_TEST_POSTGRESQL and CYBERTIP_TEST_MARIADB are URLs of others.
"""

import os
import re
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
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


class Wire:
    """Stands between a storage and its server, and can be cut."""

    def __init__(self, port: int) -> None:
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        #: Where a storage connects to.
        self.port = self._listener.getsockname()[1]
        #: While it is set, no connection lasts.
        self.is_down = False
        #: How many connections were cut.
        self.cuts = 0
        self._lock = threading.Lock()
        self._word: re.Pattern[bytes] | None = None
        self._skip = 0
        self._lost = False
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, word: re.Pattern[bytes], *, skip: int = 0, lost: bool = False) -> None:
        """Cut the connection that next sends a word to the server, or does so after some others.

        What holds the word gets to the server, and its answer is lost; or the word itself is `lost`.
        """
        with self._lock:
            self._word, self._skip, self._lost = word, skip, lost

    def mend(self) -> None:
        """Let everything through from now on."""
        with self._lock:
            self._word = None
            self.is_down = False

    def _accept(self) -> None:
        # Ends when the listener is shut down, or the server does not listen.
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                if self.is_down:
                    client.shutdown(socket.SHUT_RDWR)
                    continue
                server = socket.create_connection(("127.0.0.1", self._server))
                self._sockets.append(server)
                for pump in (self._to_server, self._to_client):
                    threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                cut = self._strikes(data)
                if cut:
                    # Before the server hears of it, so that its answer cannot be quicker.
                    client.shutdown(socket.SHUT_RDWR)
                if not (cut and self._lost):
                    server.sendall(data)
                if cut:
                    break
        # The server is to learn of it, as it does of a program that ended.
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _strikes(self, data: bytes) -> bool:
        with self._lock:
            found = self._word is not None and self._word.search(data) is not None
            if found and self._skip:
                self._skip -= 1
                return self.is_down
            if found:
                self._word = None
            self.cuts += found
            return found or self.is_down

    def close(self) -> None:
        for one in (self._listener, *self._sockets):
            # Whoever waits for one of them in a thread learns of it only so.
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture
def wire(url: str) -> Iterator[Wire]:
    """A wire to the server of the database."""
    port = make_url(url).port
    assert port is not None
    wire = Wire(port)
    yield wire
    wire.close()
