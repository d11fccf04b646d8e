"""Several workers, slow ones and dead ones; queues that forget; processes that are told to stop."""

import threading
from collections.abc import AsyncIterable, Callable
from datetime import timedelta
from typing import Any

import anyio
import pytest

from cybertip.adapters.bridge import lift
from cybertip.adapters.queue.memory import MemoryQueue
from cybertip.courier import AsyncCourier
from cybertip.filing import Status
from cybertip.filing.events import Lost, Observed
from cybertip.protocol import Answer, Request
from cybertip.testing.faults import Faults, away, corrupt, slow

A_WHILE = timedelta(minutes=6)
ENDPOINTS = ("/submit", "/upload", "/fileinfo", "/finish")
LATER = Answer(status=503, headers=(("Retry-After", "1"),))


def late(world: Any) -> list[str]:
    """Return the calls whose answers came too late to count."""
    return [event.call for event in world.events() if isinstance(event, Observed)]


# -- one of many wins -------------------------------------------------------------------------------------------------------


def test_f27_a_duplicate_delivery(world: Any, shape: tuple[bool, ...]) -> None:
    """Whoever is asked to deliver again, during a delivery or after it, sends nothing."""
    world.file(*shape)
    seen: list[Status] = []
    other = world.courier()

    def again() -> None:
        sent = len(world.sent)
        seen.append(other.deliver("case-1").status)
        assert other.run_due() == 0
        assert len(world.sent) == sent

    world.courier(Faults(slow("exchange", again, times=None))).deliver("case-1")
    assert len(seen) == 2 + len(shape) + sum(shape)
    sent = len(world.sent)
    assert world.courier().deliver("case-1").status is Status.FINISHED
    assert len(world.sent) == sent
    world.is_filed()


def test_f28_two_workers_at_once(world: Any) -> None:
    """Many workers that begin in one moment deliver each submission once."""
    keys = [f"case-{number}" for number in range(8)]
    for key in keys:
        world.file(True, key=key)
    couriers = [world.courier() for _ in range(4)]
    barrier = threading.Barrier(len(couriers))
    failures: list[BaseException] = []

    def work(courier: Any) -> None:
        barrier.wait(60)
        try:
            for key in keys:
                courier.deliver(key)
            courier.run_due(concurrency=2)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(courier,)) for courier in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    world.settle()
    for key in keys:
        world.is_filed(key)
    assert world.states() == ["finished"] * 8


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("after", [False, True], ids=["before it sends", "after NCMEC acted"])
def test_f29_a_zombie_that_wakes(world: Any, kit: Any, endpoint: str, after: bool) -> None:
    """A worker that stood still while another took over gets an answer at the most, which is kept; it begins nothing."""
    world.file(True)
    other = world.courier()

    def stand_still() -> None:
        world.time.advance(A_WHILE)
        world.settle(other)

    faults = Faults(slow(endpoint, stand_still, after=after))
    world.courier(faults, transport=kit.SandboxWire(world.ncmec)).deliver("case-1")
    # It made no call after the one that it was at.
    assert [call for call in faults.calls if call.startswith("/")][-1] == endpoint
    world.settle()
    world.is_filed()
    # An upload is broken off as soon as it is known that the claim is lost.
    broken_off = endpoint == "/upload" and not after
    assert late(world) == ([] if broken_off else [{"/fileinfo": "describe"}.get(endpoint, endpoint[1:])])
    # The zombie's submit, wherever NCMEC acted on it, left a report that nobody finishes.
    orphans = ["open"] if endpoint == "/submit" else []
    assert sorted(set(world.states()) - {"retracted"}) == sorted({*orphans, "finished"})


def test_f29_a_zombie_cannot_record_an_intent(world: Any) -> None:
    """Whoever lost the claim between an answer and its record records neither it nor what it would do next."""
    world.file(True)
    other = world.courier()

    def stand_still() -> None:
        world.time.advance(A_WHILE)
        other.deliver("case-1")

    world.courier(Faults(slow("/upload", stand_still, after=True)), worker="zombie").deliver("case-1")
    assert "uploaded" not in world.kinds()
    assert late(world) == ["upload"]
    world.settle()
    world.is_filed()
    assert world.states() == ["retracted", "finished"]


def test_f30_a_zombie_that_finishes_late(world: Any, shape: tuple[bool, ...]) -> None:
    """The receipt went to a worker that had lost its claim, and another one learned by 5102 that the report is filed: the
    receipt is kept, byte for byte, and is the submission's."""
    world.file(*shape)
    other = world.courier()
    receipts: list[Answer] = []
    adopted: list[bool] = []

    def stand_still(answer: Answer) -> Answer:
        receipts.append(answer)
        world.time.advance(A_WHILE)
        world.settle(other)
        adopted.append(other.receipt("case-1").adopted)
        return answer

    world.courier(Faults(corrupt("/finish", stand_still))).deliver("case-1")
    assert adopted == [True]
    world.is_filed()
    assert world.states() == ["finished"]
    receipt = world.courier().receipt("case-1")
    assert not receipt.adopted
    assert receipt.observation.raw == receipts[0].body
    assert len(receipt.file_ids) == len(shape)


