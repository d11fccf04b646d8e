"""`retry` and `retract`: a person's decisions, recorded with who took them and why."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cybertip.cli.documents import JsonOption
from cybertip.cli.history import KeyArgument, found
from cybertip.cli.outcome import Misuse, Outcome, outcomes, warn
from cybertip.cli.recording import show_handle
from cybertip.cli.settings import ConfigOption, load
from cybertip.errors import Conflict
from cybertip.filing import Status

if TYPE_CHECKING:
    from cybertip.courier import Courier, Handle

__all__ = ["retract", "retry"]

ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why; it is recorded for ever, and shown to nobody unasked.")
]
ActorOption = Annotated[str | None, typer.Option("--actor", help="Who decides; else whoever is logged in here.")]


def retry(
    key: KeyArgument,
    reason: ReasonOption,
    actor: ActorOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide that a submission that waits for a person goes on, at once and with fresh budgets. Workers deliver it.

    Exit code 6 if it is finished or retracted: then nothing is left to go on with, and nothing is recorded.
    """
    with outcomes():
        _, handle = _decide(
            lambda courier, who: courier.override(key, actor=who, reason=reason), key, reason, actor, config
        )
        show_handle(handle, as_json=as_json)
        if handle.status is Status.FINISHED:
            warn("it is finished: nothing to do")
            raise typer.Exit(Outcome.NOT_SO)
        if handle.status is Status.RETRACTED:
            warn("it was retracted, and stays so; to file it after all, file it with another key")
            raise typer.Exit(Outcome.NOT_SO)


def retract(
    key: KeyArgument,
    reason: ReasonOption,
    actor: ActorOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide that a report must not be filed. If one is open at NCMEC, a worker retracts it.

    Exit code 6 if the report is finished: it is filed, and nothing takes it back. What is retracted already stays so.
    """
    with outcomes():
        before, handle = _decide(
            lambda courier, who: courier.retract(key, actor=who, reason=reason), key, reason, actor, config
        )
        show_handle(handle, as_json=as_json)
        if handle.status is Status.FINISHED:
            warn("the report is filed: nothing takes it back")
            raise typer.Exit(Outcome.NOT_SO)
        if before == Status.RETRACTED:
            warn("it was retracted before: nothing to do")
        elif handle.status is not Status.RETRACTED:
            warn("recorded; workers retract the open report, unless it turns out to be filed already")


def _decide(
    decide: "Callable[[Courier, str], Handle]", key: str, reason: str, actor: str | None, config: Path | None
) -> "tuple[str, Handle]":
    """Record a decision; return how the submission stood before it, and how it stands now."""
    settings = load(config)
    if not reason.strip():
        raise Misuse("--reason must say why")
    who = actor or _logged_in()
    with settings.open_storage() as storage:
        head, _ = found(storage, key)
        environment = settings.chosen_environment()
        if head.lane != environment.name:
            raise Conflict(f"it belongs to {head.lane}, and the environment here is {environment}", key=key)
        return head.status, decide(settings.courier(storage), who)


def _logged_in() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user has no name.
        raise Misuse("nobody knows who you are here: give --actor") from None
