"""`status` and `sandbox`: NCMEC, and a NCMEC of your own."""

import errno
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import attrs
import typer

from cybertip.cli import show
from cybertip.cli.documents import EditionOption, JsonOption
from cybertip.cli.outcome import Outcome, outcomes
from cybertip.cli.settings import ConfigOption, load
from cybertip.model import DEFAULT_EDITION

__all__ = ["sandbox", "status"]


class AfterDeletion(StrEnum):
    """The two codes that NCMEC may answer for a report that deleted itself; which one is not known."""

    DOES_NOT_EXIST = "5001"
    ALREADY_RETRACTED = "5101"


class SecondFileDetails(StrEnum):
    """What NCMEC may do with details for a file that has some; which it does is not known."""

    REFUSED = "refused"
    REPLACES = "replaces"


def status(
    environment: Annotated[
        str | None,
        typer.Option(envvar="CYBERTIP_ENVIRONMENT", help="test, production, or the address of a sandbox."),
    ] = None,
    username: Annotated[str | None, typer.Option(envvar="CYBERTIP_USERNAME")] = None,
    password: Annotated[
        str | None, typer.Option(envvar="CYBERTIP_PASSWORD", help="Better in the variable; else it is asked for.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask NCMEC whether it is well and knows our credentials. There is no default environment."""
    from cybertip.client import Client

    with outcomes():
        settings = load(config)
        settings = attrs.evolve(
            settings,
            environment=environment or settings.environment,
            username=username or settings.username,
            password=password or settings.password,
        )
        chosen = settings.chosen_environment()
        if not settings.password and sys.stdin.isatty():
            settings = attrs.evolve(settings, password=typer.prompt("Password", hide_input=True))
        with Client(chosen, settings.credentials()) as client:
            reply = client.status()
    if as_json:
        show.data({"environment": chosen.name, "requestId": reply.request_id, "ok": True})
    else:
        show.line(f"{chosen.name}: well; our credentials are known (Request-ID {reply.request_id})", "green")


#: What the double wants where nobody chose anything else; known to all.
_KNOWN_TO_ALL = "sandbox"


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8025,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    username: Annotated[str, typer.Option(help="What clients must send.")] = _KNOWN_TO_ALL,
    password: Annotated[str, typer.Option(help="What clients must send.")] = _KNOWN_TO_ALL,
    xsd: Annotated[Path | None, typer.Option(help="Validate with this schema instead of our own.")] = None,
    edition: EditionOption = DEFAULT_EDITION,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the files in this folder; else they are only digested.")
    ] = None,
    after_deletion: Annotated[
        AfterDeletion, typer.Option(help="What an unfinished report answers after its deletion.")
    ] = AfterDeletion.DOES_NOT_EXIST,
    second_file_details: Annotated[
        SecondFileDetails, typer.Option(help="What becomes of a second description of a file.")
    ] = SecondFileDetails.REFUSED,
) -> None:
    """Run a NCMEC double for any client in any language, until it is stopped. Nothing leaves this machine."""
    from cybertip.sandbox import Behaviour, serve

    with outcomes():
        try:
            behaviour = Behaviour(
                edition=edition,
                xsd=xsd.read_bytes() if xsd else None,
                username=username,
                password=password,
                after_deletion=5001 if after_deletion is AfterDeletion.DOES_NOT_EXIST else 5101,
                second_file_details="refused" if second_file_details is SecondFileDetails.REFUSED else "replaces",
                keep=keep,
            )
            serve(behaviour, host=host, port=port, ready=lambda url: _introduce(url, username, password))
        except ValueError as error:
            print(error, file=sys.stderr)
            raise typer.Exit(Outcome.USAGE) from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            print(
                f"port {port} on {host} is in use; choose another with --port, or 0 for any free one", file=sys.stderr
            )
            raise typer.Exit(Outcome.USAGE) from None


def _introduce(url: str, username: str, password: str) -> None:
    """Say where the double is and whom it lets in; a password that somebody chose is not repeated."""
    show.line(f"NCMEC double at {url}/ispws")
    show.line(f"user {username}, password {password if password == _KNOWN_TO_ALL else 'as given'}")
