"""A platform's own transaction: its decision and the submission are committed together, or neither is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from cybertip.adapters.storage.sql import AsyncSqlStorage, SqlStorage
from cybertip.courier import AsyncCourier, Courier
from cybertip.errors import Conflict, UnknownSubmission
from cybertip.filing import Status


@pytest.fixture
def colour() -> None:
    """These tests have colours of their own."""


@pytest.fixture
def world(kit: Any) -> Any:
    """A world whose storage is the platform's database."""
    return kit.World(None)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/platform.db"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """The platform's own engine and table."""
    engine = create_engine(url)
    SqlStorage(engine).upgrade()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE decisions (what TEXT)"))
    yield engine
    engine.dispose()


def courier_of(world: Any, kit: Any, storage: Any) -> Courier:
    return Courier(
        kit.SANDBOX,
        storage=storage,
        evidence=world.evidence,
        clock=world.clock,
        transport=world.wire,
        lease_for=kit.LEASE,
    )


def decide(connection: Connection) -> None:
    connection.execute(text("INSERT INTO decisions VALUES ('file it')"))


def decisions(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT COUNT(*) FROM decisions")).scalar_one())


@pytest.mark.parametrize("first", ["the decision", "the filing"])
def test_both_or_neither(world: Any, kit: Any, engine: Engine, first: str) -> None:
    """Where the platform takes its decision back, no submission is left that anybody could deliver; where it commits, both
    are there, and a worker delivers."""
    outside = courier_of(world, kit, SqlStorage(engine))
    filing = world.filing(True)

    def act(connection: Connection) -> None:
        inside = courier_of(world, kit, SqlStorage(engine).within(connection))
        if first == "the decision":
            decide(connection)
        assert inside.file(filing, key="case-1").status is Status.WAITING
        if first == "the filing":
            decide(connection)
        assert inside.status("case-1").status is Status.WAITING

    with engine.connect() as connection:
        act(connection)
        connection.rollback()
    assert decisions(engine) == 0
    with pytest.raises(UnknownSubmission):
        outside.status("case-1")
    assert outside.run_due() == 0
    with engine.begin() as connection:
        act(connection)
    assert decisions(engine) == 1
    assert outside.run_due() == 1
    assert outside.status("case-1").status is Status.FINISHED
    assert world.states() == ["finished"]


def test_a_conflict_leaves_the_platforms_transaction_as_it_was(world: Any, kit: Any, engine: Engine) -> None:
    """A key that stands for another filing is refused, and the platform can go on in its transaction and commit."""
    courier_of(world, kit, SqlStorage(engine)).file(world.filing(user="user-1"), key="case-1")
    with engine.begin() as connection:
        inside = courier_of(world, kit, SqlStorage(engine).within(connection))
        decide(connection)
        with pytest.raises(Conflict):
            inside.file(world.filing(user="user-2"), key="case-1")
        inside.file(world.filing(user="user-2"), key="case-2")
    assert decisions(engine) == 1
    assert [head.key for head in SqlStorage(engine).heads()] == ["case-1", "case-2"]


def test_what_is_retracted_with_a_decision_is_retracted_with_it(world: Any, kit: Any, engine: Engine) -> None:
    """A platform that takes its decision back withdraws the report in the same transaction."""
    outside = courier_of(world, kit, SqlStorage(engine))
    outside.file(world.filing(), key="case-1")
    for commits in (False, True):
        with engine.connect() as connection:
            inside = courier_of(world, kit, SqlStorage(engine).within(connection))
            decide(connection)
            assert inside.retract("case-1", actor="reviewer", reason="overturned").status is Status.RETRACTED
            if commits:
                connection.commit()
            else:
                connection.rollback()
        expected = Status.RETRACTED if commits else Status.WAITING
        assert (outside.status("case-1").status, decisions(engine)) == (expected, int(commits))
    outside.run_due()
    assert world.states() == []


def test_async(world: Any, kit: Any, engine: Engine, url: str) -> None:
    """An async platform's transaction keeps both together as well."""
    filing = world.filing(True)

    def courier(storage: Any) -> AsyncCourier:
        wire = kit._AsyncWire(world.wire)
        return AsyncCourier(
            kit.SANDBOX,
            storage=storage,
            evidence=world.evidence,
            clock=world.clock,
            transport=wire,
            lease_for=kit.LEASE,
        )

    async def act(storage: AsyncSqlStorage, connection: AsyncConnection) -> None:
        await connection.run_sync(decide)
        await courier(storage.within(connection)).file(filing, key="case-1")

    async def main() -> None:
        platform = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
        storage = AsyncSqlStorage(platform)
        async with platform.connect() as connection:
            await act(storage, connection)
            await connection.rollback()
        assert await courier(storage).run_due() == 0
        async with platform.begin() as connection:
            await act(storage, connection)
        assert await courier(storage).run_due() == 1
        assert (await courier(storage).status("case-1")).status is Status.FINISHED
        await platform.dispose()

    anyio.run(main)
    assert decisions(engine) == 1
    assert world.states() == ["finished"]
