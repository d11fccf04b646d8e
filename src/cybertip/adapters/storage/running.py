"""Works in transactions of their own, each with one commit.

What the database undid for sure is repeated a few times here. Whatever else fails gets out, as an error of the port.

A commit waits for the disk, which is most of what durable filing costs. A claim needs no such wait: if the power is cut and
the claim is forgotten, whoever held it can record nothing more, and another claims. So what need not last is committed on
connections of its own, whose commits do not wait; a later commit that does brings everything before it to the disk, too.

SQLite has one writer. Who finds its place taken sleeps and looks again, for longer each time; so those of one process take
turns here, and each goes on when the one before has ended.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, TypeVar

import anyio
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from cybertip.adapters.storage.driving import BEGIN, async_drive, cause_of, drive, said
from cybertip.adapters.storage.engines import needs_begin
from cybertip.adapters.storage.failures import RETRIES, may_repeat
from cybertip.adapters.storage.unbroken import unbroken
from cybertip.adapters.storage.upgrading import upgrade
from cybertip.adapters.storage.works import Work

__all__ = ["AsyncTransactions", "Transactions"]

T = TypeVar("T")

#: What a statement is sent with that is a transaction by itself: it saves the ways of a begin and a commit.
_ALONE = {"isolation_level": "AUTOCOMMIT"}


class Transactions:
    """Run each work in a transaction of its own, with one commit."""

    def __init__(self, engine: Engine, *, options: Mapping[str, Any], passing: Engine | None = None) -> None:
        self._engine = engine
        #: Of the same database, for what need not last.
        self._passing = passing or engine
        # Of the connections, for those of an engine can be overruled by the engine that it was derived from.
        self._options = options
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @property
    def takes_much_at_once(self) -> bool:
        """So it is with PostgreSQL, where each statement has its way to a server and back."""
        return self.dialect == "postgresql"

    @property
    def dialect(self) -> str:
        """The kind of database."""
        return self._engine.dialect.name

    def __call__(self, work: Callable[[], Work[T]], *, write: bool, lasting: bool = True, alone: bool = False) -> T:
        engine = self._engine if lasting else self._passing
        for delay in RETRIES:
            try:
                return self._once(engine, work, write=write, alone=alone and self.takes_much_at_once)
            except Exception as error:
                if not may_repeat(error.__cause__ or error):
                    raise
            time.sleep(delay)
        return self._once(engine, work, write=write, alone=alone and self.takes_much_at_once)

    def upgrade(self) -> None:
        """Make the tables, or bring them up to date."""
        try:
            with self._engine.connect() as connection:
                connection.execution_options(**self._options)
                connection.begin()
                if needs_begin(connection):
                    connection.exec_driver_sql(BEGIN)
                upgrade(connection)
                connection.commit()
        except Exception as error:
            raise said(error) from cause_of(error)

    def _once(self, engine: Engine, work: Callable[[], Work[T]], *, write: bool, alone: bool) -> T:
        committing = write and alone
        try:
            with self._turn if write else nullcontext(), engine.connect() as connection:
                connection.execution_options(**(_ALONE if alone else self._options))
                if write:
                    connection.begin()
                    if needs_begin(connection):
                        connection.exec_driver_sql(BEGIN)
                value = drive(work(), connection)
                committing = write
                if write:
                    connection.commit()
                committing = False
            return value
        except Exception as error:
            raise said(error, committing=committing) from cause_of(error)


class AsyncTransactions:
    """Run each work in a transaction of its own, with one commit."""

    def __init__(self, engine: AsyncEngine, *, options: Mapping[str, Any], passing: AsyncEngine | None = None) -> None:
        self._engine = engine
        self._passing = passing or engine
        self._options = options
        self._turn = anyio.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @property
    def takes_much_at_once(self) -> bool:
        """So it is with PostgreSQL, where each statement has its way to a server and back."""
        return self.dialect == "postgresql"

    @property
    def dialect(self) -> str:
        """The kind of database."""
        return self._engine.dialect.name

    @unbroken
    async def __call__(
        self, work: Callable[[], Work[T]], *, write: bool, lasting: bool = True, alone: bool = False
    ) -> T:
        engine = self._engine if lasting else self._passing
        for delay in RETRIES:
            try:
                return await self._once(engine, work, write=write, alone=alone and self.takes_much_at_once)
            except Exception as error:
                if not may_repeat(error.__cause__ or error):
                    raise
            await asyncio.sleep(delay)
        return await self._once(engine, work, write=write, alone=alone and self.takes_much_at_once)

    @unbroken
    async def upgrade(self) -> None:
        """Make the tables, or bring them up to date."""
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(**self._options)
                await connection.begin()
                if needs_begin(connection):
                    await connection.exec_driver_sql(BEGIN)
                await connection.run_sync(upgrade)
                await connection.commit()
        except Exception as error:
            raise said(error) from cause_of(error)

    async def _once(self, engine: AsyncEngine, work: Callable[[], Work[T]], *, write: bool, alone: bool) -> T:
        committing = write and alone
        try:
            async with self._turn if write else nullcontext(), engine.connect() as connection:
                await connection.execution_options(**(_ALONE if alone else self._options))
                if write:
                    await connection.begin()
                    if needs_begin(connection):
                        await connection.exec_driver_sql(BEGIN)
                value = await async_drive(work(), connection)
                committing = write
                if write:
                    await connection.commit()
                committing = False
            return value
        except Exception as error:
            raise said(error, committing=committing) from cause_of(error)
