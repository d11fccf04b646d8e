"""The store of lists holds what was last put on each, changes as a whole, and lets an index follow it."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from cybertip.adapters.matching.store import Found, HashStore, ListEntry, Mark
from cybertip.errors import AdapterError
from cybertip.ports.matching import (
    MD5,
    PDQ,
    PHOTODNA,
    SHA1,
    EntryId,
    HashType,
    ListName,
    MediaHash,
    MemberId,
    Verdict,
)

OURS, THEIRS = ListName("ours"), ListName("theirs")


def md5(number: int) -> MediaHash:
    return MediaHash(type=MD5, value=f"{number:032x}")


def pdq(number: int) -> MediaHash:
    return MediaHash(type=PDQ, value=f"{number:064x}")


def entry(name: str, *hashes: MediaHash, member: str | None = None, **more: Any) -> ListEntry:
    return ListEntry(entry=EntryId(name), member=None if member is None else MemberId(member), hashes=hashes, **more)


def put(store: HashStore, name: ListName, *entries: ListEntry) -> None:
    with store.changing(name) as change:
        for one in entries:
            change.put(one)


def names(found: tuple[Found, ...]) -> list[tuple[str, str, str]]:
    return sorted((one.list, one.member or "", one.entry) for one in found)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


@pytest.fixture
def store(path: Path) -> Any:
    with HashStore(path) as store:
        yield store


def test_every_entry_that_has_a_hash_is_found(store: HashStore) -> None:
    """The same hash on several lists, of several members, is as many entries, each with what its list says of it."""
    put(store, OURS, entry("a", md5(1), pdq(1), classification="A1"), entry("b", md5(2)))
    put(store, THEIRS, entry("a", md5(1), member="7", disputed=True), entry("a", md5(1), member="8"))
    found = store.find([md5(1), md5(1), md5(3)])
    assert names(found) == [("ours", "", "a"), ("theirs", "7", "a"), ("theirs", "8", "a")]
    by_member = {one.member: one for one in found}
    assert (by_member[None].classification, by_member[None].disputed, by_member[None].hash) == ("A1", False, md5(1))
    assert (by_member[MemberId("7")].disputed, by_member[MemberId("8")].disputed) == (True, False)
    assert store.find([]) == ()


def test_kinds_of_hashes_are_kept_apart(store: HashStore) -> None:
    """The same value is another hash in another kind, and values that nobody can parse are kept as they are."""
    other = HashType("netclean")
    put(
        store,
        OURS,
        entry("a", MediaHash(type=other, value="Ab=é\n")),
        entry("b", MediaHash(type=PHOTODNA, value="0" * 32)),
        entry("c", md5(0)),
    )
    assert names(store.find([MediaHash(type=other, value="Ab=é\n")])) == [("ours", "", "a")]
    assert names(store.find([MediaHash(type=other, value="ab=é\n")])) == []
    assert names(store.find([md5(0)])) == [("ours", "", "c")]
    assert store.counts() == {MD5: 1, other: 1, PHOTODNA: 1}
    assert store.kinds([MD5, SHA1, PDQ, other]) == {MD5, other}


def test_any_number_of_hashes_is_asked_for_at_once(store: HashStore) -> None:
    """Many hashes are looked up in one call, however many one statement takes."""
    put(store, OURS, *(entry(str(number), md5(number)) for number in range(0, 3000, 3)))
    assert len(store.find([md5(number) for number in range(3000)])) == 1000


def test_an_entry_that_comes_again_takes_the_place_of_the_one_before(store: HashStore) -> None:
    """An update replaces the whole entry: hashes that it does not have any more are not found."""
    put(store, OURS, entry("a", md5(1), pdq(1), classification="A1", disputed=True))
    put(store, OURS, entry("a", md5(2), pdq(1), classification="B2"))
    assert store.find([md5(1)]) == ()
    (found,) = store.find([md5(2)])
    assert (found.classification, found.disputed) == ("B2", False)
    assert store.counts() == {MD5: 1, PDQ: 1}


def test_a_kind_that_could_not_be_read_keeps_what_was_there(store: HashStore) -> None:
    """An update of which a hash is illegible replaces the rest, and does not lose the one that was known."""
    put(store, OURS, entry("a", md5(1), pdq(1)))
    with store.changing(OURS) as change:
        change.put(entry("a", md5(2)), keeping=[PDQ])
    assert store.counts() == {MD5: 1, PDQ: 1}
    assert names(store.find([pdq(1)])) == names(store.find([md5(2)])) == [("ours", "", "a")]


def test_what_is_removed_is_gone(store: HashStore) -> None:
    """A removed entry is not found, one of another member is; a cleared or dropped list has nothing."""
    put(store, OURS, entry("a", md5(1)), entry("a", md5(1), member="7"), entry("b", md5(1)))
    with store.changing(OURS) as change:
        change.remove(EntryId("a"))
        change.remove(EntryId("never there"))
    assert names(store.find([md5(1)])) == [("ours", "", "b"), ("ours", "7", "a")]
    put(store, THEIRS, entry("c", md5(1)))
    with store.changing(OURS) as change:
        change.clear()
    assert names(store.find([md5(1)])) == [("theirs", "", "c")]
    store.drop(THEIRS)
    assert store.find([md5(1)]) == ()
    assert [one.name for one in store.lists()] == ["ours"]


def test_a_change_is_there_as_a_whole_or_not_at_all(store: HashStore) -> None:
    """Entries, the time up to which a list is complete and its checkpoint are undone together, and the error is the
    caller's."""
    with store.changing(OURS) as change:
        change.put(entry("a", md5(1)))
        change.checkpoint = "first"
        change.complete(datetime(2026, 1, 1, tzinfo=UTC))
    before = store.lists(counted=True)

    def interrupted() -> None:
        with store.changing(OURS) as change:
            change.put(entry("b", md5(2)))
            change.remove(EntryId("a"))
            assert change.checkpoint == "first"
            change.checkpoint = "second"
            assert change.checkpoint == "second"
            change.complete(datetime(2026, 2, 1, tzinfo=UTC))
            raise KeyError("a fault of the caller")

    with pytest.raises(KeyError):
        interrupted()
    assert store.lists(counted=True) == before
    assert store.checkpoint(OURS) == "first"
    assert names(store.find([md5(1), md5(2)])) == [("ours", "", "a")]
    put(store, OURS, entry("c", md5(3)))
    assert len(store.find([md5(3)])) == 1


