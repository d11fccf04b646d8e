"""Ask how HMA stands: which banks are looked in, how old they are, and what keeps finding nothing from meaning anything."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from cybertip.adapters.matching.hma.answers import (
    Fetching,
    IndexState,
    Lag,
    Unanswered,
    banks_of,
    exchanges_of,
    fetching_of,
    ids_of,
    indexes_of,
    lags_of,
    readiness_of,
    routes_of,
    signal_of,
    signal_types_of,
)
from cybertip.adapters.matching.hma.effects import Ask, Plan
from cybertip.adapters.matching.hma.settings import HmaSettings, Signal
from cybertip.adapters.matching.hma.standing import Seen, Standing
from cybertip.ports.matching import ConsultedList, HashType, ListName, NotChecked, Readiness, Unchecked

__all__ = ["Survey"]

#: A time that lies further ahead is no time at which anything was complete; clocks differ by less.
_AHEAD: Final = timedelta(minutes=5)

#: Which entries are tried, to see whether an index that was built just now is loaded. Their numbers begin at one.
_TRIED: Final = range(1, 6)


class Survey:
    """Ask how HMA stands, and note what comes of it.

    Args:
        settings: what is to be looked in.
        now: the time at which it is asked.
        seen: what was seen of each index before; it is kept up.
    """

    def __init__(self, settings: HmaSettings, now: datetime, seen: dict[str, Seen]) -> None:
        self._settings = settings
        self._now = now
        self._seen = seen
        self._known: dict[str, Seen] = {}
        self._unchecked: list[Unchecked] = []
        self._warnings: list[str] = []
        self._sizes: dict[HashType, int] = {}
        self._matcher_is_well = True
        self._hasher_is_well = True

    def plan(self) -> Plan[Standing]:
        """Ask the matcher, then the curator and the hasher where they are needed."""
        status = yield from Ask(role="matcher", path="/status")
        if status.status is None:
            self._note(NotChecked.UNAVAILABLE, status.fault)
            return self._standing((), Readiness.UNAVAILABLE, reachable=False)
        try:
            readiness_of(status)
        except Unanswered as error:
            self._failed("the matcher", error)
        indexes = yield from self._indexes()
        if self._settings.curator is None:
            lists = self._without_curator(indexes)
        else:
            lists = yield from self._curated(indexes)
        if self._settings.send_bytes:
            yield from self._hasher()
        return self._standing(lists, self._readiness(), reachable=True)

    def _indexes(self) -> Plan[Mapping[str, IndexState]]:
        reply = yield from Ask(role="matcher", path="/m/index/status")
        try:
            found = indexes_of(reply)
        except Unanswered as error:
            self._failed("the matcher", error)
            return {}
        there = {}
        for signal in self._settings.signals:
            state = found.get(signal.name)
            if state is None:
                self._note(NotChecked.NO_LIST, f"HMA does not know the signal type {signal.name!r}", signal)
                continue
            self._sizes[signal.type] = state.size
            words = _nothing_in(signal, state)
            if words is not None:
                self._note(NotChecked.NO_LIST, words, signal)
                # Whatever is built next has to be loaded first.
                self._seen.pop(signal.name, None)
                continue
            there[signal.name] = state
            # Kept here, too: another thread may find the index gone meanwhile.
            self._known[signal.name] = self._seen.setdefault(signal.name, Seen(since=self._now))
        return there

    def _without_curator(self, indexes: Mapping[str, IndexState]) -> tuple[ConsultedList, ...]:
        if self._settings.whole_ratios:
            self._warnings.append("without a curator, an index is taken to be as old as the newest of its entries")
        else:
            self._note(NotChecked.UNAVAILABLE, "without a curator, nobody sees how often each bank is looked in")
        for name, one in indexes.items():
            if not self._known[name].is_loaded(self._now, one.built_to):
                self._note_unloaded(name)
        return tuple(self._list(f"{name} index", self._past(one.built_to), one.size) for name, one in indexes.items())

    def _curated(self, indexes: Mapping[str, IndexState]) -> Plan[tuple[ConsultedList, ...]]:
        """Return the banks that are looked in, and how old they are. After an answer that is none, no more is asked."""
        try:
            self._check_enabled(signal_types_of((yield from Ask(role="curator", path="/c/signal_type"))))
            banks = banks_of((yield from Ask(role="curator", path="/c/banks")))
            consulted = self._consulted(banks)
            for name, one in indexes.items():
                yield from self._look_whether_loaded(name, one, banks)
            lags = lags_of((yield from Ask(role="curator", path="/c/signal_type/index")))
            ages = [self._age(name, one.built_to, lags.get(name)) for name, one in indexes.items()]
            fed = exchanges_of((yield from Ask(role="curator", path="/c/exchanges")))
            for name in sorted(set(fed) - banks.keys()):
                # The bank that it fills was given another name, and may be any.
                ages.append((yield from self._fetched(name)))
            lists = []
            for name in consulted:
                fetched = [(yield from self._fetched(name))] if name in fed else []
                lists.append(self._list(name, _oldest(*ages, *fetched)) if indexes else _unlooked(name))
        except Unanswered as error:
            self._failed("the curator", error)
            return ()
        return tuple(lists)

    def _check_enabled(self, ratios: Mapping[str, float]) -> None:
        for signal in self._settings.signals:
            if ratios.get(signal.name, 1) <= 0:
                self._note(NotChecked.NO_LIST, f"the signal type {signal.name!r} is switched off in HMA", signal)

    def _look_whether_loaded(self, name: str, index: IndexState, banks: Iterable[str]) -> Plan[None]:
        """Note an index that was built and that the process does not look in yet; it looks in an empty one until then."""
        seen = self._known[name]
        if seen.is_loaded(self._now, None):
            return
        found = yield from self._found(name, banks)
        seen.loaded = bool(found)
        if found is False or not seen.is_loaded(self._now, index.built_to):
            self._note_unloaded(name)

    def _found(self, name: str, banks: Iterable[str]) -> Plan[bool | None]:
        """Look up entries that have to be found, and tell whether one is; None where none of the first is there."""
        outcome = None
        bank = next(iter(banks), "")
        for entry in _TRIED:
            path = f"/c/bank/{quote(bank, safe='', errors='replace')}/content/{entry}"
            shown = yield from Ask(role="curator", path=path, query=(("include_signals", "true"),))
            if shown.status == 200 and (value := signal_of(shown, name)) is not None:
                query = (("signal_type", name), ("signal", value))
                outcome = entry in ids_of((yield from Ask(role="matcher", path="/m/raw_lookup", query=query)))
            if outcome or shown.status is None:
                break
        return outcome

    def _note_unloaded(self, name: str) -> None:
        signal = next(one for one in self._settings.signals if one.name == name)
        words = f"the index of {name!r} was built just now, and is not known to be loaded: ask again in two minutes"
        self._note(NotChecked.NO_LIST, words, signal)

    def _hasher(self) -> Plan[None]:
        """Look whether there is something to send bytes to. Items that bring their hashes need none."""
        try:
            routes = routes_of((yield from Ask(role="hasher", path="/site-map")))
            if "/h/hash" in routes:
                return
            words = "its role is switched off"
        except Unanswered as error:
            words = str(error)
        self._warnings.append(f"the hasher: {words}")
        self._hasher_is_well = False

    def _age(self, name: str, built_to: datetime | None, lag: Lag | None) -> datetime | None:
        """Return when an index was last known to have everything that is in the banks."""
        if lag is not None and not lag.out_of_date:
            return self._known[name].in_step(self._now)
        self._warnings.append(f"the index of {name!r} has not caught up with the banks")
        known = (self._past(built_to), self._known[name].in_step_at)
        return max((one for one in known if one is not None), default=None)

    def _consulted(self, banks: Mapping[str, float]) -> list[str]:
        """Return the banks that are always looked in, and note those that are not."""
        wanted = self._settings.banks
        for name in sorted((wanted or frozenset()) - banks.keys()):
            self._note(NotChecked.NO_LIST, f"HMA has no bank {name!r}")
        consulted = []
        for name, ratio in banks.items():
            if wanted is not None and name not in wanted:
                continue
            if ratio >= 1:
                consulted.append(name)
            elif ratio > 0:
                words = f"HMA looks in the bank {name!r} for a share of {ratio:g} of all lookups: make it 1, or 0"
                self._note(NotChecked.NO_LIST, words)
            elif wanted is not None:
                self._note(NotChecked.NO_LIST, f"the bank {name!r} is switched off in HMA")
        if not consulted and not any(one.reason is NotChecked.NO_LIST for one in self._unchecked):
            self._note(NotChecked.NO_LIST, "HMA has no bank that it looks in")
        return consulted

    def _fetched(self, name: str) -> Plan[datetime | None]:
        """Return when a bank was last known to have everything that its exchange has."""
        path = f"/c/exchange/{quote(name, safe='', errors='replace')}/status"
        found = fetching_of((yield from Ask(role="curator", path=path)))
        if not (found.succeeded and found.up_to_date):
            self._warnings.append(f"the exchange of the bank {name!r} has not fetched all there is")
        return self._past(_complete(found))

    def _list(self, name: str, as_of: datetime | None, entries: int | None = None) -> ConsultedList:
        if as_of is None or as_of < self._now - self._settings.oldest:
            self._note(NotChecked.STALE_LIST, f"the list {name!r} is older than allowed, or never was complete")
        return ConsultedList(name=ListName(name), as_of=as_of, entries=entries)

    def _past(self, at: datetime | None) -> datetime | None:
        return None if at is None or at > self._now + _AHEAD else min(at, self._now)

    def _failed(self, who: str, error: Unanswered) -> None:
        if who == "the matcher" and error.reason is NotChecked.UNAVAILABLE:
            self._matcher_is_well = False
        self._note(error.reason, f"{who}: {error}")

    def _note(self, reason: NotChecked, words: str, signal: Signal | None = None) -> None:
        kind = signal.type if signal is not None else None
        one = Unchecked(matcher=self._settings.name, reason=reason, hash_type=kind)
        if one not in self._unchecked:
            self._unchecked.append(one)
        self._warnings.append(words)

    def _readiness(self) -> Readiness:
        if not self._matcher_is_well:
            return Readiness.UNAVAILABLE
        return Readiness.DEGRADED if self._unchecked or not self._hasher_is_well else Readiness.READY

    def _standing(self, lists: tuple[ConsultedList, ...], readiness: Readiness, *, reachable: bool) -> Standing:
        if self._settings.in_clear:
            self._warnings.append("HMA is asked over plain HTTP: whoever can listen learns what is looked up")
        return Standing(
            readiness=readiness,
            reachable=reachable,
            lists=lists,
            unchecked=tuple(self._unchecked),
            sizes=self._sizes,
            warnings=tuple(dict.fromkeys(self._warnings)),
            asked_at=self._now,
        )


def _nothing_in(signal: Signal, index: IndexState) -> str | None:
    """Say why nothing can be found in an index; None where something can."""
    if not index.present or index.size < 1:
        return f"there is no index of {signal.name!r}, or nothing in it"
    if index.size == 1 and signal.limit is not None:
        return f"the index of {signal.name!r} holds one hash, and HMA does not find it: add another"
    return None


def _complete(fetching: Fetching) -> datetime | None:
    return fetching.completed if fetching.succeeded and fetching.up_to_date else fetching.reached


def _unlooked(name: str) -> ConsultedList:
    """Return a list of which there is no index: that is said already, and its age matters to nobody."""
    return ConsultedList(name=ListName(name), as_of=None)


def _oldest(*times: datetime | None) -> datetime | None:
    """Return the oldest of some times; None is older than any, and there is none of nothing."""
    known = [one for one in times if one is not None]
    return min(known) if known and len(known) == len(times) else None
