"""An index in a folder: arrays as numpy writes them, and a manifest that says which they are and what their digests are.

Nothing in it is ever executed: there is no pickle. Arrays are named after their digests and never changed, and the manifest
is replaced in one step: whoever reads meanwhile has the old index or the new one, and a crash leaves one of them. What is
loaded is verified against the digests, and is tried out before anybody relies on it: an index that answers nothing looks
like one that knows nothing.
"""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from cybertip.errors import AdapterError
from cybertip.hashing.index import PdqIndex
from cybertip.hashing.pdq import BITS, SAME_PICTURE
from cybertip.hashing.tables import Tables

__all__ = ["MANIFEST", "DamagedIndex", "load", "save", "try_out"]

MANIFEST: Final = "manifest.json"

_FORMAT: Final = 1
_BLOCK: Final = 1024 * 1024
#: How many of the hashes are looked up before an index is relied on.
_SAMPLES: Final = 64
#: Files that no manifest names are left alone for so long: another process may be about to name them.
_LEFT_ALONE_FOR: Final = 24 * 3600.0

#: The arrays of an index, and what each has to be.
_ARRAYS: Final[dict[str, tuple[np.dtype[Any], int]]] = {
    "hashes": (np.dtype(np.uint8), 2),
    "entries": (np.dtype("<u4"), 2),
    "begins": (np.dtype("<u4"), 2),
    "ids": (np.dtype("<i8"), 1),
}


class DamagedIndex(AdapterError):
    """An index cannot be relied on: its files are missing, altered or not an index. Make it anew from the lists."""


def save(index: PdqIndex, folder: Path, *, about: Mapping[str, Any] | None = None) -> None:
    """Write all that is in an index to a folder, in the place of the index that is there.

    Args:
        index: others may change it meanwhile; what is written is the state at the beginning.
        folder: is made if it is not there, and should hold nothing else.
        about: what the caller wants to know of it when it is loaded, such as how far it had come in its lists; as JSON.
    """
    tables, ids = index.snapshot()
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {"hashes": tables.hashes, "entries": tables.entries, "begins": tables.begins, "ids": ids}
    files = {name: _written(folder, name, np.asarray(array, _ARRAYS[name][0])) for name, array in arrays.items()}
    manifest = {"format": _FORMAT, "count": len(ids), "files": files, "about": dict(about or {})}
    before = _named(folder)
    _replace(folder, MANIFEST, json.dumps(manifest, indent=1).encode())
    _sync(folder)
    _clear(folder, before - {file["name"] for file in files.values()})


def load(folder: Path) -> tuple[PdqIndex, dict[str, Any]]:
    """Return the index that was saved in a folder, and what was said about it.

    Its arrays are mapped into memory: processes that load the same index share them, and another that is saved meanwhile
    leaves them as they are.

    Raises:
        FileNotFoundError: there is no index in the folder.
        DamagedIndex: there is one, and it cannot be relied on.
    """
    while True:
        text = (folder / MANIFEST).read_bytes()
        try:
            return _loaded(folder, text)
        except FileNotFoundError as error:
            # Another one was saved in between, and took the files of the first with it.
            if (folder / MANIFEST).read_bytes() == text:
                raise DamagedIndex("an array that the manifest of the index names is missing: make it anew") from error


def try_out(index: PdqIndex) -> None:
    """Look up some of an index's own hashes, exactly and as far off as may be; raise `DamagedIndex` if one is not found.

    Each sample is altered in 31 bits so that it can be found by one sixteenth alone, each sixteenth in its turn.
    """
    tables, ids = index.snapshot()
    for number, row in enumerate(np.linspace(0, max(len(ids) - 1, 0), min(_SAMPLES, len(ids)), dtype=np.int64)):
        known = tables.hashes[row].tobytes()
        for query, distance in ((known, 0), (_altered(known, number % 16), SAME_PICTURE)):
            if not any((hit.id, hit.distance) == (ids[row], distance) for hit in index.search(query)):
                raise DamagedIndex("the index does not find what is in it: make it anew")


