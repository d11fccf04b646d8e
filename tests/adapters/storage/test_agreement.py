"""Storage in memory and storage in a database cannot be told apart, whatever is done to them."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.adapters.storage.sql import SqlStorage
from cybertip.errors import AdapterError, Conflict
from cybertip.ports.storage import Claim, Storage
from cybertip.testing.conformance.storage.samples import NOW, entries, head, letter

_KEYS = ("a", "A", "a ", "\U0001f600", "\ufb01")
_TENANTS = ("", "t", "T")
_LANES = ("", "test")
_TAGS = ("x", "y", "x,y")
_TOPICS = ("news", "alarm")
_SECONDS = st.integers(-5, 30)


class Agreement(RuleBasedStateMachine):
    """Do the same to both; all that can be seen must be the same."""

    def __init__(self, storage: SqlStorage, empty: Callable[[], object]) -> None:
        super().__init__()
        empty()
        self.memory: Storage = MemoryStorage()
        self.sql: Storage = storage
        self.now = NOW
        self.claims: list[Claim] = [Claim(key="a", token="made up", until=NOW)]
        self.versions = dict.fromkeys(_KEYS, 0)
        self.letters: list[str] = ["none"]

    def both(self, method: str, *args: Any, **kwargs: Any) -> Any:
        outcomes: list[Any] = []
        for storage in (self.memory, self.sql):
            try:
                outcomes.append(getattr(storage, method)(*args, **kwargs))
            except (Conflict, AdapterError) as error:
                outcomes.append((type(error), str(error) if isinstance(error, AdapterError) else error.key))
        assert outcomes[0] == outcomes[1]
        return outcomes[0]

    def token(self) -> str:
        return uuid.UUID(int=len(self.claims)).hex

    @rule(seconds=st.integers(0, 10))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds, microseconds=1)

    @rule(
        key=st.sampled_from(_KEYS),
        off=st.sampled_from((0, 0, 0, 0, -1, 1)),
        count=st.integers(0, 2),
        due=st.none() | _SECONDS,
        priority=st.integers(-1, 1),
        tags=st.lists(st.sampled_from(_TAGS), max_size=3).map(tuple),
        topics=st.lists(st.sampled_from(_TOPICS), max_size=2),
        claim=st.none() | st.integers(0, 50),
        again=st.booleans(),
    )
    def append(
        self,
        key: str,
        off: int,
        count: int,
        due: int | None,
        priority: int,
        tags: tuple[str, ...],
        topics: list[str],
        claim: int | None,
        again: bool,
    ) -> None:
        expected = max(0, self.versions[key] + off)
        version = expected + count
        place = _KEYS.index(key)
        new = head(
            key,
            version,
            due_at=None if due is None else self.now + timedelta(seconds=due),
            status=f"s{place % 2}",
            priority=priority,
            tenant=_TENANTS[place % 3],
            lane=_LANES[place % 2],
            report_id=version or None,
            tags=tags,
        )
        ids = [self.letters[-1] if again else f"{len(self.letters)}/{number}" for number in range(len(topics))]
        posted = [letter(id, topic=topic, due_at=self.now) for id, topic in zip(ids, topics, strict=True)]
        held = None if claim is None else self.claims[-1 - claim % len(self.claims)]
        done = self.both(
            "append",
            entries(key, *range(expected + 1, version + 1)),
            new,
            expected=expected,
            claim=held,
            letters=posted,
        )
        if done is None:
            self.versions[key] = version
            self.letters += ids

    @rule(key=st.sampled_from((*_KEYS, "none")), seconds=_SECONDS)
    def claim(self, key: str, seconds: int) -> None:
        until = self.now + timedelta(seconds=seconds)
        claim = self.both("claim", key, token=self.token(), now=self.now, until=until)
        if claim is not None:
            self.claims.append(claim)

    @rule(seconds=_SECONDS, limit=st.integers(0, 6), lanes=st.none() | st.sets(st.sampled_from(_LANES)))
    def claim_due(self, seconds: int, limit: int, lanes: set[str] | None) -> None:
        until = self.now + timedelta(seconds=seconds)
        found = self.both("claim_due", token=self.token(), now=self.now, until=until, limit=limit, lanes=lanes)
        self.claims += [claim for _, claim in found]

    @rule(claim=st.integers(0, 50), seconds=_SECONDS)
    def renew(self, claim: int, seconds: int) -> None:
        self.both("renew", self.claims[-1 - claim % len(self.claims)], until=self.now + timedelta(seconds=seconds))

    @rule(claim=st.integers(0, 50))
    def release(self, claim: int) -> None:
        self.both("release", self.claims[-1 - claim % len(self.claims)])

    @rule(seconds=_SECONDS, limit=st.integers(0, 4), topics=st.none() | st.sets(st.sampled_from(_TOPICS)))
    def take_letters(self, seconds: int, limit: int, topics: set[str] | None) -> None:
        until = self.now + timedelta(seconds=seconds)
        self.both("take_letters", now=self.now, until=until, limit=limit, topics=topics)

    @rule(letter=st.integers(0, 50), seconds=st.none() | _SECONDS)
    def settle_letter(self, letter: int, seconds: int | None) -> None:
        due_at = None if seconds is None else self.now + timedelta(seconds=seconds)
        self.both("settle_letter", self.letters[-1 - letter % len(self.letters)], due_at=due_at)

    @rule(
        after=st.none() | st.sampled_from((*_KEYS, "")),
        limit=st.integers(0, 4),
        status=st.none() | st.sampled_from(("s0", "s1")),
        tenant=st.none() | st.sampled_from(_TENANTS),
        lane=st.none() | st.sampled_from(_LANES),
        tag=st.none() | st.sampled_from(_TAGS),
    )
    def heads(self, **filters: Any) -> None:
        self.both("heads", **filters)

    @rule(key=st.sampled_from(_KEYS), after=st.integers(0, 5))
    def read(self, key: str, after: int) -> None:
        self.both("read", key, after=after)
        self.both("head", key)

    @invariant()
    def same(self) -> None:
        for lanes in (None, *((lane,) for lane in _LANES), _LANES):
            self.both("next_due", now=self.now, lanes=lanes)
        for topics in (None, _TOPICS[1:]):
            self.both("next_letter", now=self.now, topics=topics)
        self.both("heads")


def test_agreement(sql_storage: SqlStorage, kind: str, empty: Callable[[], object]) -> None:
    """What storage in memory does, storage in each database does, step by step."""
    examples = 60 if kind == "sqlite" else 12

    class Here(Agreement):
        def __init__(self) -> None:
            super().__init__(sql_storage, empty)

    run_state_machine_as_test(Here, settings=settings(max_examples=examples, stateful_step_count=40, deadline=None))
