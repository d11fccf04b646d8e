"""Each signal gets into one case, whoever else is at work, and wherever a process dies."""

from collections import Counter
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import event, given, settings, strategies as st

from cybertip.cases.placement import Place
from cybertip.cases.references import ReviewerId, SignalId
from cybertip.cases.signals import UserReported
from cybertip.cases.stages import JOINABLE, Stage
from cybertip.desk.effects import Append, Look, Read
from cybertip.desk.placing import receive, resolve, settle
from cybertip.desk.reviewing import claim, decide, take_back
from cybertip.errors import Conflict, NotNow, UnknownCase
from cybertip.protocol import Environment

ANN = ReviewerId("ann")


def shut(desk: Any, kit: Any, case: str) -> None:
    """Decide a case."""
    desk.run(claim(desk.office, case, reviewer=ANN, lasting=timedelta(minutes=5)))
    desk.run(decide(desk.office, case, kit.decision(), reviewer=ANN))


def test_signals_about_one_user_are_one_case(kit: Any) -> None:
    """A match, a report and an escalation gather; another user's signal opens a case of its own."""
    desk = kit.desk()
    places = [desk.run(receive(desk.office, kit.signal(number, number))) for number in (1, 2, 3)]
    other = desk.run(receive(desk.office, kit.signal(4, creator=kit.user(2))))
    assert {one.place for one in (*places, other)} == {Place.PLACED}
    assert len({one.case for one in places}) == 1
    assert other.case != places[0].case
    case = desk.cases()[places[0].case]
    assert list(case.signals) == ["s1", "s2", "s3"]
    assert list(case.media) == [kit.image(1), kit.image(2), kit.image(3)]
    assert (case.user, case.organisation, case.predecessor) == (kit.user(), "o1", None)


def test_where_it_stands_is_found_without_reading_it(kit: Any) -> None:
    """The head says what the journal would: status, priority and queue; and its media are due to be kept at once."""
    desk = kit.desk()
    about: dict[str, Any] = {"reporter": None, "csam": False}
    kinds = {key: value for key, value in attrs.asdict(kit.signal(1), recurse=False).items() if key != "moderator"}
    noted = UserReported(**kinds, **about)
    case = desk.run(receive(desk.office, noted)).case
    head = desk.storage.head(case)
    assert (head.status, head.priority, head.due_at) == ("noted", 0, None)
    desk.run(receive(desk.office, kit.signal(2, 1)))
    head = desk.storage.head(case)
    state = desk.cases()[case]
    assert (
        (head.status, head.priority, head.due_at) == (state.status, state.priority, kit.NOW) == ("review", 2, kit.NOW)
    )
    assert "queue:main" in head.tags
    assert state.queue == "main"


def test_the_same_signal_again_changes_nothing(kit: Any) -> None:
    """A platform that did not hear that a signal was taken says it again, and it is where it was; another one is refused."""
    desk = kit.desk()
    first = desk.run(receive(desk.office, kit.signal(1, 1)))
    before = desk.storage.head(first.case)
    assert desk.run(receive(desk.office, kit.signal(1, 1))).case == first.case
    assert desk.storage.head(first.case) == before
    with pytest.raises(Conflict, match="another signal"):
        desk.run(receive(desk.office, kit.signal(1, 2)))
    assert list(desk.cases()[first.case].media) == [kit.image(1)]


def test_after_a_decision_a_new_signal_opens_a_follow_up(kit: Any) -> None:
    """What comes after a decision is a case that names the one before it, also where the decision is taken back."""
    desk = kit.desk()
    first = desk.run(receive(desk.office, kit.signal(1))).case
    shut(desk, kit, first)
    second = desk.run(receive(desk.office, kit.signal(2))).case
    assert desk.cases()[second].predecessor == first
    desk.run(take_back(desk.office, first, reviewer=ANN, reason="invented"))
    assert desk.cases()[first].stage is Stage.RETURNED
    assert desk.run(receive(desk.office, kit.signal(3))).case == second
    assert list(desk.cases()[first].signals) == ["s1"]


# -- whose it is ----------------------------------------------------------------------------------------------------------


def test_the_host_says_whose_a_signal_is(kit: Any) -> None:
    """A signal that names nobody is brought to the case of whom the host resolves; the signal itself stays as it came."""
    desk = kit.desk(resolve=lambda signal: kit.user(7))
    came = attrs.evolve(kit.signal(1), creator=None)
    placed = desk.run(receive(desk.office, came))
    assert placed.user == kit.user(7)
    case = desk.cases()[placed.case]
    assert (case.user, case.signals[came.id]) == (kit.user(7), came)


