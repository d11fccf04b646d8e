"""What follows from a journal: of a submission, of a case or of a signal. Its first entry says whose it is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import attrs

from cybertip.cases import case as cases, events as case_events, placement
from cybertip.cases.stages import Stage
from cybertip.drivers import head_of
from cybertip.errors import UnknownEvent
from cybertip.filing import events as filing_events
from cybertip.filing.chain import Entry
from cybertip.filing.journal import Journal
from cybertip.filing.submission import Submission, apply

__all__ = ["Derived", "Impossible", "Unread", "derive"]

E = TypeVar("E")

#: What the head of a submission says that follows from its journal, besides version and digest.
_OF_SUBMISSIONS = ("status", "report_id", "priority", "tenant", "lane", "tags")
#: Where a case never rests.
_UNDER_WAY = frozenset({Stage.DECIDED, Stage.READY, Stage.FILED})


class Unread(Exception):
    """A newer program wrote in the journal: what follows from it is not known here, and nobody is accused."""


class Impossible(Exception):
    """An entry cannot have happened after the ones before it."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


@attrs.frozen(kw_only=True)
class Derived:
    """What follows from a journal."""

    #: What its head must say.
    head: Mapping[str, Any]
    #: Whether something is left to do, so that it must be due some time.
    is_open: bool


def derive(key: str, entries: Sequence[Entry]) -> Derived:
    """Return what follows from a whole journal; raise `Unread` or `Impossible` where nothing does."""
    return _DERIVE.get(entries[0].kind.partition(".")[0], _of_submission)(key, entries)


def _of_submission(key: str, entries: Sequence[Entry]) -> Derived:
    state: Submission | None = None
    for entry in entries:
        event = _read(filing_events.decode, key, entry)
        try:
            state = apply(key, state, event, entry.recorded_at)
        except UnknownEvent:
            raise Impossible(entry.version) from None
    assert state is not None
    head = head_of(Journal(key=key, state=state, version=len(entries)), None)
    return Derived(head={name: getattr(head, name) for name in _OF_SUBMISSIONS}, is_open=_has_more_to_do(state))


def _has_more_to_do(state: Submission) -> bool:
    if state.receipt is not None:
        return False
    waits_for_a_person = state.blocked is not None and state.escalated
    return state.attempt is not None or not (state.withdrawn or waits_for_a_person)


def _of_case(key: str, entries: Sequence[Entry]) -> Derived:
    version = 0

    def history() -> Iterator[tuple[case_events.Event, datetime]]:
        nonlocal version
        for entry in entries:
            version = entry.version
            yield _read(case_events.decode, key, entry), entry.recorded_at

    try:
        # In one go: a case may have 10,000 signals, and grows in place while it is folded.
        case = cases.fold(key, history())
    except UnknownEvent:
        raise Impossible(version) from None
    assert case is not None
    head = {
        "status": case.status,
        "report_id": case.report_id,
        "priority": case.priority,
        "tenant": case.organisation,
    }
    return Derived(head=head, is_open=case.stage in _UNDER_WAY)


def _of_signal(key: str, entries: Sequence[Entry]) -> Derived:
    journal = placement.SignalJournal(key=key)
    for number, entry in enumerate(entries, start=1):
        _read(placement.decode, key, entry)
        try:
            journal = placement.SignalJournal.of(key, entries[:number])
        except UnknownEvent:
            raise Impossible(entry.version) from None
    assert journal.received is not None
    head = {"status": str(journal.place), "tenant": journal.received.organisation}
    return Derived(head=head, is_open=journal.place is not placement.Place.PLACED)


_DERIVE: dict[str, Callable[[str, Sequence[Entry]], Derived]] = {"case": _of_case, "signal": _of_signal}


def _read(decode: Callable[..., E], key: str, entry: Entry) -> E:
    try:
        return decode(entry.kind, entry.data, key=key)
    except UnknownEvent as error:
        raise Unread from error
