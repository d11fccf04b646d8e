"""The tables are made and kept up to date by calling one method, whoever else calls it."""

import asyncio
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from cybertip.adapters.storage.engines import engine_of
from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.adapters.storage.tables import metadata
from cybertip.adapters.storage.upgrading import VERSION_TABLE
from cybertip.errors import AdapterError
from cybertip.testing.conformance.storage.samples import NOW, at_once, begin, head


@pytest.fixture
def bare(kind: str, new_database: Callable[[str], str]) -> str:
    """The URL of a database without tables."""
    return new_database(kind)


def test_before_upgrade(bare: str) -> None:
    """Whatever is called before the upgrade says that the upgrade is missing."""
    with SqlStorage(bare) as storage:
        for call in (
            lambda: begin(storage, "a"),
            lambda: storage.read("a"),
            lambda: storage.heads(),
            lambda: storage.claim_due(token="t", now=NOW, until=NOW, limit=1),
            lambda: storage.next_due(now=NOW),
            lambda: storage.next_letter(now=NOW),
        ):
            with pytest.raises(AdapterError, match=r"run upgrade\(\) first") as caught:
                call()
            assert caught.value.__cause__ is not None


def test_migrations_make_the_tables(bare: str) -> None:
    """The migrations make just the tables, columns, types and indexes that the statements are written for."""
    with SqlStorage(bare) as storage:
        storage.upgrade()
    engine = engine_of(bare)
    with engine.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []
        # What Alembic does not compare: how text compares, and which rows are in an index.
        for table in metadata.sorted_tables:
            for column in inspect(connection).get_columns(table.name):
                declared = table.c[column["name"]].type.dialect_impl(connection.dialect)
                assert getattr(column["type"], "length", None) == getattr(declared, "length", None)
                expected = getattr(declared, "collation", None)
                assert getattr(column["type"], "collation", None) == expected
                if expected is not None:
                    assert expected == {"postgresql": "C", "mariadb": "utf8mb4_nopad_bin"}[engine.dialect.name]
        if engine.dialect.name in ("postgresql", "sqlite"):
            (ready,) = (
                i for i in inspect(connection).get_indexes("cybertip_heads") if i["name"] == "cybertip_heads_ready"
            )
            assert "ready_at IS NOT NULL" in str(ready["dialect_options"][f"{engine.dialect.name}_where"])
    engine.dispose()


def test_again(bare: str) -> None:
    """An upgrade where all is up to date does nothing; the host's own use of Alembic is not touched."""
    engine = engine_of(bare)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('host')"))
    storage = SqlStorage(engine)
    storage.upgrade()
    begin(storage, "a")
    storage.upgrade()
    assert storage.head("a") == head("a", 1)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "host"
        assert connection.execute(text(f"SELECT COUNT(*) FROM {VERSION_TABLE}")).scalar() == 1
    engine.dispose()


def test_at_once(bare: str) -> None:
    """Programs that start together and all upgrade get along."""

    def upgrade() -> None:
        with SqlStorage(bare) as storage:
            storage.upgrade()

    async def upgrade_async() -> None:
        async with AsyncSqlStorage(bare) as storage:
            await asyncio.gather(storage.upgrade(), storage.upgrade())

    assert at_once([upgrade] * 6 + [lambda: asyncio.run(upgrade_async())]) == [None] * 7
    with SqlStorage(bare) as storage:
        begin(storage, "a")


def test_half_way(bare: str) -> None:
    """An upgrade that was cut off half-way is completed by the next, even where tables cannot be unmade."""
    engine = engine_of(bare)
    storage = SqlStorage(engine)
    storage.upgrade()
    with engine.begin() as connection:
        connection.execute(text(f"DELETE FROM {VERSION_TABLE}"))
        connection.execute(text("DROP TABLE cybertip_letters"))
        connection.execute(text("DROP TABLE cybertip_tags"))
    storage.upgrade()
    begin(storage, "a", tags=("x",))
    assert len(storage.heads(tag="x")) == 1
    engine.dispose()


def test_newer_tables(bare: str) -> None:
    """Tables of a newer program are left alone."""
    engine = engine_of(bare)
    storage = SqlStorage(engine)
    storage.upgrade()
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(AdapterError, match="newer than this program"):
        storage.upgrade()
    engine.dispose()
