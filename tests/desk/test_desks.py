"""The desk as its users know it: in each colour the same, and whatever happens, each case's life keeps its promises."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import attrs
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import event, given, settings, strategies as st

from cybertip import AsyncCaseDesk, AsyncCourier, CaseDesk, Courier, Environment, InvalidReport
from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.memory import AsyncMemoryStorage, MemoryStorage
from cybertip.cases.decisions import Decision, View
from cybertip.cases.enrichment import nothing_known
from cybertip.cases.events import Decided, Viewed
from cybertip.cases.journal import CaseJournal
from cybertip.cases.notices import CaseEvent, Preservation
from cybertip.cases.placement import Place
from cybertip.cases.review import ReviewPolicy
from cybertip.cases.stages import Stage
from cybertip.desk.driving import Hands
from cybertip.desk.effects import File
from cybertip.desk.keys import lane
from cybertip.desk.visibility import Viewer
from cybertip.errors import CaseError, Conflict, UnknownCase
from cybertip.ports.storage import Head
from cybertip.sandbox import Behaviour, Ncmec, VirtualClock
from cybertip.testing.simulation import SandboxWire
from cybertip.webhooks.failures import WebhookUnanswered

TOPICS = [lane(kind, "o1", "production") for kind in ("webhook.preserve", "webhook.event")]


class Platform:
    """The host's endpoints, which fail while a test says so."""

    def __init__(self) -> None:
        self.is_down = False
        self.preserved: list[Preservation] = []
        self.told: list[CaseEvent] = []

    def _fail(self, endpoint: str) -> None:
        if self.is_down:
            raise WebhookUnanswered(endpoint=endpoint, reason="is down")

    def additional_info(self, request: Any, *, id: str) -> Any:
        self._fail("additional info")
        return nothing_known(request)

    def preserve(self, notice: Preservation, *, id: str) -> None:
        self._fail("preservation")
        self.preserved.append(notice)

    def notify(self, event: CaseEvent, *, id: str) -> None:
        self._fail("case event")
        self.told.append(event)


class _Async:
    """The async twin of something that blocks for no time at all."""

    def __init__(self, sync: Any) -> None:
        self._sync = sync

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._sync, name)

        async def call(*args: Any, **more: Any) -> Any:
            return found(*args, **more)

        return call


class _AsyncWire(_Async):
    async def exchange(self, request: Any, content: Any = None) -> Any:
        parts = [part async for part in content] if content is not None else []
        return await anyio.to_thread.run_sync(partial(self._sync.exchange, request, parts))


class _Blocking:
    """Something async, called from here."""

    def __init__(self, portal: Any, there: Any) -> None:
        self._portal, self.there = portal, there

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.there, name)
        return lambda *args, **more: self._portal.call(partial(found, *args, **more))


class World:
    """One storage and one NCMEC, a platform, and a desk with its courier in one colour."""

    def __init__(self, kit: Any, portal: Any = None, **desk: Any) -> None:
        self.kit, self.clock = kit, VirtualClock(kit.NOW)
        self.storage, self.evidence, self.platform = MemoryStorage(), MemoryEvidence(), Platform()
        self.ncmec = Ncmec(Behaviour(), clock=self.clock)
        for number in range(40):
            self.evidence.kept[f"e{number}"] = f"synthetic {number}".encode()
        profile = attrs.evolve(
            kit.PROFILE,
            preservation_url="https://company.example/preserve",
            case_event_url="https://company.example/events",
        )
        parts: dict[str, Any] = {"evidence": self.evidence, "profile": profile} | desk
        wire = SandboxWire(self.ncmec)

        def make() -> Any:
            if portal is None:
                courier = Courier(
                    Environment.PRODUCTION,
                    storage=self.storage,
                    evidence=self.evidence,
                    transport=wire,
                    clock=self.clock,
                )
                return courier, CaseDesk("o1", courier=courier, webhooks=self.platform, **parts)
            other = AsyncCourier(
                Environment.PRODUCTION,
                storage=AsyncMemoryStorage(self.storage),
                evidence=self.evidence,
                transport=_AsyncWire(wire),
                clock=self.clock,
            )
            return other, AsyncCaseDesk("o1", courier=other, webhooks=_Async(self.platform), **parts)

        if portal is None:
            self.courier, self.desk = make()
        else:
            self.courier, self.desk = (_Blocking(portal, one) for one in portal.call(make))

    def settle(self, hours: float = 48) -> None:
        """Let workers work until nothing but the far future is left."""
        end = self.clock.now() + timedelta(hours=hours)
        while self.clock.now() < end:
            worked = self.desk.run_due() + self.courier.run_due()
            now = self.clock.now()
            # What couriers post for the host itself is taken by nobody here.
            due = [self.storage.next_due(now=now), self.storage.next_letter(now=now, topics=TOPICS)]
            times = [at for at in due if at is not None]
            if not times:
                return
            if not worked:
                self.clock.advance(max(min(times) - self.clock.now(), timedelta(seconds=1)))

    def cases(self) -> dict[str, Any]:
        heads: tuple[Head, ...] = self.storage.heads(limit=1000)
        keys = [head.key for head in heads if head.key.startswith("case/") and not head.key.endswith("/report")]
        return {key: CaseJournal.of(key, self.storage.read(key)) for key in keys}


