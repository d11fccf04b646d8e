"""No tenant starves, however much another has to do."""

import asyncio
from collections.abc import Callable

import pytest

from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.ports.storage import Storage
from cybertip.testing.conformance.storage.samples import at, begin, go_on


def _fill(storage: Storage) -> None:
    for number in range(4):
        begin(storage, f"big{number}", tenant="big", due_at=at(number - 90))
    begin(storage, "small", tenant="small", due_at=at(-2))
    begin(storage, "tiny", tenant="tiny", due_at=at(-1))
    begin(storage, "urgent", tenant="big", due_at=at(0), priority=1)


def _one_by_one(storage: Storage) -> list[str]:
    order = []
    for second in range(8):
        for one, claim in storage.claim_due(token=f"{second}", now=at(second), until=at(second + 60), limit=1):
            order.append(one.key)
            go_on(storage, one.key, 2, due_at=None, claim=claim, tenant=one.tenant)
    return order


#: What is urgent goes first whosever it is; then whoever waited longest for a turn.
_ORDER = ["urgent", "small", "tiny", "big0", "big1", "big2", "big3"]


@pytest.fixture(params=["memory", "sql"])
def make(request: pytest.FixtureRequest) -> Callable[[SqlStorage], Storage]:
    return (lambda storage: MemoryStorage()) if request.param == "memory" else (lambda storage: storage)


def test_one_at_a_time(make: Callable[[SqlStorage], Storage], sql_storage: SqlStorage) -> None:
    """Where workers claim one submission at a time, the tenants take turns all the same."""
    storage = make(sql_storage)
    _fill(storage)
    assert _one_by_one(storage) == _ORDER
    # Those that never had a turn come before those that had.
    for number in range(2):
        begin(storage, f"more{number}", tenant="big", due_at=at(-99))
    begin(storage, "new", tenant="new", due_at=at(-1))
    begin(storage, "again", tenant="small", due_at=at(-1))
    assert _one_by_one(storage) == ["new", "again", "more0", "more1"]


def test_two_workers(url: str, sql_storage: SqlStorage) -> None:
    """It is the database that remembers whose turn it is: another worker goes on where the first one stopped."""
    _fill(sql_storage)

    async def second(token: str, second: int) -> str:
        async with AsyncSqlStorage(url) as storage:
            ((one, _),) = await storage.claim_due(token=token, now=at(second), until=at(60), limit=1)
            return one.key

    order = []
    for turn in range(0, 4, 2):
        ((one, _),) = sql_storage.claim_due(token=f"{turn}", now=at(turn), until=at(60), limit=1)
        order += [one.key, asyncio.run(second(f"{turn + 1}", turn + 1))]
    assert order == _ORDER[:4]
