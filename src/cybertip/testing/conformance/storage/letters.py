"""What `take_letters`, `settle_letter`, `next_due` and `next_letter` promise."""

from functools import partial

import attrs

from cybertip.ports.storage import Letter, Storage
from cybertip.testing.conformance.storage.samples import NOW, at, at_once, begin, claimed, go_on, letter

__all__ = ["Letters"]


def _take(storage: Storage, *, now: float = 0, limit: int = 99, topics: tuple[str, ...] | None = None) -> list[Letter]:
    return list(storage.take_letters(now=at(now), until=at(now + 60), limit=limit, topics=topics))


def _ids(letters: list[Letter]) -> str:
    return "".join(one.id for one in letters)


class Letters:
    """Tests of letters, and of when there is something to do."""

    def test_take_letters_order(self, storage: Storage, another: Storage) -> None:
        """They come in the order of `due_at`."""
        posted = [
            letter("a", due_at=at(-1)),
            letter("b", due_at=at(-3), topic="alarm"),
            letter("c", due_at=at(0.000001)),
            letter("d", due_at=NOW),
            letter("e", due_at=at(-2), key="é"),
        ]
        begin(storage, "a", letters=posted)
        taken = _take(another, topics=("news",), limit=2)
        assert taken == [attrs.evolve(posted[4], tries=1), attrs.evolve(posted[0], tries=1)]
        assert _take(another, topics=()) == []
        assert _ids(_take(another)) == "bd"
        assert _take(another) == []
        assert _ids(_take(another, now=10)) == "c"

    def test_take_letters_again(self, storage: Storage, another: Storage) -> None:
        """A letter that is not settled until then can be taken again: delivery is at least once."""
        begin(storage, "a", letters=[letter("a")])
        assert _ids(_take(storage)) == "a"
        assert _take(storage, now=59.999999) == []
        assert _ids(_take(storage, now=60)) == "a"

        for number in range(24):
            begin(storage, f"k{number}", letters=[letter(f"{number:02}", topic="many")])
        outcomes = at_once([partial(_take, one, topics=("many",), limit=9) for one in (storage, another) * 3])
        taken = list[str]()
        for outcome in outcomes:
            assert not isinstance(outcome, Exception), outcome
            taken += [one.id for one in outcome]
        assert len(set(taken)) == len(taken)
        assert len(taken) + len(_take(storage, topics=("many",))) == 24

    def test_take_letters_tries(self, storage: Storage) -> None:
        """`tries` counts how often it was taken, this time included."""
        begin(storage, "a", letters=[letter("a"), letter("b", due_at=at(60))])
        tries = [{one.id: one.tries for one in _take(storage, now=now)} for now in (0, 60, 120)]
        assert tries == [{"a": 1}, {"a": 2, "b": 1}, {"a": 3, "b": 2}]

    def test_settle_letter_done(self, storage: Storage, another: Storage) -> None:
        """Without `due_at` it is done and gone."""
        begin(storage, "a", letters=[letter("a"), letter("b")])
        _take(storage)
        storage.settle_letter("a")
        assert _ids(_take(another, now=999)) == "b"

    def test_settle_letter_later(self, storage: Storage) -> None:
        """With it, the letter can be taken again from then on."""
        begin(storage, "a", letters=[letter("a")])
        _take(storage)
        storage.settle_letter("a", due_at=at(10))
        assert _take(storage, now=9.999999) == []
        assert [one.tries for one in _take(storage, now=10)] == [2]

    def test_settle_letter_gone(self, storage: Storage) -> None:
        """Settling a letter that is gone does nothing."""
        storage.settle_letter("never was")
        storage.settle_letter("never was", due_at=NOW)
        begin(storage, "a", letters=[letter("a"), letter("b")])
        storage.settle_letter("a")
        storage.settle_letter("a")
        storage.settle_letter("a", due_at=NOW)
        assert _ids(_take(storage)) == "b"

    def test_next_due_earliest(self, storage: Storage) -> None:
        """It is `now` at the earliest."""
        assert storage.next_due(now=NOW) is None
        # A letter is none of its business.
        begin(storage, "a", due_at=None, letters=[letter("a")])
        assert storage.next_due(now=NOW) is None
        begin(storage, "b", due_at=at(30))
        begin(storage, "c", due_at=at(20), lane="other")
        assert storage.next_due(now=NOW) == at(20)
        assert storage.next_due(now=at(25.000001)) == at(25.000001)
        go_on(storage, "c", 2, due_at=None, lane="other")
        assert storage.next_due(now=NOW) == at(30)
        go_on(storage, "b", 2, due_at=None)
        assert storage.next_due(now=NOW) is None

    def test_next_due_claims(self, storage: Storage) -> None:
        """Claims that last count until their end."""
        begin(storage, "a", due_at=at(10))
        begin(storage, "b", due_at=None)
        claimed(storage, "b", until=5)
        claim = claimed(storage, "a", until=60)
        assert storage.next_due(now=NOW) == at(60)
        go_on(storage, "a", 2, due_at=at(20), claim=claim)
        assert storage.next_due(now=NOW) == at(60)
        go_on(storage, "a", 3, due_at=at(90), claim=claim)
        assert storage.next_due(now=NOW) == at(90)
        go_on(storage, "a", 4, due_at=at(20), claim=claim)
        storage.renew(claim, until=at(70))
        assert storage.next_due(now=NOW) == at(70)
        storage.release(claim)
        assert storage.next_due(now=NOW) == at(20)

    def test_next_due_lanes(self, storage: Storage) -> None:
        """With `lanes`, only submissions of these lanes count."""
        begin(storage, "a", due_at=at(10), lane="test")
        begin(storage, "b", due_at=at(20), lane="production")
        begin(storage, "c", due_at=at(30), lane="")
        begin(storage, "d", due_at=None, lane="settled")
        for lanes, seconds in (
            (("production",), 20),
            (("production", "nobody's", "test"), 10),
            (("", "production"), 20),
            (("",), 30),
        ):
            assert storage.next_due(now=NOW, lanes=lanes) == at(seconds)
        assert storage.next_due(now=at(25), lanes=("production",)) == at(25)
        for nothing in ((), ("settled",), ("Test", "prod")):
            assert storage.next_due(now=NOW, lanes=nothing) is None

    def test_next_letter_earliest(self, storage: Storage) -> None:
        """It is `now` at the earliest."""
        # A submission is none of its business.
        begin(storage, "a", due_at=NOW)
        assert storage.next_letter(now=NOW) is None
        begin(storage, "b", letters=[letter("b", due_at=at(40)), letter("c", due_at=at(30))])
        assert storage.next_letter(now=NOW) == at(30)
        assert storage.next_letter(now=at(30.000001)) == at(30.000001)
        storage.settle_letter("c")
        assert storage.next_letter(now=NOW) == at(40)
        storage.settle_letter("b")
        assert storage.next_letter(now=NOW) is None

    def test_next_letter_taken(self, storage: Storage) -> None:
        """A letter that was taken counts from the time until which it is hidden."""
        begin(storage, "a", letters=[letter("a", due_at=at(40))])
        _take(storage, now=45)
        assert storage.next_letter(now=at(50)) == at(105)
        storage.settle_letter("a", due_at=at(70))
        assert storage.next_letter(now=at(50)) == at(70)

    def test_next_letter_topics(self, storage: Storage) -> None:
        """With `topics`, only letters of these topics count."""
        begin(storage, "a", letters=[letter("a", due_at=at(20)), letter("b", due_at=at(30), topic="alarm")])
        assert storage.next_letter(now=NOW, topics=("alarm",)) == at(30)
        assert storage.next_letter(now=NOW, topics=("alarm", "news", "none")) == at(20)
        assert storage.next_letter(now=at(25), topics=("news",)) == at(25)
        assert storage.next_letter(now=NOW, topics=("New", "alarms")) is None
        assert storage.next_letter(now=NOW, topics=()) is None
