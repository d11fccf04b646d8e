"""`hashes`: the lists of known material that are kept on this machine."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import typer
from rich.live import Live
from rich.spinner import Spinner

from cybertip.adapters.matching.store import Tally
from cybertip.cli import show
from cybertip.cli.documents import JsonOption
from cybertip.cli.hashing import data_line
from cybertip.cli.importing import import_
from cybertip.cli.lists import StoreOption, opened
from cybertip.cli.outcome import Misuse, Outcome, outcomes, warn
from cybertip.cli.settings import ConfigOption, Settings, load
from cybertip.errors import Misunderstanding, TransportError, Unavailable
from cybertip.ports.matching import ConsultedList

if TYPE_CHECKING:
    from cybertip.adapters.matching.sharing import Synced
    from cybertip.hash_sharing import Source

__all__ = ["hashes"]

hashes = typer.Typer(
    no_args_is_help=True, help="Keep lists of known material on this machine: bring them here, and look after them."
)

OldestOption = Annotated[
    float, typer.Option(min=0, metavar="HOURS", help="How old a list may be, for no match in it to mean anything.")
]

hashes.command("import")(import_)


@hashes.callback()
def _group() -> None:
    pass


@hashes.command()
def sync(
    source: Annotated[
        str | None,
        typer.Option(envvar="CYBERTIP_HASHES_SOURCE", help="industry, npo, ... or, with --list, an address."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--list", metavar="NAME", envvar="CYBERTIP_HASHES_LIST", help="What the list is called here."),
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring one of NCMEC's lists here, or what has changed on it since the last time. It was not tried against NCMEC's live
    service.

    It may be interrupted, and killed, at any time: the next one goes on. Of two at a time, the last to begin goes on. The
    credentials are CYBERTIP_HASHES_USERNAME and CYBERTIP_HASHES_PASSWORD: those of hash sharing are not those of the
    CyberTipline. A pipe gets JSON.

    Exit code 0 if the list is complete; 3 if NCMEC refuses; 4 if it does not answer, or another sync of the list began: what
    was read is kept.
    """
    from cybertip.adapters.matching.sharing import HashSharingSync, HttpxHashSharing, Overtaken, WrongList
    from cybertip.cli.board import notices

    with outcomes():
        settings = load(config)
        settings = attrs.evolve(
            settings, hashes_source=source or settings.hashes_source, hashes_list=name or settings.hashes_list
        )
        chosen = _source(settings)
        settings.credentials("hashes_")
        seen = show.console.is_terminal and not as_json
        with (
            opened(settings, store, make=True) as lists,
            HttpxHashSharing(chosen, lambda: load(settings.file).credentials("hashes_")) as sharing,
            _progress(chosen.list, quiet=not seen) as progress,
            notices(),
        ):
            try:
                synced = HashSharingSync(lists, sharing, progress=progress).run()
            except WrongList as error:
                raise Misuse(f"{error} (--list)") from None
            except (Unavailable, TransportError, Misunderstanding, Overtaken) as error:
                warn(f"{error} What was read is kept: the next sync goes on from there.")
                raise typer.Exit(Outcome.NO_ANSWER) from None
    if seen:
        _tell(synced)
    else:
        data_line(_plain_sync(synced))


