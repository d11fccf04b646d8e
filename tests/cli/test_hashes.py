"""`hashes`: lists come here whole or not at all, and what is wrong with them is told."""

import json
import os
import re
import signal
import sqlite3
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cybertip.adapters.matching.store import HashStore, ListEntry
from cybertip.cli import show
from cybertip.hash_sharing import SOURCES, Checkpoint
from cybertip.ports.matching import MD5, PDQ, EntryId, ListName, MediaHash, MemberId, Verdict
from cybertip.testing.hash_sharing import Fault, HashSharingDouble

DONE, INVALID, USAGE, REFUSED, NO_ANSWER, STORAGE = 0, 1, 2, 3, 4, 7

NOW = datetime.now(UTC).replace(microsecond=0)


def digits(number: int) -> dict[str, str]:
    return {"md5": f"{number:032x}", "pdq": f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**256:064x}"}


@pytest.fixture
def ncmec(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HashSharingDouble]:
    """A double of hash sharing with forty entries and a tombstone, which the settings lead to."""
    with HashSharingDouble(page_size=4, password="canary-password") as double:
        for number in range(40):
            at = NOW - timedelta(days=100 - number)
            double.put(
                f"image{number}", at=at, fingerprints=digits(number), classification="A1" if number % 2 else None
            )
        double.delete("image7", at=NOW - timedelta(days=1))
        monkeypatch.setenv("CYBERTIP_HASHES_SOURCE", double.url)
        monkeypatch.setenv("CYBERTIP_HASHES_LIST", "synthetic")
        monkeypatch.setenv("CYBERTIP_HASHES_USERNAME", "sandbox")
        monkeypatch.setenv("CYBERTIP_HASHES_PASSWORD", "canary-password")
        yield double


def on_list(path: Path, double: HashSharingDouble) -> None:
    """Assert that a store has what the double has, every entry once."""
    with HashStore(path) as store:
        values = [MediaHash(type=MD5, value=one.fingerprints["md5"]) for one in double.states if one.fingerprints]
        found = sorted((one.member, one.entry) for one in store.find(values))
        assert found == sorted(double.entries())
        assert store.counts() == {MD5: len(found), PDQ: len(found)}


# -- sync ----------------------------------------------------------------------------------------------------------------


def test_a_list_is_brought_here_and_kept_up_to_date(run: Any, ncmec: HashSharingDouble, place: Path) -> None:
    """The settings name the list, its file is nobody else's, a pipe gets JSON, and the password is in no file."""
    done = run("hashes", "sync")
    assert done.exit_code == DONE, done.output
    told = json.loads(done.stdout)
    assert (told["list"], told["put"], told["complete"]) == ("synthetic", 39, True)
    on_list(place / "hashes.db", ncmec)
    assert stat.S_IMODE((place / "hashes.db").stat().st_mode) == 0o600
    assert not any(b"canary" in file.read_bytes() for file in place.glob("hashes.db*"))
    assert json.loads(run("hashes", "sync").stdout)["put"] == 0


@pytest.fixture
def as_a_person(run: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """A function that runs the command as on a terminal, and returns its exit code and what was shown, in plain text."""

    def as_a_person(*words: object) -> tuple[int, str]:
        shown = StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(show, "console", Console(file=shown, force_terminal=True, width=200, highlight=False))
            code = run(*words).exit_code
        return code, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.getvalue())

    return as_a_person


def test_a_person_sees_sentences(as_a_person: Any, ncmec: HashSharingDouble, place: Path) -> None:
    """On a terminal there is a line that lives while it lasts, and words at the end."""
    ncmec.put("odd", at=NOW - timedelta(days=2), fingerprints={"md5": "canary"}, more="<mood/>")
    code, seen = as_a_person("hashes", "sync")
    assert code == DONE, seen
    assert "synthetic: asking" in seen
    assert "synthetic: complete up to " in seen
    assert "40 entries put there or changed, 1 removed" in seen
    assert "1 entries or hashes could not be read" in seen
    assert "1 element passed over" in seen
    assert "canary" not in seen
    code, seen = as_a_person("hashes", "status", "--ask")
    assert re.search(r"synthetic +40 .* yes", seen)
    assert "NCMEC knows us as Example Member" in seen
    code, seen = as_a_person("hashes", "stats")
    assert re.search(r"classifications: without: \d+, A1: \d+", seen)
    assert "hashes, pdq: 39" in seen
    assert "kept by: a sync" in seen
    code, seen = as_a_person("hashes", "verify")
    assert "the lists are whole; 78 hashes looked up, all found" in seen
    (place / "list.txt").write_text("a" * 32)
    code, seen = as_a_person("hashes", "import", "list.txt", "--list", "ours")
    assert "ours: 1 entry with 1 hash imported" in seen


