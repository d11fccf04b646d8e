"""An index comes back from its folder as it went in, or not at all."""

import json
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cybertip.errors import AdapterError
from cybertip.hashing.index import Hit, PdqIndex
from cybertip.hashing.index_files import MANIFEST, DamagedIndex, load, save, try_out
from cybertip.hashing.tables import Tables


def made_up(seed: int, count: int) -> list[bytes]:
    numbers = random.Random(seed)
    return [numbers.randbytes(32) for _ in range(count)]


def altered(known: bytes, bits: list[int]) -> bytes:
    return (int.from_bytes(known, "big") ^ sum(1 << bit for bit in set(bits))).to_bytes(32, "big")


@given(
    known=st.lists(st.tuples(st.integers(-5, 5), st.binary(min_size=32, max_size=32)), max_size=12),
    copies=st.integers(0, 3),
    added=st.lists(st.tuples(st.integers(-5, 5), st.binary(min_size=32, max_size=32)), max_size=4),
    removed=st.lists(st.integers(-5, 5), max_size=2),
    bits=st.lists(st.integers(0, 255), max_size=31),
)
@settings(max_examples=40)
def test_an_index_answers_the_same_after_it_was_saved_and_loaded(
    known: list[tuple[int, bytes]],
    copies: int,
    added: list[tuple[int, bytes]],
    removed: list[int],
    bits: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Of no hash, one, several or the same one again, with additions and removals: what was found before is found after."""
    known = known + known[:1] * copies
    index = PdqIndex([one for _, one in known], [id for id, _ in known])
    for id, one in added:
        index.add(one, id)
    for id in removed:
        index.remove(id)
    folder = tmp_path_factory.mktemp("index")
    save(index, folder, about={"seen": len(known)})
    loaded, about = load(folder)
    assert about == {"seen": len(known)}
    assert (len(loaded), loaded.pending) == (len(index), 0)
    for _, one in (*known, *added, (0, bytes(32))):
        for query in (one, altered(one, bits)):
            assert loaded.search(query) == index.search(query)
    loaded.add(bytes(32), 77)
    assert Hit(distance=0, id=77) in loaded.search(bytes(32))


def saved(folder: Path, seed: int = 1, count: int = 50) -> PdqIndex:
    index = PdqIndex(made_up(seed, count), range(count))
    save(index, folder)
    return index


def change_a_byte(folder: Path, name: str) -> None:
    (path,) = folder.glob(f"{name}-*.npy")
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def change_manifest(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a byte of hashes": lambda folder: change_a_byte(folder, "hashes"),
    "a byte of entries": lambda folder: change_a_byte(folder, "entries"),
    "a byte of begins": lambda folder: change_a_byte(folder, "begins"),
    "a byte of ids": lambda folder: change_a_byte(folder, "ids"),
    "an array is missing": lambda folder: next(folder.glob("entries-*.npy")).unlink(),
    "an array is cut": lambda folder: os.truncate(next(folder.glob("entries-*.npy")), 500),
    "no manifest but rubbish": lambda folder: (folder / MANIFEST).write_bytes(b"\xff{"),
    "a list for a manifest": lambda folder: (folder / MANIFEST).write_bytes(b"[]"),
    "half a manifest": lambda folder: (folder / MANIFEST).write_text('{"format": 1, "files": {}}'),
    "another version": lambda folder: change_manifest(folder, lambda manifest: manifest.update(format=2)),
    "another count": lambda folder: change_manifest(folder, lambda manifest: manifest.update(count=51)),
    "a file elsewhere": lambda folder: change_manifest(
        folder,
        lambda manifest: manifest["files"]["ids"].update(name="../ids.npy"),  # type: ignore[index]
    ),
}


@pytest.mark.parametrize("damage", list(DAMAGE))
def test_what_was_altered_is_not_relied_on(damage: str, tmp_path: Path) -> None:
    """A single altered bit of any file, or a manifest that does not fit, and the index is refused with what to do."""
    saved(tmp_path)
    DAMAGE[damage](tmp_path)
    with pytest.raises(DamagedIndex, match="make it anew") as refused:
        load(tmp_path)
    assert isinstance(refused.value, AdapterError)


def written_wrongly(folder: Path, change: Callable[[Tables, np.ndarray[tuple[int], np.dtype[np.int64]]], None]) -> None:
    """Write an index with right digests and wrong contents, as a faulty program would."""
    tables, ids = PdqIndex(made_up(1, 50), range(50)).snapshot()
    change(tables, ids)
    save(PdqIndex.over(tables, ids), folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda tables, ids: tables.entries.__setitem__((3, 7), 50),
        lambda tables, ids: tables.begins.__setitem__((0, 9), 60),
        lambda tables, ids: tables.begins.__setitem__((15, 65536), 0),
        lambda tables, ids: ids.__setitem__(0, 99),
        *(lambda tables, ids, part=part: tables.entries.__setitem__(part, 0) for part in range(16)),
    ],
)
def test_an_index_that_was_made_wrongly_is_not_relied_on(
    change: Callable[[Tables, np.ndarray[tuple[int], np.dtype[np.int64]]], None], tmp_path: Path
) -> None:
    """Digests do not help against a fault of the writer: bounds are checked, and each table has to find what is in it."""
    written_wrongly(tmp_path, change)
    with pytest.raises(DamagedIndex):
        load(tmp_path)


def test_an_index_that_answers_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One hash and no answer, as other libraries have it after a restart, is a fault and not an empty list."""
    index = PdqIndex(made_up(1, 1), [1])
    try_out(index)
    monkeypatch.setattr(PdqIndex, "search", lambda self, query, **_: ())
    with pytest.raises(DamagedIndex, match="does not find"):
        try_out(index)
    try_out(PdqIndex())


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    """An array of objects, which numpy would have to execute, is refused even with the right digest."""
    import hashlib

    saved(tmp_path)
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    digest = hashlib.sha256((tmp_path / "evil.npy").read_bytes()).hexdigest()
    change_manifest(
        tmp_path,
        lambda manifest: manifest["files"].update(ids={"name": "evil.npy", "sha256": digest}),  # type: ignore[attr-defined]
    )
    with pytest.raises(DamagedIndex):
        load(tmp_path)


def test_no_index_is_no_damaged_index(tmp_path: Path) -> None:
    """Where nothing was ever saved, that is what is said: it is to be made, and nothing is lost."""
    with pytest.raises(FileNotFoundError):
        load(tmp_path)


def test_whoever_reads_while_another_is_saved_has_one_of_them_whole(tmp_path: Path) -> None:
    """An index is replaced in one step: readers in other threads load the old one or the new one, and keep it."""
    generations = [made_up(seed, 40) for seed in range(12)]
    saved(tmp_path, 0, 40)
    first, _ = load(tmp_path)
    faults, done = list[str](), threading.Event()
    loads = [0]

    def read() -> None:
        while not done.is_set():
            index, _ = load(tmp_path)
            found = [seed for seed, known in enumerate(generations) if index.search(known[7])]
            if len(found) != 1 or len(index) != 40:
                faults.append(f"it found {found}")
            loads[0] += 1

    thread = threading.Thread(target=read)
    thread.start()
    for seed in range(1, 12):
        saved(tmp_path, seed, 40)
        seen = loads[0]
        while loads[0] < seen + 1 and thread.is_alive():
            time.sleep(0.001)
    done.set()
    thread.join()
    assert not faults
    assert all(first.search(one) == (Hit(distance=0, id=id),) for id, one in enumerate(generations[0]))


def test_nothing_is_left_of_the_indexes_before(tmp_path: Path) -> None:
    """A folder holds one index: the files of those before are removed, files of others are not, nor young strangers."""
    (tmp_path / "notes.txt").write_text("ours")
    (tmp_path / "entries-of-somebody.npy").write_bytes(b"young")
    for seed in range(4):
        saved(tmp_path, seed)
    old = tmp_path / ".incoming-crash"
    old.write_bytes(b"half")
    os.utime(old, (0, 0))
    index = saved(tmp_path, 5)
    save(index, tmp_path)
    names = sorted(path.name.partition("-")[0] for path in tmp_path.iterdir())
    assert names == ["begins", "entries", "entries", "hashes", "ids", MANIFEST, "notes.txt"]
    assert len(load(tmp_path)[0]) == 50


def test_a_crash_while_saving_leaves_the_index_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever saving is interrupted, what was saved before is loaded, until the manifest names the new one."""
    saved(tmp_path, 1)
    replace = os.replace
    for crash_at in range(1, 6):
        calls = [0]

        def crash(source: str, target: Path, calls: list[int] = calls, crash_at: int = crash_at) -> None:
            calls[0] += 1
            if calls[0] == crash_at:
                raise KeyboardInterrupt
            replace(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", crash)
            with pytest.raises(KeyboardInterrupt):
                save(PdqIndex(made_up(2, 50), range(50)), tmp_path)
        loaded, _ = load(tmp_path)
        assert loaded.search(made_up(1, 50)[3]) == (Hit(distance=0, id=3),)


def test_an_array_is_named_before_anything_refers_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest comes last: at no time does it name a file that is not there."""
    order: list[str] = []
    replace = os.replace

    def watching(source: str, target: Path) -> None:
        order.append(target.name.partition("-")[0])
        replace(source, target)

    monkeypatch.setattr(os, "replace", watching)
    saved(tmp_path)
    assert order == ["hashes", "entries", "begins", "ids", MANIFEST]
