"""Credentials: refused ones stop everything that would use them, burn nothing, and are asked for anew."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cybertip.courier.lane import Lane
from cybertip.filing import Policy, Status
from cybertip.protocol import Answer, Credentials


def refusing(request: Any) -> Answer:
    return Answer(status=401)


def willing(request: Any) -> None:
    return None


def test_refused_credentials_stop_the_lane(world: Any) -> None:
    """After one refusal nothing else is sent: it would be refused as well. No attempt is burned, and a person is called."""
    courier = world.courier()
    for number in range(3):
        courier.file(world.filing(user=f"user-{number}"), key=f"case-{number}")
    world.wire.before = refusing
    assert courier.run_due() == 1
    assert world.wire.endpoints == ["/submit"]
    assert courier.run_due() == 0
    assert courier.deliver("case-1").status is Status.WAITING
    assert world.wire.endpoints == ["/submit"]
    state = world.journal("case-0").submission
    assert (state.budget_used, state.credentials_failed) == (0, True)
    assert world.journal("case-0").status is Status.NEEDS_HUMAN
    now = world.clock.now()
    assert [letter.key for letter in world.storage.take_letters(now=now, until=now, limit=9)] == ["case-0"]


def test_the_lane_opens_when_ncmec_says_that_it_is_well(world: Any) -> None:
    """After the pause NCMEC is asked with /status, which files nothing; only when it is well, deliveries go on."""
    courier = world.courier()
    for number in range(3):
        courier.file(world.filing(user=f"user-{number}"), key=f"case-{number}")
    world.wire.before = refusing
    courier.run_due()
    for _ in range(4):
        world.pass_time(100)
        assert courier.run_due() == 0
    assert world.wire.endpoints == ["/submit"] + ["/status"] * 4
    world.wire.before = willing
    world.pass_time(100)
    assert courier.run_due() == 3
    assert world.wire.endpoints[5] == "/status"
    assert world.wire.endpoints.count("/status") == 5
    assert world.states() == ["finished"] * 3


def test_no_answer_is_not_well(world: Any) -> None:
    """As long as NCMEC does not say that it is well, whatever else comes back, nothing is sent."""
    courier = world.courier()
    courier.file(world.filing(), key="case-1")
    world.wire.before = refusing
    courier.run_due()
    for answer in (Answer(status=502), Answer(status=200, body=b"<html/>"), Answer(status=503), Answer(status=403)):
        world.wire.before = lambda request, answer=answer: answer
        world.pass_time(100)
        assert courier.run_due() == 0
    assert world.wire.endpoints == ["/submit"] + ["/status"] * 4


def test_an_open_report_waits_for_credentials(world: Any) -> None:
    """Credentials that are refused in the middle of a report cost nothing: the same report goes on when they are well."""
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")

    def refuse_uploads(request: Any) -> Answer | None:
        return refusing(request) if str(request.endpoint) == "/upload" else None

    world.wire.before = refuse_uploads
    courier.run_due()
    assert world.states() == ["open"]
    world.wire.before = willing
    world.pass_time(3600)
    assert courier.run_due() == 1
    assert world.states() == ["finished"]


def test_another_environments_lane_stays_open(world: Any, kit: Any) -> None:
    """Credentials are those of one environment: where they are refused, another environment's deliveries go on."""
    ours, theirs = world.courier(), world.courier(kit.Environment.TEST)
    ours.file(world.filing(user="user-1"), key="case-1")
    theirs.file(world.filing(user="user-2"), key="case-2")
    world.wire.before = refusing
    assert ours.run_due() == 1
    world.wire.before = willing
    assert theirs.run_due() == 1
    assert ours.run_due() == 0
    assert theirs.status("case-2").status is Status.FINISHED


def test_an_old_refusal_does_not_stop_a_lane_that_is_well(world: Any) -> None:
    """A submission that still rests after a refusal of some time ago says nothing about the credentials of today."""
    courier = world.courier(policy=Policy(pause_for=timedelta(seconds=60)))
    for number in range(2):
        courier.file(world.filing(user=f"user-{number}"), key=f"case-{number}")
    world.wire.before = refusing
    courier.deliver("case-0")
    world.wire.before = willing
    # Another worker, whose credentials were never refused.
    other = world.courier()
    other.deliver("case-0")
    assert other.deliver("case-1").status is Status.FINISHED