def test_a_sync_that_is_killed_is_gone_on_with(
    start: Callable[..., Any], run: Any, ncmec: HashSharingDouble, place: Path
) -> None:
    """The real command, killed in the middle again and again, fourteen hours from UTC, leaves a list that the next run
    completes."""
    for at in (3, 8):
        ncmec.faults.append(Fault(at=at, cut=0, then=lambda: process.kill()))  # noqa: B023 # the one that asks
        process = start("hashes", "sync", env=os.environ | {"TZ": "Pacific/Kiritimati"})
        _, said = process.communicate(timeout=170)
        assert process.returncode == -signal.SIGKILL, said
        with HashStore(place / "hashes.db") as store:
            (listed,) = store.lists()
            assert listed.as_of is None or listed.as_of < NOW
    assert run("hashes", "sync", TZ="Pacific/Kiritimati").exit_code == DONE
    on_list(place / "hashes.db", ncmec)


def test_who_is_refused_is_told(run: Any, ncmec: HashSharingDouble) -> None:
    """Exit code 3, what to do, and that filing goes on; not the password."""
    done = run("hashes", "sync", CYBERTIP_HASHES_PASSWORD="canary-wrong")
    assert done.exit_code == REFUSED
    assert "credentials of its own" in done.stderr
    assert "canary" not in done.output