def _altered(known: bytes, spared: int) -> bytes:
    """Flip a bit of one sixteenth and two of each other."""
    flips = sum(1 << (16 * part + 5) | (1 << (16 * part + 11) if part != spared else 0) for part in range(16))
    return (int.from_bytes(known, "little") ^ flips).to_bytes(BITS // 8, "little")


def _loaded(folder: Path, text: bytes) -> tuple[PdqIndex, dict[str, Any]]:
    try:
        manifest = json.loads(text)
        if manifest["format"] != _FORMAT:
            raise DamagedIndex("the index was written by another version: make it anew")
        count, about, files = int(manifest["count"]), dict(manifest["about"]), manifest["files"]
        arrays = {name: _read(folder, name, str(files[name]["name"]), str(files[name]["sha256"])) for name in _ARRAYS}
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedIndex("the manifest of the index cannot be read: make it anew") from error
    tables = Tables(hashes=arrays["hashes"], entries=arrays["entries"], begins=arrays["begins"])
    _check(tables, arrays["ids"], count)
    index = PdqIndex.over(tables, arrays["ids"])
    try_out(index)
    return index, about


def _check(tables: Tables, ids: NDArray[Any], count: int) -> None:
    """Check that no search can lead outside of the arrays, and that all of them are of the same hashes."""
    shapes = (tables.hashes.shape, tables.entries.shape, tables.begins.shape, ids.shape)
    if shapes != ((count, BITS // 8), (16, count), (16, (1 << 16) + 1), (count,)):
        raise DamagedIndex("the arrays of the index do not belong together: make it anew")
    ends = tables.begins[:, -1] == np.arange(1, 17) * count
    begins = tables.begins[:, 0] == np.arange(16) * count
    ordered = (tables.begins[:, 1:] >= tables.begins[:, :-1]).all() and (ids[1:] >= ids[:-1]).all()
    if not (ends.all() and begins.all() and ordered and (not count or int(tables.rows.max()) < count)):
        raise DamagedIndex("the arrays of the index are not in order: make it anew")


def _read(folder: Path, name: str, file: str, digest: str) -> NDArray[Any]:
    if Path(file).name != file:
        raise DamagedIndex("the manifest of the index names a file elsewhere: make it anew")
    with (folder / file).open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != digest:
            raise DamagedIndex(f"the array {name!r} of the index is not what was written: make it anew")
    try:
        # Nothing cannot be mapped.
        array = np.load(folder / file, mmap_mode="r", allow_pickle=False)
    except ValueError:
        array = np.load(folder / file, allow_pickle=False)
    if (array.dtype, array.ndim) != _ARRAYS[name]:
        raise DamagedIndex(f"the array {name!r} of the index is of another kind: make it anew")
    return np.asarray(array)


class _Digesting:
    """Write to a file and digest what is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)


def _written(folder: Path, name: str, array: NDArray[Any]) -> dict[str, str]:
    """Write an array to a file that is named after its digest."""
    number, incoming = tempfile.mkstemp(prefix=".incoming-", dir=folder)
    try:
        with os.fdopen(number, "wb") as file:
            digesting = _Digesting(file)
            np.lib.format.write_array(digesting, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        digest = digesting.digest.hexdigest()
        os.replace(incoming, folder / f"{name}-{digest[:16]}.npy")
    except BaseException:
        with suppress(OSError):
            os.unlink(incoming)
        raise
    return {"name": f"{name}-{digest[:16]}.npy", "sha256": digest}


def _replace(folder: Path, name: str, data: bytes) -> None:
    number, incoming = tempfile.mkstemp(prefix=".incoming-", dir=folder)
    with os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(incoming, folder / name)


def _named(folder: Path) -> set[str]:
    """Return the files of the index that is in the folder, as far as it can be read."""
    try:
        return {str(file["name"]) for file in json.loads((folder / MANIFEST).read_bytes())["files"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _clear(folder: Path, replaced: set[str]) -> None:
    """Remove the files of the index before, and what an interrupted process left behind long ago."""
    kept = _named(folder)
    old = time.time() - _LEFT_ALONE_FOR
    for path in folder.iterdir():
        ours = path.suffix == ".npy" and path.name.partition("-")[0] in _ARRAYS
        # Another process may clear the folder, too; and where files that are mapped cannot be removed, the next one tries.
        with suppress(OSError):
            left_behind = (ours or path.name.startswith(".incoming-")) and path.stat().st_mtime < old
            if path.name not in kept and (left_behind or (ours and path.name in replaced)):
                path.unlink()


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk, where folders can be opened."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
