"""SQLite has one writer: those of one process wait for each other, and do not run into each other."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.testing.conformance.storage.samples import NOW, at, at_once, entries, go_on, head

_WRITERS, _EACH = 8, 20

#: SQLite itself would wait for nobody.
_IMPATIENT = {"timeout": 0}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "busy.db"
    with SqlStorage(f"sqlite:///{path}") as storage:
        storage.upgrade()
    return path


def test_threads_take_turns(path: Path) -> None:
    """Threads that write at once through one storage are never told that the database is busy."""
    engine = create_engine(f"sqlite:///{path}", connect_args=_IMPATIENT)
    storage = SqlStorage(engine)

    def write(name: str) -> None:
        storage.append(entries(name, 1), head(name, 1), expected=0)
        for version in range(2, _EACH):
            go_on(storage, name, version)
            storage.claim_due(token=name, now=NOW, until=at(60), limit=1)

    outcomes = at_once([partial(write, str(number)) for number in range(_WRITERS)])
    assert outcomes == [None] * _WRITERS
    assert [one.version for one in storage.heads()] == [_EACH - 1] * _WRITERS
    engine.dispose()


def test_tasks_take_turns(path: Path) -> None:
    """So do tasks, in whichever event loop."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args=_IMPATIENT)
    storage = AsyncSqlStorage(engine)

    async def write(name: str) -> None:
        await storage.append(entries(name, 1), head(name, 1), expected=0)
        for version in range(2, _EACH):
            await storage.append(entries(name, version), head(name, version), expected=version - 1)
            await storage.claim_due(token=name, now=NOW, until=at(60), limit=1)

    async def main(prefix: str) -> None:
        await asyncio.gather(*(write(f"{prefix}{number}") for number in range(_WRITERS)))
        assert {one.version for one in await storage.heads()} == {_EACH - 1}
        await engine.dispose()

    asyncio.run(main("a"))
    asyncio.run(main("b"))