@pytest.mark.parametrize("failing", [False, True])
def test_a_signal_that_cannot_be_resolved_is_kept_and_asked_about_again(kit: Any, failing: bool) -> None:
    """It is recorded before the host is asked, shown, and brought to its case once somebody knows; a failing function,
    too, loses nothing and stops nothing."""
    known: list[Any] = []

    def who(signal: Any) -> Any:
        if failing and not known:
            raise RuntimeError("canary")
        return known[0] if known else None

    desk = kit.desk(resolve=who)
    came = attrs.evolve(kit.signal(1), creator=None)
    waiting = desk.run(receive(desk.office, came))
    assert (waiting.place, waiting.case) == (Place.UNRESOLVED, None)
    head = desk.storage.head(waiting.key)
    assert (head.status, head.due_at) == ("unresolved", kit.NOW + timedelta(hours=1))
    assert desk.run(settle(desk.office, waiting.key)).place is Place.UNRESOLVED
    assert desk.storage.head(waiting.key).version == head.version, "nothing is recorded of asking in vain"
    known.append(kit.user(7))
    assert desk.run(settle(desk.office, waiting.key)).place is Place.PLACED
    assert desk.storage.head(waiting.key).due_at is None


def test_a_person_says_whose_a_signal_is(kit: Any) -> None:
    """Where no function knows, somebody does; of another organisation's signals, nobody."""
    desk = kit.desk()
    waiting = desk.run(receive(desk.office, attrs.evolve(kit.signal(1), creator=None)))
    others = attrs.evolve(desk.office, organisation="o2")
    with pytest.raises(UnknownCase):
        desk.run(resolve(others, waiting.key, kit.user(3)))
    assert desk.run(resolve(desk.office, waiting.key, kit.user(3))).user == kit.user(3)
    with pytest.raises(NotNow, match="somebody else already"):
        desk.run(resolve(desk.office, waiting.key, kit.user(4)))
    assert desk.run(resolve(desk.office, waiting.key, kit.user(3))).user == kit.user(3)


def test_a_test_desk_takes_no_signal_of_productions(kit: Any) -> None:
    """A signal of one environment cannot be resolved into a case of another, by whoever has its key."""
    desk = kit.desk()
    production = attrs.evolve(desk.office, environment=Environment.PRODUCTION)
    waiting = desk.run(receive(production, attrs.evolve(kit.signal(1), creator=None)))
    for flow in (resolve(desk.office, waiting.key, kit.user(3)), settle(desk.office, waiting.key)):
        with pytest.raises(UnknownCase):
            desk.run(flow)
    assert desk.run(resolve(production, waiting.key, kit.user(3))).place is Place.PLACED


@pytest.mark.parametrize("answer", ["u1", {"id": "u1"}, True])
def test_an_answer_that_is_no_user_is_none(kit: Any, answer: Any) -> None:
    """A function of the host's that returns something else has resolved nothing: the signal is kept, and shown."""
    desk = kit.desk(resolve=lambda signal: answer)
    waiting = desk.run(receive(desk.office, attrs.evolve(kit.signal(1), creator=None)))
    assert waiting.place is Place.UNRESOLVED


def test_the_signal_is_safe_before_the_host_is_asked(kit: Any) -> None:
    """A function that takes the process down with it takes no signal with it."""
    desk = kit.desk()
    running = desk.begin(receive(desk.office, attrs.evolve(kit.signal(1), creator=None)))
    while type(running.effect).__name__ != "Resolve":
        running.step()
    (journal,) = desk.signals().values()
    assert journal.place is Place.RECEIVED
    assert desk.storage.head(journal.key).due_at is not None


# -- whoever else is at work ----------------------------------------------------------------------------------------------


