"""Works in transactions of their own, each with one commit.

What the database undid for sure is repeated a few times here. Whatever else fails gets out, as an error of the port.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

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


class Transactions:
    """Run each work in a transaction of its own, with one commit."""

    def __init__(self, engine: Engine, *, options: Mapping[str, Any]) -> None:
        self._engine = engine
        # Of the connections, for those of an engine can be overruled by the engine that it was derived from.
        self._options = options

    @property
    def dialect(self) -> str:
        """The kind of database."""
        return self._engine.dialect.name

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
                    connection.exec_driver_sql(BEGIN)
                upgrade(connection)
                connection.commit()
        except Exception as error:
            raise said(error) from cause_of(error)

    def _once(self, work: Callable[[], Work[T]], *, write: bool) -> T:
        committing = False
        try:
            with self._engine.connect() as connection:
                connection.execution_options(**self._options)
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

    def __init__(self, engine: AsyncEngine, *, options: Mapping[str, Any]) -> None:
        self._engine = engine
        self._options = options

    @property
    def dialect(self) -> str:
        """The kind of database."""
        return self._engine.dialect.name

    @unbroken
    async def __call__(self, work: Callable[[], Work[T]], *, write: bool) -> T:
        for delay in RETRIES:
            try:
                return await self._once(work, write=write)
            except Exception as error:
                if not may_repeat(error.__cause__ or error):
                    raise
            await asyncio.sleep(delay)
        return await self._once(work, write=write)

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

    async def _once(self, work: Callable[[], Work[T]], *, write: bool) -> T:
        committing = False
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(**self._options)
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
