"""What some database could not keep is refused by each, before anything is written."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.adapters.storage.sql import SqlStorage
from cybertip.errors import AdapterError
from cybertip.ports.storage import Claim, Storage
from cybertip.testing.conformance.storage.samples import NOW, at, begin, claimed, entries, go_on, head, letter

_BAD: dict[str, Callable[[Storage], Any]] = {
    "a long key": lambda s: begin(s, "k" * 256),
    "a long status": lambda s: begin(s, "a", status="s" * 256),
    "a long tenant": lambda s: begin(s, "a", tenant="t" * 256),
    "a long lane": lambda s: begin(s, "a", lane="l" * 256),
    "a long tag": lambda s: begin(s, "a", tags=("t" * 256,)),
    "a long topic": lambda s: begin(s, "a", letters=[letter("one", topic="t" * 256)]),
    "a long letter's id": lambda s: begin(s, "a", letters=[letter("o" * 601)]),
    "a long digest": lambda s: s.append(entries("a", 1), attrs.evolve(head("a", 1), digest="0" * 65), expected=0),
    "a NUL": lambda s: begin(s, "a\0"),
    "a NUL in the data": lambda s: s.append(entries("a", 1, data="\0"), head("a", 1), expected=0),
    "a surrogate": lambda s: s.append(entries("a", 1, data="\ud800"), head("a", 1), expected=0),
    "a time without zone": lambda s: begin(s, "a", due_at=datetime(2026, 1, 1)),  # noqa: DTZ001 - what is refused
    "a time beyond the calendar": lambda s: begin(
        s, "a", due_at=datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))
    ),
    "another key": lambda s: s.append(entries("b", 1), head("a", 1), expected=0),
    "a gap": lambda s: s.append(entries("a", 1, 3), head("a", 3), expected=0),
    "another version": lambda s: s.append(entries("a", 1), head("a", 2), expected=0),
    "no entry at all": lambda s: s.append((), head("a", 0), expected=0),
    "one id twice": lambda s: begin(s, "a", letters=[letter("one"), letter("one")]),
    "a long token": lambda s: s.claim("a", token="t" * 256, now=NOW, until=NOW),
    "a long claim": lambda s: go_on(s, "a", 2, claim=Claim(key="a", token="t" * 256, until=NOW)),
}


@pytest.fixture(params=["memory", "sql"])
def storage(request: pytest.FixtureRequest, sql_storage: SqlStorage) -> Storage:
    return MemoryStorage() if request.param == "memory" else sql_storage


@pytest.mark.parametrize("what", _BAD)
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_refused(storage: Storage, what: str) -> None:
    """It is an error of the port that says what is wrong and quotes nothing, and nothing was done."""
    with pytest.raises(AdapterError, match="nothing was done") as caught:
        _BAD[what](storage)
    assert "kkk" not in str(caught.value)
    assert storage.heads() == ()
    assert storage.take_letters(now=NOW, until=at(60), limit=9) == ()
    begin(storage, "a")


def test_kept_at_the_limit(sql_storage: SqlStorage) -> None:
    """The longest names of the widest characters are kept by every database, and are told apart by their last."""
    wide = "\U0001f600" * 254
    for last in "ab":
        begin(
            sql_storage,
            wide + last,
            status=wide,
            tenant=wide,
            lane=wide,
            tags=(wide,),
            letters=[letter(wide * 2 + last)],
        )
        claimed(sql_storage, wide + last, wide)
    assert [one.key[-1] for one in sql_storage.heads(tag=wide, status=wide, tenant=wide)] == ["a", "b"]
    assert [one.id[-1] for one in sql_storage.take_letters(now=NOW, until=at(60), limit=9)] == ["a", "b"]


def test_many_megabytes(sql_storage: SqlStorage) -> None:
    """An entry of eight megabytes comes back as it was."""
    text = '{"é":"\U0001f600\\u0000"}' * 400_000
    sql_storage.append(entries("a", 1, data=text), head("a", 1), expected=0)
    assert sql_storage.read("a")[0].data == text


def test_times(sql_storage: SqlStorage) -> None:
    """A time is the same point in time afterwards, to the microsecond, whatever its zone; so are the calendar's ends."""
    zone = ZoneInfo("America/New_York")
    times = [datetime(2026, 11, 1, 1, 30, 0, 999_999, tzinfo=zone, fold=fold) for fold in (0, 1)] + [
        datetime.min.replace(tzinfo=NOW.tzinfo),
        datetime.max.replace(tzinfo=NOW.tzinfo),
        NOW - timedelta(days=40_000),
    ]
    for number, time in enumerate(times):
        begin(sql_storage, str(number), due_at=time)
    kept = [one.due_at for one in sql_storage.heads()]
    assert [one and one.isoformat() for one in kept] == [time.astimezone(NOW.tzinfo).isoformat() for time in times]


def test_many_at_a_time(sql_storage: SqlStorage) -> None:
    """Long journals, many letters and many claims at a time are no trouble."""
    versions = range(1, 2001)
    sql_storage.append(
        entries("a", *versions), head("a", 2000), expected=0, letters=[letter(f"{number}") for number in versions]
    )
    assert len(sql_storage.read("a")) == 2000
    assert len(sql_storage.take_letters(now=NOW, until=at(60), limit=2000)) == 2000
    for number in range(300):
        begin(sql_storage, f"{number}")
    assert len(sql_storage.claim_due(token="t", now=NOW, until=at(60), limit=1000)) == 301
