"""Years of bad luck in a second: workers, a NCMEC double, faults and clocks, all from one seed.

A simulation lets workers deliver submissions one effect at a time, in an order that the seed decides, while requests and
answers are lost, workers die before and after any effect, clocks jump and reports are withdrawn. Then the luck turns, all is
delivered, and the history is checked: each submission has exactly one finished report that holds exactly its files.
"""

import hashlib
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import attrs

from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.drivers import Driver
from cybertip.errors import Conflict, InDoubt, NeverSent
from cybertip.filing import Filing, Policy, Status, verify
from cybertip.filing.effects import AnyEffect, Exchange, Flow
from cybertip.filing.events import Lost, decode
from cybertip.filing.flows import accept, deliver, withdraw
from cybertip.filing.journal import Journal
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
from cybertip.protocol import Answer, Credentials, Request, frame
from cybertip.sandbox import Behaviour, Ncmec, VirtualClock

__all__ = ["Flaw", "Luck", "SandboxWire", "Simulation", "simulate"]

ENVIRONMENT = "sandbox"
_LEASE = timedelta(minutes=5)


class Flaw(AssertionError):
    """A promise was broken; the message says which, and the seed that shows it."""


@attrs.frozen(kw_only=True)
class Luck:
    """How often what goes wrong, each from 0 to 1."""

    lost_request: float = 0.05
    lost_answer: float = 0.08
    never_sent: float = 0.05
    garbled: float = 0.03
    refused_for_now: float = 0.05
    crash: float = 0.03
    clock_jump: float = 0.01
    sleep: float = 0.05
    withdrawal: float = 0.1


