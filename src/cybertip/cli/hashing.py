"""`hash`: the digests of files, and what pictures look like, as lists of known material have them."""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import attrs
import typer

from cybertip.cli import show
from cybertip.cli.counting import counting
from cybertip.cli.documents import JsonOption
from cybertip.cli.outcome import Outcome, outcomes
from cybertip.hashing.digests import Digests, digest
from cybertip.hashing.together import each
from cybertip.hashing.values import NotChecked

if TYPE_CHECKING:
    from cybertip.hashing.pictures import PictureHashes

__all__ = ["NEEDS_PDQ", "ThreadsOption", "data_line", "hash_", "lacks_pdq", "name_of"]

#: What is said of PDQ where the extra is not installed.
NEEDS_PDQ: Final = "needs the extra [pdq]: python -m pip install 'cybertip[pdq]'"

ThreadsOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Files at a time; as many as there are cores, unless given.")
]

#: Hashes a picture: its hashes, or why there are none.
_Pdq = Callable[[Path], "tuple[PictureHashes | None, NotChecked | None]"]


def hash_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures, or any other files.")],
    digests_only: Annotated[bool, typer.Option("--digests", help="Digests only: no PDQ.")] = False,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print each file's MD5, SHA-1 and SHA-256, and of pictures PDQ with its quality.

    A pipe gets a line of JSON for each file, in the order of the files, as soon as it is hashed. What
    has no hash has a reason. Exit code 2 if a file cannot be read, else 4 if something has no PDQ hash.
    """
    with outcomes():
        pdq = None if digests_only else _pdq()
        wanted = partial(_hashed, pdq=pdq) if pdq or digests_only else _without_pdq
        seen = show.console.is_terminal and not as_json
        worst = Outcome.DONE
        with counting("files", len(files), quiet=not seen) as advance:
            for one in each(wanted, files, threads=threads, progress=advance):
                worst = max(worst, one.outcome, key=_BADNESS.index)
                if seen:
                    _show(one)
                else:
                    data_line(one.plain())
    if worst is not Outcome.DONE:
        raise typer.Exit(worst)


#: The worst comes last.
_BADNESS: Final = (Outcome.DONE, Outcome.NO_ANSWER, Outcome.USAGE)


@attrs.frozen(kw_only=True)
class _Hashed:
    """What came of a file."""

    path: Path
    digests: Digests | None = None
    picture: "PictureHashes | None" = None
    #: Why there is no PDQ hash, or nothing at all, in the words for a program and for a person.
    reason: NotChecked | None = None
    why: str = ""

    @property
    def outcome(self) -> Outcome:
        if self.digests is None:
            return Outcome.USAGE
        return Outcome.DONE if self.reason is None else Outcome.NO_ANSWER

    @property
    def remarks(self) -> list[str]:
        return sorted(self.picture.remarks) if self.picture else []

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        digests, picture = self.digests, self.picture
        return {
            "file": str(self.path),
            "size": digests and digests.size,
            "md5": digests and digests.md5,
            "sha1": digests and digests.sha1,
            "sha256": digests and digests.sha256,
            "pdq": picture and picture.hashes[0].value,
            "quality": picture and picture.pdq.quality,
            "width": picture and picture.width,
            "height": picture and picture.height,
            "remarks": self.remarks,
            "notChecked": self.reason,
            "why": self.why or None,
        }


def _show(one: _Hashed) -> None:
    """Tell a person what came of a file."""
    name, picture = name_of(one.path), one.picture
    if one.digests is None:
        show.line(f"{name}: {one.why}", "bold red")
        return
    show.line(f"{name}: {show.count(one.digests.size, 'byte')}", "bold")
    for known in one.digests.hashes:
        show.line(f"  {known.type:6}  {known.value}")
    if picture is not None:
        said = [f"quality {picture.pdq.quality}", *(remark.replace("_", " ") for remark in one.remarks)]
        show.line(f"  pdq     {picture.hashes[0].value}  {', '.join(said)}")
    elif one.reason is not None:
        show.line(f"  pdq     {one.why}", "yellow")


def _hashed(path: Path, *, pdq: _Pdq | None) -> _Hashed:
    try:
        digests = digest(path)
    except OSError as error:
        return _Hashed(path=path, reason=NotChecked.UNREADABLE, why=error.strerror or "cannot be read")
    picture, reason = pdq(path) if pdq is not None else (None, None)
    why = f"not hashed: {reason.replace('_', ' ')}" if reason else ""
    return _Hashed(path=path, digests=digests, picture=picture, reason=reason, why=why)


def _without_pdq(path: Path) -> _Hashed:
    """Digest a file, and say what is missing for more."""
    found = _hashed(path, pdq=None)
    return found if found.reason else attrs.evolve(found, reason=NotChecked.MISSING_HASH, why=NEEDS_PDQ)


def data_line(value: Any) -> None:
    """Print JSON in one line, at once: whoever reads it need not wait for the next.

    It is ASCII: the names of files need not be Unicode, and are escaped.
    """
    print(json.dumps(value), flush=True)


def name_of(path: Path) -> str:
    """Return a file's name as a terminal can show it."""
    return os.fsencode(path).decode("utf-8", "replace")


def lacks_pdq(error: ModuleNotFoundError) -> bool:
    """Tell whether what could not be imported is of the extra [pdq]."""
    return (error.name or "").partition(".")[0] in ("numpy", "PIL")


def _pdq() -> _Pdq | None:
    """Return what hashes pictures, where the extra is there."""
    try:
        from cybertip.hashing.pictures import Unhashed, hash_picture
    except ModuleNotFoundError as error:
        if not lacks_pdq(error):
            raise
        return None

    def pdq(path: Path) -> "tuple[PictureHashes | None, NotChecked | None]":
        found = hash_picture(path)
        return (None, found.reason) if isinstance(found, Unhashed) else (found, None)

    return pdq
