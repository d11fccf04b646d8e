"""What `append`, `read`, `head` and `heads` promise."""

import threading
from functools import partial
from typing import Any

import attrs
import pytest

from cybertip.errors import Conflict
from cybertip.ports.storage import Head, Storage
from cybertip.testing.conformance.storage.samples import (
    NOW,
    at,
    at_once,
    begin,
    claimed,
    entries,
    go_on,
    head,
    letter,
    made_up,
    tried,
    wins,
)

__all__ = ["Journals"]

#: In the order of code points, which is neither a dictionary's, nor that of UTF-16, and in which blanks count.
_KEYS = ["A", "Z", "a", "a ", "a a", "a/b", "aa", "b", "ss", "É", "ß", "é", "\ufb01", "\U0001f600"]


class Journals:
    """Tests of journals and heads."""

    def test_append_whole(self, storage: Storage, another: Storage) -> None:
        """All of it is recorded, or nothing."""
        first = head("a", 3, tags=("x",), report_id=17, priority=2, tenant="t", lane="l")
        storage.append(entries("a", 1, 2, 3), first, expected=0, letters=[letter("one"), letter("two")])
        assert storage.read("a") == entries("a", 1, 2, 3)
        assert storage.head("a") == first
        assert len(storage.take_letters(now=NOW, until=at(60), limit=9)) == 2

        with pytest.raises(Conflict):
            storage.append(entries("a", 3, 4), head("a", 4, tags=("y",)), expected=2, letters=[letter("three")])
        assert storage.read("a") == entries("a", 1, 2, 3)
        assert storage.head("a") == first
        assert storage.heads(tag="y") == ()
        assert storage.take_letters(now=NOW, until=at(60), limit=9) == ()

        # Whoever reads meanwhile sees all of an append or nothing of it, too.
        done = threading.Event()
        lengths: set[int] = set()

        def look() -> None:
            while True:
                over = done.is_set()
                lengths.add(len(another.read("b")))
                if over:
                    return

        def write() -> None:
            try:
                for version in range(0, 60, 3):
                    some = entries("b", version + 1, version + 2, version + 3)
                    storage.append(some, head("b", version + 3), expected=version)
            finally:
                done.set()

        assert at_once([look, write]) == [None, None]
        assert max(lengths) == 60
        assert {length % 3 for length in lengths} == {0}

    def test_append_expected(self, storage: Storage) -> None:
        """It raises `Conflict` unless the journal's last version is `expected` (0 for a journal that is not there)."""
        with pytest.raises(Conflict):
            storage.append(entries("a", 2), head("a", 2), expected=1)
        begin(storage, "a")
        go_on(storage, "a", 2)
        for version in (1, 2, 4):
            with pytest.raises(Conflict):
                storage.append(entries("a", version), head("a", version), expected=version - 1)
        # Without entries the head alone is replaced, and no less by the journal's version.
        storage.append((), head("a", 2, status="later"), expected=2)
        with pytest.raises(Conflict):
            storage.append((), head("a", 1, status="never"), expected=1)
        assert storage.head("a") == head("a", 2, status="later")
        assert storage.read("a") == entries("a", 1, 2)

    def test_append_claim(self, storage: Storage) -> None:
        """With a claim, it raises `Conflict` unless that claim is the journal's present one. A claim whose time is up is
        still valid as long as nobody else has claimed."""
        begin(storage, "a")
        begin(storage, "b")
        with pytest.raises(Conflict):
            go_on(storage, "a", 2, claim=made_up("a"))
        with pytest.raises(Conflict):
            go_on(storage, "new", 1, claim=made_up("new"))
        first = claimed(storage, "a", "first", until=60)
        others = claimed(storage, "b", "first", until=60)
        with pytest.raises(Conflict):
            go_on(storage, "a", 2, claim=others)
        go_on(storage, "a", 2, claim=first)
        # Its time is up at 60, whatever the time is now: nobody else has claimed.
        go_on(storage, "a", 3, claim=attrs.evolve(first, until=at(-60)))
        second = claimed(storage, "a", "second", now=60, until=120)
        with pytest.raises(Conflict):
            go_on(storage, "a", 4, claim=first)
        go_on(storage, "a", 4, claim=second)
        storage.release(second)
        with pytest.raises(Conflict):
            go_on(storage, "a", 5, claim=second)
        assert storage.read("a") == entries("a", 1, 2, 3, 4)

    def test_append_claim_and_letters(self, storage: Storage, another: Storage) -> None:
        """With letters the claim counts no less: if it was lost, none is posted."""
        begin(storage, "a")
        lost = claimed(storage, "a", "first", until=60)
        present = claimed(another, "a", "second", now=60, until=120)
        news = [letter("one"), letter("two")]
        for claim in (lost, made_up("a")):
            with pytest.raises(Conflict):
                storage.append(entries("a", 2), head("a", 2), expected=1, claim=claim, letters=news)
            with pytest.raises(Conflict):
                storage.append((), head("a", 1, status="never"), expected=1, claim=claim, letters=news)
        assert storage.read("a") == entries("a", 1)
        assert storage.head("a") == head("a", 1)
        assert storage.take_letters(now=NOW, until=at(60), limit=9) == ()
        storage.append(entries("a", 2), head("a", 2), expected=1, claim=present, letters=news)
        assert [one.id for one in storage.take_letters(now=NOW, until=at(60), limit=9)] == ["one", "two"]

    def test_append_claim_alone(self, storage: Storage, another: Storage) -> None:
        """Without entries the claim counts no less: if it was lost, the head stays as it was."""
        begin(storage, "a")
        lost = claimed(storage, "a", "first", until=60)
        present = claimed(another, "a", "second", now=60, until=120)
        for claim in (lost, made_up("a")):
            for due_at in (NOW, at(90), None):
                with pytest.raises(Conflict):
                    storage.append((), head("a", 1, status="never", due_at=due_at), expected=1, claim=claim)
        assert storage.head("a") == head("a", 1)
        storage.append((), head("a", 1, status="later"), expected=1, claim=present)
        assert storage.head("a") == head("a", 1, status="later")

    def test_append_unclaimed(self, storage: Storage, another: Storage) -> None:
        """Without a claim it is recorded whoever holds one, and while the head has a `due_at` the present claim stays
        valid."""
        begin(storage, "a")
        claim = claimed(storage, "a", "first", until=60)
        go_on(another, "a", 2)
        another.append((), head("a", 2, status="later"), expected=2)
        another.append(entries("a", 3), head("a", 3, due_at=at(30)), expected=2, letters=[letter("one")])
        assert tried(another, "a", now=59, until=120) is None
        go_on(storage, "a", 4, claim=claim)
        assert storage.renew(claim, until=at(90)) is not None
        assert storage.read("a") == entries("a", 1, 2, 3, 4)

    def test_append_at_once(self, storage: Storage, another: Storage) -> None:
        """Of two appends with the same `expected`, one raises `Conflict`."""
        for version in range(1, 9):
            works = [partial(go_on, one, "a", version) for one in (storage, another) * 3]
            assert wins(at_once(works)) == 1
        assert another.read("a") == entries("a", *range(1, 9))

    def test_append_settled(self, storage: Storage) -> None:
        """A head whose `due_at` is None loses its claim."""
        begin(storage, "a")
        claim = claimed(storage, "a", "first", until=60)
        go_on(storage, "a", 2, claim=claim, due_at=None)
        with pytest.raises(Conflict):
            go_on(storage, "a", 3, claim=claim)
        assert storage.renew(claim, until=at(90)) is None
        assert tried(storage, "a") is not None

    def test_read_order(self, storage: Storage) -> None:
        """They come in the order of their versions, beginning with the one after `after`."""
        versions = range(1, 13)
        storage.append(entries("a", *versions), head("a", 12), expected=0)
        begin(storage, "a ")
        begin(storage, "A")
        assert storage.read("a") == entries("a", *versions)
        assert storage.read("a", after=9) == entries("a", 10, 11, 12)
        assert storage.read("a", after=12) == ()
        assert [entry.recorded_at.microsecond for entry in storage.read("a", after=10)] == [11, 12]

    def test_read_long(self, storage: Storage, another: Storage) -> None:
        """All of them come, however long the journal is."""
        every = entries("a", *range(1, 1201))
        for done in range(0, 1200, 400):
            storage.append(every[done : done + 400], head("a", done + 400), expected=done)
        assert another.read("a") == every
        assert another.read("a", after=1) == every[1:]

    def test_read_nothing(self, storage: Storage) -> None:
        """A journal that is not there is empty."""
        begin(storage, "a")
        assert storage.read("b") == ()
        assert storage.read("A") == ()

    def test_read_recorded(self, storage: Storage, another: Storage) -> None:
        """What an append that returned has recorded is in it."""
        begin(storage, "a")
        text = "\U0001f600 é ß \\ ' \" % \n\t \u2028" * 100_000
        storage.append(entries("a", 2, data=text), head("a", 2), expected=1)
        assert another.read("a") == entries("a", 1) + entries("a", 2, data=text)

    def test_head_last(self, storage: Storage, another: Storage) -> None:
        """It is the head of the last append that returned."""
        begin(storage, "a", tags=("x", "y"))
        assert another.head("a") == head("a", 1, tags=("x", "y"))
        new = head(
            "a", 2, status="done", due_at=None, priority=-3, tenant="t", lane="l", report_id=2**40, tags=("z", "é ")
        )
        storage.append(entries("a", 2), new, expected=1)
        claimed(storage, "a")
        assert another.head("a") == new
        assert storage.heads(tag="x") == ()

    def test_head_nothing(self, storage: Storage) -> None:
        """None means that there is no such submission."""
        begin(storage, "a")
        assert storage.head("b") is None
        assert storage.head("a ") is None

    def test_heads_order(self, storage: Storage) -> None:
        """They come in the order of their keys, by code point, beginning with the one after `after`."""
        for key in sorted(_KEYS, key=lambda key: key[::-1]):
            begin(storage, key)
        assert [one.key for one in storage.heads()] == _KEYS
        for position, key in enumerate(_KEYS):
            assert [one.key for one in storage.heads(after=key)] == _KEYS[position + 1 :]
        assert [one.key for one in storage.heads(after="a b")] == _KEYS[_KEYS.index("a/b") :]

    def test_heads_limit(self, storage: Storage) -> None:
        """There are `limit` at the most; fewer mean that there are no more."""
        for key in _KEYS[:7]:
            begin(storage, key)
        pages: list[tuple[Head, ...]] = []
        while not pages or len(pages[-1]) == 3:
            pages.append(storage.heads(after=pages[-1][-1].key if pages else None, limit=3))
        assert [[one.key for one in page] for page in pages] == [_KEYS[:3], _KEYS[3:6], _KEYS[6:7]]

    def test_heads_filters(self, storage: Storage) -> None:
        """`status`, `tenant`, `lane` and `tag` leave out what differs."""
        begin(storage, "a", status="open", tenant="t", lane="test", tags=("x", "xy"))
        begin(storage, "b", status="Open", tenant="t", tags=("y", "y"))
        begin(storage, "c", status="open", tenant="T", lane="Test", tags=("x,y", "%", "x "))
        begin(storage, "d", status="open", tenant="", lane="test", tags=("x",))

        def keys(**filters: Any) -> str:
            return "".join(one.key for one in storage.heads(**filters))

        assert keys(status="open") == "acd"
        assert keys(tenant="t") == "ab"
        assert keys(tenant="") == "d"
        assert [keys(lane=lane) for lane in ("test", "Test", "", "tes")] == ["ad", "c", "b", ""]
        assert [keys(tag=tag) for tag in ("x", "y", "xy", "x,y", "%", "x ", "X")] == ["ad", "b", "a", "c", "c", "c", ""]
        assert keys(status="open", tenant="t", lane="test", tag="x") == "a"
        assert keys(tenant="t", lane="Test") == ""
        assert keys(lane="test", after="a", limit=1) == "d"
        assert keys(status="Open", tag="x") == ""
        assert keys(tag="x", after="a") == "d"
