"""Workers that are killed at any moment, or stand still and wake too late, deliver each submission once and whole."""

import os
import random
import select
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from cybertip.adapters.storage.sql import SqlStorage
from cybertip.courier import Courier
from cybertip.filing import Filing, Status
from cybertip.filing.events import Call, Event, Lost, decode
from cybertip.protocol import Environment

#: How many workers are killed at the least, and how often that must have torn a call away from its record.
KILLS = 50
TORN = 15
#: A test that has not seen enough by then has a fault of its own.
MOST_KILLS = 400
#: Submissions that are left to do at any time: those of a dead worker rest for some seconds.
OPEN = 20
WORKERS = 2
LEASE_FOR = 2.0
#: How often a worker is put to sleep instead, for longer than its claim lasts.
ASLEEP = 0.1

#: Exit codes of a worker that finds nothing to do now: nothing at all, nothing soon, or nothing without a person.
IDLE = (0, 4, 5)

#: What a journal says of a call whose worker died before the outcome was recorded.
DIED = "the worker stopped before the outcome was recorded"

NOISE = random.Random(17).randbytes(1_500_000)


class Filings:
    """Files one submission after the other: a user named like its key, and files that no other has."""

    def __init__(self, world: Any, kit: Any, storage: SqlStorage, chance: random.Random) -> None:
        self._world, self._kit, self._chance = world, kit, chance
        self._courier = Courier(Environment.sandbox(world.address), storage=storage, evidence=world.evidence)
        self.filed: dict[str, Filing] = {}

    def more(self) -> None:
        chance, key = self._chance, f"case-{len(self.filed):03}"
        contents = [
            (NOISE[: chance.randrange(100_000, len(NOISE))], chance.random() < 0.5) for _ in range(chance.randint(1, 3))
        ]
        filing = self._kit.filing(self._world.evidence, key, contents)
        self._courier.file(filing, key=key, priority=chance.choice((0, 0, 1)))
        self.filed[key] = filing

    def decide(self) -> None:
        """Do what a person does: let those go on that too many workers died over."""
        for key in self.filed:
            if self._courier.status(key).status is Status.NEEDS_HUMAN:
                self._courier.override(key, actor="on call", reason="the workers were killed, and live again")


# -- killing --------------------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class Worker:
    """A worker, and its fate."""

    child: Any
    began_at: float
    #: When it is killed or put to sleep: some time after it first said that it is at work.
    struck_at: float | None = None
    sleeps: bool = False


class Killer:
    """Keeps some workers running, and kills each at a moment that a seed decides."""

    def __init__(self, world: Any, chance: random.Random, *, longest: float, patience: float) -> None:
        self._world, self._chance = world, chance
        self._longest, self._patience = longest, patience
        self._nursery = world.nursery()
        self._workers: list[Worker] = []
        self.kills = 0
        self.sleeps = 0

    @property
    def any_sleeps(self) -> bool:
        """Tell whether some worker stands still, and perhaps holds a lock that others wait for."""
        return any(one.sleeps for one in self._workers)

    def step(self) -> None:
        """Look after the workers once, for some hundredths of a second."""
        while sum(not one.sleeps for one in self._workers) < WORKERS:
            child = self._nursery.bear("worker", "--until-idle", "--lease-for", LEASE_FOR)
            self._workers.append(Worker(child, time.monotonic()))
        heard, _, _ = select.select([one.child.output for one in self._workers if not one.sleeps], [], [], 0.02)
        now = time.monotonic()
        for one in list(self._workers):
            if one.child.output in heard:
                self._hear(one, now)
            elif one.struck_at is None and now > one.began_at + self._patience:
                pytest.fail(f"a worker found nothing to do for {self._patience} s\n{self._world.complaints()}")
            elif one.struck_at is not None and now >= one.struck_at:
                self._strike(one, now)

    def _hear(self, one: Worker, now: float) -> None:
        if not os.read(one.child.output, 65536):
            # It came to the end of its work before its end came.
            self._workers.remove(one)
            assert one.child.bury() in IDLE, self._world.complaints()
        elif one.struck_at is None:
            one.struck_at = now + self._chance.uniform(0, self._longest)

    def _strike(self, one: Worker, now: float) -> None:
        if not one.sleeps and self._chance.random() < ASLEEP:
            one.child.signal(signal.SIGSTOP)
            one.sleeps, one.struck_at = True, now + LEASE_FOR + self._chance.uniform(0.5, 1.5)
            self.sleeps += 1
        elif one.sleeps:
            # It wakes up, and does not know that its time is up.
            one.child.signal(signal.SIGCONT)
            one.sleeps, one.struck_at = False, now + self._chance.uniform(0, self._longest)
        else:
            one.child.signal(signal.SIGKILL)
            assert one.child.bury() in (-signal.SIGKILL, *IDLE), self._world.complaints()
            self.kills += one.child.returncode == -signal.SIGKILL
            self._workers.remove(one)

    def end(self) -> None:
        """Kill whoever is left."""
        self._nursery.end()


