"""Evidence is kept whole or not at all, under a name that only its bytes decide."""

import hashlib
import io
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from cybertip.adapters.evidence import LocalEvidence, MemoryEvidence
from cybertip.ports.evidence import entry_of, inspect

DATA = b"synthetic bytes " * 200_000
DIGEST = hashlib.sha256(DATA).hexdigest()
REFERENCE = f"{DIGEST[:2]}/{DIGEST[2:]}"

Kept = LocalEvidence | MemoryEvidence


@pytest.fixture(params=["local", "memory"])
def evidence(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """Evidence that holds nothing yet."""
    return LocalEvidence(tmp_path / "evidence") if request.param == "local" else MemoryEvidence()


def files_below(folder: Path) -> list[str]:
    """Return the paths of all files in a folder, relative to it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_kept_is_read_back(evidence: Kept, tmp_path: Path) -> None:
    """A stream and a file of the same bytes get the same reference, and it opens just these bytes."""
    path = tmp_path / "a.bin"
    path.write_bytes(DATA)
    for source in (io.BytesIO(DATA), path, str(path)):
        assert evidence.keep(source) == REFERENCE
    with evidence.open(REFERENCE) as file:
        assert file.read() == DATA
    assert entry_of(evidence, REFERENCE, name="a.bin").sha256 == DIGEST


def test_a_stream_is_kept_from_where_it_stands(evidence: Kept) -> None:
    """What the host has read already is not part of the evidence."""
    stream = io.BytesIO(b"head" + DATA)
    stream.seek(4)
    assert evidence.keep(stream) == REFERENCE


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    """However often they are kept, and by how many at once, there is one file and nothing beside it."""
    evidence = LocalEvidence(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        kept = set(pool.map(lambda _: evidence.keep(io.BytesIO(DATA)), range(24)))
    assert kept == {REFERENCE}
    assert files_below(tmp_path) == [REFERENCE]


def test_a_damaged_copy_is_replaced_by_a_sound_one(tmp_path: Path) -> None:
    """Who still has the bytes can mend the evidence by keeping them again."""
    evidence = LocalEvidence(tmp_path)
    entry = entry_of(evidence, evidence.keep(io.BytesIO(DATA)), name="a.bin")
    (tmp_path / REFERENCE).write_bytes(b"rotten")
    assert inspect(evidence, entry) is not None
    evidence.keep(io.BytesIO(DATA))
    assert inspect(evidence, entry) is None


def test_a_crash_before_the_bytes_have_their_name_does_no_harm(tmp_path: Path) -> None:
    """What a dead process left behind is referred to by nobody, and the same bytes can be kept as if it were not there."""
    program = (
        "import io, os, sys\n"
        "from cybertip.adapters.evidence import LocalEvidence\n"
        "os.replace = lambda *_: os._exit(9)\n"
        "LocalEvidence(sys.argv[1]).keep(io.BytesIO(b'synthetic bytes ' * 200_000))\n"
    )
    assert subprocess.run([sys.executable, "-c", program, tmp_path], check=False).returncode == 9
    (left_over,) = files_below(tmp_path)
    assert left_over.startswith(".incoming-")
    evidence = LocalEvidence(tmp_path)
    with pytest.raises(FileNotFoundError):
        evidence.open(REFERENCE)
    assert evidence.keep(io.BytesIO(DATA)) == REFERENCE
    assert files_below(tmp_path) == sorted([left_over, REFERENCE])
    with evidence.open(REFERENCE) as file:
        assert file.read() == DATA


def test_bytes_are_on_the_disk_before_their_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut finds the whole file under its name, or no such name: first the bytes, then the name, then the folders."""
    done: list[str] = []

    def noted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any) -> Any:
            what = "folder" if name == "fsync" and stat.S_ISDIR(os.fstat(words[0]).st_mode) else name
            if what == "fsync":
                assert os.fstat(words[0]).st_size == len(DATA), (
                    "not all of it was written when it was brought to the disk"
                )
            done.append(what)
            return real(*words)

        return call

    evidence = LocalEvidence(tmp_path)
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
    evidence.keep(io.BytesIO(DATA))
    assert done == ["fsync", "replace", "folder", "folder"]


class Breaking(io.BytesIO):
    """A stream that cannot be read to its end."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 0:
            raise OSError("the cable was pulled")
        return super().read(10)


def test_a_source_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """Half a file is no evidence: the error gets out, and the folder is as it was."""
    with pytest.raises(OSError, match="cable"):
        LocalEvidence(tmp_path).keep(Breaking(DATA))
    assert files_below(tmp_path) == []


def test_read_only_evidence_keeps_nothing(tmp_path: Path) -> None:
    """A worker that only delivers cannot write evidence, by mistake or otherwise; what is there it can read."""
    LocalEvidence(tmp_path).keep(io.BytesIO(DATA))
    evidence = LocalEvidence(tmp_path, read_only=True)
    with pytest.raises(OSError, match="reading only"):
        evidence.keep(io.BytesIO(b"more"))
    assert files_below(tmp_path) == [REFERENCE]
    with evidence.open(REFERENCE) as file:
        assert file.read(9) == b"synthetic"


def test_evidence_is_its_owners_alone(tmp_path: Path) -> None:
    """Other users of the machine can neither read it nor see what there is."""
    folder = tmp_path / "a" / "evidence"
    LocalEvidence(folder).keep(io.BytesIO(DATA))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (folder, (folder / REFERENCE).parent)}
    assert modes == {0o700}
    assert stat.S_IMODE((folder / REFERENCE).stat().st_mode) == 0o600


@pytest.mark.parametrize("reference", ["../outside", "/etc/hostname", "link", "nowhere", "ab", ""])
def test_a_reference_leads_to_evidence_or_nowhere(tmp_path: Path, reference: str) -> None:
    """Neither dots, nor a link, nor a whole path leads out of the folder, and the error names nothing."""
    (tmp_path / "outside").write_bytes(b"x")
    folder = tmp_path / "evidence"
    (folder / "ab").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(FileNotFoundError, match=r"^no such evidence$"):
        LocalEvidence(folder).open(reference)


def test_nothing_of_the_evidence_is_in_a_repr(evidence: Kept) -> None:
    """A log of what the program is made of shows neither folder nor reference."""
    evidence.keep(io.BytesIO(DATA))
    assert DIGEST[:8] not in repr(evidence)
    assert "/" not in repr(evidence)


def test_a_source_of_any_kind_of_stream_is_kept(evidence: Kept, tmp_path: Path) -> None:
    """A stream that hands out little at a time is read to its end."""
    path = tmp_path / "a.bin"
    path.write_bytes(DATA)

    class Dripping:
        def __init__(self, file: BinaryIO) -> None:
            self.file = file

        def read(self, size: int = -1) -> bytes:
            return self.file.read(min(size, 70_000) if size > 0 else -1)

    with path.open("rb") as file:
        assert evidence.keep(Dripping(file)) == REFERENCE  # type: ignore[arg-type] # a stream as far as it is read
