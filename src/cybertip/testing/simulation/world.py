"""A world made from a seed: workers, people, machines that stand still, and a NCMEC double."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from cybertip.adapters.evidence.memory import MemoryEvidence
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.drivers import Driver
from cybertip.errors import Conflict
from cybertip.filing import Filing, Journal, Policy, Status
from cybertip.filing.effects import AnyEffect, Exchange, Flow
from cybertip.filing.flows import RECEIPT, accept, deliver, override, withdraw
from cybertip.model import (
    Email,
    FileDescription,
    IncidentSummary,
    IncidentType,
    Person,
    PersonOrUserReported,
    Report,
    Reporter,
)
from cybertip.ports.evidence import entry_of
from cybertip.ports.storage import Claim, Storage
from cybertip.sandbox import Behaviour, Ncmec
from cybertip.testing.clock import VirtualClock, WrongClock
from cybertip.testing.simulation.history import Flaw, check_history
from cybertip.testing.simulation.ledger import Ledger
from cybertip.testing.simulation.luck import Luck
from cybertip.testing.simulation.wire import BadWire

__all__ = ["Simulation", "simulate"]

ENVIRONMENT = "sandbox"
_LEASE = timedelta(minutes=5)


class _Worker:
    """A machine that delivers, one effect at a time."""

    def __init__(self, world: "Simulation", name: str) -> None:
        self.world, self.name = world, name
        self.clock = WrongClock(world.time)
        self._flow: Flow[Journal] | None = None
        self._driver: Driver | None = None
        self._answer: Any = None
        self._fault: Conflict | None = None

    @property
    def idle(self) -> bool:
        return self._flow is None

    def begin(self, claim: Claim) -> None:
        self._flow = deliver(claim.key, environment=ENVIRONMENT, policy=self.world.policy, worker=self.name)
        self._driver = self.world.driver(self.clock, claim, check=self._check)
        self._answer = self._fault = None

    def die(self) -> None:
        """Stop without a word: no claim is given back, and nothing is recorded."""
        self._flow = self._driver = None

    def step(self) -> None:
        """Perform one effect, with the luck of the world."""
        assert self._flow is not None
        assert self._driver is not None
        world, flow, driver = self.world, self._flow, self._driver
        try:
            effect = flow.send(self._answer) if self._fault is None else flow.throw(self._fault)
        except (StopIteration, Conflict) as end:
            world.seen["conflict"] += isinstance(end, Conflict)
            if driver.claim is not None:
                world.storage.release(driver.claim)
            self.die()
            return
        self._answer = self._fault = None
        if world.strikes("crash"):
            self.die()
            return
        try:
            self._answer = driver.perform(cast(AnyEffect, effect))
        except Conflict as conflict:
            self._fault = conflict
        if isinstance(effect, Exchange) and world.strikes("sleep"):
            world.time.advance(world.chance.choice(world.luck.sleeps))
        if world.strikes("crash"):
            self.die()

    def _check(self, call: str) -> None:
        assert self._driver is not None
        assert self._driver.claim is not None
        self.world.storage.expects(self._driver.claim, call)


class Simulation:
    """A world made from a seed.

    Args:
        seed: the same one makes the same world.
        luck: how often what goes wrong.
        policy: the one that is delivered by.
        storage: where journals are kept; by default in memory. Yours may hold other worlds' as well.
        workers: how many deliver at a time.
        submissions: how many reports are filed; by default one to three.
        prefix: what the submissions' keys begin with; worlds that share a storage need one each.
    """

    def __init__(
        self,
        seed: int,
        *,
        luck: Luck | None = None,
        policy: Policy | None = None,
        storage: Storage | None = None,
        workers: int = 2,
        submissions: int | None = None,
        prefix: str = "case",
    ) -> None:
        self.seed = seed
        self.chance = random.Random(seed)  # noqa: S311 - luck, not secrets
        self.luck = luck or Luck()
        self.policy = policy or Policy()
        self.time = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        behaviour = Behaviour(
            seed=seed,
            after_deletion=self.chance.choice((5001, 5101)),
            second_file_details=self.chance.choice(("refused", "replaces")),
        )
        self.ncmec = Ncmec(behaviour, clock=self.time)
        self.storage = Ledger(storage or MemoryStorage())
        self.evidence = MemoryEvidence()
        self.workers = [_Worker(self, f"worker-{number}") for number in range(workers)]
        self.keys = [f"{prefix}-{number}" for number in range(submissions or self.chance.randint(1, 3))]
        #: What happened how often: each kind of luck by its name, each kind of event, verdicts and states of reports.
        self.seen: Counter[str] = Counter()
        #: Requests that come to NCMEC when nobody waits for their answers any more.
        self.on_the_way: list[Callable[[], object]] = []
        self._tokens = 0

    def strikes(self, what: str, share: float = 1) -> bool:
        """Tell whether something goes wrong this time."""
        struck: bool = self.chance.random() < getattr(self.luck, what) * share
        self.seen[what] += struck
        return struck

    def driver(self, clock: Any, claim: Claim | None = None, check: Callable[[str], None] | None = None) -> Driver:
        """Return a driver in this world."""
        return Driver(
            storage=cast(Storage, self.storage),
            transport=BadWire(self, check or (lambda _: None)),
            evidence=self.evidence,
            clock=clock,
            lease_for=_LEASE,
            claim=claim,
            stop=lambda: self.strikes("stop"),
        )

    def filing(self, key: str) -> Filing:
        """Return the filing of a key: one user, named like it, and a few files."""
        entries = []
        for number in range(self.chance.choice((0, 1, 2, 2, 3))):
            reference = f"{key}/{number}"
            self.evidence.kept[reference] = f"synthetic bytes of {reference}".encode()
            described = self.chance.choice((None, FileDescription(file_viewed_by_esp=False)))
            entries.append(entry_of(self.evidence, reference, name=f"{number}.bin", description=described))
        report = Report(
            incident_summary=IncidentSummary(
                incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
            ),
            reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
            persons_or_users_reported=(PersonOrUserReported(esp_identifier=key),),
        )
        return Filing(report=report, files=tuple(entries))

    # -- running --------------------------------------------------------------------------------------------------------

    def run(self, *, steps: int = 400) -> None:
        """File everything, let luck rule for some steps, then let everything be delivered, and check the history."""
        filings = {key: self.filing(key) for key in self.keys}
        for key, filing in filings.items():
            self.driver(self.time).run(accept(key, filing, environment=ENVIRONMENT, tenant=key[-1]))
        try:
            for _ in range(steps):
                if self._is_done():
                    break
                self._something_happens()
            self._calm()
            self._drain()
            check_history(
                storage=cast(Storage, self.storage), reports=self.ncmec.reports(), filings=filings, policy=self.policy
            )
            self._look_back()
        except Flaw as flaw:
            raise Flaw(f"seed {self.seed}: {flaw}") from flaw

    def _something_happens(self) -> None:
        worker = self.chance.choice(self.workers)
        if self.strikes("clock_jump"):
            worker.clock.off = timedelta(minutes=self.chance.randint(-60, 60))
        if self.on_the_way and self.chance.random() < 0.1:
            self.on_the_way.pop(0)()
        if worker.idle:
            self._look_for_work(worker)
        else:
            worker.step()
            self._people_decide()

    def _people_decide(self) -> None:
        """Let people decide now and then, mostly in the middle of a delivery."""
        if self.strikes("withdrawal", 1 / 20):
            key = self.chance.choice(self.keys)
            self.driver(self.time).run(withdraw(key, actor="reviewer", reason="filed by mistake"))
        if self.strikes("override", 1 / 20):
            key = self.chance.choice(self.keys)
            self.driver(self.time).run(override(key, actor="reviewer", reason="looked into"))

    def _is_done(self) -> bool:
        """Tell whether there is nothing left that could go wrong."""
        heads = (self.storage.head(key) for key in self.keys)
        return all(worker.idle for worker in self.workers) and all(one is None or one.due_at is None for one in heads)

    def _look_for_work(self, worker: _Worker) -> None:
        now = worker.clock.now()
        self._tokens += 1
        claimed = self.storage.claim_due(
            token=f"{worker.name}/{self._tokens}", now=now, until=now + _LEASE, limit=1, lanes=(ENVIRONMENT,)
        )
        if claimed:
            worker.begin(claimed[0][1])
        else:
            # Where machines stand still, the time of those at work runs out while others look around.
            waits = (1, 30, 600) if self.luck.sleep or all(one.idle for one in self.workers) else (1,)
            self.time.advance(timedelta(seconds=self.chance.choice(waits)))

    # -- the end --------------------------------------------------------------------------------------------------------

    def _calm(self) -> None:
        for worker in self.workers:
            worker.die()
            worker.clock.off = timedelta()
        while self.on_the_way:
            self.on_the_way.pop(0)()
        self.luck = Luck.calm()

    def _drain(self) -> None:
        worker = self.workers[0]
        for _ in range(5_000):
            if not worker.idle:
                worker.step()
            elif self.storage.next_due(now=self.time.now(), lanes=(ENVIRONMENT,)) is not None:
                self._look_for_work(worker)
            elif not self._decide_what_waits():
                return
        raise Flaw("something is due for ever")

    def _decide_what_waits(self) -> bool:
        """Let a person look at what waits for one; return whether anything did."""
        found = False
        for key in self.keys:
            head = self.storage.head(key)
            if head is not None and head.status == Status.NEEDS_HUMAN:
                self.seen["decided"] += 1
                self.driver(self.time).run(override(key, actor="reviewer", reason="looked into"))
                found = True
        return found

    def _look_back(self) -> None:
        """Count what happened, and see that nothing was suspected and every receipt went out."""
        # A letter is due when the clock of the worker that posted it says so.
        now = self.time.now() + timedelta(days=1)
        sent: set[str] = set()
        while letters := self.storage.take_letters(now=now, until=now + _LEASE, limit=100, topics=(RECEIPT,)):
            for letter in letters:
                sent.add(letter.key)
                self.storage.settle_letter(letter.id)
        for key in self.keys:
            entries = self.storage.read(key)
            journal = Journal.of(key, entries)
            self.seen.update(entry.kind.partition("/")[0] for entry in entries)
            self.seen["adopted"] += journal.submission.receipt is not None and journal.submission.receipt.adopted
            self.seen["orphan"] += journal.submission.possible_orphans
            self.seen["attempt"] += len(journal.submission.attempts)
            if journal.status not in (Status.FINISHED, Status.RETRACTED):
                raise Flaw(f"{key} has no end: it is {journal.status}")
            if (journal.status is Status.FINISHED) is not (key in sent):
                raise Flaw(f"{key} is {journal.status}, and {'a' if key in sent else 'no'} receipt was posted")
        if self.seen["suspended"]:
            raise Flaw("a journal was suspected to be from an old backup, and none was")
        self.seen.update(f"report {report['state']}" for report in self.ncmec.reports())


def simulate(seed: int, **options: Any) -> Simulation:
    """Make a world from a seed, run it and check it; raise `Flaw` where a promise was broken. Options as of `Simulation`."""
    world = Simulation(seed, **options)
    world.run()
    return world
