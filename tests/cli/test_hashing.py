"""`hash` and `match`: the hashes of files, and whether lists of this machine know them."""

import hashlib
import io
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps
from typer.testing import CliRunner, Result

from cybertip.adapters.matching.store import HashStore, ListEntry
from cybertip.cli.app import app
from cybertip.hashing.digests import digest
from cybertip.hashing.pictures import PictureHashes, hash_picture
from cybertip.ports.matching import MD5, PDQ, PHOTODNA, EntryId, HashType, ListName, MediaHash, MemberId
from cybertip.testing.pictures import picture

NEEDED = "needs the extra [pdq]: python -m pip install 'cybertip[pdq]'"


def run(*words: object, **variables: str) -> Result:
    """Run the command as a pipe would."""
    return CliRunner().invoke(app, [str(word) for word in words], env=variables)


def lines(done: Result) -> list[dict[str, Any]]:
    """Read what a pipe gets: a line of JSON for each file."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def image(seed: int) -> Image.Image:
    return Image.fromarray(picture(seed, 240, 320))


def saved(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def hashes_of(data: bytes) -> tuple[MediaHash, ...]:
    found = hash_picture(data)
    assert isinstance(found, PictureHashes)
    return (*digest(data).hashes, found.hashes[0])


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a known picture, which is mirrored and recompressed, an unknown one, and what is no picture."""
    (tmp_path / "known.png").write_bytes(saved(image(1)))
    (tmp_path / "again.jpg").write_bytes(saved(ImageOps.mirror(image(1)), "JPEG"))
    (tmp_path / "other.png").write_bytes(saved(image(2)))
    (tmp_path / "cut.png").write_bytes(saved(image(2))[:-4000])
    (tmp_path / "words.txt").write_bytes(b"synthetic words")
    monkeypatch.chdir(tmp_path)
    for name in ("CYBERTIP_CONFIG", "CYBERTIP_HASHES", "CYBERTIP_HASHES_INDEX"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def listed(*hashes: MediaHash, age: timedelta = timedelta(hours=1), path: str = "lists.db") -> None:
    """Make a list with an entry that has these hashes."""
    with HashStore(path) as store, store.changing(ListName("synthetic list")) as change:
        entry = EntryId("image1")
        change.put(ListEntry(entry=entry, member=MemberId("42"), classification="A1", hashes=hashes))
        change.complete(datetime.now(UTC) - age)


@pytest.fixture
def lists(files: Path) -> None:
    """Lists that know one picture."""
    listed(*hashes_of((files / "known.png").read_bytes()))


@pytest.fixture
def without_pdq(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program without the extra [pdq]."""
    for name in [
        one for one in sys.modules if one.startswith(("cybertip.hashing.pictures", "cybertip.adapters.matching"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.setitem(sys.modules, "PIL", None)


# -- hash -----------------------------------------------------------------------------------------------------------------


def test_a_pipe_gets_every_hash_of_every_file_in_order(files: Path) -> None:
    """Digests of all bytes, and PDQ with its quality: one line a file, in the order in which they were named."""
    done = run("hash", "other.png", "known.png", "again.jpg", "--threads", 2)
    assert (done.exit_code, done.stderr) == (0, "")
    found = lines(done)
    assert [one["file"] for one in found] == ["other.png", "known.png", "again.jpg"]
    for one in found:
        data = (files / one["file"]).read_bytes()
        expected = {name: hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256")}
        assert {name: one[name] for name in expected} == expected
        assert one["pdq"] == hashes_of(data)[-1].value
        assert (one["size"], one["width"], one["height"], one["quality"]) == (len(data), 320, 240, 100)
        assert (one["remarks"], one["notChecked"], one["why"]) == ([], None, None)


@pytest.mark.parametrize(
    ("name", "reason"), [("cut.png", "undecodable"), ("words.txt", "unsupported_type")], ids=["cut", "words"]
)
def test_what_has_no_picture_hash_says_why(name: str, reason: str) -> None:
    """A file that cannot be decoded has its digests and a reason, the others have theirs, and the exit code tells."""
    done = run("hash", name, "known.png")
    assert done.exit_code == 4
    without, known = lines(done)
    assert (without["pdq"], without["notChecked"]) == (None, reason)
    assert without["why"] == f"not hashed: {reason.replace('_', ' ')}"
    assert without["sha256"]
    assert known["pdq"]


def test_a_file_that_cannot_be_read_says_why_and_keeps_no_other_waiting(files: Path) -> None:
    """A missing file and a folder are named with the system's words; the exit code is that of a wrong file."""
    (files / "folder").mkdir()
    done = run("hash", "missing.png", "folder", "known.png", "cut.png")
    assert done.exit_code == 2
    missing, folder, known, _ = lines(done)
    assert (missing["notChecked"], missing["why"], missing["size"]) == ("unreadable", "No such file or directory", None)
    assert folder["notChecked"] == "unreadable"
    assert known["pdq"]


def test_digests_alone_are_enough_for_whoever_asks_for_them() -> None:
    """With `--digests` nothing is decoded, and a file that is no picture lacks nothing."""
    done = run("hash", "--digests", "cut.png", "words.txt")
    assert done.exit_code == 0
    assert [(one["pdq"], one["notChecked"]) for one in lines(done)] == [(None, None)] * 2


def test_of_an_animation_only_the_first_picture_is_hashed_and_that_is_said(files: Path) -> None:
    """Whoever relies on the hash of a file that moves is told that there is more in it."""
    image(1).save(files / "moving.gif", save_all=True, append_images=[image(2)])
    done = run("hash", "moving.gif")
    assert (done.exit_code, lines(done)[0]["remarks"]) == (0, ["first_frame"])


@pytest.mark.usefixtures("without_pdq")
def test_without_the_extra_there_are_digests_and_its_name() -> None:
    """A core installation prints digests, and says of PDQ what to install."""
    done = run("hash", "known.png")
    assert done.exit_code == 4
    (found,) = lines(done)
    assert (found["pdq"], found["notChecked"], found["why"]) == (None, "missing_hash", NEEDED)
    assert found["md5"]
    assert run("hash", "known.png", "--digests").exit_code == 0


def test_a_name_need_not_be_unicode(files: Path) -> None:
    """A file whose name is bytes of no encoding is hashed, and a program that reads JSON finds it again."""
    name = os.fsdecode(b"odd-\xff.txt")
    (files / name).write_bytes(b"")
    done = run("hash", "--digests", name)
    assert done.exit_code == 0
    assert done.stdout.isascii()
    assert lines(done)[0]["file"] == name


def test_a_person_sees_sentences(lists: None, on_a_terminal: Callable[..., tuple[int, str]], files: Path) -> None:
    """On a terminal, hashes stand below their files and matches are sentences, with a summary and the lists' ages."""
    names = [files / name for name in ("known.png", "again.jpg", "other.png", "cut.png", os.fsdecode(b"odd-\xff.txt"))]
    names[-1].write_bytes(b"")
    code, seen = on_a_terminal("hash", *names)
    assert code == 4
    said = [" ".join(line.split()) for line in seen.splitlines()]
    assert f"sha256 {digest(files / 'cut.png').sha256}" in said
    assert f"pdq {hashes_of((files / 'known.png').read_bytes())[-1].value} quality 100" in said
    assert "pdq not hashed: undecodable" in said
    code, seen = on_a_terminal("match", *names[:4], "--hashes", files / "lists.db")
    assert code == 5
    said = [" ".join(line.split()) for line in seen.splitlines()]
    assert f"{files}/known.png: potential match" in said
    assert "synthetic list, entry image1 of 42: exact by md5, called A1 there" in said
    (near,) = [line for line in said if "near by pdq mirrored" in line]
    assert near.endswith("of at most 31 bits apart, called A1 there")
    assert f"{files}/other.png: no match" in said
    assert f"{files}/cut.png: not checked" in said
    assert "not looked up: pdq: undecodable (local pdq)" in said
    assert "2 potential match, 1 not checked, 1 no match; looked up by md5, pdq, sha1, sha256" in said
    assert any(line.startswith("synthetic list: complete as of 20") for line in said)


# -- match ----------------------------------------------------------------------------------------------------------------


def test_a_match_names_the_entry_and_how_near_it_is(lists: None) -> None:
    """Of the very file, each hash matches; of the mirrored and recompressed one PDQ does, and its variant says how."""
    done = run("match", "known.png", "again.jpg", "other.png", "--hashes", "lists.db")
    assert (done.exit_code, done.stderr) == (5, "")
    same, again, other = lines(done)
    assert {one["hashType"]: one["kind"] for one in same["matches"]} == {
        "md5": "exact", "sha1": "exact", "sha256": "exact", "pdq": "near",
    }  # fmt: skip
    (near,) = again["matches"]
    assert near["distance"] <= near["limit"] == 31
    assert {name: near[name] for name in ("list", "entry", "member", "classification", "variant", "disputed")} == {
        "list": "synthetic list",
        "entry": "image1",
        "member": "42",
        "classification": "A1",
        "variant": "mirrored",
        "disputed": False,
    }
    assert (other["outcome"], other["matches"], other["unchecked"]) == ("no_match", [], [])
    assert other["lookedUpBy"] == ["md5", "pdq", "sha1", "sha256"]
    assert datetime.fromisoformat(other["listAsOf"]) < datetime.now(UTC)


def test_the_exit_code_tells_a_match_from_none_and_from_nothing_known(lists: None) -> None:
    """0 is said only where all was looked up; what was not checked outweighs what does not match, and a match both."""
    assert run("match", "other.png", "--hashes", "lists.db").exit_code == 0
    assert run("match", "other.png", "cut.png", "--hashes", "lists.db").exit_code == 4
    assert run("match", "missing.png", "--hashes", "lists.db").exit_code == 4
    assert run("match", "cut.png", "known.png", "other.png", "--hashes", "lists.db").exit_code == 5


def test_why_something_was_not_looked_up_is_said(lists: None) -> None:
    """Each file has its own reason, and digests that were looked up do not hide that the picture was not."""
    done = run("match", "cut.png", "words.txt", "missing.png", "--hashes", "lists.db")
    assert [(one["outcome"], one["reason"]) for one in lines(done)] == [
        ("not_checked", "undecodable"),
        ("not_checked", "unsupported_type"),
        ("not_checked", "unreadable"),
    ]


def test_lists_that_are_too_old_show_nothing(lists: None) -> None:
    """How old a list may be is the caller's to say; in an older one something can be found, but nothing is not found."""
    done = run("match", "other.png", "--hashes", "lists.db", "--oldest", 0.5)
    assert (done.exit_code, lines(done)[0]["reason"]) == (4, "stale_list")
    assert run("match", "known.png", "--hashes", "lists.db", "--oldest", 0.5).exit_code == 5


@pytest.mark.parametrize(
    ("kinds", "looked_up_by"),
    [((MD5,), ["md5"]), ((PDQ,), ["pdq"]), ((MD5, PDQ, PHOTODNA), ["md5", "pdq"])],
    ids=["digests", "pictures", "both"],
)
def test_what_the_lists_have_is_what_files_are_looked_up_by(
    kinds: tuple[HashType, ...], looked_up_by: list[str], files: Path
) -> None:
    """Lists of one kind alone are enough to say that nothing matches, by that kind: which it is, is said."""
    known = (*hashes_of((files / "known.png").read_bytes()), MediaHash(type=PHOTODNA, value="synthetic"))
    listed(*(one for one in known if one.type in kinds))
    done = run("match", "other.png", "known.png", "--hashes", "lists.db")
    assert done.exit_code == 5
    assert [one["outcome"] for one in lines(done)] == ["no_match", "potential_match"]
    assert [one["lookedUpBy"] for one in lines(done)] == [looked_up_by] * 2


def test_empty_lists_show_nothing() -> None:
    """While no list has a hash, nothing was checked."""
    with HashStore("empty.db"):
        pass
    done = run("match", "known.png", CYBERTIP_HASHES="empty.db")
    assert (done.exit_code, lines(done)[0]["reason"]) == (4, "no_list")


def test_a_store_that_is_not_there_is_not_made(files: Path) -> None:
    """A mistyped name is an error, and not an empty store in which nothing is found."""
    done = run("match", "known.png", "--hashes", "lists.bd")
    assert done.exit_code == 2
    assert "there is no store of hashes" in done.stderr
    assert not (files / "lists.bd").exists()
    done = run("match", "known.png", "--hashes", "words.txt")
    assert done.exit_code == 7


def test_the_distance_is_the_callers_to_choose(lists: None, files: Path) -> None:
    """With a limit below the distance, the picture is not found by its looks."""
    (near,) = lines(run("match", "again.jpg", "--hashes", "lists.db"))[0]["matches"]
    assert near["distance"] > 0
    assert run("match", "again.jpg", "--hashes", "lists.db", "--limit", near["distance"] - 1).exit_code == 0
    assert run("match", "again.jpg", "--hashes", "lists.db", "--limit", near["distance"]).exit_code == 5


def test_the_index_is_kept_where_it_is_wanted(lists: None, files: Path) -> None:
    """With `--index` the tables are made once; where they cannot be kept, files are looked up and somebody is told."""
    done = run("match", "again.jpg", "--hashes", "lists.db", "--index", "index")
    assert (done.exit_code, done.stderr) == (5, "")
    before = {path: path.stat().st_mtime_ns for path in (files / "index").iterdir()}
    assert before
    assert run("match", "again.jpg", "--hashes", "lists.db", "--index", "index").exit_code == 5
    assert {path: path.stat().st_mtime_ns for path in (files / "index").iterdir()} == before
    done = run("match", "again.jpg", "--hashes", "lists.db", "--index", "words.txt")
    assert done.exit_code == 5
    assert "the index could not be written to its folder" in done.stderr


def test_without_the_extra_pictures_are_not_checked_and_digests_are(lists: None, without_pdq: None) -> None:
    """A core installation finds the very file, and says of all others that their looks were not looked up."""
    done = run("match", "known.png", "other.png", "--hashes", "lists.db")
    assert done.exit_code == 5
    same, other = lines(done)
    assert {one["hashType"] for one in same["matches"]} == {"md5", "sha1", "sha256"}
    assert (other["outcome"], other["reason"]) == ("not_checked", "missing_hash")
    assert other["unchecked"] == [{"matcher": f"pdq, which {NEEDED}", "reason": "missing_hash", "hashType": "pdq"}]


def test_the_settings_say_where_lists_and_index_are(lists: None, files: Path) -> None:
    """Whoever keeps the lists somewhere says so once; an option goes before it."""
    (files / "cybertip.toml").write_text('hashes = "lists.db"\nhashes_index = "kept"\n', encoding="utf-8")
    assert run("match", "known.png").exit_code == 5
    assert (files / "kept").is_dir()
    assert run("match", "known.png", "--hashes", "elsewhere.db").exit_code == 2


def test_many_files_are_looked_up_in_order(lists: None, files: Path) -> None:
    """More files than are looked up together have each their own result."""
    names = [f"{number}.png" for number in range(70)]
    for number, name in enumerate(names):
        os.link(files / ("known.png" if number % 7 == 0 else "other.png"), files / name)
    found = lines(run("match", *names, "--hashes", "lists.db"))
    assert [one["file"] for one in found] == names
    assert [one["outcome"] == "potential_match" for one in found] == [number % 7 == 0 for number in range(70)]


def test_nothing_of_the_lists_is_printed_but_what_matched(lists: None, files: Path) -> None:
    """No hash of a list is in what `match` prints: it is not for logs."""
    done = run("match", "known.png", "again.jpg", "--hashes", "lists.db")
    for one in hashes_of((files / "known.png").read_bytes()):
        assert one.value not in done.output
