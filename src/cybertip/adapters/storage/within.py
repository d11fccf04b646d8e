"""Works inside a transaction of the host's, so that its decision and ours are committed together."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from cybertip.adapters.storage.driving import BEGIN, async_drive, cause_of, drive, said
from cybertip.adapters.storage.engines import is_autocommit, needs_begin
from cybertip.adapters.storage.unbroken import unbroken
from cybertip.adapters.storage.works import Work
from cybertip.errors import AdapterError

__all__ = ["AsyncWithin", "Within"]

T = TypeVar("T")


class Within:
    """Run each work inside the transaction of a connection that is the host's; nothing is committed here.

    A savepoint around each leaves the host's transaction usable where a work is refused. How long what it changes lasts is
    decided by the host's commit.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def takes_much_at_once(self) -> bool:
        """Not here: there is a transaction already."""
        return False

    @property
    def dialect(self) -> str:
        """The kind of database."""
        return self._connection.dialect.name

    def __call__(self, work: Callable[[], Work[T]], *, write: bool, lasting: bool = True, alone: bool = False) -> T:
        connection = self._connection
        try:
            if not connection.in_transaction():
                connection.begin()
            _refuse_autocommit(connection)
            if needs_begin(connection):
                connection.exec_driver_sql(BEGIN)
            savepoint = connection.begin_nested()
            try:
                value = drive(work(), connection)
            except BaseException:
                # Where the database undid the whole transaction, there is no savepoint left to go back to. What it undid it
                # for is what the caller has to know.
                with suppress(SQLAlchemyError):
                    savepoint.rollback()
                raise
            savepoint.commit()
            return value
        except Exception as error:
            raise said(error) from cause_of(error)


class AsyncWithin:
    """Run each work inside the transaction of a connection that is the host's, as `Within` does."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def takes_much_at_once(self) -> bool:
        """Not here: there is a transaction already."""
        return False

    @property
    def dialect(self) -> str:
        """The kind of database."""
        return self._connection.dialect.name

    @unbroken
    async def __call__(
        self, work: Callable[[], Work[T]], *, write: bool, lasting: bool = True, alone: bool = False
    ) -> T:
        connection = self._connection
        try:
            if not connection.in_transaction():
                await connection.begin()
            _refuse_autocommit(connection)
            if needs_begin(connection):
                await connection.exec_driver_sql(BEGIN)
            savepoint = await connection.begin_nested()
            try:
                value = await async_drive(work(), connection)
            except BaseException:
                # As in `Within`.
                with suppress(SQLAlchemyError):
                    await savepoint.rollback()
                raise
            await savepoint.commit()
            return value
        except Exception as error:
            raise said(error) from cause_of(error)


def _refuse_autocommit(connection: Connection | AsyncConnection) -> None:
    if is_autocommit(connection):
        raise AdapterError("the connection commits each statement by itself: give one with a transaction")