# -- what came of it ------------------------------------------------------------------------------------------------------


def events(storage: SqlStorage, key: str) -> list[Event]:
    return [decode(entry.kind, entry.data) for entry in storage.read(key)]


def torn(storage: SqlStorage, keys: Any) -> Counter[Call]:
    """Count the calls whose outcome was never recorded, for their worker was dead."""
    lost = (event for key in keys for event in events(storage, key) if isinstance(event, Lost))
    return Counter(event.call for event in lost if event.reason == DIED)


def has_seen_enough(killer: Killer, torn_away: Counter[Call]) -> bool:
    """Tell whether kills struck often enough, and at more than one kind of call, uploads among them."""
    struck = torn_away.total() >= TORN and torn_away[Call.UPLOAD] >= 3 and len(torn_away) >= 3
    return killer.kills >= KILLS and killer.sleeps >= 1 and struck


def fill(storage: SqlStorage, filings: Filings) -> None:
    """See to it that there is enough to do soon: what a person has to look at comes up again in an hour."""
    soon = datetime.now(UTC) + timedelta(minutes=1)
    heads = storage.heads(limit=10_000)
    for _ in range(OPEN - sum(head.due_at is not None and head.due_at < soon for head in heads)):
        filings.more()


def delivered_in(world: Any, seconds: float) -> float:
    """Let a worker bring everything that is left, and return how long it took from its first word to its end."""
    process = world.start("worker", "--until-idle", "--lease-for", LEASE_FOR)
    process.stdout.readline()
    began_at = time.monotonic()
    process.stdout.read()
    assert process.wait(seconds) == 0, world.complaints()
    return time.monotonic() - began_at


def drain(world: Any, storage: SqlStorage, filings: Filings, patience: float) -> None:
    """Let workers that nobody kills bring what is left, and a person decide what workers may not."""
    for _ in range(10):
        filings.decide()
        left = [world.start("worker", "--until-idle", "--lease-for", LEASE_FOR) for _ in range(WORKERS)]
        for process in left:
            process.communicate(timeout=10 * patience)
            assert process.returncode in IDLE, world.complaints()
        if all(head.due_at is None for head in storage.heads(limit=10_000)):
            return
    pytest.fail(f"something is due for ever\n{world.complaints()}")


@pytest.mark.parametrize("seed", [2258])
def test_workers_that_are_killed_deliver_once_and_whole(
    world: Any, kit: Any, kind: str, seed: int, patience: float
) -> None:
    """Fifty and more workers die at any moment of a delivery, two at work at a time, and others sleep and wake too late:
    each submission has one finished report with exactly its files, and every journal is whole."""
    chance = random.Random(f"{seed}/{kind}")
    with world.storage() as storage:
        filings = Filings(world, kit, storage, chance)
        for _ in range(6):
            filings.more()
        # How long a delivery takes here and now decides how long a worker lives: about two of them at most.
        longest = 1.5 * WORKERS * delivered_in(world, 10 * patience) / len(filings.filed)
        killer = Killer(world, chance, longest=longest, patience=patience)
        torn_away: Counter[Call] = Counter()
        while not has_seen_enough(killer, torn_away):
            if not killer.any_sleeps:
                fill(storage, filings)
            kills = killer.kills
            for _ in range(10):
                killer.step()
            if kills != killer.kills >= KILLS:
                torn_away = torn(storage, filings.filed)
            assert killer.kills < MOST_KILLS, f"so many kills tore no more away than {dict(torn_away)}"
        killer.end()
        drain(world, storage, filings, patience)
        kit.check(world, storage, filings.filed)
