"""A list is brought here whole, whatever happens on the way, and is kept up to date."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from cybertip.adapters.matching.local import LocalDigestMatcher
from cybertip.adapters.matching.sharing import HashSharingSync, HttpxHashSharing, Overtaken, Synced, WrongList
from cybertip.adapters.matching.store import HashStore
from cybertip.errors import AdapterError, Misunderstanding, NcmecError, NeverSent, TransportError, Unavailable
from cybertip.hash_sharing import HashSharingNotAllowed, HashSharingUnanswered, Pace, Source
from cybertip.ports.matching import (
    MD5,
    PDQ,
    SHA1,
    EntryId,
    HashType,
    ItemId,
    ListName,
    MediaHash,
    MediaItem,
    Outcome,
)
from cybertip.protocol import Credentials
from cybertip.testing.hash_sharing import Fault, HashSharingDouble

Sync = Callable[..., Synced]

NOW = datetime.now(UTC).replace(microsecond=0)
LIST = "synthetic"
CREDENTIALS = Credentials(username="sandbox", password="sandbox")

#: Each entry of a list: its classification, whether it is disputed, and its hashes.
Listed = dict[tuple[str, str], tuple[str | None, bool, frozenset[tuple[str, str]]]]


def expected(double: HashSharingDouble) -> Listed:
    """What a perfect sync has of a double."""
    return {
        key: (one.classification, one.disputed, frozenset((kind, value) for kind, value in one.fingerprints.items()))
        for key, one in double.entries().items()
        if one.fingerprints
    }


def stored(store: HashStore, double: HashSharingDouble) -> Listed:
    """What a store has, found by looking up every hash that the double ever had, and checked against its counts."""
    hashes = [
        MediaHash(type=HashType(kind), value=value)
        for state in double.states
        for kind, value in state.fingerprints.items()
    ]
    found: dict[tuple[str, str], Any] = {}
    for one in store.find(hashes):
        key = (one.member or "", one.entry)
        of_entry = found.setdefault(key, (one.classification, one.disputed, set()))
        assert (one.hash.type, one.hash.value) not in of_entry[2], "an entry is there twice"
        of_entry[2].add((one.hash.type, one.hash.value))
    listed = {key: (word, disputed, frozenset(some)) for key, (word, disputed, some) in found.items()}
    assert sum(store.counts().values()) == sum(len(some) for _, _, some in listed.values()), "more is there"
    return listed


def digits(number: int) -> dict[str, str]:
    """Hashes of a made-up entry."""
    return {MD5: f"{number:032x}", SHA1: f"{number:040x}", PDQ: f"{number:064x}"}


def test_a_list_is_brought_here(sync: Sync, store: HashStore, double: HashSharingDouble) -> None:
    """Every entry is there once, as it is at NCMEC; deleted ones are not; the list says up to when it is complete."""
    synced = sync()
    assert stored(store, double) == expected(double)
    assert len(expected(double)) == 12
    (listed,) = store.lists(counted=True)
    assert (listed.name, listed.entries, listed.as_of) == (LIST, 12, synced.until)
    assert synced.is_complete
    assert synced.until is not None
    assert timedelta(seconds=4) < datetime.now(UTC) - synced.until < timedelta(seconds=60)
    assert (synced.put, synced.removed, synced.unread, synced.unknown) == (12, 1, 0, 0)


def test_what_is_synced_is_found(sync: Sync, store: HashStore) -> None:
    """The exact matcher answers from the list as soon as the sync is through: matches, and no match in a young list."""
    sync()
    matcher = LocalDigestMatcher(store)
    known, unknown = ((MediaHash(type=MD5, value=one * 32), MediaHash(type=SHA1, value=one * 40)) for one in "38")
    items = [MediaItem(id=ItemId(name), hashes=hashes) for name, hashes in (("known", known), ("unknown", unknown))]
    first, second = matcher.match(items)
    assert (first.outcome, second.outcome) == (Outcome.POTENTIAL_MATCH, Outcome.NO_MATCH)
    (match,) = first.matches
    assert (match.list, match.member, match.entry, match.classification) == (LIST, "42", "image3", "A1")


class Later:
    """A clock that is put forward."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=5)


