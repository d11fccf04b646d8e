"""What HMA says of its banks and indexes decides whether finding nothing means anything, and what `health` tells."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cybertip.adapters.matching.hma import VIDEOS, HmaSettings
from cybertip.ports.matching import MD5, PDQ, ItemId, MediaHash, MediaItem, NotChecked, Outcome, Readiness
from cybertip.testing.hma import Hma, running

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: How long a process may take to load an index that was built.
LOADS_FOR = timedelta(seconds=65)
KNOWN, FAR = "0f" * 32, "f0" * 32


class Clock:
    """A clock that is put forward, of the matcher and of HMA."""

    time = NOW

    def now(self) -> datetime:
        return self.time

    def seconds(self) -> float:
        return self.time.timestamp()

    def forward(self, **how: float) -> None:
        self.time += timedelta(**how)


@pytest.fixture
def time() -> Clock:
    return Clock()


@pytest.fixture
def hma(time: Clock) -> Hma:
    """A bank with two hashes."""
    double = Hma(now=time.seconds)
    double.bank("SYNTHETIC")
    double.add("SYNTHETIC", pdq=KNOWN)
    double.add("SYNTHETIC", pdq="00" * 32)
    return double


@pytest.fixture
def ask(colour: Any, time: Clock, url: str) -> Callable[..., Any]:
    """Return a function that asks about a hash, and how the matcher is: what it is called and its worst reason."""

    def asked(hash: str = FAR, *, url: str = url, **settings: Any) -> tuple[Any, Any, Any]:
        item = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value=hash),))
        made = HmaSettings.at(url, **settings) if "matcher" not in settings else HmaSettings(**settings)
        (result,) = colour.match(made, [item], clock=time)
        health = colour.health(made, clock=time)
        # It is ready if it can say that nothing is known, and not otherwise.
        assert (health.readiness is Readiness.READY) is (not result.unchecked)
        return result, result.reason, health

    return asked


def test_well(ask: Any) -> None:
    """Every bank that is looked in is named with its age, and there is nothing to warn of."""
    result, _, health = ask()
    assert result.outcome is Outcome.NO_MATCH
    assert [(one.name, one.as_of) for one in health.lists] == [("SYNTHETIC", NOW - LOADS_FOR)]
    assert health.hashes == {PDQ: 2}
    assert health.warnings == ()


def test_no_index(hma: Hma, ask: Any) -> None:
    """An index that was never built answers every lookup as if nothing were known."""
    hma.store.indexes.clear()
    result, reason, health = ask()
    assert (result.outcome, reason) == (Outcome.NOT_CHECKED, NotChecked.NO_LIST)
    assert health.readiness is Readiness.DEGRADED
    assert any("no index of 'pdq'" in one for one in health.warnings)


def test_an_index_that_is_built_and_not_loaded(hma: Hma, ask: Any, time: Clock) -> None:
    """Until a process has loaded its first index it looks in an empty one, while HMA says that the index is there: an entry
    that has to be found is looked up first."""
    hma.store.loaded.clear()
    assert hma.handle("GET", "/status").status == 200
    assert hma.handle("GET", f"/m/lookup?signal_type=pdq&signal={KNOWN}").body == b"{}\n"
    result, reason, health = ask(KNOWN)
    assert (result.outcome, reason) == (Outcome.NOT_CHECKED, NotChecked.NO_LIST)
    assert any("not known to be loaded" in one for one in health.warnings)
    hma.load()
    assert ask()[0].outcome is Outcome.NO_MATCH
    # An index of old entries may have been built just now, too.
    time.forward(minutes=4)
    hma.store.loaded.clear()
    assert ask(KNOWN)[1] is NotChecked.NO_LIST
    hma.load()
    assert ask()[0].outcome is Outcome.NO_MATCH
    # Where there is none of the first entries, their age has to do.
    hma.add("SYNTHETIC", pdq="ff" * 32)
    hma.store.content = {id + 10: one for id, one in hma.store.content.items()}
    assert ask()[1] is NotChecked.NO_LIST
    time.forward(minutes=4)
    assert ask()[0].outcome is Outcome.NO_MATCH


def test_what_was_once_loaded_stays_loaded(hma: Hma, colour: Any, url: str, time: Clock) -> None:
    """An index that is built again and again, with entries of just now, is tried but once."""
    item = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value=FAR),))

    def match(matcher: Any) -> Any:
        return matcher.match([item])

    def go_on(_: object) -> None:
        time.forward(minutes=1)
        hma.add("SYNTHETIC", pdq="ff" * 32)

    (result,) = colour.of(url, match, go_on, match, go_on, match, clock=time)
    assert result.outcome is Outcome.NO_MATCH
    assert len([one for one in hma.requests if one.path == "/m/raw_lookup"]) == 1


def test_an_index_of_one_hash(hma: Hma, ask: Any) -> None:
    """HMA loses an index of one hash when it saves it, so that finding nothing means nothing; `health` says what to do."""
    del hma.store.content[2]
    hma.build()
    assert hma.handle("GET", f"/m/lookup?signal_type=pdq&signal={KNOWN}").body == b"{}\n"
    result, reason, health = ask(KNOWN)
    assert (result.outcome, reason) == (Outcome.NOT_CHECKED, NotChecked.NO_LIST)
    assert any("holds one hash" in one for one in health.warnings)


def test_a_second_hash_is_found_once_it_is_loaded(hma: Hma, colour: Any, url: str, time: Clock) -> None:
    """What was looked in before the second hash is an index that finds nothing, however well that before it was known."""
    item = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value=KNOWN),))

    def match(matcher: Any) -> Any:
        time.forward(hours=1)
        return matcher.match([item])

    def remove(_: object) -> None:
        del hma.store.content[2]
        hma.build()

    def add(_: object) -> None:
        hma.loads = False
        hma.add("SYNTHETIC", pdq=FAR)

    (result,) = colour.of(url, match, remove, match, add, match, clock=time)
    assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, NotChecked.NO_LIST)
    hma.load()
    assert colour.match(url, [item], clock=time)[0].outcome is Outcome.POTENTIAL_MATCH


def test_an_index_of_one_video(hma: Hma, colour: Any, url: str) -> None:
    """Indexes of digests lose nothing."""
    hma.add("SYNTHETIC", video_md5="0" * 32)
    item = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=MD5, value="1" * 32),))
    (result,) = colour.match(HmaSettings.at(url, signals=[VIDEOS]), [item])
    assert result.outcome is Outcome.NO_MATCH


def test_readiness(hma: Hma, ask: Any) -> None:
    """A process that has not loaded its index, or not looked for a newer one, is not ready."""
    hma.readiness = "INDEX-NOT-LOADED"
    assert ask(KNOWN)[0].outcome is Outcome.NOT_CHECKED
    assert ask()[1] is NotChecked.NO_LIST
    hma.readiness = "INDEX-STALE"
    assert ask(KNOWN)[0].outcome is Outcome.POTENTIAL_MATCH
    assert ask()[1] is NotChecked.STALE_LIST


def test_an_index_that_lags(hma: Hma, ask: Any, time: Clock) -> None:
    """What was added since the index was built is not found: it is as old as its newest entry, as far as is known."""
    hma.builds = False
    time.forward(hours=5)
    hma.add("SYNTHETIC", pdq="ff" * 32)
    result, reason, health = ask()
    assert (result.outcome, reason) == (Outcome.NO_MATCH, None)
    assert result.list_as_of == NOW
    assert any("has not caught up" in one for one in health.warnings)
    assert ask(oldest=timedelta(hours=4))[1] is NotChecked.STALE_LIST
    hma.build()
    assert ask(oldest=timedelta(hours=4))[0].list_as_of == time.time - LOADS_FOR


def test_a_quiet_bank_is_not_old(hma: Hma, colour: Any, url: str, time: Clock) -> None:
    """Nothing was added for a month, and the index has all there is: it is of now. When something is added, it is as old as
    when that was last seen, and not a month."""
    time.forward(days=30)
    item = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value=FAR),))
    settings = HmaSettings.at(url, state_for=timedelta(0))

    def add(_: object) -> None:
        hma.builds = False
        time.forward(hours=1)
        hma.add("SYNTHETIC", pdq="ff" * 32)

    (before,) = colour.match(settings, [item], clock=time)
    assert before.outcome is Outcome.NO_MATCH
    assert before.list_as_of == time.time - LOADS_FOR
    health = colour.of(
        settings, lambda matcher: matcher.match([item]), add, lambda matcher: matcher.health(), clock=time
    )
    assert health.readiness is Readiness.READY
    assert health.lists[0].as_of == time.time - timedelta(hours=1) - LOADS_FOR
    # One that has never seen it knows no better.
    assert colour.health(settings, clock=time).readiness is Readiness.DEGRADED


def test_fractional_ratios(hma: Hma, ask: Any) -> None:
    """A bank that is looked in for a share of the lookups is no list in which something was not found."""
    hma.bank("SYNTHETIC", ratio=0.5)
    result, reason, health = ask()
    assert (result.outcome, reason) == (Outcome.NOT_CHECKED, NotChecked.NO_LIST)
    assert result.lists == ()
    assert any("a share of 0.5" in one for one in health.warnings)
    # Others are looked in; not all of it was.
    hma.bank("WHOLE")
    result, reason, health = ask()
    assert (result.outcome, reason) == (Outcome.NOT_CHECKED, NotChecked.NO_LIST)
    assert [one.name for one in result.lists] == ["WHOLE"]
    # Who does not want that bank misses nothing.
    assert ask(banks=["WHOLE"])[0].outcome is Outcome.NO_MATCH


def test_banks_that_are_off(hma: Hma, ask: Any) -> None:
    """A bank that somebody switched off is not looked in, and keeps nothing from being checked, unless it was asked for."""
    hma.bank("OFF", ratio=0)
    result, _, health = ask()
    assert result.outcome is Outcome.NO_MATCH
    assert [one.name for one in result.lists] == ["SYNTHETIC"]
    assert health.warnings == ()
    assert ask(banks=["OFF", "SYNTHETIC"])[1] is NotChecked.NO_LIST


def test_banks_that_are_not_there(ask: Any) -> None:
    """HMA finds nothing in a bank that it does not have, and says no word."""
    result, reason, health = ask(KNOWN, banks=["SYNTHETIK"])
    assert (result.outcome, reason) == (Outcome.NOT_CHECKED, NotChecked.NO_LIST)
    assert any("no bank 'SYNTHETIK'" in one for one in health.warnings)


def test_exchanges(hma: Hma, ask: Any, time: Clock) -> None:
    """A bank that an exchange fills is as old as what was last fetched whole."""
    fetched, reached = NOW - timedelta(hours=30), NOW - timedelta(hours=40)
    exchange = hma.exchange(
        "FED", last_fetch_complete_ts=int(fetched.timestamp()), checkpoint_ts=int(reached.timestamp())
    )
    exchange.status.update(last_fetch_succeeded=True, up_to_date=True)
    result, _, _ = ask()
    assert {one.name: one.as_of for one in result.lists} == {"SYNTHETIC": NOW - LOADS_FOR, "FED": fetched}
    exchange.status.update(last_fetch_succeeded=False)
    result, _, health = ask()
    assert result.list_as_of == reached
    assert any("has not fetched all" in one for one in health.warnings)
    assert ask(oldest=timedelta(hours=35))[1] is NotChecked.STALE_LIST
    exchange.status.update(checkpoint_ts=None)
    assert ask()[1] is NotChecked.STALE_LIST
    assert ask(banks=["SYNTHETIC"])[0].outcome is Outcome.NO_MATCH
    # A time that has not come yet is none.
    exchange.status.update(checkpoint_ts=int((NOW + timedelta(days=1)).timestamp()))
    assert ask()[1] is NotChecked.STALE_LIST


def test_an_exchange_whose_bank_was_renamed(hma: Hma, ask: Any) -> None:
    """Nobody can tell which bank it fills: none is younger than what it fetched."""
    fetched = NOW - timedelta(hours=30)
    hma.exchange("FED", last_fetch_complete_ts=int(fetched.timestamp()), last_fetch_succeeded=True, up_to_date=True)
    hma.store.remove_bank("FED")
    hma.bank("RENAMED")
    assert {one.as_of for one in ask()[0].lists} == {fetched}


def test_signals_that_are_off(hma: Hma, ask: Any) -> None:
    """A kind of hash that is switched off is not looked up."""
    hma.store.signals["pdq"] = 0
    assert ask(KNOWN)[1] is NotChecked.NO_LIST


def test_signals_that_hma_does_not_know(hma: Hma, ask: Any) -> None:
    """HMA looks up the kinds of hashes that it was installed with."""
    del hma.store.signals["pdq"]
    _, reason, health = ask(KNOWN)
    assert reason is NotChecked.NO_LIST
    assert any("does not know the signal type 'pdq'" in one for one in health.warnings)


class TestRoles:
    """Roles at addresses of their own, and roles that are off."""

    @pytest.fixture
    def urls(self, hma: Hma, time: Clock) -> Iterator[dict[str, str]]:
        """Three processes on one database."""
        parts: dict[str, Hma] = {role: Hma(roles=[role], now=time.seconds) for role in ("matcher", "hasher", "curator")}
        for part in parts.values():
            for name in ("banks", "content", "indexes", "loaded", "exchanges"):
                setattr(part.store, name, getattr(hma.store, name))
        with running(parts["matcher"]) as one, running(parts["hasher"]) as two, running(parts["curator"]) as three:
            yield {"matcher": one, "hasher": two, "curator": three}

    def test_three_addresses(self, urls: dict[str, str], ask: Any) -> None:
        """Each role is asked where it is."""
        assert ask(**urls)[0].outcome is Outcome.NO_MATCH
        assert ask(KNOWN, **urls)[0].outcome is Outcome.POTENTIAL_MATCH

    def test_bytes_to_three_addresses(
        self, hma: Hma, urls: dict[str, Any], colour: Any, unknown: MediaItem, time: Clock
    ) -> None:
        """Where the role that hashes is elsewhere, files go there and their hashes to the matcher."""
        settings = HmaSettings(**urls, send_bytes=True)
        (result,) = colour.match(settings, [unknown], clock=time)
        # It was hashed and looked up as it lies in the file, and not mirrored or turned.
        assert result.reason is NotChecked.MISSING_HASH
        assert len(result.hashes) == 1

    def test_no_curator(self, urls: dict[str, str], ask: Any, time: Clock) -> None:
        """Nobody can see how often banks are looked in: somebody has to vouch for that. An index is as old as its newest
        entry."""
        matcher = {"matcher": urls["matcher"]}
        assert ask(KNOWN, **matcher)[0].outcome is Outcome.POTENTIAL_MATCH
        _, reason, health = ask(**matcher)
        assert reason is NotChecked.UNAVAILABLE
        assert health.readiness is Readiness.DEGRADED
        time.forward(hours=5)
        result, _, health = ask(**matcher, whole_ratios=True)
        assert result.outcome is Outcome.NO_MATCH
        assert [(one.name, one.as_of, one.entries) for one in result.lists] == [("pdq index", NOW, 2)]
        assert health.warnings
        assert ask(**matcher, whole_ratios=True, oldest=timedelta(hours=4))[1] is NotChecked.STALE_LIST

    def test_a_curator_that_is_none(self, urls: dict[str, str], ask: Any) -> None:
        """A role that is off answers with a page, and is not there."""
        _, reason, health = ask(**{**urls, "curator": urls["matcher"]})
        assert reason is NotChecked.UNAVAILABLE
        assert any(one.startswith("the curator: HMA answered HTTP 404") for one in health.warnings)

    def test_a_matcher_that_is_none(self, urls: dict[str, str], ask: Any) -> None:
        """Without a matcher there is nothing to ask."""
        _, reason, health = ask(**{**urls, "matcher": urls["curator"]})
        assert reason is NotChecked.UNAVAILABLE
        assert health.readiness is Readiness.UNAVAILABLE

    def test_a_hasher_that_is_none(self, urls: dict[str, Any], colour: Any) -> None:
        """Whoever sends bytes is told that nobody takes them."""
        settings = HmaSettings(**{**urls, "hasher": urls["matcher"]}, send_bytes=True)
        health = colour.health(settings)
        assert health.readiness is Readiness.DEGRADED
        assert any(one.startswith("the hasher:") for one in health.warnings)


def test_nobody_listens(colour: Any) -> None:
    """Where nobody answers, everything is not checked at once, and `health` says why."""
    nowhere = "http://127.0.0.1:9"
    items = [MediaItem(id=ItemId(str(number)), media=b"synthetic") for number in range(3)]
    results = colour.match(nowhere, items)
    assert [(one.item, one.reason) for one in results] == [(str(number), NotChecked.UNAVAILABLE) for number in range(3)]
    health = colour.health(nowhere)
    assert health.readiness is Readiness.UNAVAILABLE
    assert "no connection" in health.warnings[0]


def test_plain_http_leaves_the_machine_only_if_it_is_let(recorded: Any, colour: Any) -> None:
    """Whoever can listen learns what is looked up: that has to be wanted, and is said."""
    with pytest.raises(ValueError, match="https"):
        HmaSettings.at("http://hma.example:5100")
    settings = HmaSettings.at("http://hma.example:5100", plain_http=True)
    health = colour.health(settings, http=colour.client(recorded), clock=recorded)
    assert health.readiness is Readiness.READY
    assert any("plain HTTP" in one for one in health.warnings)
    for quiet in ("https://hma.example", "http://localhost:5100", "http://[::1]:5100/"):
        warnings = colour.health(HmaSettings.at(quiet), http=colour.client(recorded), clock=recorded).warnings
        assert warnings == ()


def test_how_it_stands_is_believed_for_a_while(colour: Any, hma: Hma, url: str, time: Clock) -> None:
    """Each lookup is not preceded by six questions; but what stands ill is asked again each time."""
    item = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value=FAR),))

    def match(matcher: Any) -> Any:
        return matcher.match([item])

    def statuses() -> int:
        return len([one for one in hma.requests if one.path == "/status"])

    colour.of(url, match, match, match, clock=time)
    assert statuses() == 1
    colour.of(url, match, lambda _: time.forward(seconds=11), match, clock=time)
    assert statuses() == 3
    hma.readiness = "INDEX-STALE"
    colour.of(url, match, match, clock=time)
    assert statuses() == 5