def test_a_killed_process_leaves_what_was_committed(path: Path) -> None:
    """A process that dies in the middle of a change leaves the list as it was before, and a store that works."""
    with HashStore(path) as store:
        put(store, OURS, entry("a", md5(1)))
    program = (
        "import os, sys, pathlib; from cybertip.adapters.matching.store import *; from cybertip.ports.matching import *\n"
        "store = HashStore(pathlib.Path(sys.argv[1]))\n"
        "with store.changing(ListName('ours')) as change:\n"
        "    change.clear()\n"
        "    for number in range(2000):\n"
        "        value = MediaHash(type=MD5, value=f'{number + 5:032x}')\n"
        "        change.put(ListEntry(entry=EntryId(str(number)), hashes=(value,)))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == -9
    with HashStore(path) as store:
        assert store.counts() == {MD5: 1}
        put(store, OURS, entry("b", md5(2)))
        assert store.counts() == {MD5: 2}


def test_readers_are_not_kept_waiting_by_a_change(store: HashStore) -> None:
    """While a change is under way, others read the list as it was; another change waits until the first is done."""
    put(store, OURS, entry("a", md5(1)))
    order: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with store.changing(THEIRS) as change:
            order.append("second")
            change.put(entry("z", md5(9)))

    with store.changing(OURS) as change:
        change.put(entry("b", md5(2)))
        thread = threading.Thread(target=second)
        thread.start()
        begun.wait()
        assert names(store.find([md5(1), md5(2)])) == [("ours", "", "a")]
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert len(store.find([md5(1), md5(2), md5(9)])) == 3


def test_times_are_kept_in_any_zone(store: HashStore) -> None:
    """The time up to which a list is complete is the same moment whatever zone it is given in, and needs one."""
    moment = datetime(2026, 1, 1, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=9)))
    with store.changing(OURS) as change:
        change.complete(moment)
        with pytest.raises(ValueError, match="zone"):
            change.complete(datetime(2026, 1, 1))  # noqa: DTZ001 # the mistake that is refused
    (found,) = store.lists()
    assert found.as_of == moment
    put(store, THEIRS)
    assert store.lists()[1].as_of is None


def test_a_verdict_outlasts_the_entry(store: HashStore) -> None:
    """What a person found stands when the list sends the entry again, and until the person says otherwise."""
    put(store, OURS, entry("a", md5(1), member="7"), entry("a", md5(1)))
    store.record(OURS, EntryId("a"), MemberId("7"), verdict=Verdict.FALSE_POSITIVE, reason="made up")
    put(store, OURS, entry("a", md5(1), member="7"))
    assert {one.member: one.disputed for one in store.find([md5(1)])} == {MemberId("7"): True, None: False}
    store.record(OURS, EntryId("a"), MemberId("7"), verdict=Verdict.CONFIRMED)
    assert not any(one.disputed for one in store.find([md5(1)]))


NAMES = st.sampled_from(["a", "b", "c"])
ENTRIES = st.builds(
    lambda name, member, numbers: entry(name, *(pdq(number) for number in numbers), md5(1), member=member),
    NAMES,
    st.sampled_from([None, "7"]),
    st.lists(st.integers(0, 9), max_size=3),
)
CHANGES = st.lists(
    st.one_of(
        ENTRIES.map(lambda one: ("put", one)),
        NAMES.map(lambda name: ("remove", name)),
        st.just(("clear", None)),
        st.just(("drop", None)),
        st.just(("nothing", None)),
    ),
    max_size=4,
)


