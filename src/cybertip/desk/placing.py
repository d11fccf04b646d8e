"""How a signal gets into its case. The order of the steps is what `cybertip.cases.placement` promises.

A signal costs three commits: it is recorded with the case that is meant, it joins, and that is noted. None of them depends
on how much a case holds already: it goes on from its head, without being read.
"""

from datetime import datetime, timedelta

import attrs

from cybertip.cases import events
from cybertip.cases.case import status_when_joined
from cybertip.cases.events import Joined, Opened
from cybertip.cases.journal import CaseJournal
from cybertip.cases.placement import Place, Placed, Placing, Received, SignalJournal, Unresolved
from cybertip.cases.references import CaseId, UserRef
from cybertip.cases.routing import Destination, Routing
from cybertip.cases.signals import Signal
from cybertip.cases.stages import JOINABLE
from cybertip.desk.effects import Append, Failed, Find, Look, Now, Read, Resolve
from cybertip.desk.keys import case_key, number_of, signal_key, user_tag
from cybertip.desk.office import Office
from cybertip.errors import Conflict, NotNow, UnknownCase
from cybertip.filing.chain import following
from cybertip.filing.effects import Flow
from cybertip.ports.storage import Head

__all__ = ["receive", "resolve", "settle"]

#: How long whoever brings a signal to its case has for it; then somebody else takes over.
_TAKEN_OVER_AFTER = timedelta(minutes=1)
#: How often the host is asked again who made what a signal is about.
_ASKED_AGAIN_AFTER = timedelta(hours=1)
#: How often a step is tried when somebody else is always quicker; then it is left to those who take over.
_TRIES = 100
_PAGE = 100


def receive(office: Office, signal: Signal) -> Flow[SignalJournal]:
    """Record a signal and bring it to its case; the same signal again gives the same place.

    Raises `Conflict` where its id stands for another signal.
    """
    key = signal_key(office.organisation, office.environment.name, signal)
    journal = SignalJournal.of(key, (yield from Read(key)))
    if journal.received is None:
        now = yield from Now()
        journal = journal.then(Received(organisation=office.organisation, signal=signal), now)
        if signal.creator is None:
            # What may take long, or fail, comes after the signal is safe.
            journal = yield from _record(office, journal, due_at=now + _TAKEN_OVER_AFTER)
    if journal.signal == signal:
        journal = yield from _place(office, journal)
    if journal.signal != signal:
        raise Conflict("the id stands for another signal", key=key)
    return journal


def settle(office: Office, key: str) -> Flow[SignalJournal]:
    """Bring a signal to its case that somebody left on its way, or that nobody could resolve so far."""
    return (yield from _place(office, (yield from _read(office, key))))


def resolve(office: Office, key: str, user: UserRef) -> Flow[SignalJournal]:
    """Bring a signal to the case of whoever a person says made what it is about. Raises `NotNow` if it is elsewhere."""
    journal = yield from _place(office, (yield from _read(office, key)), user)
    if journal.user != user:
        raise NotNow("it is in the case of somebody else already", key=key)
    return journal


def _read(office: Office, key: str) -> Flow[SignalJournal]:
    """Read a signal. Raises `UnknownCase`; that of another organisation, or environment, looks no different."""
    head = yield from Look(key)
    if head is None or head.lane != office.signals or head.tenant != office.organisation:
        raise UnknownCase("there is no such signal", key=key)
    return SignalJournal.of(key, (yield from Read(key)))


def _place(office: Office, journal: SignalJournal, user: UserRef | None = None) -> Flow[SignalJournal]:
    """Take a signal on, step by step, until it is in a case or nobody knows whose it is."""
    for _ in range(_TRIES):
        try:
            match journal.place:
                case Place.PLACED:
                    return journal
                case Place.PLACING:
                    journal = yield from _join(office, journal)
                case Place.RECEIVED | Place.UNRESOLVED:
                    found = user or journal.signal.creator or (yield from Resolve(journal.signal))
                    if found is None or isinstance(found, Failed):
                        return (yield from _unresolved(office, journal))
                    journal = yield from _mean(office, journal, found)
        except Conflict:
            # Somebody was quicker: look again where it stands.
            journal = SignalJournal.of(journal.key, (yield from Read(journal.key)))
            if journal.received is None:
                raise
    return journal


def _unresolved(office: Office, journal: SignalJournal) -> Flow[SignalJournal]:
    """Leave a signal where people see it, and ask again later."""
    now = yield from Now()
    if journal.place is Place.RECEIVED:
        journal = journal.then(Unresolved(), now)
    return (yield from _record(office, journal, due_at=now + _ASKED_AGAIN_AFTER))