@pytest.fixture(params=[None, "asyncio", "trio"], ids=["sync", "asyncio", "trio"])
def make_world(request: pytest.FixtureRequest, kit: Any) -> Iterator[Callable[..., World]]:
    with ExitStack() as stack:
        portal = None if request.param is None else stack.enter_context(start_blocking_portal(request.param))
        yield partial(World, kit, portal)


def test_from_three_signals_to_one_report(make_world: Any, kit: Any) -> None:
    """Signals about one user gather, somebody claims, looks and decides, and all the rest is done: one report arrives, the
    platform is told to preserve and what became of it, and everything that happened is in the case."""
    world = make_world()
    desk = world.desk
    (case,) = {desk.signal(kit.signal(number, number)).case for number in (1, 2, 3)}
    assert desk.run_due() > 0, "its files are kept"
    assert [one.case for one in desk.pending(viewer=kit.ANN)] == [case]
    assert len(desk.claim(case, viewer=kit.ANN).kept) == 3
    desk.view(case, kit.image(1), viewer=kit.ANN, wholly=True, exif=False)
    decision = kit.decision(1, 2, 3)
    assert desk.check(case, decision, viewer=kit.ANN) == ()
    assert desk.decide(case, decision, viewer=kit.ANN).stage is Stage.DECIDED
    world.settle()
    (report,) = world.ncmec.reports()
    state = desk.case(case, viewer=kit.ANN)
    assert (report["state"], state.stage, state.report_id) == ("finished", Stage.REPORTED, report["reportId"])
    assert len(report["files"]) == 3
    assert [one.report_id for one in world.platform.preserved] == [state.report_id]
    assert [one.kind for one in world.platform.told] == ["case.filed", "case.preserved"]
    assert state.preserved
    assert [one.report_id for one in desk.cases(viewer=kit.ANN, status="reported")] == [state.report_id]
    assert desk.run_due() == 0


def test_a_decision_is_checked_before_it_is_made(make_world: Any, kit: Any) -> None:
    """What NCMEC would refuse is shown to the reviewer, and nothing is recorded by asking."""
    world = make_world()
    case = world.desk.signal(kit.signal(1)).case
    version = world.storage.head(case).version
    later = attrs.evolve(kit.decision(), incident_at=world.clock.now() + timedelta(days=1))
    (violation,) = world.desk.check(case, later, viewer=kit.ANN)
    assert violation.path == "report.incident_summary.incident_date_time"
    assert world.storage.head(case).version == version


def test_a_reviewer_hears_how_the_report_was_made(make_world: Any, kit: Any) -> None:
    """What was left out, because the platform says that it is gone, is no secret; it keeps nothing from being filed."""
    world = make_world()
    gone: list[Any] = []

    def answer(request: Any, *, id: str) -> Any:
        known = nothing_known(request)
        gone.append(known.media[0].ref)
        return attrs.evolve(known, media=(attrs.evolve(known.media[0], missing=True), *known.media[1:]))

    world.platform.additional_info = answer
    desk = world.desk
    case = desk.signal(kit.signal(1, 1, 2)).case
    desk.run_due()
    desk.claim(case, viewer=kit.ANN)
    assert desk.findings(case, viewer=kit.ANN) == ()
    desk.decide(case, kit.decision(1, 2), viewer=kit.ANN)
    world.settle()
    (report,) = world.ncmec.reports()
    assert (report["state"], len(report["files"])) == ("finished", 1)
    assert "missing" in {finding.rule for finding in desk.findings(case, viewer=kit.ANN)}


