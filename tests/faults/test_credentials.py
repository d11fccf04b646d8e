"""NCMEC refuses our credentials, or what they may do: everything waits for a person, and nothing is lost by it."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cybertip.courier import Courier
from cybertip.errors import Conflict
from cybertip.filing import Status
from cybertip.protocol import Answer, Credentials, Environment
from cybertip.sandbox import Behaviour, Ncmec, running
from cybertip.testing.faults import Faults, answered, slow

ENDPOINTS = ("/submit", "/upload", "/fileinfo", "/finish")
CODES = (2000, 3000, 3100, 3300)


def password(world: Any, text: str) -> None:
    """Change the password that NCMEC knows us by."""
    world.ncmec.behaviour = dataclasses.replace(world.ncmec.behaviour, password=text)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("answer", [None, *CODES, 403], ids=["401", *map(str, CODES), "HTTP 403"])
def test_f20_credentials_are_refused(world: Any, kit: Any, endpoint: str, answer: int | None) -> None:
    """A person is called at once; no attempt is burned; when /status is well again, the same report goes on."""
    world.file(True)
    refused = Answer(status=answer or 401) if answer in (None, 403) else kit.reply(answer)
    courier = world.courier(Faults(answered(endpoint, refused)))
    courier.run_due()
    assert world.status() is Status.NEEDS_HUMAN
    assert world.alarms == ["case-1"]
    assert world.state().budget_used == (0 if endpoint == "/submit" else 1)
    world.settle(courier)
    world.is_filed()
    assert world.states() == ["finished"]
    assert world.state().budget_used == 1
    assert world.state().possible_orphans == 0
    assert world.calls("/status") == ["/status"]


def test_f20_the_lane_pauses(world: Any) -> None:
    """With wrong credentials one submission finds out, and no other tries; NCMEC is asked for nothing but its status."""
    for number in range(5):
        world.file(key=f"case-{number}")
    courier = world.courier()
    password(world, "changed")
    for _ in range(20):
        courier.run_due()
        world.time.advance(timedelta(minutes=2))
    assert world.calls().count("/submit") == 1
    assert world.calls().count("/status") >= 10
    assert world.alarms == ["case-0"]
    assert [world.status(f"case-{number}") for number in range(1, 5)] == [Status.WAITING] * 4
    password(world, "sandbox")
    world.settle(courier)
    for number in range(5):
        world.is_filed(f"case-{number}")
    assert world.states() == ["finished"] * 5
    assert [world.state(f"case-{number}").budget_used for number in range(5)] == [1] * 5


def test_f20_refused_for_days(world: Any) -> None:
    """However long it takes until somebody sees to it, the report then goes on within minutes."""
    world.file(True)
    courier = world.courier()
    password(world, "changed")
    for _ in range(3 * 24):
        courier.run_due()
        world.time.advance(timedelta(hours=1))
    assert world.alarms == ["case-1"]
    assert world.calls("/submit") == ["/submit"]
    password(world, "sandbox")
    begun = world.time.now()
    world.settle(courier)
    world.is_filed()
    assert world.time.now() - begun < timedelta(minutes=5)
    assert world.state().budget_used == 1


def test_f20_a_right_that_is_missing_while_status_is_well(world: Any, kit: Any) -> None:
    """3100 while /status is well: the lane opens and is closed again, more and more slowly, until the right is there."""
    world.file()
    faults = Faults(answered("/submit", kit.reply(3100), times=12))
    world.settle(world.courier(faults))
    world.is_filed()
    assert world.alarms == ["case-1"]
    assert faults.calls.count("/submit") == 13
    assert world.time.now() - world.sent[0][0] > timedelta(minutes=30)


def test_f20_a_right_that_is_missing_in_mid_report(world: Any, kit: Any) -> None:
    """However often 3300 is said of an open report, it is not given up for a new one while its time lasts."""
    world.file(True)
    world.settle(world.courier(Faults(answered("/upload", kit.reply(3300), times=8))))
    world.is_filed()
    assert world.states() == ["finished"]
    assert world.alarms == ["case-1"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_f21_credentials_rotate_in_mid_report(world: Any, kit: Any, endpoint: str) -> None:
    """They are read anew after they were refused, and the same report goes on with the new ones."""
    world.file(True)
    known = {"password": "sandbox"}

    class Rotating:
        """A transport that asks for its credentials at each call, as the courier's own does after a refusal."""

        def exchange(self, request: Any, content: Any = None) -> Answer:
            credentials = Credentials(username="sandbox", password=known["password"])
            answer: Answer = kit.SandboxWire(world.ncmec, credentials).exchange(request, content)
            if answer.status == 401:
                known["password"] = "rotated"
            return answer

    faults = Faults(slow(endpoint, lambda: password(world, "rotated")))
    world.settle(world.courier(faults, transport=Rotating()))
    world.is_filed()
    assert world.states() == ["finished"]
    assert faults.calls.count(endpoint) == 2


