"""A case in a worker's hands: where it stands, what is recorded of it next, and when somebody is to look again."""

from collections.abc import Callable
from datetime import datetime

import attrs

from cybertip.cases.case import Case
from cybertip.cases.events import Event
from cybertip.cases.journal import CaseJournal
from cybertip.desk.effects import Append, Look, Now
from cybertip.desk.letters import letter_of
from cybertip.desk.office import Office
from cybertip.desk.reviewing import head_after, load
from cybertip.errors import Conflict
from cybertip.filing.effects import Flow
from cybertip.ports.storage import Head

__all__ = ["NOTHING", "Happens", "Standing", "Step", "look", "look_again", "record", "rest"]

#: How often a step is decided anew where somebody else is always quicker.
_TRIES = 20


@attrs.frozen(kw_only=True)
class Standing:
    """A case as it was read, or recorded, last."""

    journal: CaseJournal
    head: Head
    #: How often it was read again because somebody else had recorded something.
    surprises: int = 0

    @property
    def case(self) -> Case:
        """What follows from its events."""
        return self.journal.case


@attrs.frozen
class Happens:
    """What is to happen to a case. The last event is the one that letters are posted about."""

    events: tuple[Event, ...] = ()
    #: What the platform and the host are told of, by the names that `Overdue` has for it.
    letters: tuple[str, ...] = ()


NOTHING = Happens()
#: Returns what is to happen to a case, as it stands at a time.
Step = Callable[[Case, datetime], Happens]


def look(office: Office, key: str) -> Flow[Standing]:
    """Read a case. Raises `UnknownCase`."""
    journal, head = yield from load(office, key)
    return Standing(journal=journal, head=head)


def record(office: Office, standing: Standing, step: Step, *, claimed: bool = True) -> Flow[Standing]:
    """Let something happen to a case; decide anew where somebody was quicker. Raises `Conflict` when the claim was lost.

    With a claim the case stays due, for whoever comes next should this worker stop; without one, what is due stays due.
    """
    for _ in range(_TRIES):
        now = yield from Now()
        happens = step(standing.case, now)
        if not happens.events:
            return standing
        journal = standing.journal
        for event in happens.events:
            journal = journal.then(event, now)
        head = head_after(office, standing.head, journal, due_at=now if claimed else standing.head.due_at)
        letters = tuple(letter_of(office, journal.key, journal.version, of, due_at=now) for of in happens.letters)
        append = Append(
            entries=journal.pending, head=head, expected=standing.head.version, letters=letters, claimed=claimed
        )
        try:
            yield from append
        except Conflict:
            standing = yield from _again(office, standing)
            continue
        return attrs.evolve(standing, journal=journal.recorded(), head=head)
    raise Conflict("it is changed all the time", key=standing.head.key)


def rest(office: Office, standing: Standing, due_at: datetime | None) -> Flow[Standing]:
    """Record when somebody is to look again, or that nobody need; where the case went on meanwhile, return it unrested."""
    head = attrs.evolve(standing.head, due_at=due_at)
    try:
        yield from Append(entries=(), head=head, expected=head.version, claimed=True)
    except Conflict:
        return (yield from _again(office, standing))
    return attrs.evolve(standing, head=head)


def look_again(office: Office, standing: Standing) -> Flow[Standing]:
    """Read a case again if somebody recorded something since."""
    head = yield from Look(standing.head.key)
    if head is not None and head.version == standing.head.version:
        return standing
    return (yield from _again(office, standing))


def _again(office: Office, standing: Standing) -> Flow[Standing]:
    """Read a case after a conflict. Where nothing was recorded meanwhile, it was the claim that was lost."""
    present = yield from look(office, standing.head.key)
    if present.head.version == standing.head.version:
        raise Conflict("the claim was lost", key=standing.head.key)
    return attrs.evolve(present, surprises=standing.surprises + 1)
