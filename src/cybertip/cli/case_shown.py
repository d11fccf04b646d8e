"""What `case show` shows of a case: for a person, and as JSON."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cybertip.cases.case import Case
from cybertip.cases.references import ItemRef
from cybertip.cases.signals import Signal
from cybertip.cli import show
from cybertip.cli.chronicle import Passage, how_viewed, what_signal
from cybertip.cli.timeline import size

if TYPE_CHECKING:
    from cybertip.ports.storage import Head

__all__ = ["plain_case", "print_case"]


def print_case(case: Case, told: Sequence[Passage], submission: "Head | None", *, details: bool) -> None:
    """Print a case for a person."""
    line = show.line
    report = f", report {case.report_id}" if case.report_id is not None else ""
    line(f"{case.key}: {case.status}{report}", "bold")
    queue = f"; queue {case.queue}" if case.queue else ""
    line(f"for {case.environment}; priority {case.priority}{queue}; {show.count(len(case.signals), 'signal')}", "dim")
    if details:
        line(f"about {case.user.type_id}:{case.user.id}")
    if case.media:
        columns = ("file", "", "viewed") if not details else ("file", "", "viewed", "SHA-256")
        show.table(columns, (_row(case, ref, number, details=details) for number, ref in enumerate(case.media, 1)))
    show.table(("when", "what happened"), ((show.at(one.at), one.text) for one in told))
    if submission is not None:
        line(f"Filed as {submission.key}: {submission.status.replace('_', ' ')}; `cybertip show` tells more of it")
    if case.delay is not None:
        line(f"It waits: {case.delay}")
    for of, reason in case.overdue.items():
        line(f"The platform could not be told ({of}): {reason}; `cybertip case resend` tries it at once", "bold red")
    if case.reasons:
        line("A person: it cannot be filed as it is", "bold red")
        for reason in case.reasons:
            line(f"  {reason}")
        line("  `cybertip case return` to decide again, `cybertip case retry` once it is mended")


def _row(case: Case, ref: ItemRef, number: int, *, details: bool) -> tuple[str, ...]:
    name = f"{ref.type_id}:{ref.id}" if details else f"{number} ({ref.type_id})"
    views = [f"by {one.reviewer}, {how_viewed(one)}" for one in case.views_of(ref)]
    row = (name, _standing(case, ref), "\n".join(views) or "by nobody, as far as is known")
    if not details:
        return row
    kept = case.kept.get(ref)
    return (*row, kept.sha256 if kept is not None else "")


def _standing(case: Case, ref: ItemRef) -> str:
    kept = case.kept.get(ref)
    if kept is not None:
        return f"kept ({size(kept.size)})"
    return f"missing: {case.missing[ref]}" if ref in case.missing else "not kept yet"


def plain_case(case: Case, told: Sequence[Passage], submission: "Head | None", *, details: bool) -> dict[str, Any]:
    """Return a case as JSON has it."""
    held = case.claim_at(datetime.now(UTC))
    plain = {
        "case": case.key,
        "status": case.status,
        "environment": str(case.environment),
        "queue": case.queue,
        "priority": case.priority,
        "openedAt": case.opened_at.isoformat(),
        "predecessor": case.predecessor,
        "claim": None if held is None else {"reviewer": held.reviewer, "until": held.until.isoformat()},
        "signals": [_plain_signal(one, details=details) for one in case.signals.values()],
        "media": [_plain_media(case, ref, details=details) for ref in case.media],
        "decidedBy": case.decided_by,
        "approvedBy": case.approved_by,
        "delay": case.delay,
        "reasons": list(case.reasons),
        "overdue": dict(case.overdue),
        "submission": None if submission is None else {"key": submission.key, "status": submission.status},
        "reportId": case.report_id,
        "preserved": case.preserved,
        "timeline": [
            {"at": one.at.isoformat(), "version": one.version, "event": one.event, "text": one.text} for one in told
        ],
    }
    return plain | ({"user": {"id": case.user.id, "type_id": case.user.type_id}} if details else {})


def _plain_signal(signal: Signal, *, details: bool) -> dict[str, Any]:
    plain = {
        "what": what_signal(signal),
        "source": signal.source,
        "at": signal.at.isoformat(),
        "files": len(signal.media),
    }
    return plain | ({"id": signal.id, "basis": signal.basis} if details else {})


def _plain_media(case: Case, ref: ItemRef, *, details: bool) -> dict[str, Any]:
    kept = case.kept.get(ref)
    plain: dict[str, Any] = {
        "type": ref.type_id,
        "standing": "kept" if kept is not None else "missing" if ref in case.missing else "awaited",
        "size": None if kept is None else kept.size,
        "views": [
            {"reviewer": one.reviewer, "at": one.at.isoformat(), "wholly": one.wholly, "exif": one.exif}
            for one in case.views_of(ref)
        ],
    }
    if details:
        sha256 = None if kept is None else kept.sha256
        plain |= {"id": ref.id, "sha256": sha256, "evidence": None if kept is None else kept.evidence}
    return plain
