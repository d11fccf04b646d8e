"""The file of the lists of known material, as the commands open it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cybertip.adapters.matching.store import HashStore
from cybertip.cli.outcome import Misuse
from cybertip.cli.settings import Settings, make_private

__all__ = ["StoreOption", "opened"]

StoreOption = Annotated[
    Path | None,
    typer.Option("--hashes", metavar="STORE", envvar="CYBERTIP_HASHES", help="The file of the lists."),
]


@contextmanager
def opened(settings: Settings, given: Path | None, *, make: bool = False) -> Iterator[HashStore]:
    """Open the file of the lists. One that is made can be read by nobody else: hashes of known material are in it."""
    path = given or Path(settings.hashes)
    if make:
        if not path.absolute().parent.is_dir():
            raise Misuse(
                f"there is no folder {path.absolute().parent} to keep the lists in: make it, for its owner alone"
            )
        make_private(path)
    elif not path.is_file():
        raise Misuse(f"there is no store of hashes {path.absolute()}: `cybertip hashes sync` and `import` make one")
    with HashStore(path) as store:
        yield store
