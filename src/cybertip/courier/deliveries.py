"""What a worker does: claim what is due, deliver it, and wait. Whatever stops it, the next one goes on from the journal."""

import logging
import threading
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from functools import partial

import anyio

from cybertip import protocol
from cybertip.courier.crew import AsyncCrew, Crew
from cybertip.courier.handle import Handle
from cybertip.courier.office import LOOK_FOR, log
from cybertip.courier.records import AsyncRecords, Records
from cybertip.drivers import AsyncDriver, Driver
from cybertip.errors import AdapterError, Conflict, CybertipError, NcmecError, UnknownSubmission
from cybertip.filing import Journal
from cybertip.filing.flows import ALARM, RECEIPT, deliver, hold
from cybertip.ports.storage import Claim, Letter
from cybertip.protocol import understand

__all__ = ["TOPICS", "AsyncDeliveries", "AsyncHandler", "Deliveries", "Handler"]

#: What couriers post.
TOPICS = (RECEIPT, ALARM)

#: Does what a letter asks for.
Handler = Callable[[Letter], object]
AsyncHandler = Callable[[Letter], Awaitable[object]]

#: A database that is back should not be waited for long.
_LONGEST_OUTAGE_PAUSE = timedelta(seconds=30)
#: How often somebody else may record something in a journal while we try to, before it is taken for a fault.
_CONFLICTS = 5