@given(changes=st.lists(st.tuples(st.sampled_from([OURS, THEIRS]), CHANGES, st.booleans()), max_size=8))
@settings(max_examples=40)
def test_an_index_that_follows_the_changes_has_what_is_there(
    changes: list[tuple[ListName, list[tuple[str, Any]], bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whoever applies what happened since it last looked, as often as it likes, has the PDQ hashes that are in the store."""
    with HashStore(tmp_path_factory.mktemp("store") / "some.db") as store:
        mark: Mark | None = None
        mine: dict[int, bytes] = {}
        for name, steps, looks in [*changes, (OURS, [], True)]:
            with store.changing(name) as change:
                for step, given in steps:
                    if step == "put":
                        change.put(given)
                    elif step == "remove":
                        change.remove(EntryId(given))
                    elif step in ("clear", "drop"):
                        getattr(change, step)()
                    if step == "drop":
                        break
            if looks:
                since = store.since(mark)
                assert since is not None
                for id, value in since.added:
                    assert id not in mine
                    mine[id] = value
                for id in since.removed:
                    mine.pop(id, None)
                mark = since.mark
        everything = store.since(None)
        assert everything is not None
        assert dict(everything.added) == mine
        assert store.counts().get(PDQ, 0) == len(mine)
        numbered = store.numbered(list(mine))
        assert {id: one.hash.value for id, one in numbered.items()} == {id: value.hex() for id, value in mine.items()}


def test_a_hash_that_stays_keeps_its_number(store: HashStore) -> None:
    """An update that changes nothing of a hash is no news to an index."""
    put(store, OURS, entry("a", pdq(1), pdq(2)))
    first = store.since(None)
    assert first is not None
    put(store, OURS, entry("a", pdq(1), pdq(3), classification="A1"))
    second = store.since(first.mark)
    assert second is not None
    assert [value.hex() for _, value in second.added] == [pdq(3).value]
    assert second.removed == (first.added[1][0],)


def test_another_history_is_noticed(path: Path, tmp_path: Path) -> None:
    """A store that was restored from a backup, or is another one, does not pass for the one that an index followed."""
    backup = tmp_path / "backup.db"
    with HashStore(path) as store:
        put(store, OURS, entry("a", pdq(1)))
        early = store.since(None)
    shutil.copy(path, backup)
    with HashStore(path) as store:
        put(store, OURS, entry("b", pdq(2)))
        late = store.since(None)
    assert early is not None
    assert late is not None
    with HashStore(backup) as restored:
        assert restored.since(early.mark) is not None
        assert restored.since(late.mark) is None
        put(restored, OURS, entry("c", pdq(3)))
        assert restored.since(late.mark) is None
    with HashStore(tmp_path / "another.db") as another:
        assert another.since(early.mark) is None
        empty = another.since(None)
        assert empty is not None
        put(another, OURS, entry("a", pdq(1)))
        filled = another.since(empty.mark)
        assert filled is not None
        assert len(filled.added) == 1


def test_only_adapter_errors_get_out(path: Path, tmp_path: Path) -> None:
    """A closed store, a file that is none, one of another version and a folder are adapter's errors, and quote nothing."""
    store = HashStore(path)
    store.close()
    store.close()
    for call in (store.lists, store.counts, lambda: store.find([md5(1)]), lambda: store.since(None)):
        with pytest.raises(AdapterError, match="closed"):
            call()
    path.write_bytes(b"no database at all" * 100)
    (tmp_path / "folder").mkdir()
    for wrong in (path, tmp_path / "folder", tmp_path / "missing" / "some.db"):
        with pytest.raises(AdapterError) as refused:
            HashStore(wrong)
        assert isinstance(refused.value.__cause__, sqlite3.Error)
        assert str(tmp_path) not in str(refused.value)
    newer = tmp_path / "newer.db"
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(AdapterError, match="another version"):
        HashStore(newer)


def test_a_change_that_waits_too_long_says_so(path: Path) -> None:
    """A change that does not get its turn fails with an adapter's error and changes nothing."""
    with HashStore(path) as store, HashStore(path, wait_for=0.05) as impatient:
        with store.changing(OURS) as change:
            change.put(entry("a", md5(1)))
            with pytest.raises(AdapterError, match=r"HashStore\.changing failed"):
                put(impatient, OURS, entry("b", md5(2)))
        assert names(impatient.find([md5(1), md5(2)])) == [("ours", "", "a")]


def test_two_programs_use_one_file(path: Path) -> None:
    """What one program put on a list, another finds at once."""
    with HashStore(path) as one, HashStore(path) as other:
        put(one, OURS, entry("a", md5(1)))
        assert len(other.find([md5(1)])) == 1
        assert repr(one) == "<HashStore>"


def test_no_repr_of_changes_shows_a_hash(store: HashStore) -> None:
    """What an index catches up with is hashes of known material, which are not for logs."""
    put(store, OURS, entry("a", MediaHash(type=PDQ, value=b"canary of 32 bytes, all of them!".hex())))
    since = store.since(None)
    assert since is not None
    assert since.added
    assert "canary" not in repr(since)
