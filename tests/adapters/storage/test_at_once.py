"""What PostgreSQL can do at once is done at once, and comes to the same; a connection is looked at before it is used."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, make_url, text

from cybertip.adapters.storage import engines
from cybertip.adapters.storage.engines import engine_of
from cybertip.adapters.storage.sql import SqlStorage
from cybertip.errors import Conflict
from cybertip.ports.storage import Claim, Storage
from cybertip.testing.conformance.storage.samples import NOW, at, begin, claimed, entries, go_on, head, letter

pytestmark = pytest.mark.parametrize("kind", ["postgresql"], indirect=True)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """The engine of a storage, to look at."""
    engine = engine_of(url)
    yield engine
    engine.dispose()


@pytest.fixture
def sent(engine: Engine) -> list[str]:
    """The first words of what is sent to the database."""
    words: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection: Any, cursor: object, statement: str, *rest: object) -> None:
        words.append(statement.split()[0])

    return words


def test_an_append_is_one_statement(engine: Engine, sent: list[str]) -> None:
    """What a delivery records between two calls has one way to the server, settled or not, claimed or not."""
    storage = SqlStorage(engine)
    begin(storage, "a", tags=("x",))
    held = claimed(storage, "a", "t")
    sent.clear()
    storage.append(entries("a", 2, 3), head("a", 3, tags=("x",)), expected=1, claim=held)
    storage.append(entries("a", 4), head("a", 4, tags=("x",)), expected=3)
    storage.append(entries("a", 5), head("a", 5, tags=("x",), due_at=None), expected=4, claim=held)
    assert sent == ["WITH"] * 3
    assert storage.read("a") == entries("a", 1, 2, 3, 4, 5)
    assert storage.head("a") == head("a", 5, tags=("x",), due_at=None)
    assert storage.renew(held, until=at(90)) is None


def test_no_transaction_around_one_statement(engine: Engine, url: str) -> None:
    """It is a transaction by itself: none is begun for it, so that nothing is left open if the worker dies."""
    states: list[int] = []

    @event.listens_for(engine, "after_cursor_execute")
    def note(connection: Any, cursor: Any, *rest: object) -> None:
        states.append(int(cursor.connection.info.transaction_status))

    storage = SqlStorage(engine)
    begin(storage, "a")
    held = claimed(storage, "a", "t")
    states.clear()
    storage.append(entries("a", 2), head("a", 2), expected=1, claim=held)
    storage.read("a")
    storage.head("a")
    storage.renew(held, until=at(90))
    storage.release(held)
    # 0 is psycopg's word for idle.
    assert states == [0] * 5


def test_a_claim_is_one_statement(engine: Engine, sent: list[str]) -> None:
    """To look for work and to claim it has one way to the server, and what is claimed comes in the order of its turn."""
    storage = SqlStorage(engine)
    for tenant, key in ("uc", "ub", "va"):
        begin(storage, key, tenant=tenant, lane="x")
    begin(storage, "d", lane="y")
    begin(storage, "e", lane="x", priority=1)
    sent.clear()
    found = storage.claim_due(token="t", now=NOW, until=at(60), limit=3, lanes=("x",))
    assert sent == ["WITH"]
    assert [one.key for one, _ in found] == ["e", "a", "b"]
    assert storage.claim_due(token="t", now=NOW, until=at(60), limit=0, lanes=("x",)) == ()
    assert sent == ["WITH"]


@pytest.mark.parametrize("level", ["serializable", "repeatable read"])
def test_another_default_of_the_database(engine: Engine, level: str) -> None:
    """Whatever isolation a database has for those who name none, what is sent without a transaction is read committed."""
    options = f"-cdefault_transaction_isolation={level}".replace(" ", "\\ ")
    engine = engine_of(engine.url.update_query_dict({"options": options}))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
    engine.dispose()


def _lost(storage: Storage) -> Claim:
    held = claimed(storage, "a", "t")
    storage.release(held)
    return held


def test_what_does_not_fit_goes_the_long_way(engine: Engine, sent: list[str]) -> None:
    """Where the quick way finds other than it expects it does nothing; the long way says what is the matter, or does it."""
    storage = SqlStorage(engine)
    begin(storage, "a")
    with pytest.raises(Conflict, match="went on meanwhile"):
        go_on(storage, "a", 4)
    with pytest.raises(Conflict, match="no such journal"):
        go_on(storage, "b", 2)
    with pytest.raises(Conflict, match="claim was lost"):
        go_on(storage, "a", 2, claim=_lost(storage))
    assert storage.read("a") == entries("a", 1)
    storage.append(entries("a", 2), head("a", 2, tags=("new",)), expected=1)
    storage.append(entries("a", 3), head("a", 3, tags=("new",)), expected=2, letters=[letter("one")])
    storage.append(entries("a", *range(4, 40)), head("a", 39, tags=("new",)), expected=3)
    assert storage.heads(tag="new") == (head("a", 39, tags=("new",)),)
    assert storage.read("a") == entries("a", *range(1, 40))
    # The last two do not begin with it: letters, and many entries, are rare enough.
    assert sent.count("WITH") == 4


def test_an_entry_that_is_there_already(engine: Engine) -> None:
    """A journal with more entries than its head says takes nothing, and nothing of it is changed."""
    storage = SqlStorage(engine)
    begin(storage, "a")
    go_on(storage, "a", 2)
    with engine.begin() as connection:
        connection.execute(text("UPDATE cybertip_heads SET version = 1"))
    with pytest.raises(Conflict, match="went on meanwhile"):
        go_on(storage, "a", 2)
    found = storage.head("a")
    assert found is not None
    assert found.version == 1


def test_a_connection_that_lay_idle_for_long(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing tells that a connection was cut off, the server is asked after a while, and another is made."""
    storage = SqlStorage(engine)
    begin(storage, "a")
    with engine.connect() as connection:
        number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    other = create_engine(make_url(engine.url))
    with other.connect() as killer:
        killer.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
    other.dispose()
    monkeypatch.setattr(engines, "_has_news", lambda connection: False)
    monkeypatch.setattr(engines, "_IDLE", 0.0)
    go_on(storage, "a", 2)
    assert storage.read("a") == entries("a", 1, 2)