def _mean(office: Office, journal: SignalJournal, user: UserRef) -> Flow[SignalJournal]:
    """Record which case a signal is to join: the user's newest, or the one after it where that was decided."""
    tag = user_tag(office.organisation, office.environment.name, user)
    newest = yield from _newest(office, tag)
    now = yield from Now()
    if newest is None:
        case = case_key(tag, 1)
    elif newest.status in JOINABLE:
        case = CaseId(newest.key)
    else:
        case = case_key(tag, number_of(newest.key) + 1)
    meant = journal.then(Placing(case=case, user=user), now)
    return (yield from _record(office, meant, due_at=now + _TAKEN_OVER_AFTER))


def _newest(office: Office, tag: str) -> Flow[Head | None]:
    newest: Head | None = None
    while True:
        after = None if newest is None else newest.key
        page = yield from Find(lane=office.cases, tenant=office.organisation, tag=tag, after=after, limit=_PAGE)
        newest = page[-1] if page else newest
        if len(page) < _PAGE:
            return newest


def _join(office: Office, journal: SignalJournal) -> Flow[SignalJournal]:
    """Join the case that is meant; where its door is shut, and the signal is not in it, mean another."""
    case, user = journal.case, journal.user
    assert case is not None
    assert user is not None
    head = yield from Look(case)
    now = yield from Now()
    if head is None:
        yield from _open(office, journal, case, user, now)
    elif head.status in JOINABLE:
        yield from _add(office, journal.signal, head, now)
    elif not (yield from _is_in(case, journal.signal)):
        return (yield from _mean(office, journal, user))
    return (yield from _record(office, journal.then(Placed(case=case), now), due_at=None))


def _open(office: Office, journal: SignalJournal, case: CaseId, user: UserRef, now: datetime) -> Flow[None]:
    """Open a case with its first signal. Of two that open it at once, one conflicts, and then joins."""
    tag = user_tag(office.organisation, office.environment.name, user)
    number = number_of(case)
    opened = Opened(
        organisation=office.organisation,
        user=user,
        environment=office.purpose,
        predecessor=None if number == 1 else case_key(tag, number - 1),
    )
    joined = _joined(office, journal.signal)
    told = CaseJournal(key=case).then(opened, now).then(joined, now)
    head = Head(
        key=case,
        version=told.version,
        digest=told.digest,
        status=told.case.status,
        due_at=now if journal.signal.media else None,
        priority=told.case.priority,
        tenant=office.organisation,
        lane=office.cases,
        tags=_tags(tag, joined.queue),
    )
    yield from Append(entries=told.pending, head=head, expected=0)


def _add(office: Office, signal: Signal, head: Head, now: datetime) -> Flow[None]:
    """Join a case from its head alone: however much is in it, it need not be read."""
    joined = _joined(office, signal)
    kind, data = events.encode(joined)
    entry = following(head.key, head.version, head.digest, kind=kind, data=data, at=now)
    has_queue = any(tag.startswith("queue:") for tag in head.tags)
    after = attrs.evolve(
        head,
        version=entry.version,
        digest=entry.digest,
        status=status_when_joined(head.status, joined.to),
        priority=max(head.priority, joined.priority),
        # Its media are kept before they are gone; what was due stays due.
        due_at=now if signal.media else head.due_at,
        tags=head.tags if has_queue else (*head.tags, *_tags(None, joined.queue)),
    )
    yield from Append(entries=(entry,), head=after, expected=head.version)


def _is_in(case: CaseId, signal: Signal) -> Flow[bool]:
    journal = CaseJournal.of(case, (yield from Read(case)))
    return journal.state is not None and signal.id in journal.state.signals


def _joined(office: Office, signal: Signal) -> Joined:
    routing: Routing = office.rules.route(signal)
    queue = routing.queue
    if queue is None and routing.to is not Destination.NOTED:
        queue = office.profile.default_queue
    return Joined(signal=signal, to=routing.to, queue=queue, priority=routing.priority)


def _tags(user: str | None, queue: str | None) -> tuple[str, ...]:
    return tuple(tag for tag in (user, None if queue is None else f"queue:{queue}") if tag is not None)


def _record(office: Office, journal: SignalJournal, *, due_at: datetime | None) -> Flow[SignalJournal]:
    """Record what is pending of a signal's journal, and when somebody takes it up again."""
    head = Head(
        key=journal.key,
        version=journal.version,
        digest=journal.digest,
        status=str(journal.place),
        due_at=due_at,
        tenant=office.organisation,
        lane=office.signals,
    )
    yield from Append(entries=journal.pending, head=head, expected=journal.version - len(journal.pending))
    return journal.recorded()