def test_who_gets_no_answer_is_told(run: Any, ncmec: HashSharingDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 4 and what is known, after some tries; what was read is kept."""
    monkeypatch.setattr("cybertip.adapters.matching.sharing.syncing.time.sleep", lambda _: None)
    ncmec.faults.append(Fault(at=5, times=99, status=503))
    done = run("hashes", "sync")
    assert done.exit_code == NO_ANSWER
    assert "What was read is kept" in done.stderr
    assert "asking again in" in done.stderr
    ncmec.faults.clear()
    assert run("hashes", "sync").exit_code == DONE


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"CYBERTIP_HASHES_SOURCE": ""}, "hashes_source is not set: give it as CYBERTIP_HASHES_SOURCE"),
        ({"CYBERTIP_HASHES_SOURCE": "canary"}, "an address or one of industry, industry-test"),
        ({"CYBERTIP_HASHES_SOURCE": "http://example.com/x"}, "https to a host"),
        ({"CYBERTIP_HASHES_LIST": ""}, "needs a name for its list"),
        ({"CYBERTIP_HASHES_USERNAME": ""}, "hashes_username is not set"),
        ({"CYBERTIP_HASHES_PASSWORD": "x\n"}, "password must not"),
    ],
)
def test_settings_that_are_missing_are_named(
    run: Any, ncmec: HashSharingDouble, place: Path, changed: dict[str, str], said: str
) -> None:
    """Exit code 2, and nothing is asked or made."""
    done = run("hashes", "sync", **changed)
    assert done.exit_code == USAGE
    assert said in done.stderr
    assert "canary" not in done.output
    assert ncmec.requests == []
    assert not (place / "hashes.db").exists()


def test_settings_may_stand_in_a_file(run: Any, ncmec: HashSharingDouble, place: Path) -> None:
    """As all others do."""
    (place / "cybertip.toml").write_text(
        f'hashes = "other.db"\nhashes_source = "{ncmec.url}"\nhashes_list = "other"\nhashes_username = "sandbox"\n'
    )
    gone = {"CYBERTIP_HASHES_SOURCE": None, "CYBERTIP_HASHES_LIST": None, "CYBERTIP_HASHES_USERNAME": None}
    assert run("hashes", "sync", **gone).exit_code == DONE
    on_list(place / "other.db", ncmec)
    assert run("hashes", "sync", "--hashes", "third.db", "--list", "third").exit_code == DONE
    on_list(place / "third.db", ncmec)


def test_a_list_that_is_something_else_is_left_alone(run: Any, ncmec: HashSharingDouble) -> None:
    """A list that was imported is not synced into, and the other way round."""
    (Path.cwd() / "list.txt").write_text("a" * 32)
    assert run("hashes", "import", "list.txt", "--list", "synthetic").exit_code == DONE
    done = run("hashes", "sync")
    assert done.exit_code == USAGE
    assert "made in another way" in done.stderr
    assert run("hashes", "sync", "--list", "theirs").exit_code == DONE
    done = run("hashes", "import", "list.txt", "--list", "theirs")
    assert done.exit_code == USAGE
    assert "kept by a sync" in done.stderr


# -- status, stats, verify -----------------------------------------------------------------------------------------------


def test_the_age_of_lists_is_told(run: Any, ncmec: HashSharingDouble, place: Path) -> None:
    """Young lists are fit for use; one that is too old, or was never complete, is not, and the exit code says so."""
    run("hashes", "sync")
    done = run("hashes", "status")
    assert done.exit_code == DONE
    (told,) = json.loads(done.stdout)["lists"]
    assert (told["list"], told["entries"], told["fit"]) == ("synthetic", 39, True)
    assert run("hashes", "status", "--oldest", "0").exit_code == NO_ANSWER
    with HashStore(place / "hashes.db") as store, store.changing(ListName("begun")) as change:
        change.checkpoint = Checkpoint(url="https://example.com", until=None, run="r").written()
    done = run("hashes", "status")
    assert done.exit_code == NO_ANSWER
    assert [one["fit"] for one in json.loads(done.stdout)["lists"]] == [False, True]


def test_ncmec_is_asked_only_on_request(run: Any, ncmec: HashSharingDouble) -> None:
    """Looking at what is here sends nothing; with --ask it is told whom the credentials belong to."""
    run("hashes", "sync")
    ncmec.requests.clear()
    run("hashes", "status")
    assert ncmec.requests == []
    assert json.loads(run("hashes", "status", "--ask").stdout)["member"] == "Example Member"
    assert run("hashes", "status", "--ask", CYBERTIP_HASHES_PASSWORD="x").exit_code == REFUSED


def test_what_is_on_lists_is_counted(run: Any, ncmec: HashSharingDouble, place: Path) -> None:
    """By list, kind and classification, with what is disputed there or here."""
    ncmec.put("image1", at=NOW - timedelta(hours=1), fingerprints=digits(1), disputed=True)
    run("hashes", "sync")
    with HashStore(place / "hashes.db") as store:
        store.record(ListName("synthetic"), EntryId("image2"), MemberId("42"), verdict=Verdict.FALSE_POSITIVE)
        store.record(ListName("synthetic"), EntryId("image3"), MemberId("42"), verdict=Verdict.CONFIRMED)
        with store.changing(ListName("ours")) as change:
            change.put(ListEntry(entry=EntryId("a"), hashes=(MediaHash(type=MD5, value="0" * 32),)))
    ours, theirs = json.loads(run("hashes", "stats").stdout)["lists"]
    assert (ours["entries"], ours["hashes"], ours["synced"], ours["members"]) == (1, {"md5": 1}, False, 0)
    assert (theirs["entries"], theirs["hashes"]) == (39, {"md5": 39, "pdq": 39})
    assert (theirs["classifications"], theirs["members"], theirs["disputed"]) == ({"": 21, "A1": 18}, 1, 2)


@pytest.fixture
def index(run: Any, ncmec: HashSharingDouble, place: Path) -> Path:
    """The folder of an index of a list."""
    from cybertip.adapters.matching.local_pdq import LocalPdqMatcher

    run("hashes", "sync")
    with HashStore(place / "hashes.db") as store:
        LocalPdqMatcher(store, folder=place / "index").refresh()
    return place / "index"


def test_whole_lists_are_told_so(run: Any, ncmec: HashSharingDouble, index: Path, place: Path) -> None:
    """Hashes of all kinds were looked up; an index that is missing, behind or of another history is no fault, but said."""
    done = run("hashes", "verify", "--index", index)
    assert done.exit_code == DONE, done.output
    assert json.loads(done.stdout) == {"whole": True, "tested": 78, "faults": [], "remarks": []}
    assert "no saved index" in run("hashes", "verify", "--index", place / "nowhere").stdout
    with HashStore(place / "hashes.db") as store, store.changing(ListName("synthetic")) as change:
        change.remove(EntryId("image1"), MemberId("42"))
        change.put(ListEntry(entry=EntryId("new"), hashes=(MediaHash(type=PDQ, value="5" * 64),)))
    done = run("hashes", "verify", CYBERTIP_HASHES_INDEX=str(index))
    assert done.exit_code == DONE
    assert "2 changes behind" in done.stdout
    with HashStore(place / "other.db") as other, other.changing(ListName("x")) as change:
        change.put(ListEntry(entry=EntryId("new"), hashes=(MediaHash(type=PDQ, value="5" * 64),)))
    done = run("hashes", "verify", "--index", index, "--hashes", "other.db")
    assert done.exit_code == DONE
    assert "another history" in done.stdout


def test_a_damaged_index_is_told(run: Any, index: Path) -> None:
    """A byte of an array that changed is found, and the exit code says so."""
    array = next(index.glob("hashes-*.npy"))
    data = bytearray(array.read_bytes())
    data[-1] ^= 1
    array.write_bytes(data)
    done = run("hashes", "verify", "--index", index)
    assert done.exit_code == INVALID
    assert "not what was written" in json.loads(done.stdout)["faults"][0]


def test_an_index_of_other_hashes_is_told(run: Any, index: Path, place: Path) -> None:
    """An index that is whole in itself and does not hold what is on the lists is a fault: it would miss what is known."""
    connection = sqlite3.connect(place / "hashes.db")
    with connection:
        connection.execute("UPDATE hashes SET value = zeroblob(32) WHERE id = (SELECT max(id) FROM hashes)")
    connection.close()
    done = run("hashes", "verify", "--index", index)
    assert done.exit_code == INVALID
    assert "does not hold what is on the lists" in done.stdout


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE hashes SET value = x'00' WHERE id = 3", "1 hashes have the wrong length"),
        ("UPDATE lists SET as_of = 'canary'", "has a time that is none"),
        ("DELETE FROM lists", "lists that are not there"),
    ],
)
def test_a_file_that_makes_no_sense_is_told(
    run: Any, ncmec: HashSharingDouble, place: Path, statement: str, said: str
) -> None:
    """What SQLite takes for whole may be wrong all the same."""
    run("hashes", "sync")
    connection = sqlite3.connect(place / "hashes.db")
    with connection:
        connection.execute(statement)
    connection.close()
    done = run("hashes", "verify")
    assert done.exit_code == INVALID
    assert said in done.stdout
    assert "canary" not in done.output


def test_a_damaged_file_is_told(run: Any, ncmec: HashSharingDouble, place: Path) -> None:
    """Pages that were overwritten are found, or the file cannot be read at all: never is it called whole."""
    run("hashes", "sync")
    path = place / "hashes.db"
    whole = path.read_bytes()
    for begin in range(0, len(whole), 4096 * 5):
        path.write_bytes(whole[:begin] + b"\xa5" * 4000 + whole[begin + 4000 :])
        done = run("hashes", "verify")
        assert done.exit_code in (INVALID, STORAGE), (begin, done.output)
    path.write_bytes(b"no database at all" * 500)
    assert run("hashes", "verify").exit_code == STORAGE


@pytest.mark.parametrize("words", [["status"], ["stats"], ["verify"]])
def test_looking_makes_no_file(run: Any, place: Path, words: list[str]) -> None:
    """Who looks from the wrong folder learns that there is nothing."""
    done = run("hashes", *words)
    assert done.exit_code == USAGE
    assert "there is no store of hashes" in done.stderr
    assert not (place / "hashes.db").exists()


# -- import --------------------------------------------------------------------------------------------------------------


def test_lists_in_files_are_imported(run: Any, place: Path) -> None:
    """A hash a line or a table; again, it is the same; with --replace, what is not in the file is gone."""
    (place / "list.csv").write_text(f"entry,md5,pdq\nimage1,{'a' * 32},{'b' * 64}\nimage2,{'c' * 32},\n")
    done = run("hashes", "import", "list.csv", "--list", "ours")
    assert done.exit_code == DONE, done.output
    told = json.loads(done.stdout)
    assert (told["list"], told["entries"], told["hashes"]) == ("ours", 2, 3)
    assert (
        run("hashes", "import", "-", "--list", "ours", given=b"d" * 64, CYBERTIP_HASHES="hashes.db").exit_code
        == INVALID
    )
    for _ in range(2):
        done = run("hashes", "import", "-", "--list", "ours", "--type", "SHA256", given=b"D" * 64 + b"\r\n")
        assert done.exit_code == DONE, done.output
    with HashStore(place / "hashes.db") as store:
        assert store.counts() == {"md5": 2, "pdq": 1, "sha256": 1}
        (listed,) = store.lists()
        assert listed.as_of is not None
        assert abs(datetime.now(UTC) - listed.as_of) < timedelta(minutes=1)
    assert run("hashes", "status").exit_code == DONE
    words = ("list.csv", "--list", "ours", "--replace", "--as-of", "2026-01-02T03:04:05")
    assert run("hashes", "import", *words, TZ="Pacific/Kiritimati").exit_code == DONE
    with HashStore(place / "hashes.db") as store:
        assert store.counts() == {"md5": 2, "pdq": 1}
        assert store.lists()[0].as_of == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_file_with_bad_lines_is_not_imported_at_all(run: Any, place: Path) -> None:
    """They are named by their numbers, without what stands in them, and nothing of the file is on the list."""
    (place / "list.txt").write_text("a" * 32 + "\ncanary\n" + "b" * 32 + "\n" + "canary\n" * 30)
    run("hashes", "import", "-", "--list", "ours", given=b"e" * 32)
    for words in (["list.txt"], ["list.txt", "--replace"]):
        done = run("hashes", "import", *words, "--list", "ours")
        assert done.exit_code == INVALID
        assert "line 2: is no hash" in done.stderr
        assert "and 11 more" in done.stderr
        assert done.stderr.endswith("nothing was imported\n")
        assert not re.search("canary|aaaa", done.output)
    with HashStore(place / "hashes.db") as store:
        assert store.counts() == {MD5: 1}
        assert len(store.find([MediaHash(type=MD5, value="e" * 32)])) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere.txt", "--list", "x"], USAGE, "nowhere.txt: No such file"),
        (["list.csv", "--list", "x", "--type", "md5"], USAGE, "the columns of a table"),
        (["latin.txt", "--list", "x"], INVALID, "line 2: is not in UTF-8"),
        (["list.csv", "--list", "x", "--format", "plain"], INVALID, "line 1: is no hash"),
        (["list.txt", "--list", "x", "--hashes", "no/where.db"], USAGE, "there is no folder "),
        (["list.txt", "--list", "x", "--type", "mdd5"], USAGE, "--type is one of md5, sha1"),
        (["empty.txt", "--list", "x", "--replace"], INVALID, "the file has no hash"),
        (["empty.csv", "--list", "x", "--replace"], INVALID, "the file has no hash"),
        (["list.csv", "--list", "x", "--as-of", "2999-01-01"], USAGE, "in the future"),
    ],
)
def test_what_was_given_wrong_is_named(run: Any, place: Path, words: list[str], code: int, said: str) -> None:
    """A file that is not there, is something else, or an option that does not go with it; no store is left behind."""
    (place / "list.csv").write_text(f"md5\n{'a' * 32}\n")
    (place / "list.txt").write_text("a" * 32)
    (place / "empty.txt").write_text("\n# nothing\n")
    (place / "empty.csv").write_text("md5\n")
    (place / "latin.txt").write_bytes(b"a" * 32 + b"\n# \xe9\n")
    done = run("hashes", "import", *words)
    assert done.exit_code == code
    assert said in done.stderr
    assert not (place / "hashes.db").exists()


def test_every_source_has_a_name_that_the_docs_list() -> None:
    """Whoever reads the how-to finds the name of each list that there is."""
    page = (Path(__file__).parents[2] / "docs/howto/keep_hash_lists.md").read_text(encoding="utf-8")
    assert {name for name in SOURCES if not name.endswith("-test")} <= set(re.findall(r"`([a-z-]+)`", page))