def test_a_second_run_asks_for_what_is_new(sync: Sync, store: HashStore, double: HashSharingDouble) -> None:
    """From the checkpoint on there is one small window; changes and tombstones since then are taken over."""
    first = sync()
    double.requests.clear()
    assert first.until is not None
    later = first.until + timedelta(seconds=1)
    double.put("image1", at=later, fingerprints=digits(1001))
    double.delete("image2", at=later)
    double.put("image4", at=later, fingerprints=digits(4))

    double.date = lambda: None  # its clock is not to be compared with one that is put forward
    second = sync(clock=Later())
    assert stored(store, double) == expected(double)
    assert (second.put, second.removed, second.pages) == (2, 1, 1)
    since = (first.until - timedelta(seconds=1)).strftime("%Y-%m-%dT%H%%3A%M%%3A%SZ")
    assert [path for path in double.requests if "entries" in path] == [
        path for path in double.requests if f"from={since}" in path
    ]


DEATHS = st.lists(st.integers(0, 12), max_size=3)


@given(
    deaths=DEATHS,
    seed=st.integers(0, 99),
    page_size=st.sampled_from([1, 2, 5, 50]),
    most=st.sampled_from([6, 1000]),
    ends=st.sampled_from(["(]", "[)", "()"]),
    history=st.booleans(),
    upper=st.booleans(),
    dense=st.integers(0, 8),
)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_disorder_and_any_deaths_lead_to_the_same_list(
    tmp_path_factory: pytest.TempPathFactory,
    double: HashSharingDouble,
    source: Source,
    deaths: list[int],
    seed: int,
    page_size: int,
    most: int,
    ends: str,
    history: bool,
    upper: bool,
    dense: int,
) -> None:
    """Over HTTP and into a real store: every entry once, every tombstone honoured, in any order of pages and wherever the
    sync was broken off."""
    double.seed, double.page_size, double.ends = seed, page_size, ends
    double.sends_history, double.upper_case = history, upper
    for number in range(dense):
        double.put(f"dense{number}", at=NOW - timedelta(days=300), fingerprints=digits(500 + number))
    with (
        HashStore(tmp_path_factory.mktemp("store") / "lists.db") as store,
        HttpxHashSharing(source, CREDENTIALS) as ncmec,
    ):

        def run(pages: int) -> bool:
            left = [pages]

            def progress(_: Synced) -> None:
                left[0] -= 1
                if left[0] < 0:
                    raise InterruptedError

            try:
                HashSharingSync(store, ncmec, pace=Pace(most=most), progress=progress).run()
            except InterruptedError:
                return False
            return True

        for pages in deaths:
            run(pages)
        assert run(10**6)
        assert stored(store, double) == expected(double)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
