"""Lists that find nothing of what they hold are never called whole."""

import sys
from pathlib import Path
from typing import Any

import pytest

from cybertip.adapters.matching.local_pdq import LocalPdqMatcher
from cybertip.adapters.matching.store import HashStore, ListEntry
from cybertip.adapters.matching.verifying import verify
from cybertip.ports.matching import MD5, PDQ, PHOTODNA, EntryId, HashType, ListName, MediaHash, MemberId

DIGITS = {MD5: 32, PDQ: 64}


def fill(store: HashStore, kind: HashType, numbers: range, *, step: int = 1) -> None:
    with store.changing(ListName("ours")) as change:
        for number in numbers:
            value = f"{number * step:0{DIGITS.get(kind, 5)}x}"
            one = MediaHash(type=kind, value=value)
            change.put(ListEntry(entry=EntryId(f"{kind}{number}"), member=MemberId("7"), hashes=(one,)))


@pytest.fixture
def lists(tmp_path: Path) -> Any:
    """Lists of three kinds of hashes, of which one is text."""
    with HashStore(tmp_path / "lists.db") as store:
        fill(store, MD5, range(1000))
        fill(store, PHOTODNA, range(3))
        fill(store, PDQ, range(1, 40), step=0x9E3779B97F4A7C15F39CC0605CEDC8341082276BF3A27251F86C6A11D0C18)
        yield store


def test_hashes_of_every_kind_are_tried_out(lists: HashStore, tmp_path: Path) -> None:
    """A hundred of each kind, or all there are; with or without a saved index."""
    assert verify(lists).is_whole
    assert verify(lists).tested == 100 + 3 + 39
    LocalPdqMatcher(lists, folder=tmp_path / "index").refresh()
    assert verify(lists, index=tmp_path / "index") == verify(lists)
    with HashStore(tmp_path / "empty.db") as empty:
        assert verify(empty).is_whole
        assert verify(empty).tested == 0


def test_samples_come_from_all_over_the_file(lists: HashStore) -> None:
    """No hash twice, the first and one near the end among them."""
    found = [entry.entry for _, entry in lists.samples(MD5, 10)]
    assert len(set(found)) == 10
    assert found[0] == "md50"
    assert int(found[-1].removeprefix("md5")) >= 800
    assert len(lists.samples(PHOTODNA, 10)) == 3
    assert lists.samples(HashType("nothing"), 10) == ()


def test_what_is_not_found_is_a_fault(lists: HashStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up that answers nothing is no look-up."""
    monkeypatch.setattr(HashStore, "find", lambda *_: ())
    found = verify(lists)
    assert not found.is_whole
    assert found.faults == (
        "100 of 100 hashes of type md5 are not found",
        "3 of 3 hashes of type photodna are not found",
    )
    assert found.tested == 39


def test_an_index_that_finds_nothing_is_a_fault(lists: HashStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a search among pictures that answers nothing."""
    monkeypatch.setattr("cybertip.hashing.index.PdqIndex.search", lambda *_, **__: ())
    assert verify(lists).faults == ("39 of 39 hashes of type pdq are not found",)


def test_without_the_extra_pictures_are_not_tried_out(lists: HashStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is looked over, and it is said what was not."""
    monkeypatch.delitem(sys.modules, "cybertip.adapters.matching.local_pdq")
    monkeypatch.setitem(sys.modules, "numpy", None)
    found = verify(lists)
    assert found.is_whole
    assert found.tested == 103
    assert "needs the extra [pdq]" in found.remarks[0]


def test_what_is_left_of_an_index_is_a_fault(lists: HashStore, tmp_path: Path) -> None:
    """A manifest that is none, a folder in its place."""
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "manifest.json").write_text("canary")
    (fault,) = verify(lists, index=tmp_path / "index").faults
    assert "manifest" in fault
    assert "canary" not in fault
    (tmp_path / "other" / "manifest.json").mkdir(parents=True)
    assert verify(lists, index=tmp_path / "other").faults == ("the saved index cannot be read",)