@pytest.fixture
def server() -> Iterator[tuple[str, Ncmec]]:
    """A double on loopback, with the time of the other tests."""
    ncmec = Ncmec()
    with running(ncmec) as url:
        yield url, ncmec


def test_f21_the_couriers_own_transport_asks_for_them_again(new_world: Any, server: tuple[str, Ncmec]) -> None:
    """Over HTTP: a provider of credentials is asked again after a refusal, and the same report goes on."""
    url, ncmec = server
    world = new_world()
    world.ncmec, world.time = ncmec, ncmec.clock
    world.file(True)
    given: list[str] = []

    def provide() -> Credentials:
        given.append("sandbox" if not given else "rotated")
        return Credentials(username="sandbox", password=given[-1])

    ports = {"storage": world.storage, "evidence": world.evidence, "clock": world.time}
    with Courier(Environment.sandbox(url), provide, **ports) as courier:
        assert courier.deliver("case-1").status is Status.FINISHED
        world.filings["case-2"] = filing2 = world.filing(True, key="case-2")
        courier.file(filing2, key="case-2")
        password(world, "rotated")
        world.settle(courier)
    assert given == ["sandbox", "rotated"]
    world.is_filed("case-1")
    world.is_filed("case-2")
    assert world.states() == ["finished", "finished"]


# -- the wrong environment ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["production's credentials", "the sandbox's credentials"])
def test_f49_credentials_of_another_environment(new_world: Any, wrong: str) -> None:
    """They are refused before a byte of evidence leaves: nothing is opened, nothing uploaded, no attempt burned."""
    ours, theirs = Behaviour(password="of-the-sandbox"), Behaviour(password="of-production")
    behaviour, given = (ours, theirs) if wrong.startswith("production") else (theirs, ours)
    world = new_world(behaviour=behaviour)
    world.file(True, True)
    with running(world.ncmec) as url:
        credentials = Credentials(username="sandbox", password=given.password)
        ports = {"storage": world.storage, "evidence": world.evidence, "clock": world.time}
        with Courier(Environment.sandbox(url), credentials, **ports) as courier:
            courier.run_due()
            for _ in range(5):
                world.time.advance(timedelta(hours=1))
                courier.run_due()
    assert world.states() == []
    assert world.status() is Status.NEEDS_HUMAN
    assert world.state().budget_used == 0
    assert world.kinds().count("submit") == 1
    assert "upload" not in world.kinds()


def test_f49_an_address_belongs_to_its_environment() -> None:
    """Production under the test address, or the reverse, cannot even be said."""
    for name, other in ((Environment.PRODUCTION, Environment.TEST), (Environment.TEST, Environment.PRODUCTION)):
        with pytest.raises(ValueError, match="environment"):
            Environment(name=name.name, url=other.url)


@pytest.mark.parametrize("environment", [Environment.TEST, Environment.PRODUCTION], ids=str)
def test_f49_a_submission_stays_in_its_environment(world: Any, environment: Environment) -> None:
    """What was filed for one environment is delivered to no other, by no courier, and its key stands for it alone."""
    filing = world.file(True)

    class NoWire:
        def exchange(self, request: Any, content: Any = None) -> Answer:
            raise AssertionError("nothing may be sent")

    courier = Courier(environment, storage=world.storage, evidence=world.evidence, clock=world.time, transport=NoWire())
    assert courier.run_due() == 0
    with pytest.raises(Conflict, match="belongs to sandbox"):
        courier.deliver("case-1")
    with pytest.raises(Conflict, match="filed for sandbox"):
        courier.file(filing, key="case-1")
    world.settle()
    world.is_filed()
