"""A courier and a desk in one worker: one delivers what is filed, the other does all of cases that no person has to do."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from cybertip.cases.stages import Stage
from cybertip.cli.outcome import Outcome, warn

if TYPE_CHECKING:
    from cybertip.courier import Courier
    from cybertip.desk.desks import CaseDesk
    from cybertip.desk.office import Office
    from cybertip.ports.storage import Storage

__all__ = ["left_of_cases", "side_by_side", "works"]

#: What comes up again so soon is waited for: a desk looks a second later what became of what it filed.
_SHORTLY = timedelta(seconds=2)

_UNDER_WAY = (Stage.DECIDED, Stage.READY, Stage.FILED)


def works(
    courier: "Courier",
    desk: "CaseDesk | None",
    office: "Office | None",
    stop: threading.Event,
    *,
    concurrency: int,
    until_idle: bool,
) -> list[Callable[[], None]]:
    """Return what is to be done at the same time."""
    deliver = partial(courier.run_until_stopped, stop, concurrency=concurrency, until_idle=until_idle)
    if desk is None or office is None:
        return [deliver]
    if until_idle:
        return [partial(_in_turn, deliver, desk, courier.storage, office, stop)]
    return [deliver, partial(desk.run_until_stopped, stop)]


def side_by_side(works: Sequence[Callable[[], None]], stop: threading.Event) -> None:
    """Do each in a thread of its own; if one fails, the others end, too, and the failure is raised.

    Signals are handled in this thread, which must not hold what their handler needs.
    """
    with ThreadPoolExecutor(len(works), thread_name_prefix="cybertip-worker") as pool:
        for done in as_completed([pool.submit(one) for one in works]):
            if done.exception() is not None:
                stop.set()
                # Leaving waits for the others.
                done.result()


def _in_turn(
    deliver: Callable[[], None], desk: "CaseDesk", storage: "Storage", office: "Office", stop: threading.Event
) -> None:
    """Do what can be done now, until neither leaves the other anything."""
    while True:
        while not stop.is_set() and desk.run_due(limit=1):
            pass
        # Not at the same time: the desk has to see what became of what was delivered.
        deliver()
        again_at, now = _next(storage, office), datetime.now(UTC)
        if stop.is_set() or again_at is None or again_at > now + _SHORTLY:
            return
        stop.wait((again_at - now).total_seconds())


def _next(storage: "Storage", office: "Office") -> datetime | None:
    """Return when the desk has something to do again."""
    now = datetime.now(UTC)
    found = (
        storage.next_due(now=now, lanes=(office.cases, office.signals)),
        storage.next_letter(now=now, topics=office.topics),
    )
    return min((one for one in found if one is not None), default=None)


def left_of_cases(storage: "Storage", office: "Office") -> Outcome:
    """Say what a desk that found nothing more to do leaves behind; what people have yet to decide is nothing of it."""

    def any_is(*stages: Stage) -> bool:
        lane, tenant = office.cases, office.organisation
        return any(storage.heads(status=str(one), lane=lane, tenant=tenant, limit=1) for one in stages)

    if any_is(*_UNDER_WAY):
        warn("a decided case waits: `cybertip case list --all` says which, and `cybertip case show CASE` for what")
        return Outcome.NO_ANSWER
    if any_is(Stage.BLOCKED):
        warn("a case cannot be filed as it is: `cybertip case list --status blocked`, then `cybertip case show CASE`")
        return Outcome.NEEDS_HUMAN
    return Outcome.DONE
