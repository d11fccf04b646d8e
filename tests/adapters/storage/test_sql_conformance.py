"""Storage on each database keeps every promise of the port."""

from collections.abc import Iterator

import pytest

from cybertip.adapters.storage.sql import SqlStorage
from cybertip.testing.conformance import StorageSuite


class TestSqlStorage(StorageSuite):
    @pytest.fixture
    def storage(self, sql_storage: SqlStorage) -> SqlStorage:
        return sql_storage

    @pytest.fixture
    def another(self, sql_storage: SqlStorage, url: str) -> Iterator[SqlStorage]:
        with SqlStorage(url) as another:
            yield another
