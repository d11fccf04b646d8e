"""`case decide`, and what else people do with a case: each step is recorded with who took it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cybertip.cases.decisions import Decision, Dismissed
from cybertip.cases.references import ItemRef
from cybertip.cases.stages import Stage
from cybertip.cli import show as printing
from cybertip.cli.decision import read_decision
from cybertip.cli.documents import JsonOption
from cybertip.cli.organisation import ChildSafetyOption, ReviewerOption, named, opened_desk, viewer
from cybertip.cli.outcome import Misuse, outcomes, warn
from cybertip.cli.settings import ConfigOption, load
from cybertip.errors import InvalidReport

if TYPE_CHECKING:
    from cybertip.cases.case import Case
    from cybertip.desk.desks import CaseDesk
    from cybertip.desk.visibility import Viewer

__all__ = ["CaseArgument", "approve", "decide", "release", "resend", "retry", "return_", "view"]

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="The case's key, as `case list` shows it.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why; it is recorded for ever, and shown to nobody unasked.")
]


def decide(
    key: CaseArgument,
    decision: Annotated[Path, typer.Argument(metavar="DECISION.json", help="What you decide.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what speaks against it, and record nothing.")] = False,
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Claim a case and decide it; a worker files it. Exit code 1, and nothing is decided, if anything speaks against it."""
    with outcomes():
        made = read_decision(decision)

        def step(desk: "CaseDesk", asks: "Viewer") -> "Case":
            if not dry_run:
                return _decided(desk, key, made, asks)
            _check(desk, key, made, asks)
            return desk.case(key, viewer=asks)

        found = _recorded(step, reviewer, child_safety=child_safety, config=config)
        if dry_run:
            warn("nothing speaks against it so far, and nothing was recorded")
        _say(found, as_json=as_json)


def _check(desk: "CaseDesk", key: str, made: Decision | Dismissed, asks: "Viewer") -> None:
    """Raise `InvalidReport` with what keeps a decision from being filed, as far as that can be told now."""
    wrong = desk.check(key, made, viewer=asks) if isinstance(made, Decision) else ()
    if wrong:
        raise InvalidReport(tuple(wrong))


def _decided(desk: "CaseDesk", key: str, made: Decision | Dismissed, asks: "Viewer") -> "Case":
    before = desk.case(key, viewer=asks)
    if before.decision == made and before.decided_by == asks.reviewer:
        # The same again, by somebody whose terminal broke.
        return before
    held = before.claim_at(datetime.now(UTC))
    had_it = held is not None and held.reviewer == asks.reviewer
    desk.claim(key, viewer=asks)
    try:
        _check(desk, key, made, asks)
        return desk.decide(key, made, viewer=asks)
    except Exception:
        if not had_it:
            # Nobody else should wait for what did not come about.
            desk.release(key, viewer=asks)
        raise


def view(
    key: CaseArgument,
    media: Annotated[str, typer.Argument(metavar="TYPE:ID", help="The file, as `case show --details` shows it.")],
    wholly: Annotated[bool, typer.Option("--wholly/--in-part", help="How much of it you looked at.")],
    exif: Annotated[bool, typer.Option("--exif/--no-exif", help="Whether you looked at its EXIF data.")],
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record that you have looked at a file. Nothing has a default: whether police need a warrant depends on it."""
    with outcomes():
        ref = ItemRef(**named(media, "a file is given as TYPE:ID, such as image:4711"))
        found = _recorded(
            lambda desk, asks: desk.view(key, ref, viewer=asks, wholly=wholly, exif=exif),
            reviewer,
            child_safety=child_safety,
            config=config,
        )
        _say(found, as_json=as_json)


def release(
    key: CaseArgument,
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a case back that you have."""
    with outcomes():
        found = _recorded(
            lambda desk, asks: desk.release(key, viewer=asks), reviewer, child_safety=child_safety, config=config
        )
        _say(found, as_json=as_json)


def approve(
    key: CaseArgument,
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve what somebody else decided; a worker files it then."""
    with outcomes():
        found = _recorded(
            lambda desk, asks: desk.approve(key, viewer=asks), reviewer, child_safety=child_safety, config=config
        )
        _say(found, as_json=as_json)


def return_(
    key: CaseArgument,
    reason: ReasonOption,
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a decision back, as long as its filing cannot be under way; the case is to be decided again."""
    with outcomes():
        why = _given(reason)
        found = _recorded(
            lambda desk, asks: desk.take_back(key, viewer=asks, reason=why),
            reviewer,
            child_safety=child_safety,
            config=config,
        )
        _say(found, as_json=as_json)


def retry(
    key: CaseArgument,
    reason: ReasonOption,
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a filing tried again that could not be made, as it was decided; a worker does it."""
    with outcomes():
        why = _given(reason)
        found = _recorded(
            lambda desk, asks: desk.retry(key, viewer=asks, reason=why),
            reviewer,
            child_safety=child_safety,
            config=config,
        )
        _say(found, as_json=as_json)


def resend(
    key: CaseArgument,
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have the platform told at once what it could not be told so far; a worker does it."""
    with outcomes():
        found = _recorded(
            lambda desk, asks: desk.resend(key, viewer=asks), reviewer, child_safety=child_safety, config=config
        )
        if not found.overdue:
            warn("nothing is overdue: nothing to do")
        _say(found, as_json=as_json)


def _recorded(
    step: "Callable[[CaseDesk, Viewer], Case]", reviewer: str | None, *, child_safety: bool, config: Path | None
) -> "Case":
    """Take a step at the organisation's desk."""
    settings = load(config)
    asks = viewer(settings, reviewer, child_safety=child_safety)
    with opened_desk(settings) as (desk, _):
        return step(desk, asks)


def _given(reason: str) -> str:
    if not reason.strip():
        raise Misuse("--reason must say why")
    return reason


def _say(found: "Case", *, as_json: bool) -> None:
    """Say how a case stands now."""
    if as_json or not printing.console.is_terminal:
        printing.data({"case": found.key, "status": found.status, "reportId": found.report_id})
    else:
        printing.line(f"{found.key}: {found.status}", "bold red" if found.stage is Stage.BLOCKED else "green")