def test_f30_a_late_receipt_that_comes_before_the_other_answer(world: Any) -> None:
    """The same when the zombie's receipt is kept while the other worker still waits for its answer."""
    world.file(False)
    resume = threading.Event()
    kept = threading.Event()
    receipts: list[bytes] = []

    def wait() -> None:
        resume.set()
        assert kept.wait(60)

    other = world.courier(Faults(slow("/finish", wait, after=True)))
    taker = threading.Thread(target=world.settle, args=(other,))

    def stand_still(answer: Answer) -> Answer:
        receipts.append(answer.body)
        world.time.advance(A_WHILE)
        taker.start()
        assert resume.wait(60)
        return answer

    world.courier(Faults(corrupt("/finish", stand_still))).deliver("case-1")
    assert late(world) == ["finish"]
    assert world.status() is Status.DELIVERING
    kept.set()
    taker.join(60)
    world.settle()
    world.is_filed()
    receipt = world.state().receipt
    assert not receipt.adopted
    assert receipt.observation.raw == receipts[0]
    # Its answer was recorded after what the zombie had written, and not lost by it.
    assert [event.call for event in world.events() if isinstance(event, Lost)] == ["finish"]


# -- queues -----------------------------------------------------------------------------------------------------------------


class Forgetful:
    """A queue that forgets everything."""

    def put(self, key: str) -> None:
        pass

    def take(self, *, wait_for: timedelta) -> None:
        return None

    def done(self, wake: object) -> None:
        raise AssertionError("there was no wake-up")


def test_f31_the_queue_forgets_everything(world: Any) -> None:
    """A worker that is never woken finds the work in storage."""
    for number in range(3):
        world.courier(queue=Forgetful()).file(
            world.filings.setdefault(f"case-{number}", world.filing(True, key=f"case-{number}")), key=f"case-{number}"
        )
    world.courier(queue=Forgetful()).run_until_stopped(threading.Event(), until_idle=True)
    for number in range(3):
        world.is_filed(f"case-{number}")


@pytest.mark.parametrize("call", ["put", "take", "done"])
def test_f31_the_queue_is_away(world: Any, call: str) -> None:
    """A queue that fails delays nothing for good: what was filed is recorded, and is found."""
    queue = Faults(away(call, times=None)).around(MemoryQueue())
    filing = world.filing(True)
    world.filings["case-1"] = filing
    courier = world.courier(queue=queue)
    assert courier.file(filing, key="case-1").status is Status.WAITING
    courier.run_until_stopped(threading.Event(), until_idle=True)
    world.is_filed()


def test_f31_the_queue_knows_more_than_storage(world: Any) -> None:
    """Wake-ups for what is not there, or is done, do no harm."""
    queue = MemoryQueue()
    for key in ("nobody's", "case-1", "case-1"):
        queue.put(key)
    world.file(True)
    courier = world.courier(queue=queue)
    stop = threading.Event()
    worker = threading.Thread(target=courier.run_until_stopped, args=(stop,))
    worker.start()
    while queue.take(wait_for=timedelta(0)) is not None or world.status() is not Status.FINISHED:
        assert worker.is_alive()
        stop.wait(0.01)
    stop.set()
    worker.join(60)
    world.is_filed()


# -- stopping ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_f43_told_to_stop_in_mid_delivery(world: Any, endpoint: str) -> None:
    """A worker that is told to stop ends the call that it is at, records what came of it, and begins no other; the next one
    goes on with the same report."""
    world.file(True)
    stop = threading.Event()
    faults = Faults(slow(endpoint, stop.set))
    world.courier(faults).run_until_stopped(stop)
    assert [call for call in faults.calls if call.startswith("/")][-1] == endpoint
    assert world.begun("case-1") is None
    world.settle()
    world.is_filed()
    assert world.states() == ["finished"]
    assert not [event for event in world.events() if isinstance(event, Lost)]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("acted", [False, True], ids=["before NCMEC acts", "after"])
def test_f43_cancelled_in_mid_call(world: Any, kit: Any, backend: str, endpoint: str, acted: bool) -> None:
    """A task that is cancelled in the middle of a call leaves an intent, and gives its claim back or lets it run out; the
    next worker goes on by the rule for that call."""
    world.file(True)
    wire = kit.Wire(world)

    async def main() -> None:
        with anyio.CancelScope() as scope:
            transport = Cancelling(wire, endpoint, scope.cancel, acted=acted)
            courier = AsyncCourier(
                kit.ENVIRONMENT,
                storage=lift(world.storage),
                evidence=world.evidence,
                clock=world.time,
                transport=transport,
            )
            await courier.deliver("case-1")
        assert scope.cancelled_caught

    anyio.run(main, backend=backend)
    assert world.begun("case-1") == endpoint
    world.time.advance(A_WHILE)
    world.settle()
    world.is_filed()
    expected = {"/submit": {"open", "finished"} if acted else {"finished"}, "/finish": {"finished"}}
    assert set(world.states()) == expected.get(endpoint, {"retracted", "finished"})


class Cancelling:
    """Cancels whoever makes a call to one endpoint, in the middle of it."""

    def __init__(self, wire: Any, endpoint: str, cancel: Callable[[], object], *, acted: bool) -> None:
        self._wire, self._endpoint, self._cancel, self._acted = wire, endpoint, cancel, acted

    async def exchange(self, request: Request[Any], content: AsyncIterable[bytes] | None = None) -> Answer:
        blocks = None if content is None else [block async for block in content]
        strikes = str(request.endpoint) == self._endpoint
        if strikes and not self._acted:
            self._cancel()
            await anyio.sleep(60)
        answer: Answer = self._wire.exchange(request, blocks)
        if strikes:
            self._cancel()
            await anyio.sleep(60)
        return answer
