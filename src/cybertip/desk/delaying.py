"""What becomes of a case that cannot go on: it waits and is tried again, or it is blocked; and a person hears of it."""

from collections.abc import Sequence
from datetime import datetime

from cybertip.cases.case import Case
from cybertip.cases.events import Blocked, Delayed
from cybertip.cases.notices import CaseEventKind
from cybertip.desk.letters import wanted
from cybertip.desk.office import Office
from cybertip.desk.pauses import PATIENCE
from cybertip.desk.standing import NOTHING, Happens, Standing, record
from cybertip.filing.effects import Flow

__all__ = ["block", "delay", "is_as_before"]

#: What a reason ends with once a person was called. It stays when the reason changes: one call is enough.
_CALLED = "; a person has to look"


def is_as_before(case: Case, before: Case) -> bool:
    """Tell whether a case still stands where it stood, by the same decision: what was found out is of use to it."""
    return (case.stage, case.decided_at) == (before.stage, before.decided_at)


def delay(office: Office, standing: Standing, why: str, *, since: datetime | None) -> Flow[Standing]:
    """Say why a case waits, where that has changed, and call a person once when it has waited for long.

    Args:
        office: whose case it is.
        standing: the case.
        why: the reason. It names entries, and quotes nothing.
        since: when the waiting began; None where nothing but a person ends it.
    """
    before = standing.case

    def step(case: Case, now: datetime) -> Happens:
        was_called = case.delay is not None and case.delay.endswith(_CALLED)
        calls = was_called or since is None or now - since >= PATIENCE
        reason = f"{why}{_CALLED}" if calls else why
        if reason == case.delay or not is_as_before(case, before):
            return NOTHING
        return Happens((Delayed(reason=reason),), _letters(office) if calls and not was_called else ())

    return (yield from record(office, standing, step))


def block(office: Office, standing: Standing, reasons: Sequence[str]) -> Flow[Standing]:
    """Say why a filing cannot be made, and call a person."""
    before, blocked = standing.case, Blocked(reasons=tuple(reasons))
    return (
        yield from record(
            office,
            standing,
            lambda case, now: Happens((blocked,), _letters(office)) if is_as_before(case, before) else NOTHING,
        )
    )


def _letters(office: Office) -> tuple[str, ...]:
    return wanted(office, CaseEventKind.NEEDS_HUMAN)