def test_only_one_asks_whether_it_is_well(kit: Any) -> None:
    """After a pause one of many workers asks NCMEC; the others wait for what it learns."""
    now = kit.VirtualClock().now()
    lane = Lane(lambda times, asked_for: timedelta(seconds=2))
    lane.pause(now)
    assert not lane.may_ask(now + timedelta(seconds=1))
    start, found = threading.Barrier(8), []

    def ask() -> None:
        start.wait(60)
        found.append(lane.may_ask(now + timedelta(seconds=2)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 7 + [True]


def test_a_lane_is_asked_about_less_and_less_often() -> None:
    """An hour of refusals costs a call a minute at the most, and what NCMEC asks for is waited for; well is well at once."""
    lane = Lane(lambda times, asked_for: timedelta(seconds=asked_for or min(2**times, 60)))
    start = now = datetime(2026, 1, 1, tzinfo=UTC)
    lane.pause(now)
    asked = 0
    while now < start + timedelta(hours=1):
        now += timedelta(seconds=1)
        asked += lane.may_ask(now)
    assert 55 <= asked <= 65
    lane.pause(now, asked_for=600)
    assert lane.paused_until == now + timedelta(seconds=600)
    lane.open()
    assert lane.is_open
    lane.pause(now)
    assert lane.paused_until == now + timedelta(seconds=2)


def test_a_clock_that_was_ahead_pauses_no_lane_for_longer() -> None:
    """A pause that began in the future says that our clock was set back: NCMEC may be asked at once."""
    lane = Lane(lambda times, asked_for: timedelta(seconds=2))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    lane.pause(now + timedelta(days=30))
    assert lane.may_ask(now)


# -- where credentials come from: over HTTP, on loopback ----------------------------------------------------------------


class Vault:
    """Give out the credentials of the moment, and count how often it was asked."""

    def __init__(self, password: str) -> None:
        self.password, self.asked = password, 0

    def __call__(self) -> Credentials:
        self.asked += 1
        return Credentials(username="sandbox", password=self.password)


def test_a_provider_is_asked_when_it_is_needed(world: Any, cybertip_sandbox: Any, kit: Any) -> None:
    """A function that provides credentials is asked once for many calls, and again only after a refusal; so credentials
    that rotate are taken up by themselves, in the middle of a report as well."""
    world.ncmec, world.clock = cybertip_sandbox.ncmec, kit.VirtualClock(cybertip_sandbox.clock.now())
    vault = Vault("sandbox")
    courier = world.courier(kit.Environment.sandbox(cybertip_sandbox.url), vault, transport=None)
    courier.file(world.filing(True, user="user-1"), key="case-1")
    courier.file(world.filing(True, user="user-2"), key="case-2")
    assert vault.asked == 0
    assert courier.run_due() == 2
    assert vault.asked == 1
    # NCMEC changes the password while a report is open.
    filing = world.filing(True, user="user-3")
    courier.file(filing, key="case-3")
    told: list[Any] = []
    world.evidence.kept = Rotating(world.evidence.kept, world.ncmec, told)
    assert courier.run_due() == 1
    assert world.states() == ["finished", "finished", "open"]
    vault.password = "rotated"
    world.pass_time(3600)
    assert courier.run_due() == 1
    assert vault.asked == 2
    assert world.states() == ["finished"] * 3
    courier.close()


def test_a_provider_that_fails_delays_and_leaks_nothing(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Where the host cannot provide credentials, nothing is sent and nothing is burned; its own words, which may hold the
    secret, are in no journal, no log and no error."""

    def sealed() -> Credentials:
        raise RuntimeError("canary")

    for given in (sealed, None):
        courier = world.courier(credentials=given, transport=None)
        courier.file(world.filing(), key="case-1")
        assert courier.deliver("case-1").status is Status.WAITING
        assert world.journal("case-1").submission.budget_used == 0
        world.pass_time()
    kinds = world.kinds("case-1")
    assert kinds == ["filed", "intended", "unsent", "intended", "unsent"]
    assert "canary" not in caplog.text + "".join(entry.data for entry in world.storage.read("case-1"))
    assert world.courier().deliver("case-1").status is Status.FINISHED


class Rotating(dict[str, bytes]):
    """Evidence that is opened just before the password changes."""

    def __init__(self, kept: dict[str, bytes], ncmec: Any, told: list[Any]) -> None:
        super().__init__(kept)
        self._ncmec, self._told = ncmec, told

    def __getitem__(self, key: str) -> bytes:
        self._told.append(key)
        # The first time it is opened to be compared with the manifest, the second time to be sent.
        if len(self._told) == 2:
            self._ncmec.behaviour = replace(self._ncmec.behaviour, password="rotated")
        return super().__getitem__(key)
