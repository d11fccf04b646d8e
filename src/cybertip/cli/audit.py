"""`audit`: whether journals are what was written, and checkpoints that show it later."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cybertip.cli import show
from cybertip.cli.counting import counting
from cybertip.cli.documents import JsonOption
from cybertip.cli.outcome import Misuse, Outcome, outcomes, warn
from cybertip.cli.settings import ConfigOption, load
from cybertip.errors import InvalidCheckpoint
from cybertip.filing import Status

if TYPE_CHECKING:
    from cybertip.adapters.storage.sql import SqlStorage
    from cybertip.audit import Checkpoint, Tally, Tampering
    from cybertip.filing.checkpoint import Mark, Verifier
    from cybertip.ports.storage import Head

__all__ = ["TAMPERED", "audit"]

K = TypeVar("K")

#: The exit code for journals that are not what was written.
TAMPERED = 8

audit = typer.Typer(
    no_args_is_help=True,
    help=f"Find out whether journals were tampered with. Exit code {TAMPERED} if they were.",
)

PasswordOption = Annotated[
    str | None,
    typer.Option(envvar="CYBERTIP_SIGNING_PASSWORD", help="Of the private key, if it has one. Better in the variable."),
]


@audit.command()
def verify(
    checkpoint: Annotated[
        Path | None, typer.Option(help="Compare with this checkpoint, too: it knows what was there before.")
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option(help="A public key (PEM) that may have signed the checkpoint; repeatable.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check every journal, every head and the checkpoint, and say where something is not as it was written."""
    from cybertip.audit import Auditor, Tally, Tampering

    with outcomes(), load(config).open_storage() as storage:
        known = _checkpoint(checkpoint, key or [])
        count, found, tally = 0, list[Tampering](), Tally()

        def watch(so_far: Tally) -> None:
            nonlocal tally
            tally = so_far
            advance(so_far.submissions)

        with (
            counting("submissions", known.seal.count if known else None, quiet=as_json) as advance,
            _refusals(checkpoint),
        ):
            for one in Auditor(storage).verify(checkpoint=known, progress=watch):
                count += 1
                if as_json:
                    found.append(one)
                else:
                    show.line(str(one), "bold red")
        if as_json:
            show.data(_as_json(found, tally, known))
        else:
            _conclude(count, tally, known)
    if count:
        raise typer.Exit(TAMPERED)


@audit.command()
def checkpoint(
    sign: Annotated[
        list[Path] | None, typer.Option(help="Sign with this private key of Ed25519 (PEM); repeatable.")
    ] = None,
    password: PasswordOption = None,
    previous: Annotated[Path | None, typer.Option(help="The checkpoint before: the new one names its root.")] = None,
    config: ConfigOption = None,
) -> None:
    """Print a checkpoint over all journals. Keep it where nobody who can write to the database can write."""
    from cybertip.audit import Auditor

    with outcomes(), load(config).open_storage() as storage:
        secret = password.encode() if password else None
        signers = [
            _key(path, lambda pem: _ed25519().Ed25519Signer.from_pem(pem, password=secret)) for path in sign or []
        ]
        before = _checkpoint(previous, [])
        lines = Auditor(storage).checkpoint(
            taken_at=datetime.now(UTC), previous=before.seal.root if before else None, signers=signers
        )
        sys.stdout.flush()
        count = -2 - len(signers)
        for line in lines:
            sys.stdout.buffer.write(line)
            count += 1
        sys.stdout.buffer.flush()
    warn(f"a checkpoint over {show.count(count, 'journal')}, signed by {len(signers) or 'nobody'}")


