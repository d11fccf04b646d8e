"""How a work's statements are executed, in both colours, and what becomes of an error.

Who opens the transaction around it, and ends it, is said in `running` and `within`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection

from cybertip.adapters.storage.failures import failure_of
from cybertip.adapters.storage.unbroken import cancellations_so_far
from cybertip.adapters.storage.works import Work

__all__ = ["BEGIN", "AsyncRun", "Run", "async_drive", "cause_of", "drive", "said"]

T = TypeVar("T")

_Values = dict[str, Any] | list[dict[str, Any]] | None

#: Takes SQLite's one writer's place at once: what only reads at first could be refused when it writes.
BEGIN = "BEGIN IMMEDIATE"


class Run(Protocol):
    """Run a work and return what it returns.

    `write` says that it changes something, `lasting` that what it changes has to outlive a power cut, and `alone` that it
    needs no transaction: it is one statement, or only reads.
    """

    @property
    def takes_much_at_once(self) -> bool:
        """Whether one statement can do what takes several elsewhere, and saves a transaction around them."""
        ...

    def __call__(self, work: Callable[[], Work[T]], *, write: bool, lasting: bool = True, alone: bool = False) -> T: ...


class AsyncRun(Protocol):
    """Run a work as `Run` does."""

    @property
    def takes_much_at_once(self) -> bool:
        """As `Run.takes_much_at_once`."""
        ...

    async def __call__(
        self, work: Callable[[], Work[T]], *, write: bool, lasting: bool = True, alone: bool = False
    ) -> T: ...


def drive(work: Work[T], connection: Connection) -> T:
    """Execute what a work asks for, and return what it returns."""
    try:
        statement, rows = next(work)
        while True:
            try:
                result = _execute(connection, statement, rows)
            except Exception as error:
                statement, rows = work.throw(error)
            else:
                statement, rows = work.send(result)
    except StopIteration as done:
        value: T = done.value
        return value


async def async_drive(work: Work[T], connection: AsyncConnection) -> T:
    """Execute what a work asks for, as `drive` does."""
    try:
        statement, rows = next(work)
        while True:
            try:
                result = await _async_execute(connection, statement, rows)
            except Exception as error:
                statement, rows = work.throw(error)
            else:
                statement, rows = work.send(result)
    except StopIteration as done:
        value: T = done.value
        return value


def _execute(connection: Connection, statement: Executable, values: _Values) -> CursorResult[Any]:
    return connection.execute(statement, values)


async def _async_execute(connection: AsyncConnection, statement: Executable, values: _Values) -> CursorResult[Any]:
    cancellations = cancellations_so_far()
    try:
        return await connection.execute(statement, values)
    except Exception as error:
        if cancellations_so_far() == cancellations:
            raise
        # On a busy event loop psycopg raises a fault of its own in place of a cancellation that strikes where it begins to
        # send many rows, and leaves its connection in a mode in which nothing that follows is answered.
        await connection.invalidate()
        raise asyncio.CancelledError from error


def said(error: Exception, *, committing: bool = False) -> Exception:
    """Return what to raise for an error."""
    return failure_of(error, committing=committing)


def cause_of(error: Exception) -> BaseException | None:
    """Return what an error of the port is raised from: the database's, or what the work raised it from itself."""
    return error.__cause__ if said(error) is error else error
