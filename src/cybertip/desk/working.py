"""What a worker does with a case: as much as can be done now, step by step, each recorded before the next begins.

| a case that is | is worked on by |
|---|---|
| yet to be decided | keeping the bytes of its files |
| decided | asking the platform what it knows, and keeping what belongs to the report besides |
| ready | handing its filing over for delivery |
| filed | looking whether NCMEC has it |

A worker that stops anywhere leaves the case due, and the next one goes on from what is recorded: what was begun and not
recorded is done again, and nothing that counts is done twice, for it has the same key, the same name or the same digest.
"""

from collections.abc import Callable
from datetime import datetime

from cybertip.cases.case import Case
from cybertip.cases.references import ItemRef
from cybertip.cases.stages import Stage
from cybertip.desk.enriching import enrich
from cybertip.desk.gathering import GATHERING, gather
from cybertip.desk.office import Office
from cybertip.desk.reporting import file, watch
from cybertip.desk.standing import Standing, look, rest
from cybertip.filing.effects import Flow

__all__ = ["work"]

#: How often a case is taken up again where it goes on while it is worked on; then it is left to whoever claims it next.
_ROUNDS = 20

#: Does what can be done, and returns when there is something to do again. A stage that changed is gone on with at once.
_Step = Callable[[Office, Standing], Flow[tuple[Standing, datetime | None]]]
_STEPS: dict[Stage, _Step] = {Stage.DECIDED: enrich, Stage.READY: file, Stage.FILED: watch}


def work(office: Office, key: str) -> Flow[Case]:
    """Take a case as far as it will go now, and record when there is something to do again. The caller has claimed it.

    Raises `Conflict` when the claim was lost: somebody else has the case then.
    """
    standing = yield from look(office, key)
    failed: dict[ItemRef, str] = {}
    for _ in range(_ROUNDS):
        surprises = standing.surprises
        standing, due_at = yield from _advance(office, standing, failed)
        if standing.surprises == surprises:
            standing = yield from rest(office, standing, due_at)
        if standing.surprises == surprises:
            break
        # Somebody recorded what was not known when the work began: it must not be put to rest unseen.
    return standing.case


def _advance(office: Office, standing: Standing, failed: dict[ItemRef, str]) -> Flow[tuple[Standing, datetime | None]]:
    """Do what can be done; what is urgent, a filing, goes before files that nobody has decided to report."""
    first = standing.case.stage
    due_at: datetime | None = None
    while (step := _STEPS.get(standing.case.stage)) is not None:
        stage = standing.case.stage
        standing, due_at = yield from step(office, standing)
        if standing.case.stage is stage:
            break
        due_at = None
    if first not in GATHERING:
        return standing, due_at
    standing, gather_at = yield from gather(office, standing, failed)
    return standing, min((at for at in (due_at, gather_at) if at is not None), default=None)
