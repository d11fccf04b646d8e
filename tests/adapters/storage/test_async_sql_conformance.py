"""Storage on each database keeps every promise of the port for async callers, lifted on trio."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from cybertip.adapters.bridge import LiftedStorage, lift
from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.testing.conformance import AsyncStorageSuite


class TestAsyncSqlStorage(AsyncStorageSuite):
    backends = ("asyncio",)

    @pytest.fixture
    def async_storage(self, sql_storage: SqlStorage, url: str) -> AsyncSqlStorage:
        return AsyncSqlStorage(url)

    @pytest.fixture
    def another_async_storage(self, sql_storage: SqlStorage, url: str) -> AsyncSqlStorage:
        return AsyncSqlStorage(url)


class TestLiftedSqlStorage(AsyncStorageSuite):
    @pytest.fixture
    def async_storage(self, new_database: Callable[[str], str]) -> AbstractAsyncContextManager[LiftedStorage]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[LiftedStorage]:
            storage = SqlStorage(new_database("sqlite"))
            async with lift(storage) as lifted:
                await lifted.call(storage.upgrade)
                yield lifted

        return opened()