class SandboxWire:
    """Carry exchanges to a double in this process, without a socket (see `cybertip.ports.transport.Transport`)."""

    def __init__(self, ncmec: Ncmec, credentials: Credentials | None = None) -> None:
        self.ncmec = ncmec
        known = ncmec.behaviour
        self._credentials = credentials or Credentials(username=known.username, password=known.password)

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        """Make one exchange."""
        headers = {"Authorization": self._credentials.authorization()}
        body, parts = request.body, None
        if request.file is not None:
            assert request.report_id is not None
            boundary = hashlib.sha256(request.file.name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
            framed = frame(report_id=request.report_id, file=request.file, boundary=boundary)
            headers["Content-Type"] = framed.content_type
            parts = [framed.head, *(content or ()), framed.tail]
        elif request.content_type is not None:
            headers["Content-Type"] = request.content_type
        exchange = self.ncmec.begin(request.endpoint.method, f"/ispws{request.endpoint.path}", headers)
        for part in parts if parts is not None else [body]:
            exchange.feed(part)
        answer = exchange.end()
        return Answer(status=answer.status, headers=tuple(answer.headers), body=answer.body)


class _BadWire(SandboxWire):
    """A wire with the simulation's luck."""

    def __init__(self, world: "Simulation") -> None:
        super().__init__(world.ncmec)
        self._world = world

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        world, endpoint = self._world, str(request.endpoint)
        luck = world.luck
        if world.strikes(luck.never_sent):
            raise NeverSent(endpoint=endpoint, reason="no connection")
        if world.strikes(luck.lost_request):
            raise InDoubt(endpoint=endpoint, reason="the request was lost")
        if world.strikes(luck.refused_for_now):
            return Answer(status=503, headers=(("Retry-After", "30"),))
        answer = super().exchange(request, content)
        if world.strikes(luck.lost_answer):
            raise InDoubt(endpoint=endpoint, reason="the answer was lost")
        if world.strikes(luck.garbled):
            return world.chance.choice(
                (
                    Answer(status=200, body=b"<html>gateway</html>"),
                    Answer(status=502, body=b""),
                    Answer(status=200, headers=answer.headers, body=answer.body[: len(answer.body) // 2]),
                    Answer(status=500, headers=answer.headers, body=answer.body),
                )
            )
        return answer


class _WorkerClock:
    """A machine's clock, which need not agree with NCMEC's."""

    def __init__(self, true: VirtualClock) -> None:
        self._true = true
        self.off = timedelta()

    def now(self) -> datetime:
        return self._true.now() + self.off


class _Worker:
    """One worker, stepped effect by effect; it can die at any of them."""

    def __init__(self, world: "Simulation", name: str) -> None:
        self.world, self.name = world, name
        self.clock = _WorkerClock(world.time)
        self._flow: Flow[Journal] | None = None
        self._driver: Driver | None = None
        self._answer: Any = None
        self._fault: Conflict | None = None

    @property
    def idle(self) -> bool:
        return self._flow is None

    def begin(self, claim: Claim) -> None:
        self._flow = deliver(claim.key, environment=ENVIRONMENT, policy=self.world.policy, worker=self.name)
        self._driver = self.world.driver(self.clock, claim)
        self._answer = self._fault = None

    def die(self) -> None:
        """Stop without a word: no claim is given back, and nothing is recorded."""
        self._flow = self._driver = None

    def step(self) -> None:
        """Perform one effect, with the luck of the world."""
        assert self._flow is not None
        assert self._driver is not None
        flow, driver = self._flow, self._driver
        try:
            effect = flow.send(self._answer) if self._fault is None else flow.throw(self._fault)
        except (StopIteration, Conflict):
            if driver.claim is not None:
                self.world.storage.release(driver.claim)
            self.die()
            return
        self._answer = self._fault = None
        if self.world.strikes(self.world.luck.crash):
            self.die()
            return
        try:
            self._answer = driver.perform(cast(AnyEffect, effect))
        except Conflict as conflict:
            self._fault = conflict
        if isinstance(effect, Exchange) and self.world.strikes(self.world.luck.sleep):
            # The machine stands still after the call: its claim runs out, and another takes over.
            self.world.time.advance(self.world.chance.choice((timedelta(minutes=6), timedelta(hours=2))))
        if self.world.strikes(self.world.luck.crash):
            self.die()


class Simulation:
    """A world made from a seed."""

    def __init__(
        self,
        seed: int,
        *,
        luck: Luck | None = None,
        policy: Policy | None = None,
        storage: Storage | None = None,
        workers: int = 2,
        submissions: int | None = None,
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
        self.storage: Storage = storage or MemoryStorage()
        self.evidence = MemoryEvidence()
        self.workers = [_Worker(self, f"worker-{number}") for number in range(workers)]
        self.keys = [f"case-{number}" for number in range(submissions or self.chance.randint(1, 3))]
        self.withdrawn: set[str] = set()
        self._tokens = 0

    def strikes(self, chance: float) -> bool:
        """Tell whether something goes wrong this time."""
        return self.chance.random() < chance

    def driver(self, clock: Any, claim: Claim | None = None) -> Driver:
        """Return a driver in this world."""
        return Driver(
            storage=self.storage,
            transport=_BadWire(self),
            evidence=self.evidence,
            clock=clock,
            lease_for=_LEASE,
            claim=claim,
        )

    def filing(self, key: str) -> Filing:
        """Return the filing of a key: one user, named like it, and a few files."""
        entries = []
        for number in range(self.chance.randint(0, 2)):
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
        for _ in range(steps):
            self._something_happens()
        for worker in self.workers:
            worker.die()
            worker.clock.off = timedelta()
        self.luck = Luck(**dict.fromkeys(attrs.fields_dict(Luck), 0.0))
        self._drain()
        check_history(self, filings)

    def _something_happens(self) -> None:
        worker = self.chance.choice(self.workers)
        if self.strikes(self.luck.clock_jump):
            worker.clock.off = timedelta(minutes=self.chance.randint(-60, 60))
        if self.strikes(self.luck.withdrawal / 50):
            key = self.chance.choice(self.keys)
            self.driver(self.time).run(withdraw(key, actor="reviewer", reason="filed by mistake"))
            self.withdrawn.add(key)
        if worker.idle:
            self._look_for_work(worker)
        else:
            worker.step()

    def _look_for_work(self, worker: _Worker) -> None:
        now = worker.clock.now()
        self._tokens += 1
        claimed = self.storage.claim_due(token=f"{worker.name}/{self._tokens}", now=now, until=now + _LEASE, limit=1)
        if claimed:
            worker.begin(claimed[0][1])
        else:
            self.time.advance(timedelta(seconds=self.chance.choice((1, 30, 600))))

    def _drain(self) -> None:
        worker = self.workers[0]
        for _ in range(20_000):
            if not worker.idle:
                worker.step()
            elif all(head.due_at is None for head in self.storage.heads()):
                return
            else:
                self._look_for_work(worker)
        raise Flaw(f"seed {self.seed}: something is due for ever")


def check_history(world: Simulation, filings: dict[str, Filing]) -> None:
    """Raise `Flaw` where the double's reports or the journals do not keep the promises."""

    def demand(kept: bool, what: str) -> None:
        if not kept:
            raise Flaw(f"seed {world.seed}: {what}")

    reports = world.ncmec.reports()
    for key, filing in filings.items():
        mine = [report for report in reports if f">{key}<" in report["report"]]
        finished = [report for report in mine if report["state"] == "finished"]
        entries = world.storage.read(key)
        journal = Journal.of(key, entries)
        head = world.storage.head(key)
        assert head is not None
        demand(verify(key, entries, version=head.version, digest=head.digest) == (), f"{key}: the journal is damaged")
        demand(len(finished) <= 1, f"{key} was filed {len(finished)} times")
        if key in world.withdrawn and not finished:
            demand(journal.status is Status.RETRACTED, f"{key} was withdrawn and is {journal.status}")
        else:
            demand(len(finished) == 1, f"{key} was lost: its status is {journal.status}")
            demand(journal.status is Status.FINISHED, f"{key} is finished, and its journal says {journal.status}")
            demand(journal.submission.report_id == finished[0]["reportId"], f"{key}: the receipt names another report")
            arrived = sorted(file["md5"] for file in finished[0]["files"])
            demand(
                arrived == sorted(file.md5 for file in filing.files), f"{key} was filed with other files than its own"
            )
            described = sum(file["details"] is not None for file in finished[0]["files"])
            demand(described == sum(file.description is not None for file in filing.files), f"{key} lacks file details")
        # What is neither finished nor retracted was left to delete itself: only a lost answer to /submit may do that.
        doubts = sum(
            isinstance(event := decode(entry.kind, entry.data), Lost) and event.call == "submit" for entry in entries
        )
        orphans = sum(report["state"] in ("open", "deleted") for report in mine)
        gone = sum(attempt.report_id is not None for attempt in journal.submission.attempts)
        demand(orphans <= doubts + gone, f"{key} left {orphans} orphans after {doubts} lost answers")


def simulate(seed: int, **options: Any) -> Simulation:
    """Make a world from a seed, run it and check it; raise `Flaw` where a promise was broken."""
    world = Simulation(seed, **options)
    world.run()
    return world
