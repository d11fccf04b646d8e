"""The use cases effect by effect: filing a key again, racing for it, and deciding about a submission wherever it stands."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given, strategies as st

from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.drivers import Driver
from cybertip.errors import Conflict, UnknownSubmission
from cybertip.filing import Filing, Journal, Policy, Status
from cybertip.filing.effects import AnyEffect, Exchange, Flow, Read, Record
from cybertip.filing.flows import accept, deliver, override, suspend, withdraw
from cybertip.ports.storage import Claim
from cybertip.sandbox import Ncmec, VirtualClock
from cybertip.testing.simulation import SandboxWire

KEY = "case-1"
LEASE = timedelta(minutes=5)


class World:
    """One storage, one NCMEC, and workers that can be stopped at any effect."""

    def __init__(self, kit: Any) -> None:
        self.kit = kit
        self.clock = VirtualClock()
        self.ncmec = Ncmec(clock=self.clock)
        self.storage = MemoryStorage()
        self.evidence = MemoryEvidence({str(number): kit.content(number) for number in range(3)})
        self.claims = 0
        self.outrun: Conflict | None = None

    def driver(self, claim: Claim | None = None) -> Driver:
        return Driver(
            storage=self.storage,
            transport=SandboxWire(self.ncmec),
            evidence=self.evidence,
            clock=self.clock,
            lease_for=LEASE,
            claim=claim,
        )

    def run(self, flow: Flow[Journal]) -> Journal:
        return self.driver().run(flow)

    def file(self, filing: Filing, *, environment: str = "sandbox") -> Journal:
        return self.run(accept(KEY, filing, environment=environment))

    def worker(self, *, policy: Policy | None = None) -> Iterator[AnyEffect]:
        """Claim the submission and deliver it; each effect is yielded after it was performed."""
        self.claims += 1
        now = self.clock.now()
        claim = self.storage.claim(KEY, token=f"token-{self.claims}", now=now, until=now + LEASE)
        assert claim is not None
        flow = deliver(KEY, environment="sandbox", policy=policy or Policy(), worker=f"worker-{self.claims}")
        try:
            yield from steps(self.driver(claim), flow)
        except Conflict as conflict:
            # Somebody decided before it had done anything: whoever comes next reads that.
            self.outrun = conflict

    def deliver(self) -> None:
        """Deliver until nothing is left to do, whatever claims are left over."""
        while (head := self.storage.head(KEY)) is not None and head.due_at is not None:
            self.clock.advance(max(head.due_at - self.clock.now(), LEASE) + LEASE)
            for _ in self.worker():
                pass

    @property
    def journal(self) -> Journal:
        return Journal.of(KEY, self.storage.read(KEY))

    @property
    def kinds(self) -> list[str]:
        return [entry.kind.partition("/")[0] for entry in self.storage.read(KEY)]

    def states(self) -> list[str]:
        """Return where each report at NCMEC stands."""
        return [report["state"] for report in self.ncmec.reports()]


def steps(driver: Driver, flow: Flow[Any]) -> Iterator[AnyEffect]:
    """Run a flow, and yield each effect after it was performed."""
    answer: Any = None
    fault: Conflict | None = None
    while True:
        try:
            effect = cast(AnyEffect, flow.send(answer) if fault is None else flow.throw(fault))
        except StopIteration:
            return
        answer = fault = None
        try:
            answer = driver.perform(effect)
        except Conflict as conflict:
            fault = conflict
        yield effect


@pytest.fixture
def world(kit: Any) -> World:
    return World(kit)


# -- states to be in ----------------------------------------------------------------------------------------------------


def waiting(world: World) -> None:
    """Leave it as it was filed."""


def until(kind: str, call: str) -> Callable[[World], None]:
    """Stop a worker after the intent of a call, or after the call itself."""

    def stop(world: World) -> None:
        for effect in world.worker():
            if isinstance(effect, Record) and kind == "intended" and effect.journal.submission.intent is not None:
                if effect.journal.submission.intent.call == call:
                    return
            elif isinstance(effect, Exchange) and kind == "made" and str(effect.request.endpoint) == f"/{call}":
                return
        raise AssertionError("it never came to that")

    stop.__name__ = f"{call} {kind}"
    return stop


def needs_human(world: World) -> None:
    """Let the evidence be damaged."""
    world.evidence.kept["0"] = b"other bytes"
    for _ in world.worker():
        pass


def finished(world: World) -> None:
    for _ in world.worker():
        pass


def retracted(world: World) -> None:
    world.run(withdraw(KEY, actor="somebody", reason="an earlier decision"))


UNSETTLED = [
    waiting,
    *[until("made", call) for call in ("submit", "upload", "fileinfo", "finish")],
    *[until("intended", call) for call in ("submit", "upload", "describe", "finish")],
    needs_human,
]
SETTLED = [finished, retracted]
in_every_state = pytest.mark.parametrize("state", [*UNSETTLED, *SETTLED], ids=lambda state: state.__name__)


# -- filing -------------------------------------------------------------------------------------------------------------


@in_every_state
def test_filing_again_changes_nothing(world: World, state: Callable[[World], None]) -> None:
    """The same key with the same filing is the same submission, wherever it stands: nothing is recorded and nothing sent."""
    filing = world.kit.filing(True)
    world.file(filing)
    state(world)
    before = (world.storage.read(KEY), world.storage.head(KEY), world.states())
    assert world.file(filing) == world.journal
    assert (world.storage.read(KEY), world.storage.head(KEY), world.states()) == before


@in_every_state
def test_a_key_stands_for_one_filing(world: World, state: Callable[[World], None]) -> None:
    """The same key with another filing, or for another environment, is a conflict, wherever the first one stands."""
    world.file(world.kit.filing(True))
    state(world)
    before = (world.storage.read(KEY), world.storage.head(KEY))
    with pytest.raises(Conflict, match="another filing"):
        world.file(world.kit.filing(True, user="user-2"))
    with pytest.raises(Conflict, match="it was filed for sandbox, not for production"):
        world.file(world.kit.filing(True), environment="production")
    assert (world.storage.read(KEY), world.storage.head(KEY)) == before


def test_nothing_is_delivered_to_another_environment(world: World) -> None:
    """What was filed for production is sent nowhere else, whoever claims it."""
    world.file(world.kit.filing(True), environment="production")
    assert [type(effect) for effect in world.worker()] == [Read]
    assert "it belongs to production" in str(world.outrun)
    assert world.kinds == ["filed"]
    assert world.states() == []


@given(turns=st.lists(st.booleans(), max_size=12), same=st.booleans())
def test_racing_for_a_key(kit: Any, turns: list[bool], same: bool) -> None:
    """Of two that file one key at once, in whatever order their steps come, one records; the other gets the same submission
    if it is the same filing, and a conflict if not."""
    world = World(kit)
    filings = [kit.filing(True), kit.filing(True, user="user-1" if same else "user-2")]
    results: dict[int, Any] = {}

    def racer(number: int) -> Iterator[AnyEffect]:
        def flow() -> Flow[None]:
            results[number] = yield from accept(KEY, filings[number], environment="sandbox")

        try:
            yield from steps(world.driver(), flow())
        except Conflict as conflict:
            results[number] = conflict

    racers = [racer(0), racer(1)]
    for turn in [*turns, *[False] * 5, *[True] * 5]:
        next(racers[turn], None)
    assert world.kinds == ["filed"]
    conflicts = [number for number in (0, 1) if isinstance(results[number], Conflict)]
    if same:
        assert conflicts == []
        assert results[0] == results[1] == world.journal
    else:
        [loser] = conflicts
        assert results[1 - loser] == world.journal
        assert world.journal.submission.filing == filings[1 - loser]
        assert "another filing" in str(results[loser])


# -- a person's decisions -----------------------------------------------------------------------------------------------


DECISIONS = {
    "withdrawn": lambda: withdraw(KEY, actor="reviewer", reason="a mistake"),
    "overridden": lambda: override(KEY, actor="reviewer", reason="looked at"),
    "suspended": lambda: suspend(KEY, known=99),
}
every_decision = pytest.mark.parametrize("what", DECISIONS)


@every_decision
def test_nothing_is_decided_about_nothing(world: World, what: str) -> None:
    """A decision about a key that was never filed is refused, and records nothing."""
    with pytest.raises(UnknownSubmission) as caught:
        world.run(DECISIONS[what]())
    assert caught.value.key == KEY
    assert world.storage.heads() == ()


@every_decision
@pytest.mark.parametrize("state", SETTLED, ids=lambda state: state.__name__)
def test_what_is_settled_stays_as_it_is(world: World, what: str, state: Callable[[World], None]) -> None:
    """Decisions about what is finished or retracted change nothing; what comes back says how it stands."""
    world.file(world.kit.filing(True))
    state(world)
    before = (world.storage.read(KEY), world.storage.head(KEY))
    journal = world.run(DECISIONS[what]())
    assert journal == world.journal
    assert journal.status in (Status.FINISHED, Status.RETRACTED)
    assert (world.storage.read(KEY), world.storage.head(KEY)) == before


@every_decision
@pytest.mark.parametrize("state", UNSETTLED, ids=lambda state: state.__name__)
def test_a_decision_is_recorded_and_acted_on(world: World, what: str, state: Callable[[World], None]) -> None:
    """Wherever a submission stands, a decision is recorded with who made it, is due at once, and comes to its end: what was
    withdrawn is taken back unless it was finished already, and what was looked at is filed once."""
    world.file(world.kit.filing(True))
    state(world)
    journal = world.run(DECISIONS[what]())
    assert world.kinds[-1] == what
    head = world.storage.head(KEY)
    assert head is not None
    assert (head.version, head.digest, head.status) == (journal.version, journal.digest, journal.status)
    assert head.due_at == world.clock.now()
    world.evidence.kept["0"] = world.kit.content(0)
    was_finished = "finished" in world.states()
    world.deliver()
    if what == "withdrawn" and not was_finished and state.__name__ != "finish intended":
        assert world.journal.status is Status.RETRACTED
        assert "finished" not in world.states()
    elif what == "suspended" and not was_finished and state.__name__ != "finish intended":
        assert world.journal.status is Status.NEEDS_HUMAN
        assert "finished" not in world.states()
        world.run(override(KEY, actor="reviewer", reason="the backup was whole"))
        world.deliver()
    if what != "withdrawn" or was_finished:
        assert world.journal.status is Status.FINISHED
        assert world.states().count("finished") == 1


@every_decision
def test_a_decision_at_any_moment(kit: Any, what: str) -> None:
    """A person may decide between any two steps of a worker: nothing of either is lost, and a report is filed once or, if it
    was withdrawn before its finish was begun, never."""
    alone = World(kit)
    alone.file(kit.filing(True))
    count = sum(1 for _ in alone.worker())
    for at in range(count):
        world = World(kit)
        world.file(kit.filing(True))
        begun = False
        for number, effect in enumerate(world.worker()):
            if number < at and isinstance(effect, Record):
                intent = effect.journal.submission.intent
                begun = begun or (intent is not None and intent.call == "finish")
            if number == at:
                settled = world.journal.status is Status.FINISHED
                world.run(DECISIONS[what]())
                assert settled or what in world.kinds
        world.deliver()
        if world.journal.status is Status.NEEDS_HUMAN:
            assert what == "suspended"
            world.run(override(KEY, actor="reviewer", reason="the backup was whole"))
            world.deliver()
        finished = world.states().count("finished")
        assert finished == (world.journal.status is Status.FINISHED)
        assert finished or (what == "withdrawn" and not begun)
        # Who was outrun by a person has not lost what it did: no report is given up for a decision that lets it go on.
        if what == "overridden":
            assert world.states() == ["finished"]