def test_a_machine_far_from_utc_misses_nothing(
    sync: Sync, store: HashStore, double: HashSharingDouble, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fourteen hours ahead or five behind, the list is the one that every other machine has, and as old."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        assert time.timezone != 0
        synced = sync(pace=Pace(most=5))
    time.tzset()
    assert stored(store, double) == expected(double)
    assert synced.until is not None
    assert abs(datetime.now(UTC) - synced.until) < timedelta(minutes=1)


def test_the_checkpoint_and_the_entries_are_there_together(
    sync: Sync, store: HashStore, double: HashSharingDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the transaction of a page fails, neither of the two is there, and the next run has both."""
    from cybertip.adapters.matching.rows import Change

    def fail(*_: Any) -> None:
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(Change, "complete", fail)
        with pytest.raises(InterruptedError):
            sync(pace=Pace(most=1000))
    double.page_size = 50
    with monkeypatch.context() as patch:
        patch.setattr(Change, "complete", fail)
        with pytest.raises(InterruptedError):
            sync()
    assert store.lists()[0].as_of is None
    sync()
    assert stored(store, double) == expected(double)


def test_what_is_unknown_or_broken_costs_nothing_else(sync: Sync, store: HashStore, double: HashSharingDouble) -> None:
    """Unknown elements, unknown kinds of hashes and hashes of the wrong length are counted; all that can be kept is."""
    double.more = "<audios count='1'><audio><id>x</id></audio></audios>"
    double.put("odd", at=NOW - timedelta(days=1), fingerprints={MD5: "f" * 31, "newhash": "Abc"}, more="<mood>x</mood>")
    synced = sync()
    assert synced.unread == 1
    assert synced.unknown > 1
    kept = store.counts()
    assert kept[HashType("newhash")] == 1
    assert kept[MD5] == 12


def test_a_hash_that_cannot_be_read_any_more_stays_as_it_was(
    sync: Sync, store: HashStore, double: HashSharingDouble
) -> None:
    """An illegible hash does not take the place of the one that was known: what has it is found as before."""
    first = sync()
    assert first.until is not None
    (before,) = [one for (_, name), one in double.entries().items() if name == "image1"]
    pdq = MediaHash(type=PDQ, value=before.fingerprints[PDQ])
    assert store.find([pdq])
    double.put("image1", at=first.until + timedelta(seconds=1), fingerprints={MD5: "d" * 32, PDQ: "f" * 63})
    double.date = lambda: None  # its clock is not to be compared with one that is put forward
    assert sync(clock=Later()).unread == 1
    assert [one.entry for one in store.find([pdq])] == ["image1"]
    assert [one.entry for one in store.find([MediaHash(type=MD5, value="d" * 32)])] == ["image1"]


def test_clocks_that_disagree_skip_nothing(sync: Sync, store: HashStore, double: HashSharingDouble) -> None:
    """Where this machine's clock is ahead, NCMEC's counts: what is still to come would be taken for seen."""
    true = datetime.now(UTC)
    double.date = lambda: true - timedelta(hours=2)
    synced = sync()
    assert synced.until == (true - timedelta(hours=2, seconds=5)).replace(microsecond=0)
    double.put("late", at=true - timedelta(hours=1), fingerprints=digits(7777))
    double.date = lambda: true
    sync()
    assert stored(store, double) == expected(double)
    double.date = lambda: true + timedelta(days=400)
    assert sync().until < true + timedelta(minutes=1)  # type: ignore[operator] # it is complete


# -- trouble -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault(at=2, times=3, status=503),
        Fault(at=2, times=2, status=429),
        Fault(at=2, times=2, cut=0),
        Fault(at=2, times=2, cut=0.5),
        Fault(at=2, times=2, status=200, body=b"<html><body>Back soon</body></html>"),
        Fault(at=2, times=2, status=302, headers={"Location": "https://example.com/"}),
    ],
    ids=str,
)
def test_trouble_that_passes_is_waited_out(
    sync: Sync, store: HashStore, double: HashSharingDouble, pauses: list[float], fault: Fault
) -> None:
    """An error, a broken line and a page of somebody else's are asked again for, after pauses that grow."""
    double.faults.append(fault)
    sync()
    assert stored(store, double) == expected(double)
    assert len(pauses) == fault.times
    assert pauses == sorted(pauses)
    assert pauses[0] >= 0.5


def test_trouble_that_stays_ends_the_sync_and_loses_nothing(
    sync: Sync, store: HashStore, double: HashSharingDouble, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """After some tries the sync gives up with the last error; what was kept is whole, and the next run goes on."""
    double.faults.append(Fault(at=4, times=99, status=503))
    with caplog.at_level(logging.WARNING, "cybertip"), pytest.raises(Unavailable):
        sync(pace=Pace(most=4))
    assert len(pauses) == 5
    assert len(caplog.messages) == 5
    assert "asking again in" in caplog.messages[0]
    double.faults.clear()
    sync()
    assert stored(store, double) == expected(double)


def test_who_asks_for_patience_gets_it(sync: Sync, double: HashSharingDouble, pauses: list[float]) -> None:
    """Retry-After is the least that is waited, up to a bound."""
    double.faults += [
        Fault(at=1, status=503, headers={"Retry-After": "40"}),
        Fault(at=2, status=503, headers={"Retry-After": "999999"}),
    ]
    sync()
    assert pauses == [40, 900]


def test_refused_credentials_are_asked_for_again_once(
    sync: Sync, store: HashStore, double: HashSharingDouble, pauses: list[float], tmp_path: Path
) -> None:
    """New credentials take the place of old ones in the middle of a sync; if these are refused, too, it ends at once. None
    of them is in any file."""
    given = iter(["canary-old", "canary-new", "canary-wrong", "canary-wrong"])
    double.password = "canary-old"

    def provider() -> Credentials:
        return Credentials(username="sandbox", password=next(given))

    def change(password: str) -> Callable[[], None]:
        return lambda: setattr(double, "password", password)

    double.faults += [Fault(at=2, status=401, then=change("canary-new")), Fault(at=6, status=401, then=change("other"))]
    with pytest.raises(HashSharingNotAllowed) as refused:
        sync(credentials=provider)
    assert pauses == []
    assert next(given, None) is None or "canary" not in str(refused.value)
    assert not any(b"canary" in file.read_bytes() for file in tmp_path.iterdir())


def test_a_list_of_another_address_or_kind_is_left_alone(
    sync: Sync, store: HashStore, double: HashSharingDouble
) -> None:
    """Entries of two environments, or of a file and a service, never mix: nothing is changed."""
    sync()
    with HashSharingDouble() as another:
        source = Source(list=LIST, url=another.url)
        with HttpxHashSharing(source, CREDENTIALS) as sharing, pytest.raises(WrongList, match="another address"):
            HashSharingSync(store, sharing).run()
    assert stored(store, double) == expected(double)
    with store.changing(ListName("ours")) as change:
        change.remove(EntryId("x"))
    with HttpxHashSharing(Source(list="ours", url=double.url), CREDENTIALS) as sharing:
        with pytest.raises(WrongList, match="another way"):
            HashSharingSync(store, sharing).run()
        with store.changing(ListName("ours")) as change:
            change.checkpoint = "something else"
        with pytest.raises(WrongList, match="not written by a sync"):
            HashSharingSync(store, sharing).run()


def test_the_last_of_two_syncs_to_begin_goes_on(sync: Sync, store: HashStore, double: HashSharingDouble) -> None:
    """What the first has read may be older than what the second has kept: it writes nothing more, and says why."""
    begun, done = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert done.wait(30)

    double.faults.append(Fault(at=3, then=hold))
    failed: list[BaseException] = []

    def first() -> None:
        try:
            sync()
        except Overtaken as error:
            failed.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(30)
    double.put("image7", at=NOW - timedelta(seconds=20), fingerprints=digits(7007))
    assert sync().is_complete
    done.set()
    thread.join()
    assert "another sync" in str(failed[0])
    assert stored(store, double) == expected(double)
    assert sync().is_complete


def test_a_store_that_fails_says_so(sync: Sync, tmp_path: Path) -> None:
    """A closed store is the store's failure, and nothing of NCMEC's."""
    closed = HashStore(tmp_path / "closed.db")
    closed.close()
    with pytest.raises(AdapterError, match="closed"):
        sync(store=closed)


def test_who_watches_sees_how_far_it_is(sync: Sync) -> None:
    """After each page there is one report; the numbers only grow, and the last one is what is returned."""
    seen: list[Synced] = []
    synced = sync(progress=seen.append)
    assert seen[-1] == synced
    assert [one.pages for one in seen] == list(range(1, synced.pages + 1))
    assert synced.pages > 3


@pytest.mark.parametrize("error", [NcmecError, TransportError, Misunderstanding])
def test_what_a_watcher_raises_is_its_own(dying: Callable[..., None], error: type[Exception]) -> None:
    """An exception of the progress hook ends the sync as it is."""

    def progress(_: Synced) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        dying(error, progress=progress)


def test_a_provider_that_fails_sends_nothing(sync: Sync, double: HashSharingDouble, pauses: list[float]) -> None:
    """The host's secret store is away: nothing leaves, its words are not repeated, and it is asked again."""
    asked = []

    def provider() -> Credentials:
        asked.append(time.monotonic())
        if len(asked) == 1:
            raise RuntimeError("canary")
        return CREDENTIALS

    assert sync(credentials=provider).is_complete
    assert len(asked) == 2
    assert len(pauses) == 1


def test_an_unanswered_call_is_told_as_one_that_may_be_repeated(source: Source, double: HashSharingDouble) -> None:
    """The wire's errors say what is known; none names the address or what came."""
    with HttpxHashSharing(source, CREDENTIALS) as sharing:
        double.faults.append(Fault(cut=0.3))
        with pytest.raises(HashSharingUnanswered, match="safe to try again"):
            sharing.status()
        double.close()
        with pytest.raises((NeverSent, HashSharingUnanswered)):
            sharing.status()
