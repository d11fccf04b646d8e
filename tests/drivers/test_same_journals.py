"""Sync and async leave identical journals for the same script, on asyncio and on trio, whatever keeps them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import event, given, settings, strategies as st
from sqlalchemy import delete

from cybertip.adapters.bridge import lift
from cybertip.adapters.storage.engines import engine_of
from cybertip.adapters.storage.memory import AsyncMemoryStorage, MemoryStorage
from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.adapters.storage.tables import metadata


class Places:
    """A database of SQLite that is emptied for each script, and what keeps journals in it or in memory."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/journals.db"
        self.sql = SqlStorage(self.url)
        self.sql.upgrade()
        self._engine = engine_of(self.url)

    def empty(self) -> None:
        with self._engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(delete(table))

    def close(self) -> None:
        self.sql.close()
        self._engine.dispose()


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Where journals are kept."""
    places = Places(tmp_path_factory.mktemp("journals"))
    yield places
    places.close()


Play = Callable[[Any, Any, Places], Any]


def _memory_async(kit: Any, script: Any, places: Places, backend: str) -> Any:
    return anyio.run(kit.async_play, script, AsyncMemoryStorage(), backend=backend)


def _sql(kit: Any, script: Any, places: Places) -> Any:
    places.empty()
    return kit.play(script, places.sql)


def _sql_lifted(kit: Any, script: Any, places: Places, backend: str) -> Any:
    places.empty()
    return anyio.run(kit.async_play, script, lift(places.sql), backend=backend)


def _sql_async(kit: Any, script: Any, places: Places) -> Any:
    places.empty()

    async def main() -> Any:
        async with AsyncSqlStorage(places.url) as storage:
            return await kit.async_play(script, storage)

    return anyio.run(main)


PLAYS: dict[str, Play] = {
    "async-memory-asyncio": lambda kit, script, places: _memory_async(kit, script, places, "asyncio"),
    "async-memory-trio": lambda kit, script, places: _memory_async(kit, script, places, "trio"),
    "sqlite": _sql,
    "lifted-sqlite-asyncio": lambda kit, script, places: _sql_lifted(kit, script, places, "asyncio"),
    "lifted-sqlite-trio": lambda kit, script, places: _sql_lifted(kit, script, places, "trio"),
    "async-sqlite-asyncio": _sql_async,
}


def same(kit: Any, places: Places, script: Any, names: tuple[str, ...]) -> Any:
    """Play a script with the sync courier in memory, and see that the others leave the same."""
    expected = kit.play(script, MemoryStorage())
    for name in names:
        found = PLAYS[name](kit, script, places)
        for key, entries in expected.journals.items():
            assert list(found.journals[key]) == list(entries), (name, key)
        assert found == expected, name
    return expected


@settings(max_examples=200)
@given(data=st.data())
def test_memory_leaves_the_same_in_every_colour(kit: Any, places: Places, data: st.DataObject) -> None:
    """Whatever happens to filings, wires and workers: journals, heads, letters, what callers and hooks are told, and what
    NCMEC holds are the same for both couriers, on asyncio and on trio."""
    script = data.draw(kit.scripts)
    found = same(kit, places, script, ("async-memory-asyncio", "async-memory-trio"))
    for kind in found.kinds:
        event(kind)


@settings(max_examples=50)
@given(data=st.data())
def test_a_database_leaves_the_same_in_every_colour(kit: Any, places: Places, data: st.DataObject) -> None:
    """As in memory, so in SQLite: with the sync storage, the async one, and the sync one lifted to both event loops."""
    names = ("sqlite", "async-sqlite-asyncio", "lifted-sqlite-asyncio", "lifted-sqlite-trio")
    same(kit, places, data.draw(kit.scripts), names)


#: By the fates of exchanges, what has to be in the journal of a filing with one described file.
TALES: dict[tuple[str, ...], set[str]] = {
    (): {"opened", "uploaded", "described", "finished"},
    ("never sent",): {"unsent", "finished"},
    ("request lost",): {"lost", "finished"},
    ("fine", "broken off"): {"lost", "retracted", "finished"},
    ("fine", "fine", "answer lost"): {"lost", "retracted", "finished"},
    ("fine", "fine", "fine", "answer lost"): {"lost", "finished"},
    ("busy",): {"refused", "finished"},
    ("fine", "gateway"): {"lost", "retracted", "finished"},
    ("garbled",): {"lost", "finished"},
    ("fine", "other bytes"): {"mismatched", "retracted", "finished"},
    ("fine", "other bytes", "fine", "fine", "other bytes"): {"mismatched", "escalated", "overridden", "finished"},
    ("not allowed",): {"refused", "finished"},
    ("refused",): {"refused", "escalated", "overridden", "finished"},
    ("unknown code",): {"refused", "finished"},
    ("fine", "slow"): {"uploaded", "finished"},
    ("overtaken",): {"lost", "observed", "finished"},
    ("fine", "overtaken"): {"lost", "retracted", "finished"},
    ("fine", "fine", "fine", "overtaken"): {"lost", "observed", "finished"},
    ("death before",): {"lost", "finished"},
    ("fine", "fine", "fine", "death after"): {"lost", "finished"},
}


@pytest.mark.parametrize("name", PLAYS)
@pytest.mark.parametrize("fates", TALES, ids="-".join)
def test_each_fate_leaves_its_mark(kit: Any, places: Places, fates: tuple[str, ...], name: str) -> None:
    """What a script lets happen does happen, and is recorded in both colours in the same words."""
    steps = (kit.File("case-1", 1), kit.Deliver("case-1"), *kit.END)
    expected = same(kit, places, kit.Script(steps, fates), (name,))
    assert expected.kinds >= TALES[fates]
    assert len([report for report in expected.states if report == "finished"]) == 1