class Deliveries(Records):
    """Take up what is recorded, and bring it to NCMEC."""

    def deliver(self, key: str) -> Handle:
        """Take one submission as far as it will go now, unless another worker has it; return how it then stands.

        Raises `UnknownSubmission`, and `Conflict` for one of another environment: nothing is sent for it.
        """
        head = self._storage.head(key)
        if head is None:
            raise UnknownSubmission("there is no such submission", key=key)
        if head.lane not in self._lanes:
            raise Conflict(f"it belongs to {head.lane}; this courier files with {self._environment}", key=key)
        if self._may_send():
            now = self._clock.now()
            claim = self._storage.claim(key, token=self._token(), now=now, until=now + self._lease_for)
            if claim is not None:
                self._deliver(claim)
        return self.status(key)

    def run_due(self, *, limit: int = 100, concurrency: int = 1) -> int:
        """Deliver what is due now: higher priorities first, tenants in turn; return how many were taken up.

        Args:
            limit: how many at the most.
            concurrency: how many at a time; the order between those is nobody's.
        """
        taken = 0
        with Crew(self._deliver, size=concurrency) as crew:
            while taken < limit:
                claims = self._claim_due(min(crew.free, limit - taken))
                for claim in claims:
                    crew.start(claim)
                taken += len(claims)
                if not claims and crew.free:
                    break
                if not crew.free:
                    crew.pause(LOOK_FOR)
        return taken

    def run_until_stopped(self, stop: threading.Event, *, concurrency: int = 1, until_idle: bool = False) -> None:
        """Deliver whatever becomes due until `stop` is set.

        What is then under way is brought to its next record: a call that was begun ends, and none follows. When storage
        fails, the worker says so in the log, waits, and goes on.

        Args:
            stop: set it from a signal handler, or from anywhere.
            concurrency: how many submissions are delivered at a time.
            until_idle: return when nothing is left to deliver but what waits for a person or for credentials, and raise
                `AdapterError` when storage fails time and again.
        """
        with Crew(partial(self._try, stop.is_set), size=concurrency) as crew:
            outages = 0
            while not stop.is_set():
                free = crew.free
                try:
                    claims = self._claim_due(free)
                    asked = bool(free) and not claims
                    due_at = self._storage.next_due(now=self._clock.now(), lanes=self._lanes) if asked else None
                    outages = 0
                except AdapterError as error:
                    outages += 1
                    if until_idle and outages >= self._policy.failures:
                        raise
                    log.warning("storage failed (%s); nothing is sent until it is back", error)
                    self._sleep(stop, min(self._policy.pause(outages, seed=self._worker), _LONGEST_OUTAGE_PAUSE))
                    continue
                for claim in claims:
                    crew.start(claim)
                if claims:
                    continue
                if crew.free < concurrency:
                    crew.pause(self._pause_until(due_at))
                elif until_idle and asked and self._is_idle(due_at):
                    return
                else:
                    self._rest(stop, self._pause_until(due_at))

    def follow_up(self, handler: Handler, *, topics: Collection[str] = TOPICS, limit: int = 100) -> int:
        """Hand out the letters that are due, and settle each that the handler took; return how many were handed out.

        A handler that raises gets the letter again, later each time and for as long as it takes; the log has the type of
        what it raised, and says so as an error once `Policy.failures` tries were in vain. It may get a letter twice, after
        a crash, and knows it by its `id`. Whatever becomes of it, the submission stays as it is.

        Args:
            handler: does what a letter asks for. Until `lease_for` is over, nobody else gets the letter.
            topics: which letters; those of submissions, unless given. A desk delivers its own.
            limit: how many at the most.
        """
        now = self._clock.now()
        letters = self._storage.take_letters(now=now, until=now + self._lease_for, limit=limit, topics=topics)
        for letter in letters:
            try:
                handler(letter)
            except Exception as error:
                level = logging.ERROR if letter.tries >= self._policy.failures else logging.WARNING
                # What the host raised may hold anything.
                log.log(level, "letter %r failed (%s), try %d", letter.id, type(error).__name__, letter.tries)
                again = self._clock.now() + self._policy.pause(letter.tries, seed=letter.id)
                self._storage.settle_letter(letter.id, due_at=again)
            else:
                self._storage.settle_letter(letter.id)
        return len(letters)

    def _claim_due(self, limit: int) -> list[Claim]:
        """Claim what is due, unless the lane is paused."""
        if limit < 1 or not self._may_send():
            return []
        now = self._clock.now()
        claimed = self._storage.claim_due(
            token=self._token(), now=now, until=now + self._lease_for, limit=limit, lanes=self._lanes
        )
        return [claim for _, claim in claimed]

    def _try(self, stopping: Callable[[], bool], claim: Claim) -> None:
        """Deliver as far as storage lets us. If it fails, the claim lasts its time, and then it is anyone's again."""
        try:
            self._deliver(claim, stopping)
        except AdapterError as error:
            log.warning(
                "submission %r: storage failed (%s); it is taken up again when its claim is over", claim.key, error
            )

    def _deliver(self, claim: Claim, stopping: Callable[[], bool] | None = None) -> None:
        """Take a claimed submission as far as it will go, and give the claim back."""
        driver = self._driver(claim, stopping)
        try:
            journal = self._run(driver, claim.key)
            if journal is not None and driver.called and journal.submission.credentials_failed:
                self._pause(claim.key)
        except AdapterError:
            raise
        except Exception as error:
            # A newer program's journal, or a fault of ours: it must not stop the others, nor be forgotten.
            log.error("submission %r is held, and is tried again slowly: %s", claim.key, _told(error))
            self._hold(driver)
        if driver.claim is not None:
            self._storage.release(driver.claim)

    def _run(self, driver: Driver, key: str) -> Journal | None:
        """Deliver, and look again where somebody recorded something meanwhile; None when another worker has the claim.

        A journal that contradicts its head conflicts for ever: the last `Conflict` gets out, and the submission is held.
        """
        for left in reversed(range(_CONFLICTS)):
            flow = deliver(key, environment=self._environment.name, policy=self._policy, worker=self._worker)
            try:
                return driver.run(flow)
            except Conflict as error:
                log.info("%s", error)
                if driver.claim is not None:
                    until = self._clock.now() + self._lease_for
                    driver.claim = self._storage.renew(driver.claim, until=until)
                if driver.claim is None:
                    return None
                if not left:
                    raise
        return None

    def _hold(self, driver: Driver) -> None:
        try:
            driver.run(hold(policy=self._policy))
        except Conflict as error:
            log.info("%s", error)

    def _pause(self, key: str) -> None:
        """Stop the lane: our credentials are refused, and every call would be. They are asked for anew before the next."""
        if self._lane.is_open:
            log.warning("submission %r: NCMEC refused our credentials; nothing is sent until /status is well", key)
        self._lane.pause(self._clock.now())
        self._wire.renew()

    def _may_send(self) -> bool:
        """Tell whether the lane is open; after a pause, ask NCMEC whether it is well."""
        if self._lane.is_open:
            return True
        if not self._lane.may_ask(self._clock.now()):
            return False
        request = protocol.status()
        try:
            answer = self._wire.exchange(request)
            understand(request, answer.status, answer.headers, answer.body, fault=answer.fault)
        except CybertipError as error:
            # As long as NCMEC does not say that it is well, nothing is sent.
            asked_for = error.retry_after_for if isinstance(error, NcmecError) else None
            self._lane.pause(self._clock.now(), asked_for=asked_for)
            self._wire.renew()
            return False
        self._lane.open()
        log.warning("NCMEC takes our credentials again; the delivery goes on")
        return True

    def _rest(self, stop: threading.Event, pause_for: timedelta) -> None:
        """Wait for something to do: until a queue wakes us, where there is one, or for some time."""
        if self._queue is None:
            self._sleep(stop, pause_for)
            return
        try:
            wake = self._queue.take(wait_for=pause_for)
            if wake is not None:
                # Nothing but a wake-up: the sweep finds this submission, and whatever is more urgent.
                self._queue.done(wake)
        except AdapterError as error:
            log.warning("the queue failed (%s); workers find their work in storage", error)
            self._sleep(stop, pause_for)

    def _sleep(self, stop: threading.Event, pause_for: timedelta) -> None:
        stop.wait(pause_for.total_seconds())