@hashes.command()
def status(
    oldest: OldestOption = 48.0,
    ask: Annotated[bool, typer.Option("--ask", help="Also ask NCMEC whether it knows the credentials.")] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how old the lists are, and whether that is young enough for no match in them to mean anything.

    Exit code 4 if a list is too old, or none is there; with --ask, 3 if NCMEC refuses.
    """
    with outcomes():
        settings = load(config)
        with opened(settings, store) as kept:
            lists = kept.lists(counted=True)
        identity = _asked(settings) if ask else None
    since = datetime.now(UTC) - timedelta(hours=oldest)
    young = [one.as_of is not None and one.as_of >= since for one in lists]
    if show.console.is_terminal and not as_json:
        rows = [
            (one.name, one.entries, show.at(one.as_of) or "never complete", "yes" if fit else "no: too old")
            for one, fit in zip(lists, young, strict=True)
        ]
        show.table(("list", "entries", "complete up to", "fit for use"), rows)
        if identity is not None:
            show.line(f"NCMEC knows us as {identity}", "green")
    else:
        told = [_plain_list(one) | {"fit": fit} for one, fit in zip(lists, young, strict=True)]
        data_line({"lists": told} | ({} if identity is None else {"member": identity}))
    if not lists or not all(young):
        raise typer.Exit(Outcome.NO_ANSWER)


@hashes.command()
def stats(store: StoreOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Count what is on each list: entries, hashes by kind, classifications, members, and what is disputed."""
    with outcomes(), opened(load(config), store) as kept:
        tallies = kept.tallies()
    if not (show.console.is_terminal and not as_json):
        data_line({"lists": [_plain_tally(one) for one in tallies]})
        return
    for one in tallies:
        show.line(one.list.name, "bold")
        words = ", ".join(f"{word or 'without'}: {count}" for word, count in one.classifications.items())
        for name, value in (
            ("entries", one.list.entries),
            ("complete up to", show.at(one.list.as_of) or "never complete"),
            ("kept by", "a sync" if one.synced else "imports"),
            ("classifications", words or "none"),
            ("members", one.members),
            ("disputed", one.disputed),
            *((f"hashes, {kind}", count) for kind, count in one.hashes.items()),
        ):
            show.line(f"  {name}: {value}")


@hashes.command()
def verify(
    index: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", envvar="CYBERTIP_HASHES_INDEX", help="The folder of the saved index."),
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the whole file of the lists, compare the saved index with it, and try out whether known hashes are found.

    Exit code 1 if something is wrong, 7 if the file cannot be read at all. Lists that are wrong are made anew by `sync` into
    another file; an index by removing its folder.
    """
    from cybertip.adapters.matching.verifying import verify as look_over

    with outcomes():
        settings = load(config)
        folder = index or (Path(settings.hashes_index) if settings.hashes_index else None)
        with opened(settings, store) as kept:
            found = look_over(kept, index=folder)
    if show.console.is_terminal and not as_json:
        for fault in found.faults:
            show.line(fault, "bold red")
        for remark in found.remarks:
            show.line(remark)
        if found.is_whole:
            show.line(
                f"the lists are whole; {show.count(found.tested, 'hash', 'hashes')} looked up, all found", "green"
            )
    else:
        data_line(
            {
                "whole": found.is_whole,
                "tested": found.tested,
                "faults": [*found.faults],
                "remarks": [*found.remarks],
            }
        )
    if not found.is_whole:
        raise typer.Exit(Outcome.INVALID)


@contextmanager
def _progress(name: str, *, quiet: bool) -> "Iterator[Callable[[Synced], object] | None]":
    """Show a person how far a sync has come; nothing for a pipe."""
    if quiet:
        yield None
        return
    line = Spinner("dots", f"{name}: asking")
    # Errors that go elsewhere go on going there.
    with Live(line, console=show.console, transient=True, redirect_stderr=sys.stderr.isatty()):

        def told(synced: "Synced") -> None:
            left = f", about {synced.left:,} more to the next stop" if synced.left else ""
            until = f"complete up to {synced.until:%Y-%m-%d}" if synced.until else "just begun"
            line.update(text=f"{name}: {until}; {synced.put:,} entries read, {synced.removed:,} removed{left}")

        yield told


def _tell(synced: "Synced") -> None:
    """Tell a person what came of a sync."""
    show.line(f"{synced.list}: complete up to {show.at(synced.until)}", "green")
    show.line(f"  {show.count(synced.put, 'entry', 'entries')} put there or changed, {synced.removed} removed")
    if synced.unread:
        show.line(f"  {synced.unread} entries or hashes could not be read, and are not on the list", "yellow")
    if synced.unknown:
        show.line(f"  {show.count(synced.unknown, 'element')} passed over that this program does not know", "dim")


def _plain_sync(synced: "Synced") -> dict[str, Any]:
    return {
        "list": synced.list,
        "asOf": synced.until.isoformat() if synced.until is not None else None,
        "complete": synced.is_complete,
        "put": synced.put,
        "removed": synced.removed,
        "unread": synced.unread,
        "unknown": synced.unknown,
        "pages": synced.pages,
    }


def _plain_list(one: ConsultedList) -> dict[str, Any]:
    return {
        "list": one.name,
        "entries": one.entries,
        "asOf": one.as_of.isoformat() if one.as_of is not None else None,
    }


def _plain_tally(one: Tally) -> dict[str, Any]:
    return _plain_list(one.list) | {
        "synced": one.synced,
        "hashes": dict(one.hashes),
        "classifications": {word or "": count for word, count in one.classifications.items()},
        "members": one.members,
        "disputed": one.disputed,
    }


def _source(settings: Settings) -> "Source":
    """Return which of NCMEC's lists the settings name."""
    from cybertip.hash_sharing import Source

    try:
        return Source.named(settings.need("hashes_source"), list=settings.hashes_list)
    except ValueError as error:
        raise Misuse(f"hashes_source: {error}") from None


def _asked(settings: Settings) -> str:
    """Ask NCMEC whom the credentials belong to."""
    from cybertip.adapters.matching.sharing import HttpxHashSharing

    with HttpxHashSharing(_source(settings), settings.credentials("hashes_")) as sharing:
        return sharing.status().member.name
