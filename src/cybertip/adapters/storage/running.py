"""How a work runs: in a transaction of its own, or inside one of the host's; each in both colours.

What the database undid for sure is repeated a few times here. Whatever else fails gets out, as an error of the port.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cybertip.adapters.storage.engines import is_autocommit, needs_begin
from cybertip.adapters.storage.failures import RETRIES, failure_of, may_repeat
from cybertip.adapters.storage.upgrading import upgrade
from cybertip.adapters.storage.works import Work
from cybertip.errors import AdapterError

__all__ = ["AsyncRun", "AsyncTransactions", "AsyncWithin", "Run", "Transactions", "Within"]

T = TypeVar("T")

#: Takes SQLite's one writer's place at once: what only reads at first could be refused when it writes.
_BEGIN = "BEGIN IMMEDIATE"


class Run(Protocol):
    """Run a work and return what it returns; `write` says that it changes something."""

    def __call__(self, work: Callable[[], Work[T]], *, write: bool) -> T: ...


class AsyncRun(Protocol):
    """Run a work as `Run` does."""

    async def __call__(self, work: Callable[[], Work[T]], *, write: bool) -> T: ...


class Transactions:
    """Run each work in a transaction of its own, with one commit."""

    def __init__(self, engine: Engine, *, options: Mapping[str, Any]) -> None:
        self._engine = engine
        # Of the connections, for those of an engine can be overruled by the engine that it was derived from.
        self._options = options

    def __call__(self, work: Callable[[], Work[T]], *, write: bool) -> T:
        for delay in RETRIES:
            try:
                return self._once(work, write=write)
            except Exception as error:
                if not may_repeat(error.__cause__ or error):
                    raise
            time.sleep(delay)
        return self._once(work, write=write)

    def upgrade(self) -> None:
        """Make the tables, or bring them up to date."""
        try:
            with self._engine.connect() as connection:
                connection.execution_options(**self._options)
                connection.begin()
                if needs_begin(connection):
                    connection.exec_driver_sql(_BEGIN)
                upgrade(connection)
                connection.commit()
        except Exception as error:
            raise _said(error, committing=False) from _cause(error)

    def _once(self, work: Callable[[], Work[T]], *, write: bool) -> T:
        committing = False
        try:
            with self._engine.connect() as connection:
                connection.execution_options(**self._options)
                if write:
                    connection.begin()
                    if needs_begin(connection):
                        connection.exec_driver_sql(_BEGIN)
                value = _drive(work(), connection)
                committing = write
                if write:
                    connection.commit()
                committing = False
            return value
        except Exception as error:
            raise _said(error, committing=committing) from _cause(error)


class Within:
    """Run each work inside the transaction of a connection that is the host's; nothing is committed here.

    A savepoint around each leaves the host's transaction usable where a work is refused.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, work: Callable[[], Work[T]], *, write: bool) -> T:
        connection = self._connection
        try:
            if not connection.in_transaction():
                connection.begin()
            _refuse_autocommit(connection)
            if needs_begin(connection):
                connection.exec_driver_sql(_BEGIN)
            savepoint = connection.begin_nested()
            try:
                value = _drive(work(), connection)
            except BaseException:
                # Where the database undid the whole transaction, there is no savepoint left to go back to. What it undid it
                # for is what the caller has to know.
                with suppress(SQLAlchemyError):
                    savepoint.rollback()
                raise
            savepoint.commit()
            return value
        except Exception as error:
            raise _said(error, committing=False) from _cause(error)


class AsyncTransactions:
    """Run each work in a transaction of its own, with one commit."""

    def __init__(self, engine: AsyncEngine, *, options: Mapping[str, Any]) -> None:
        self._engine = engine
        self._options = options

    async def __call__(self, work: Callable[[], Work[T]], *, write: bool) -> T:
        _refuse_other_loops()
        for delay in RETRIES:
            try:
                return await self._once(work, write=write)
            except Exception as error:
                if not may_repeat(error.__cause__ or error):
                    raise
            await asyncio.sleep(delay)
        return await self._once(work, write=write)

    async def upgrade(self) -> None:
        """Make the tables, or bring them up to date."""
        _refuse_other_loops()
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(**self._options)
                await connection.begin()
                if needs_begin(connection):
                    await connection.exec_driver_sql(_BEGIN)
                await connection.run_sync(upgrade)
                await connection.commit()
        except Exception as error:
            raise _said(error, committing=False) from _cause(error)

    async def _once(self, work: Callable[[], Work[T]], *, write: bool) -> T:
        committing = False
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(**self._options)
                if write:
                    await connection.begin()
                    if needs_begin(connection):
                        await connection.exec_driver_sql(_BEGIN)
                value = await _async_drive(work(), connection)
                committing = write
                if write:
                    await connection.commit()
                committing = False
            return value
        except Exception as error:
            raise _said(error, committing=committing) from _cause(error)


class AsyncWithin:
    """Run each work inside the transaction of a connection that is the host's, as `Within` does."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def __call__(self, work: Callable[[], Work[T]], *, write: bool) -> T:
        connection = self._connection
        try:
            if not connection.in_transaction():
                await connection.begin()
            _refuse_autocommit(connection)
            if needs_begin(connection):
                await connection.exec_driver_sql(_BEGIN)
            savepoint = await connection.begin_nested()
            try:
                value = await _async_drive(work(), connection)
            except BaseException:
                # As in `Within`.
                with suppress(SQLAlchemyError):
                    await savepoint.rollback()
                raise
            await savepoint.commit()
            return value
        except Exception as error:
            raise _said(error, committing=False) from _cause(error)


def _drive(work: Work[T], connection: Connection) -> T:
    try:
        statement, rows = next(work)
        while True:
            try:
                result = connection.execute(statement, rows)
            except Exception as error:
                statement, rows = work.throw(error)
            else:
                statement, rows = work.send(result)
    except StopIteration as done:
        value: T = done.value
        return value


async def _async_drive(work: Work[T], connection: AsyncConnection) -> T:
    try:
        statement, rows = next(work)
        while True:
            try:
                result = await connection.execute(statement, rows)
            except Exception as error:
                statement, rows = work.throw(error)
            else:
                statement, rows = work.send(result)
    except StopIteration as done:
        value: T = done.value
        return value


def _said(error: Exception, *, committing: bool) -> Exception:
    return failure_of(error, committing=committing)


def _cause(error: Exception) -> BaseException | None:
    """Return what an error of the port is raised from: the database's, or what the work raised it from itself."""
    return error.__cause__ if _said(error, committing=False) is error else error


def _refuse_autocommit(connection: Connection | AsyncConnection) -> None:
    if is_autocommit(connection):
        raise AdapterError("the connection commits each statement by itself: give one with a transaction")


def _refuse_other_loops() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError as error:
        raise AdapterError("AsyncSqlStorage needs asyncio; elsewhere use cybertip.adapters.bridge.lift") from error
