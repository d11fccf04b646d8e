"""What `claim`, `claim_due`, `renew` and `release` promise."""

from functools import partial

import pytest

from cybertip.errors import Conflict
from cybertip.ports.storage import Storage
from cybertip.testing.conformance.storage.samples import NOW, at, at_once, begin, claimed, go_on, head, tried

__all__ = ["Claims"]


def _due(storage: Storage, *, now: float = 0, limit: int = 99, lanes: tuple[str, ...] | None = None) -> str:
    """Claim what is due for a minute; return the keys, which have one letter each, in a row."""
    token = f"due at {now}"
    found = storage.claim_due(token=token, now=at(now), until=at(now + 60), limit=limit, lanes=lanes)
    for one, claim in found:
        assert (claim.key, claim.token, claim.until) == (one.key, token, at(now + 60))
        assert storage.head(one.key) == one
    return "".join(one.key for one, _ in found)


class Claims:
    """Tests of claims."""

    def test_claim_lasts(self, storage: Storage, another: Storage) -> None:
        """It returns None while another claim lasts, and when there is no such submission."""
        assert tried(storage, "a", "first") is None
        begin(storage, "a", due_at=at(3600))
        begin(storage, "b", due_at=None)
        claim = claimed(storage, "a", "first", until=60)
        assert (claim.key, claim.token, claim.until) == ("a", "first", at(60))
        assert tried(another, "a", now=59.999999, until=90) is None
        assert tried(another, "a", now=60, until=90) is not None
        assert tried(another, "b", until=90) is not None

    def test_claim_again(self, storage: Storage, another: Storage) -> None:
        """The token of a claim that lasts is refused like any other: it is `renew` that prolongs a claim."""
        begin(storage, "a")
        claim = claimed(storage, "a", "first", until=60)
        for one in (storage, another):
            assert tried(one, "a", "first", now=59.999999, until=120) is None
        # The claim that lasts is neither lost by that nor prolonged.
        go_on(storage, "a", 2, claim=claim)
        assert tried(another, "a", "second", now=60, until=120) is not None

    def test_claim_replaces(self, storage: Storage) -> None:
        """After it returned a claim, every earlier claim of the submission is invalid."""
        begin(storage, "a")
        first = claimed(storage, "a", "first", until=60)
        second = claimed(storage, "a", "second", now=60, until=120)
        third = claimed(storage, "a", "third", now=120, until=180)
        for lost in (first, second):
            with pytest.raises(Conflict):
                go_on(storage, "a", 2, claim=lost)
            assert storage.renew(lost, until=at(240)) is None
            storage.release(lost)
        go_on(storage, "a", 2, claim=third)

    def test_claim_at_once(self, storage: Storage, another: Storage) -> None:
        """Of two that claim at once, one gets the claim."""
        begin(storage, "a")
        for turn in range(8):
            outcomes = at_once(
                [
                    partial(one.claim, "a", token=f"{turn}/{name}", now=at(turn), until=at(turn + 1))
                    for name, one in enumerate((storage, another) * 3)
                ]
            )
            (claim,) = (outcome for outcome in outcomes if outcome is not None)
            assert not isinstance(claim, Exception), claim
            assert storage.renew(claim, until=at(turn + 1)) == claim

    def test_claim_due_ready(self, storage: Storage) -> None:
        """Each was due at `now` or before, and no other claim on it lasted beyond `now`."""
        begin(storage, "a", due_at=at(-1))
        begin(storage, "b", due_at=NOW)
        begin(storage, "c", due_at=at(0.000001))
        begin(storage, "d", due_at=None)
        begin(storage, "e", due_at=at(-10))
        claimed(storage, "e", now=-10, until=0.000001)
        assert _due(storage) == "ab"
        assert _due(storage) == ""
        assert _due(storage, now=0.000001) == "ec"
        # What is put off is not due, claimed or not; what has become due is.
        go_on(storage, "a", 2, due_at=at(500))
        go_on(storage, "d", 2, due_at=at(70))
        assert _due(storage, now=70) == "ebcd"
        assert _due(storage, now=499) == "ebcd"
        assert _due(storage, now=500) == "a"

    def test_claim_due_order(self, storage: Storage) -> None:
        """Higher priorities come first; within a priority tenants take turns; a tenant's own come in the order of
        `due_at`."""
        for key, priority, tenant, due_at in (
            ("a", 0, "big", -90),
            ("b", 0, "big", -80),
            ("c", 0, "big", -95),
            ("d", 0, "small", -10),
            ("e", 0, "small", -20),
            ("f", 5, "small", -1),
            ("g", -5, "old", -99),
            ("h", 0, "big", -70),
        ):
            begin(storage, key, priority=priority, tenant=tenant, due_at=at(due_at))
        order = _due(storage)
        assert order[0] == "f"
        assert order[-2:] == "hg"
        assert [set(order[1:3]), set(order[3:5]), order[5:6]] == [set("ce"), set("ad"), "b"]
        # A limit cuts the same order short.
        assert {_due(storage, now=60, limit=3)[:1], _due(storage, now=60, limit=1)} <= {*"fabced"}

    def test_claim_due_turns(self, storage: Storage, another: Storage) -> None:
        """From call to call tenants take turns as well: within a priority, whoever was served goes behind those who
        wait."""
        for number, (tenant, keys) in enumerate((("big", "abcd"), ("small", "xy"), ("tiny", "pq"))):
            for position, key in enumerate(keys):
                begin(storage, key, tenant=tenant, due_at=at(10 * number + position - 90))
        order = "".join(_due(one, now=now, limit=1) for now, one in enumerate((storage, another) * 4))
        # Among those who wait alike, whose turn comes first is nobody's promise.
        assert [set(order[:3]), set(order[3:6]), order[6:]] == [set("axp"), set("byq"), "cd"], order

    def test_claim_due_lanes(self, storage: Storage) -> None:
        """With `lanes`, only those of these lanes are claimed; of no lanes, none is."""
        begin(storage, "a", lane="test", priority=9)
        begin(storage, "b", lane="production")
        begin(storage, "c", lane="")
        begin(storage, "d", lane="Test")
        begin(storage, "e", lane="other", due_at=at(1))
        assert _due(storage, lanes=()) == ""
        assert _due(storage, lanes=("other", "nobody's", "tes")) == ""
        assert set(_due(storage, lanes=("Test", "nobody's", "production"))) == set("bd")
        assert _due(storage, lanes=("test",), limit=1) == "a"
        assert _due(storage) == "c"
        assert _due(storage, now=1) == "e"

    def test_claim_due_at_once(self, storage: Storage, another: Storage) -> None:
        """Two that claim at once never get the same submission."""
        keys = {f"{number:02}" for number in range(48)}
        for number, key in enumerate(sorted(keys)):
            begin(storage, key, tenant=str(number % 3), priority=number % 2)

        def take(one: Storage, worker: int, *, limit: int = 2) -> list[str]:
            mine: list[str] = []
            for turn in range(4):
                found = one.claim_due(token=f"{worker}/{turn}", now=NOW, until=at(60), limit=limit)
                mine += [one.key for one, _ in found]
            return mine

        outcomes = at_once([partial(take, one, worker) for worker, one in enumerate((storage, another) * 3)])
        taken = list[str]()
        for outcome in outcomes:
            assert not isinstance(outcome, Exception), outcome
            taken += outcome
        assert len(set(taken)) == len(taken)
        rest = take(storage, -1, limit=99)
        assert sorted(taken + rest) == sorted(keys)

    def test_claim_due_limit(self, storage: Storage) -> None:
        """There are `limit` at the most; it returns at once when there is nothing."""
        assert _due(storage) == ""
        for key in "abcde":
            begin(storage, key)
        assert [len(_due(storage, limit=limit)) for limit in (2, 1, 9, 9)] == [2, 1, 2, 0]

    def test_renew_lost(self, storage: Storage) -> None:
        """It returns None when the claim is no longer the submission's present one."""
        begin(storage, "a")
        first = claimed(storage, "a", "first", until=60)
        longer = storage.renew(first, until=at(120))
        assert longer is not None
        assert (longer.key, longer.token, longer.until) == ("a", "first", at(120))
        assert tried(storage, "a", now=60, until=180) is None
        assert _due(storage, now=119) == ""
        # Nobody has claimed it since its time was up, so it is still the present one.
        assert storage.renew(longer, until=at(180)) is not None
        claimed(storage, "a", "second", now=180, until=240)
        assert storage.renew(longer, until=at(300)) is None
        begin(storage, "b")
        given_back = claimed(storage, "b")
        storage.release(given_back)
        assert storage.renew(given_back, until=at(120)) is None

    def test_release_frees(self, storage: Storage, another: Storage) -> None:
        """Others can claim at once."""
        begin(storage, "a")
        begin(storage, "b")
        storage.release(claimed(storage, "a", until=600))
        assert tried(another, "a") is not None
        storage.release(claimed(storage, "b", until=600))
        assert _due(another) == "b"
        assert storage.head("b") == head("b", 1)

    def test_release_lost(self, storage: Storage) -> None:
        """It does nothing when the claim is no longer the present one."""
        begin(storage, "a")
        first = claimed(storage, "a", "first", until=60)
        second = claimed(storage, "a", "second", now=60, until=120)
        storage.release(first)
        assert tried(storage, "a", "third", now=60, until=120) is None
        go_on(storage, "a", 2, claim=second)
        storage.release(second)
        storage.release(second)
        assert storage.head("a") == head("a", 2)
