"""`profile`: an organisation's settings, and what they lack."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cybertip.cases.profile import Profile, Purpose
from cybertip.cli import show
from cybertip.cli.documents import JsonOption
from cybertip.cli.outcome import Misuse, Outcome, outcomes

__all__ = ["profile", "read_profile"]

profile = typer.Typer(no_args_is_help=True, help="Look after what your organisation says of itself in each report.")


class For(StrEnum):
    """Name what a profile is to be complete for; each includes those before it."""

    TEST = "test"
    PRODUCTION = "production"
    GOOD_REPORT = "good-report"


_PURPOSES = {For.TEST: Purpose.TEST, For.PRODUCTION: Purpose.PRODUCTION, For.GOOD_REPORT: Purpose.GOOD_REPORT}
_NAMES = {purpose: name for name, purpose in _PURPOSES.items()}


@profile.callback()
def _group() -> None:
    pass


@profile.command()
def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", envvar="CYBERTIP_PROFILE", help="A TOML file; else only variables are read."),
    ] = None,
    purpose: Annotated[
        For, typer.Option("--for", help="What it is to be complete for; each includes those before it.")
    ] = For.GOOD_REPORT,
    as_json: JsonOption = False,
) -> None:
    """List what is missing for test reports, for production and for a good report. Variables go before the file.

    Exit code 1 if anything is missing for the purpose that --for names, or if a setting is wrong.
    """
    with outcomes():
        read = read_profile(file)
        if as_json or not show.console.is_terminal:
            show.data(_plain(read))
        else:
            _show(read)
    if read.missing(_PURPOSES[purpose]):
        raise typer.Exit(Outcome.INVALID)


def read_profile(file: Path | None) -> Profile:
    """Read an organisation's settings from a file, where there is one, and from variables, which go before it."""
    if file is None:
        return Profile.from_environment(os.environ)
    try:
        return Profile.from_toml(file.read_text(encoding="utf-8"), environ=os.environ)
    except UnicodeDecodeError:
        raise Misuse(f"the profile {file} is not in UTF-8") from None


def _plain(read: Profile) -> dict[str, Any]:
    return {
        "complete": {str(name): not read.missing(purpose) for name, purpose in _PURPOSES.items()},
        "missing": [
            {"setting": lack.setting, "for": str(_NAMES[lack.purpose]), "why": lack.why}
            for lack in read.missing(Purpose.GOOD_REPORT)
        ],
    }


def _show(read: Profile) -> None:
    missing = read.missing(Purpose.GOOD_REPORT)
    if missing:
        show.table(("missing", "for", "why"), ((one.setting, _NAMES[one.purpose], one.why) for one in missing))
    for name, purpose in _PURPOSES.items():
        lacking = len(read.missing(purpose))
        if lacking:
            show.line(f"{name}: {show.count(lacking, 'setting')} missing", "bold red")
        else:
            show.line(f"{name}: complete", "green")