@pytest.mark.parametrize("known", [{"users": [{"id": "u1", "email": "canary@example.com"}]}, None, 7])
def test_what_a_hosts_function_returned_is_shown_to_nobody(kit: Any, known: Any) -> None:
    """A function that returns something else than an answer delays the case; the reason names its type, and no value."""
    world = World(kit, source=lambda request: known)
    desk = world.desk
    case = desk.signal(kit.signal(1)).case
    desk.claim(case, viewer=kit.ANN)
    desk.decide(case, kit.decision(), viewer=kit.ANN)
    desk.run_due()
    state = desk.case(case, viewer=kit.ANN)
    assert type(known).__name__ in state.delay
    assert "canary" not in repr(state)
    assert not any("canary" in entry.data for entry in world.storage.read(case))


def test_a_platform_that_is_named_is_asked_or_waited_for(kit: Any) -> None:
    """Where the profile names an endpoint that knows more, and nothing can ask it, nothing is filed without its answer."""
    world = World(kit)
    profile = attrs.evolve(kit.PROFILE, additional_info_url="https://company.example/info")
    desk = CaseDesk("o1", courier=world.courier, evidence=world.evidence, profile=profile)
    case = desk.signal(kit.signal(1)).case
    assert case is not None
    desk.claim(case, viewer=kit.ANN)
    desk.decide(case, kit.decision(), viewer=kit.ANN)
    desk.run_due()
    assert desk.case(case, viewer=kit.ANN).stage is Stage.DECIDED
    assert "no `webhooks`" in (desk.case(case, viewer=kit.ANN).delay or "")


def test_a_follow_up_waits_for_the_report_that_it_names(make_world: Any, kit: Any) -> None:
    """Two cases of a user that are decided together: the second names the first's report, and so waits for it; but not for
    more than an hour."""
    world = make_world()
    desk = world.desk
    cases = []
    for number in (1, 2):
        cases.append(desk.signal(kit.signal(number)).case)
        desk.claim(cases[-1], viewer=kit.ANN)
        desk.decide(cases[-1], kit.decision(), viewer=kit.ANN)
    desk.run_due()
    assert "earlier case" in desk.case(cases[1], viewer=kit.ANN).delay
    world.settle()
    first, second = (desk.case(case, viewer=kit.ANN) for case in cases)
    assert (first.stage, second.stage) == (Stage.REPORTED, Stage.REPORTED)
    assert second.enriched.prior_reports == (first.report_id,)


