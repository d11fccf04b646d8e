"""Make the tables, or bring them up to date, with the migrations that are shipped beside this module."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from cybertip.errors import AdapterError

__all__ = ["VERSION_TABLE", "upgrade"]

#: A table of our own, so that the host can use Alembic for its own tables in the same database.
VERSION_TABLE = "cybertip_alembic_version"

#: Any number that nobody else uses.
_LOCK = 0x63796274

#: Seconds to wait for another process's upgrade.
_WAIT = 60


def upgrade(connection: Connection) -> None:
    """Upgrade in the connection's transaction, one process at a time. It does nothing where all is up to date.

    MariaDB commits each change of a table by itself: where it fails half-way, the next upgrade goes on from there.
    """
    # Imported here, for a program that only files needs no migrations.
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    scripts = ScriptDirectory(str(Path(__file__).parent / "migrations"))

    def steps(revision: Any, context: MigrationContext) -> Iterable[Any]:
        # Alembic's own type for this is private.
        return scripts._upgrade_revs("head", revision)

    with _lock(connection):
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "fn": steps})
        try:
            # Each migration gets its operations as an argument: Alembic's global `op` would be shared by all threads.
            context.run_migrations(op=Operations(context))
        except CommandError as error:
            raise AdapterError("the tables are newer than this program, which must not touch them") from error


def _lock(connection: Connection) -> AbstractContextManager[None]:
    return (
        _named_lock(connection) if connection.dialect.name in ("mysql", "mariadb") else _lock_of_transaction(connection)
    )


@contextmanager
def _lock_of_transaction(connection: Connection) -> Iterator[None]:
    # SQLite has but one writer; its transaction was begun as one that writes.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    yield


@contextmanager
def _named_lock(connection: Connection) -> Iterator[None]:
    # Such names are the whole server's.
    name = text("SELECT GET_LOCK(CONCAT('cybertip.', SHA1(DATABASE())), :wait)")
    if connection.execute(name, {"wait": _WAIT}).scalar() != 1:
        raise AdapterError("another process has been upgrading the tables for a minute: try again later")
    try:
        yield
        # Before others get the lock: they have to see the version that was recorded.
        connection.commit()
    finally:
        # A connection that broke has given it up.
        with suppress(SQLAlchemyError):
            connection.execute(text("SELECT RELEASE_LOCK(CONCAT('cybertip.', SHA1(DATABASE())))"))
