"""How a work's statements are executed, in both colours, and what becomes of an error.

Who opens the transaction around it, and ends it, is said in `running` and `within`.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from cybertip.adapters.storage.failures import failure_of
from cybertip.adapters.storage.works import Work

__all__ = ["BEGIN", "AsyncRun", "Run", "async_drive", "cause_of", "drive", "said"]

T = TypeVar("T")

#: Takes SQLite's one writer's place at once: what only reads at first could be refused when it writes.
BEGIN = "BEGIN IMMEDIATE"


class Run(Protocol):
    """Run a work and return what it returns; `write` says that it changes something."""

    def __call__(self, work: Callable[[], Work[T]], *, write: bool) -> T: ...


class AsyncRun(Protocol):
    """Run a work as `Run` does."""

    async def __call__(self, work: Callable[[], Work[T]], *, write: bool) -> T: ...


def drive(work: Work[T], connection: Connection) -> T:
    """Execute what a work asks for, and return what it returns."""
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


async def async_drive(work: Work[T], connection: AsyncConnection) -> T:
    """Execute what a work asks for, as `drive` does."""
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


def said(error: Exception, *, committing: bool = False) -> Exception:
    """Return what to raise for an error."""
    return failure_of(error, committing=committing)


def cause_of(error: Exception) -> BaseException | None:
    """Return what an error of the port is raised from: the database's, or what the work raised it from itself."""
    return error.__cause__ if said(error) is error else error