def test_what_is_late_files_nothing(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose claim was over before it handed a filing over hands nothing over: somebody may have decided
    otherwise by then."""
    world = World(kit)
    desk = world.desk
    case = desk.signal(kit.signal(1)).case
    desk.claim(case, viewer=kit.ANN)
    desk.decide(case, kit.decision(), viewer=kit.ANN)
    perform = Hands.perform
    slept: list[File] = []

    def slow(hands: Hands, effect: Any) -> Any:
        if isinstance(effect, File) and not slept:
            slept.append(effect)
            monkeypatch.setattr(Hands, "beat", lambda hands: None)
            world.clock.advance(timedelta(minutes=6))
        return perform(hands, effect)

    monkeypatch.setattr(Hands, "perform", slow)
    desk.run_due(limit=1)
    assert slept
    assert world.storage.head(f"{case}/report") is None
    monkeypatch.undo()
    world.settle()
    assert desk.case(case, viewer=kit.ANN).stage is Stage.REPORTED


def test_what_waits_is_found(make_world: Any, kit: Any) -> None:
    """A decided case whose platform does not answer is on a list, with its reason, until it goes on."""
    world = make_world()
    desk, world.platform.is_down = world.desk, True
    case = desk.signal(kit.signal(1)).case
    desk.claim(case, viewer=kit.ANN)
    desk.decide(case, kit.decision(), viewer=kit.ANN)
    assert desk.cases(viewer=kit.ANN, delayed=True) == ()
    desk.run_due()
    (waiting,) = desk.cases(viewer=kit.ANN, delayed=True)
    assert (waiting.case, waiting.delayed) == (case, True)
    assert "is down" in desk.case(case, viewer=kit.ANN).delay
    world.platform.is_down = False
    world.settle()
    assert desk.cases(viewer=kit.ANN, delayed=True) == ()
    assert desk.case(case, viewer=kit.ANN).stage is Stage.REPORTED


def test_a_signal_that_nobody_can_place_is_shown_until_somebody_does(make_world: Any, kit: Any) -> None:
    """It is on a list, a person says whom it is about, and it is in that user's case."""
    desk = make_world().desk
    placed = desk.signal(attrs.evolve(kit.signal(1), creator=None))
    assert (placed.place, placed.case) == (Place.UNRESOLVED, None)
    (waiting,) = desk.unresolved(viewer=kit.ANN)
    assert waiting.signal.id == "s1"
    case = desk.resolve(waiting.key, kit.user(5), viewer=kit.ANN).case
    assert desk.case(case, viewer=kit.ANN).user == kit.user(5)
    assert desk.unresolved(viewer=kit.ANN) == ()


def test_a_journal_of_a_newer_program_is_put_aside(make_world: Any, kit: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A case that this program cannot read comes up again slowly, with a line in the log, and the others go on."""
    world = make_world()
    first, second = (world.desk.signal(kit.signal(n, n, creator=kit.user(n))).case for n in (1, 2))
    entries = world.storage._journals[first] if hasattr(world.storage, "_journals") else None
    if entries is None:
        pytest.fail("the storage in memory keeps its journals elsewhere: mend this test")
    entries[-1] = attrs.evolve(entries[-1], kind="case.joined/9")
    world.desk.run_due()
    assert f"'{first}' is held" in caplog.text
    assert world.storage.head(first).due_at > world.clock.now()
    assert world.desk.case(second, viewer=kit.ANN).kept


# -- whatever happens -----------------------------------------------------------------------------------------------------


class Died(BaseException):
    """The process of a worker is gone."""


class Mortal:
    """Let the n-th effect that a worker performs be its last: before it has any effect, or after it had it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.after = False
        perform = Hands.perform

        def performed(hands: Hands, effect: Any) -> Any:
            if self.left is None:
                return perform(hands, effect)
            self.left -= 1
            if self.left < 0 and not self.after:
                raise Died
            answer = perform(hands, effect)
            if self.left < 0:
                raise Died
            return answer

        monkeypatch.setattr(Hands, "perform", performed)

    def run(self, work: Callable[[], object], lives: int, *, after: bool) -> None:
        self.left, self.after = lives, after
        try:
            work()
        except Died:
            pass
        finally:
            self.left = None


WORDS = (
    *("signal",) * 4,
    *("work",) * 4,
    *("deliver",) * 2,
    *("decide",) * 4,
    *("wait", "view", "dismiss", "approve", "take back", "down", "up", "claim", "release"),
)
moves = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 47)), min_size=15, max_size=60)


class Life:
    """A platform's day: signals, reviewers, workers that die, endpoints that fail."""

    def __init__(self, kit: Any, mortal: Mortal, *, second: bool) -> None:
        self.kit, self.mortal = kit, mortal
        self.world = World(kit, review=ReviewPolicy(second_approval=second, partial=True))
        self.number = 0

    def make(self, what: str, number: int) -> None:
        world, desk = self.world, self.world.desk
        viewer: Viewer = self.kit.ANN if number % 2 else self.kit.BOB
        self.number = number
        match what:
            case "signal":
                signal = self.kit.signal(number % 8, number % 8, creator=self.kit.user(number % 2))
                self.mortal.run(lambda: desk.signal(signal), number % 12, after=number % 2 == 0)
            case "work":
                self.mortal.run(desk.run_due, number, after=number % 2 == 0)
            case "deliver":
                world.courier.run_due()
            case "wait":
                world.clock.advance(timedelta(minutes=5 * (1 + number % 24)))
            case "down" | "up":
                world.platform.is_down = what == "down"
            case _:
                for key, journal in world.cases().items():
                    try:
                        self.review(what, key, journal.case, viewer)
                    except (CaseError, Conflict, InvalidReport):
                        continue

    def claims(self, sha256: str, viewer: Viewer) -> tuple[View, ...]:
        """Claim views as people would and should not: one's own, somebody else's, of now, of tomorrow; or none."""
        now, turn = self.world.clock.now(), self.number % 5
        claims = {
            1: View(sha256=sha256, reviewer=viewer.reviewer, at=now, wholly=True, exif=False),
            2: View(sha256=sha256, reviewer=self.kit.CAROL, at=now, wholly=True, exif=True),
            3: View(sha256=sha256, reviewer=viewer.reviewer, at=now + timedelta(days=1), wholly=True, exif=False),
        }
        return (claims[turn],) if turn in claims else ()

    def review(self, what: str, key: str, case: Any, viewer: Viewer) -> None:
        desk, kit = self.world.desk, self.kit
        match what:
            case "claim":
                desk.claim(key, viewer=viewer)
            case "release":
                desk.release(key, viewer=viewer)
            case "view":
                for ref in case.kept:
                    desk.view(key, ref, viewer=viewer, wholly=True, exif=False)
            case "decide":
                desk.claim(key, viewer=viewer)
                media = tuple(
                    attrs.evolve(kit.decision(1).media[0], media=ref, views=self.claims(kept.sha256, viewer))
                    for ref, kept in case.kept.items()
                )
                desk.decide(key, attrs.evolve(kit.decision(), media=media), viewer=viewer)
            case "dismiss":
                desk.claim(key, viewer=viewer)
                desk.decide(key, kit.DISMISSED, viewer=viewer)
            case "approve":
                desk.approve(key, viewer=viewer)
            case "take back":
                desk.take_back(key, viewer=viewer, reason="invented")


