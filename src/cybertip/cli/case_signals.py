"""`case signal`, and signals of which nobody knows yet whom they are about."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cybertip.cases.references import UserRef
from cybertip.cli import show as printing
from cybertip.cli.chronicle import what_signal
from cybertip.cli.decision import read_signal
from cybertip.cli.documents import JsonOption
from cybertip.cli.organisation import ChildSafetyOption, ReviewerOption, named, opened_desk, viewer
from cybertip.cli.outcome import outcomes
from cybertip.cli.settings import ConfigOption, load

if TYPE_CHECKING:
    from cybertip.desk.desks import Placement

__all__ = ["resolve", "signal", "unresolved"]


def signal(
    given: Annotated[Path, typer.Argument(metavar="SIGNAL.json", help="What was noticed.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a signal in, durably, and say in which case it is. The same signal again changes nothing."""
    with outcomes():
        noticed = read_signal(given)
        with opened_desk(load(config), make=True) as (desk, _):
            placement = desk.signal(noticed)
        _place(placement, as_json=as_json)


def unresolved(
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At the most so many.")] = 100,
    after: Annotated[str | None, typer.Option(metavar="SIGNAL", help="Begin with the key after this one.")] = None,
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the signals of which nobody could say so far whom they are about. They are in no case before somebody does."""
    with outcomes():
        settings = load(config)
        asks = viewer(settings, reviewer, child_safety=child_safety)
        with opened_desk(settings) as (desk, _):
            found = desk.unresolved(viewer=asks, after=after, limit=limit)
        if as_json or not printing.console.is_terminal:
            printing.data(
                [
                    {"signal": one.key, "what": what_signal(one.signal), "receivedAt": one.received_at.isoformat()}
                    for one in found
                ]
            )
        else:
            rows = ((one.key, what_signal(one.signal), printing.at(one.received_at)) for one in found)
            printing.table(("signal", "what", "since"), rows)


def resolve(
    key: Annotated[str, typer.Argument(metavar="SIGNAL", help="The signal's key, as `case unresolved` shows it.")],
    user: Annotated[str, typer.Argument(metavar="TYPE:ID", help="The user.")],
    reviewer: ReviewerOption = None,
    child_safety: ChildSafetyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whom a signal is about, so that it gets into that user's case."""
    with outcomes():
        about = UserRef(**named(user, "a user is given as TYPE:ID, such as user:4711"))
        settings = load(config)
        asks = viewer(settings, reviewer, child_safety=child_safety)
        with opened_desk(settings) as (desk, _):
            placement = desk.resolve(key, about, viewer=asks)
        _place(placement, as_json=as_json)


def _place(placement: "Placement", *, as_json: bool) -> None:
    """Say where a signal is."""
    if as_json or not printing.console.is_terminal:
        printing.data({"signal": placement.key, "place": str(placement.place), "case": placement.case})
    else:
        printing.line(f"{placement.key}: {placement.place}" + (f", in {placement.case}" if placement.case else ""))