@audit.command()
def suspend(
    checkpoint: Annotated[Path, typer.Argument(help="The newest checkpoint from before the restore.")],
    key: Annotated[
        list[Path] | None, typer.Option(help="A public key (PEM) that may have signed the checkpoint; repeatable.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """After a restore: file nothing of which a checkpoint knows more than its journal, before a person looked.

    `retry` lets a submission go on, `retract` ends it. Submissions that are missing are named; nothing can suspend them.
    Exit code 5 if any was suspended, or is missing: a person has to find out what became of it.
    """
    settings = load(config)
    with outcomes(), settings.open_storage() as storage:
        courier, suspended, missing = settings.courier(storage), list[str](), list[str]()
        known = _checkpoint(checkpoint, key or [])
        with _refusals(checkpoint):
            for mark in known.marks() if known else ():
                head = storage.head(mark.key)
                if head is None:
                    missing.append(mark.key)
                elif not _has(storage, head, mark) and head.status not in (Status.FINISHED, Status.RETRACTED):
                    courier.suspend(mark.key, known=mark.version)
                    suspended.append(mark.key)
        if as_json:
            show.data({"suspended": suspended, "missing": missing})
        else:
            for one in suspended:
                show.line(
                    f"{one}: suspended; look up whether it was filed: if so, retract it, if not, retry it", "yellow"
                )
            for one in missing:
                show.line(f"{one}: missing; whoever filed it has to file it again, unless it was finished", "bold red")
            show.line(f"{len(suspended)} suspended, {len(missing)} missing")
    if suspended or missing:
        raise typer.Exit(Outcome.NEEDS_HUMAN)


def _has(storage: "SqlStorage", head: "Head", mark: "Mark") -> bool:
    """Tell whether a journal still has the entry that the checkpoint has as its last."""
    if head.version <= mark.version:
        return (head.version, head.digest) == (mark.version, mark.digest)
    entry = storage.read(mark.key, after=mark.version - 1)[0]
    return entry.digest == mark.digest


@audit.command()
def keygen(
    private: Annotated[Path, typer.Argument(help="The file for the private key, which signs; only you can read it.")],
    public: Annotated[Path, typer.Argument(help="The file for the public key, which verifies.")],
    password: PasswordOption = None,
) -> None:
    """Make a key of Ed25519 in two new files, as `openssl genpkey -algorithm ed25519` does."""
    with outcomes():
        ours, everybodys = _ed25519().generate(password=password.encode() if password else None)
        _write_new(private, ours, mode=0o600)
        try:
            _write_new(public, everybodys, mode=0o644)
        except OSError:
            private.unlink()
            raise
    show.line(f"Signs: {private}. Keep it apart from the database, and safe.")
    show.line(f"Verifies: {public}.")


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)


def _checkpoint(path: Path | None, keys: list[Path]) -> "Checkpoint | None":
    if path is None:
        if keys:
            raise Misuse("--key says who may have signed a checkpoint: give one with --checkpoint")
        return None
    from cybertip.audit import Checkpoint

    trusted: list[Verifier] = [_key(key, _ed25519().Ed25519Verifier.from_pem) for key in keys]
    with _refusals(path):
        return Checkpoint(path, trusted=trusted)


@contextmanager
def _refusals(path: Path | None) -> Iterator[None]:
    try:
        yield
    except InvalidCheckpoint as error:
        warn(f"{path}: {error}. Nothing that it says can be relied on: take another checkpoint to compare with.")
        raise typer.Exit(Outcome.INVALID) from None


def _ed25519() -> Any:
    try:
        from cybertip.adapters.signing import ed25519
    except ImportError as error:
        raise Misuse(str(error)) from None
    return ed25519


def _key(path: Path, read: Callable[[bytes], K]) -> K:
    try:
        return read(path.read_bytes())
    except ValueError as error:
        raise Misuse(f"{path}: {error}") from None


def _conclude(count: int, tally: "Tally", known: "Checkpoint | None") -> None:
    looked_at = f"{show.count(tally.submissions, 'submission')} with {show.count(tally.entries, 'entry', 'entries')}"
    if count:
        places = f"{count} places are" if count > 1 else "one place is"
        show.line(f"{looked_at}: {places} not as it was written", "bold red")
    else:
        compared = ", and what the checkpoint has of them" if known else ""
        show.line(f"{looked_at}{compared}: all is as it was written", "green")
    if tally.unread:
        show.line(f"A newer program wrote in {tally.unread} of them: only their chains were checked.", "yellow")
    if known is None:
        show.line("Without a checkpoint nobody can tell whether submissions are missing.", "dim")
    elif known.seal.signatures and not known.trusted:
        show.line("The checkpoint's signatures were not checked: give --key.", "yellow")


def _as_json(found: "list[Tampering]", tally: "Tally", known: "Checkpoint | None") -> dict[str, Any]:
    seal = known.seal if known else None
    return {
        "whole": not found,
        "submissions": tally.submissions,
        "entries": tally.entries,
        "unread": tally.unread,
        "tampering": [{"key": one.key, "version": one.version, "what": one.what} for one in found],
        "checkpoint": seal
        and {
            "takenAt": seal.taken_at.isoformat(),
            "count": seal.count,
            "root": seal.root,
            "previous": seal.previous,
            "signedBy": [one.key_id for one in seal.signatures],
            "trusted": known is not None and known.trusted,
        },
    }