@settings(max_examples=60)
@given(moves=moves, second=st.booleans())
def test_the_life_of_cases(kit: Any, moves: list[tuple[str, int]], second: bool) -> None:
    """Signals, claims, lapses and decisions in any order, workers that die at any step and endpoints that fail for hours:
    in the end each signal is in exactly one case, each case that stands decided has one report and every other has none,
    its files are those that were decided, no view is claimed without its record, and the platform was told of each report.
    """
    with pytest.MonkeyPatch.context() as monkeypatch:
        life = Life(kit, Mortal(monkeypatch), second=second)
        for what, number in moves:
            life.make(what, number)
        world = life.world
        world.platform.is_down = False
        world.settle()
    recorded = {one.key for one in world.storage.heads(limit=1000) if one.key.startswith("signal/")}
    cases = world.cases()
    where = Counter(signal for journal in cases.values() for signal in journal.case.signals)
    assert set(where.values()) <= {1}
    assert sum(where.values()) == len(recorded)
    finished = {report["reportId"]: report for report in world.ncmec.reports() if report["state"] == "finished"}
    reported = {journal.case.report_id: journal for journal in cases.values() if journal.case.report_id is not None}
    assert finished.keys() == reported.keys()
    for journal in cases.values():
        case = journal.case
        assert case.stage in (Stage.OPEN, Stage.RETURNED, Stage.APPROVAL, Stage.DISMISSED, Stage.REPORTED)
        assert (case.stage is Stage.REPORTED) == (case.report_id is not None)
    for report_id, journal in reported.items():
        case = journal.case
        assert isinstance(case.decision, Decision)
        assert len(finished[report_id]["files"]) == len(case.decision.included)
        assert case.approved_by is not None or not second
        assert case.preserved
    # The endpoint may hear of a report twice, by the same id, where a worker died before it was noted.
    assert {notice.report_id for notice in world.platform.preserved} == reported.keys()
    for key, journal in cases.items():
        entries = world.storage.read(key)
        told = CaseJournal.of(key, entries)
        assert told.case == journal.case
        events = [kit.decode(entry) for entry in entries]
        records: set[Any] = set()
        for one, entry in zip(events, entries, strict=True):
            if isinstance(one, Viewed):
                records.add(one.view)
            if isinstance(one, Decided) and isinstance(one.decision, Decision):
                # Recorded before, or said by the decider's self of a time before then.
                own = {view for view in one.decision.views if view.reviewer == one.reviewer}
                assert all(view.at <= entry.recorded_at for view in own)
                assert set(one.decision.views) <= records | own
                records |= own
        assert set(told.case.views) == records
    event(f"{len(finished)} reports")


def test_of_another_organisation_nothing_is_there(kit: Any) -> None:
    """Two desks over one storage: neither sees, claims, works on or hears of anything of the other's."""
    world = World(kit)
    other = CaseDesk("o2", courier=world.courier, evidence=world.evidence, profile=kit.PROFILE, webhooks=world.platform)
    case = world.desk.signal(kit.signal(1, 1)).case
    assert case is not None
    assert other.run_due() == 0
    for ask in (other.case, other.claim, other.release, other.resend):
        with pytest.raises(UnknownCase):
            ask(case, viewer=kit.ANN)
    assert other.cases(viewer=kit.ANN) == other.pending(viewer=kit.ANN) == ()
    assert other.signal(kit.signal(1, 1)).case != case