class AsyncDeliveries(AsyncRecords):
    """Take up what is recorded, and bring it to NCMEC."""

    async def deliver(self, key: str) -> Handle:
        """Take one submission as far as it will go now, unless another worker has it; return how it then stands.

        Raises `UnknownSubmission`, and `Conflict` for one of another environment: nothing is sent for it.
        """
        head = await self._storage.head(key)
        if head is None:
            raise UnknownSubmission("there is no such submission", key=key)
        if head.lane not in self._lanes:
            raise Conflict(f"it belongs to {head.lane}; this courier files with {self._environment}", key=key)
        if await self._may_send():
            now = self._clock.now()
            claim = await self._storage.claim(key, token=self._token(), now=now, until=now + self._lease_for)
            if claim is not None:
                await self._deliver(claim)
        return await self.status(key)

    async def run_due(self, *, limit: int = 100, concurrency: int = 1) -> int:
        """Deliver what is due now: higher priorities first, tenants in turn; return how many were taken up.

        Args:
            limit: how many at the most.
            concurrency: how many at a time; the order between those is nobody's.
        """
        taken = 0
        async with AsyncCrew(self._deliver, size=concurrency) as crew:
            while taken < limit:
                claims = await self._claim_due(min(crew.free, limit - taken))
                for claim in claims:
                    crew.start(claim)
                taken += len(claims)
                if not claims and crew.free:
                    break
                if not crew.free:
                    await crew.pause(LOOK_FOR)
        return taken

    async def run_until_stopped(self, stop: anyio.Event, *, concurrency: int = 1, until_idle: bool = False) -> None:
        """Deliver whatever becomes due until `stop` is set.

        What is then under way is brought to its next record: a call that was begun ends, and none follows. When storage
        fails, the worker says so in the log, waits, and goes on.

        Args:
            stop: set it from a signal handler, or from anywhere.
            concurrency: how many submissions are delivered at a time.
            until_idle: return when nothing is left to deliver but what waits for a person or for credentials, and raise
                `AdapterError` when storage fails time and again.
        """
        async with AsyncCrew(partial(self._try, stop.is_set), size=concurrency) as crew:
            outages = 0
            while not stop.is_set():
                free = crew.free
                try:
                    claims = await self._claim_due(free)
                    asked = bool(free) and not claims
                    due_at = await self._storage.next_due(now=self._clock.now(), lanes=self._lanes) if asked else None
                    outages = 0
                except AdapterError as error:
                    outages += 1
                    if until_idle and outages >= self._policy.failures:
                        raise
                    log.warning("storage failed (%s); nothing is sent until it is back", error)
                    await self._sleep(stop, min(self._policy.pause(outages, seed=self._worker), _LONGEST_OUTAGE_PAUSE))
                    continue
                for claim in claims:
                    crew.start(claim)
                if claims:
                    continue
                if crew.free < concurrency:
                    await crew.pause(self._pause_until(due_at))
                elif until_idle and asked and self._is_idle(due_at):
                    return
                else:
                    await self._rest(stop, self._pause_until(due_at))

    async def follow_up(self, handler: AsyncHandler, *, topics: Collection[str] = TOPICS, limit: int = 100) -> int:
        """Hand out the letters that are due, and settle each that the handler took; return how many were handed out.

        A handler that raises gets the letter again, later each time and for as long as it takes; the log has the type of
        what it raised, and says so as an error once `Policy.failures` tries were in vain. It may get a letter twice, after
        a crash, and knows it by its `id`. Whatever becomes of it, the submission stays as it is.

        Args:
            handler: does what a letter asks for. Until `lease_for` is over, nobody else gets the letter.
            topics: which letters; those of submissions, unless given. A desk delivers its own.
            limit: how many at the most.
        """
        now = self._clock.now()
        letters = await self._storage.take_letters(now=now, until=now + self._lease_for, limit=limit, topics=topics)
        for letter in letters:
            try:
                await handler(letter)
            except Exception as error:
                level = logging.ERROR if letter.tries >= self._policy.failures else logging.WARNING
                # What the host raised may hold anything.
                log.log(level, "letter %r failed (%s), try %d", letter.id, type(error).__name__, letter.tries)
                again = self._clock.now() + self._policy.pause(letter.tries, seed=letter.id)
                await self._storage.settle_letter(letter.id, due_at=again)
            else:
                await self._storage.settle_letter(letter.id)
        return len(letters)

    async def _claim_due(self, limit: int) -> list[Claim]:
        """Claim what is due, unless the lane is paused."""
        if limit < 1 or not await self._may_send():
            return []
        now = self._clock.now()
        claimed = await self._storage.claim_due(
            token=self._token(), now=now, until=now + self._lease_for, limit=limit, lanes=self._lanes
        )
        return [claim for _, claim in claimed]

    async def _try(self, stopping: Callable[[], bool], claim: Claim) -> None:
        """Deliver as far as storage lets us. If it fails, the claim lasts its time, and then it is anyone's again."""
        try:
            await self._deliver(claim, stopping)
        except AdapterError as error:
            log.warning(
                "submission %r: storage failed (%s); it is taken up again when its claim is over", claim.key, error
            )

    async def _deliver(self, claim: Claim, stopping: Callable[[], bool] | None = None) -> None:
        """Take a claimed submission as far as it will go, and give the claim back."""
        driver = self._driver(claim, stopping)
        try:
            journal = await self._run(driver, claim.key)
            if journal is not None and driver.called and journal.submission.credentials_failed:
                await self._pause(claim.key)
        except AdapterError:
            raise
        except Exception as error:
            # A newer program's journal, or a fault of ours: it must not stop the others, nor be forgotten.
            log.error("submission %r is held, and is tried again slowly: %s", claim.key, _told(error))
            await self._hold(driver)
        if driver.claim is not None:
            await self._storage.release(driver.claim)

    async def _run(self, driver: AsyncDriver, key: str) -> Journal | None:
        """Deliver, and look again where somebody recorded something meanwhile; None when another worker has the claim.

        A journal that contradicts its head conflicts for ever: the last `Conflict` gets out, and the submission is held.
        """
        for left in reversed(range(_CONFLICTS)):
            flow = deliver(key, environment=self._environment.name, policy=self._policy, worker=self._worker)
            try:
                return await driver.run(flow)
            except Conflict as error:
                log.info("%s", error)
                if driver.claim is not None:
                    until = self._clock.now() + self._lease_for
                    driver.claim = await self._storage.renew(driver.claim, until=until)
                if driver.claim is None:
                    return None
                if not left:
                    raise
        return None

    async def _hold(self, driver: AsyncDriver) -> None:
        try:
            await driver.run(hold(policy=self._policy))
        except Conflict as error:
            log.info("%s", error)

    async def _pause(self, key: str) -> None:
        """Stop the lane: our credentials are refused, and every call would be. They are asked for anew before the next."""
        if self._lane.is_open:
            log.warning("submission %r: NCMEC refused our credentials; nothing is sent until /status is well", key)
        self._lane.pause(self._clock.now())
        await self._wire.renew()

    async def _may_send(self) -> bool:
        """Tell whether the lane is open; after a pause, ask NCMEC whether it is well."""
        if self._lane.is_open:
            return True
        if not self._lane.may_ask(self._clock.now()):
            return False
        request = protocol.status()
        try:
            answer = await self._wire.exchange(request)
            understand(request, answer.status, answer.headers, answer.body, fault=answer.fault)
        except CybertipError as error:
            # As long as NCMEC does not say that it is well, nothing is sent.
            asked_for = error.retry_after_for if isinstance(error, NcmecError) else None
            self._lane.pause(self._clock.now(), asked_for=asked_for)
            await self._wire.renew()
            return False
        self._lane.open()
        log.warning("NCMEC takes our credentials again; the delivery goes on")
        return True

    async def _rest(self, stop: anyio.Event, pause_for: timedelta) -> None:
        """Wait for something to do: until a queue wakes us, where there is one, or for some time."""
        if self._queue is None:
            await self._sleep(stop, pause_for)
            return
        try:
            wake = await self._queue.take(wait_for=pause_for)
            if wake is not None:
                # Nothing but a wake-up: the sweep finds this submission, and whatever is more urgent.
                await self._queue.done(wake)
        except AdapterError as error:
            log.warning("the queue failed (%s); workers find their work in storage", error)
            await self._sleep(stop, pause_for)

    async def _sleep(self, stop: anyio.Event, pause_for: timedelta) -> None:
        with anyio.move_on_after(pause_for.total_seconds()):
            await stop.wait()


def _told(error: Exception) -> str:
    """Return what may be said of an error: ours are written to be read, and others' words may hold anything."""
    return str(error) if isinstance(error, CybertipError) else f"a fault in this program ({type(error).__name__})"