class World:
    """A user's signals on their way, workers that take over, and a reviewer who decides in between."""

    def __init__(self, kit: Any) -> None:
        self.kit, self.desk = kit, kit.desk()
        self.under_way: list[Any] = []
        self.came: set[int] = set()

    def make(self, move: tuple[str, int]) -> None:
        what, number = move
        match what:
            case "signal":
                self.came.add(number % 6)
                self.under_way.append(self.desk.begin(receive(self.desk.office, self.kit.signal(number % 6))))
            case "take over":
                keys = sorted(self.desk.signals())
                if keys:
                    self.under_way.append(self.desk.begin(settle(self.desk.office, keys[number % len(keys)])))
            case "step" if self.under_way:
                running = self.under_way[number % len(self.under_way)]
                for _ in range(1 + number % 9):
                    if not running.is_over:
                        running.step()
                if running.is_over:
                    self.under_way.remove(running)
            case "die" if self.under_way:
                self.under_way.pop(number % len(self.under_way))
            case "decide":
                for key, case in self.desk.cases().items():
                    if case.status in JOINABLE:
                        shut(self.desk, self.kit, key)
            case "take back":
                for key, case in self.desk.cases().items():
                    if case.stage is Stage.DECIDED:
                        self.desk.run(take_back(self.desk.office, key, reviewer=ANN, reason="x"))


moves = st.lists(
    st.tuples(
        st.sampled_from(["signal"] * 2 + ["take over"] + ["step"] * 8 + ["die", "decide", "take back"]),
        st.integers(0, 30),
    ),
    min_size=25,
    max_size=100,
)


@settings(max_examples=200)
@given(moves=moves)
def test_each_signal_is_in_exactly_one_case(kit: Any, moves: list[tuple[str, int]]) -> None:
    """In whatever order the steps of any number of workers come, whoever dies on the way, and whenever a reviewer decides or
    takes back: when the last has been taken over, each signal that was recorded is in one case, and its journal says which.
    """
    world = World(kit)
    for move in moves:
        world.make(move)
    desk = world.desk
    recorded = {one.signal.id for one in desk.signals().values()}
    for key in desk.signals():
        desk.run(settle(desk.office, key))
    cases = desk.cases()
    where = Counter(signal for case in cases.values() for signal in case.signals)
    assert where == Counter(recorded)
    for journal in desk.signals().values():
        assert journal.place is Place.PLACED
        assert journal.case is not None
        assert journal.signal.id in cases[journal.case].signals
        assert desk.storage.head(journal.key).due_at is None
    for case in cases.values():
        head = desk.storage.head(case.key)
        assert (head.status, head.priority) == (case.status, case.priority)
    event(f"{len(cases)} cases")


@pytest.mark.parametrize("is_decided", [False, True])
@pytest.mark.parametrize("steps", range(12))
def test_a_signal_survives_a_death_anywhere(kit: Any, steps: int, is_decided: bool) -> None:
    """The process dies after some step: either nothing was recorded, and the platform says it again, or another worker
    finds the signal when the time is up, and brings it where it belongs; also where the case was decided meanwhile."""
    desk = kit.desk()
    running = desk.begin(receive(desk.office, kit.signal(1)))
    for _ in range(steps):
        if not running.is_over:
            running.step()
    for key in desk.cases() if is_decided else ():
        shut(desk, kit, key)
    now = kit.NOW + timedelta(minutes=2)
    lanes = [desk.office.signals]
    for head, _ in desk.storage.claim_due(token="t", now=now, until=now, limit=9, lanes=lanes):
        desk.run(settle(desk.office, head.key))
    if not desk.signals():
        desk.run(receive(desk.office, kit.signal(1)))
    (journal,) = desk.signals().values()
    (case,) = desk.cases().values()
    assert (journal.place, journal.case, list(case.signals)) == (Place.PLACED, case.key, ["s1"])


# -- what it costs --------------------------------------------------------------------------------------------------------


def test_a_signal_costs_the_same_however_many_came_before(kit: Any) -> None:
    """Three commits, and no case is ever read for it."""
    desk = kit.desk()
    asked: list[list[tuple[type[Any], str]]] = []
    for number in range(40):
        running = desk.begin(receive(desk.office, kit.signal(number, number)))
        steps = []
        while not running.is_over:
            effect = running.effect
            key = effect.head.key if isinstance(effect, Append) else getattr(effect, "key", "")
            steps.append((type(effect), key.partition("/")[0]))
            running.step()
        asked.append(steps)
    assert asked[1] == asked[-1]
    assert [key for kind, key in asked[-1] if kind is Append] == ["signal", "case", "signal"]
    assert (Read, "case") not in asked[-1]
    assert sum(kind is Look for kind, _ in asked[-1]) == 1
    assert SignalId("s39") in next(iter(desk.cases().values())).signals
