"""Durable filing: never lost, never twice, never half. The class that most people use.

`file` records a filing and returns at once. From then on it is delivered, by this process or another, whatever happens to
either: every intent is on disk before its request leaves, every outcome after it, and a restart is the fold of what is
recorded.
"""

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import attrs

from cybertip import protocol
from cybertip.drivers import AsyncDriver, Driver, Progress, Watch
from cybertip.errors import Conflict, CybertipError, InvalidReport, UnknownEvent, UnknownSubmission
from cybertip.filing import Filing, Journal, Policy, Status, Submission
from cybertip.filing.effects import Flow
from cybertip.filing.events import Finished
from cybertip.filing.flows import accept, deliver, override, withdraw
from cybertip.ports.clock import Clock, SystemClock
from cybertip.ports.evidence import Evidence
from cybertip.ports.storage import AsyncStorage, Claim, Storage
from cybertip.protocol import Credentials, Environment, understand
from cybertip.rules import check

if TYPE_CHECKING:
    from cybertip.ports.transport import AsyncTransport, Transport

__all__ = ["AsyncCourier", "Courier", "Handle"]

#: How long a worker that does nothing sleeps before it looks for work that others filed.
_LOOK_FOR = timedelta(seconds=1)


@attrs.frozen(kw_only=True)
class Handle:
    """A submission as it stood when it was asked about."""

    key: str
    status: Status
    report_id: int | None
    version: int

    @classmethod
    def of(cls, journal: Journal) -> "Handle":
        """Return the handle of a journal."""
        return cls(
            key=journal.key, status=journal.status, report_id=journal.submission.report_id, version=journal.version
        )


class Courier:
    """Deliver filings to one environment of NCMEC's.

    Args:
        environment: where to, by explicit choice; it becomes part of each submission, and another courier's are refused.
        credentials: those of that environment, or a function that returns them and is asked again when they are refused.
        storage: where journals are kept. It is the truth; nothing else is.
        evidence: where the files' bytes are kept.
        policy: budgets, pauses and margins.
        clock: the time; tests bring their own.
        transport: how requests are carried; by default httpx with the credentials.
        lease_for: how long a claim lasts. A worker that dies holds its submission for so long.
        watch: called with the journal after each record; for progress and metrics.
        progress: called with key, file, bytes sent and bytes in all while a file goes up.
    """

    def __init__(
        self,
        environment: Environment,
        credentials: Credentials | Callable[[], Credentials] | None = None,
        *,
        storage: Storage,
        evidence: Evidence,
        policy: Policy | None = None,
        clock: Clock | None = None,
        transport: "Transport | None" = None,
        lease_for: timedelta = timedelta(minutes=5),
        watch: Watch | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._environment = environment
        self._credentials = credentials
        self._given = transport
        self._made: Transport | None = transport
        self._storage = storage
        self._evidence = evidence
        self._policy = policy or Policy()
        self._clock = clock or SystemClock()
        self._lease_for = lease_for
        self._watch = watch
        self._progress = progress
        self._worker = f"worker-{secrets.token_hex(4)}"
        self._lock = threading.Lock()
        #: Until when nothing is sent, because our credentials were refused.
        self._paused_until: datetime | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._environment}>"

    # -- filing ---------------------------------------------------------------------------------------------------------

    def file(
        self, filing: Filing, *, key: str, priority: int = 0, tenant: str = "", tags: tuple[str, ...] = ()
    ) -> Handle:
        """Record a filing for delivery; when this returns, it is durable.

        The same key with the same filing gives the same submission, however often; with another filing it is a `Conflict`.
        Raises `InvalidReport` for what NCMEC would refuse; nothing is recorded then.

        Args:
            key: the host's own name for the filing, such as the number of its decision.
            priority: higher goes first.
            tenant: whose filing it is; tenants take turns.
            tags: to find it by.
        """
        descriptions = [file.description for file in filing.files]
        found = check(filing.report, now=self._clock.now(), files=descriptions, edition=filing.edition)
        if found:
            raise InvalidReport(found)
        flow = accept(
            key, filing, environment=self._environment.name, priority=priority, tenant=tenant, tags=tuple(tags)
        )
        return Handle.of(self._driver().run(flow))

    # -- delivering -----------------------------------------------------------------------------------------------------

    def deliver(self, key: str) -> Handle:
        """Take one submission as far as it will go now, unless another worker has it; return how it then stands."""
        now = self._clock.now()
        claim = self._storage.claim(key, token=self._token(), now=now, until=now + self._lease_for)
        if claim is not None:
            self._deliver(claim)
        return self.status(key)

    def run_due(self, *, limit: int = 100, concurrency: int = 1) -> int:
        """Deliver what is due now: higher priorities first, tenants in turn; return how many were taken up."""
        now = self._clock.now()
        if not self._may_send(now):
            return 0
        claimed = self._storage.claim_due(token=self._token(), now=now, until=now + self._lease_for, limit=limit)
        if concurrency == 1:
            for _, claim in claimed:
                self._deliver(claim)
        else:
            with ThreadPoolExecutor(concurrency, thread_name_prefix="cybertip") as pool:
                list(pool.map(self._deliver, (claim for _, claim in claimed)))
        return len(claimed)

    def run_until_stopped(self, stop: threading.Event, *, concurrency: int = 1, until_idle: bool = False) -> None:
        """Deliver whatever becomes due until `stop` is set; what is under way is brought to its next record.

        With `until_idle` it returns when nothing is due and nothing will become due.
        """
        while not stop.is_set():
            if self.run_due(limit=concurrency, concurrency=concurrency):
                continue
            now = self._clock.now()
            due = self._storage.next_due(now=now)
            if until_idle and due is None:
                return
            pause = _LOOK_FOR if due is None else min(max(due - now, timedelta(milliseconds=10)), _LOOK_FOR)
            stop.wait(pause.total_seconds())

    def _deliver(self, claim: Claim) -> None:
        flow = deliver(claim.key, environment=self._environment.name, policy=self._policy, worker=self._worker)
        driver = self._driver(claim)
        try:
            journal = driver.run(flow)
            if journal.submission.credentials_failed:
                self._pause()
        except (Conflict, UnknownEvent):
            # Another worker has it, or a newer program: both are held, not guessed.
            return
        finally:
            if driver.claim is not None:
                self._storage.release(driver.claim)

    def _pause(self) -> None:
        """Stop the lane: the credentials are refused, and every call would be. They are asked for anew before the next."""
        with self._lock:
            self._paused_until = self._clock.now() + self._policy.pause_for
            if self._given is None:
                self._made = None

    def _may_send(self, now: datetime) -> bool:
        """Tell whether the lane is open; after a pause, ask NCMEC whether it is well."""
        if self._paused_until is None:
            return True
        if now < self._paused_until:
            return False
        request = protocol.status()
        try:
            answer = self._transport.exchange(request)
            understand(request, answer.status, answer.headers, answer.body, fault=answer.fault)
        except CybertipError:
            # As long as NCMEC does not say that it is well, nothing is sent.
            self._pause()
            return False
        self._paused_until = None
        return True

    # -- asking and deciding --------------------------------------------------------------------------------------------

    def status(self, key: str) -> Handle:
        """Return how a submission stands. Raises `UnknownSubmission`."""
        return Handle.of(self.journal(key))

    def journal(self, key: str) -> Journal:
        """Return a submission's whole history. Raises `UnknownSubmission`, and `UnknownEvent` for a newer program's."""
        journal = Journal.of(key, self._storage.read(key))
        if journal.state is None:
            raise UnknownSubmission("there is no such submission", key=key)
        return journal

    def submission(self, key: str) -> Submission:
        """Return everything that follows from a submission's history. Raises `UnknownSubmission`."""
        return self.journal(key).submission

    def receipt(self, key: str) -> Finished | None:
        """Return NCMEC's receipt, its bytes included; None while there is none. Raises `UnknownSubmission`."""
        return self.submission(key).receipt

    def retract(self, key: str, *, actor: str, reason: str) -> Handle:
        """Decide that a report must not be filed. What is finished stays finished: look at the status that returns."""
        return self._decide(withdraw(key, actor=actor, reason=reason))

    def override(self, key: str, *, actor: str, reason: str) -> Handle:
        """Decide that a delivery that waits for a person goes on, with fresh budgets."""
        return self._decide(override(key, actor=actor, reason=reason))

    def _decide(self, flow: Flow[Journal]) -> Handle:
        return Handle.of(self._driver().run(flow))

    # -- parts ----------------------------------------------------------------------------------------------------------

    @property
    def _transport(self) -> "Transport":
        with self._lock:
            if self._made is None:
                from cybertip.adapters.transport.httpx_transport import HttpxTransport

                credentials = self._credentials() if callable(self._credentials) else self._credentials
                self._made = HttpxTransport(self._environment, credentials)
            return self._made

    def _driver(self, claim: Claim | None = None) -> Driver:
        return Driver(
            storage=self._storage,
            transport=self._transport,
            evidence=self._evidence,
            clock=self._clock,
            lease_for=self._lease_for,
            claim=claim,
            watch=self._watch,
            progress=self._progress,
        )

    def _token(self) -> str:
        return f"{self._worker}/{secrets.token_hex(8)}"


class AsyncCourier:
    """Deliver filings from asyncio or trio, as `Courier` does; see there for arguments, errors and promises.

    The event loop is never blocked: evidence is read in threads.
    """

    def __init__(
        self,
        environment: Environment,
        credentials: Credentials | Callable[[], Credentials] | None = None,
        *,
        storage: AsyncStorage,
        evidence: Evidence,
        policy: Policy | None = None,
        clock: Clock | None = None,
        transport: "AsyncTransport | None" = None,
        lease_for: timedelta = timedelta(minutes=5),
        watch: Watch | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._environment = environment
        self._credentials = credentials
        self._given = transport
        self._made: AsyncTransport | None = transport
        self._storage = storage
        self._evidence = evidence
        self._policy = policy or Policy()
        self._clock = clock or SystemClock()
        self._lease_for = lease_for
        self._watch = watch
        self._progress = progress
        self._worker = f"worker-{secrets.token_hex(4)}"
        self._lock = threading.Lock()
        #: Until when nothing is sent, because our credentials were refused.
        self._paused_until: datetime | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._environment}>"

    # -- filing ---------------------------------------------------------------------------------------------------------

    async def file(
        self, filing: Filing, *, key: str, priority: int = 0, tenant: str = "", tags: tuple[str, ...] = ()
    ) -> Handle:
        """Record a filing for delivery; when this returns, it is durable.

        The same key with the same filing gives the same submission, however often; with another filing it is a `Conflict`.
        Raises `InvalidReport` for what NCMEC would refuse; nothing is recorded then.

        Args:
            key: the host's own name for the filing, such as the number of its decision.
            priority: higher goes first.
            tenant: whose filing it is; tenants take turns.
            tags: to find it by.
        """
        descriptions = [file.description for file in filing.files]
        found = check(filing.report, now=self._clock.now(), files=descriptions, edition=filing.edition)
        if found:
            raise InvalidReport(found)
        flow = accept(
            key, filing, environment=self._environment.name, priority=priority, tenant=tenant, tags=tuple(tags)
        )
        return Handle.of(await self._driver().run(flow))

    # -- delivering -----------------------------------------------------------------------------------------------------

    async def deliver(self, key: str) -> Handle:
        """Take one submission as far as it will go now, unless another worker has it; return how it then stands."""
        now = self._clock.now()
        claim = await self._storage.claim(key, token=self._token(), now=now, until=now + self._lease_for)
        if claim is not None:
            await self._deliver(claim)
        return await self.status(key)

    async def run_due(self, *, limit: int = 100, concurrency: int = 1) -> int:
        """Deliver what is due now: higher priorities first, tenants in turn; return how many were taken up."""
        now = self._clock.now()
        if not await self._may_send(now):
            return 0
        claimed = await self._storage.claim_due(token=self._token(), now=now, until=now + self._lease_for, limit=limit)
        room = anyio.CapacityLimiter(concurrency)

        async def one(claim: Claim) -> None:
            async with room:
                await self._deliver(claim)

        async with anyio.create_task_group() as tasks:
            for _, claim in claimed:
                tasks.start_soon(one, claim)
        return len(claimed)

    async def run_until_stopped(self, stop: anyio.Event, *, concurrency: int = 1, until_idle: bool = False) -> None:
        """Deliver whatever becomes due until `stop` is set; what is under way is brought to its next record.

        With `until_idle` it returns when nothing is due and nothing will become due.
        """
        while not stop.is_set():
            if await self.run_due(limit=concurrency, concurrency=concurrency):
                continue
            now = self._clock.now()
            due = await self._storage.next_due(now=now)
            if until_idle and due is None:
                return
            pause = _LOOK_FOR if due is None else min(max(due - now, timedelta(milliseconds=10)), _LOOK_FOR)
            with anyio.move_on_after(pause.total_seconds()):
                await stop.wait()

    async def _deliver(self, claim: Claim) -> None:
        flow = deliver(claim.key, environment=self._environment.name, policy=self._policy, worker=self._worker)
        driver = self._driver(claim)
        try:
            journal = await driver.run(flow)
            if journal.submission.credentials_failed:
                self._pause()
        except (Conflict, UnknownEvent):
            # Another worker has it, or a newer program: both are held, not guessed.
            return
        finally:
            if driver.claim is not None:
                await self._storage.release(driver.claim)

    def _pause(self) -> None:
        """Stop the lane: the credentials are refused, and every call would be. They are asked for anew before the next."""
        with self._lock:
            self._paused_until = self._clock.now() + self._policy.pause_for
            if self._given is None:
                self._made = None

    async def _may_send(self, now: datetime) -> bool:
        """Tell whether the lane is open; after a pause, ask NCMEC whether it is well."""
        if self._paused_until is None:
            return True
        if now < self._paused_until:
            return False
        request = protocol.status()
        try:
            answer = await self._transport.exchange(request)
            understand(request, answer.status, answer.headers, answer.body, fault=answer.fault)
        except CybertipError:
            # As long as NCMEC does not say that it is well, nothing is sent.
            self._pause()
            return False
        self._paused_until = None
        return True

    # -- asking and deciding --------------------------------------------------------------------------------------------

    async def status(self, key: str) -> Handle:
        """Return how a submission stands. Raises `UnknownSubmission`."""
        return Handle.of(await self.journal(key))

    async def journal(self, key: str) -> Journal:
        """Return a submission's whole history. Raises `UnknownSubmission`, and `UnknownEvent` for a newer program's."""
        journal = Journal.of(key, await self._storage.read(key))
        if journal.state is None:
            raise UnknownSubmission("there is no such submission", key=key)
        return journal

    async def submission(self, key: str) -> Submission:
        """Return everything that follows from a submission's history. Raises `UnknownSubmission`."""
        return (await self.journal(key)).submission

    async def receipt(self, key: str) -> Finished | None:
        """Return NCMEC's receipt, its bytes included; None while there is none. Raises `UnknownSubmission`."""
        return (await self.submission(key)).receipt

    async def retract(self, key: str, *, actor: str, reason: str) -> Handle:
        """Decide that a report must not be filed. What is finished stays finished: look at the status that returns."""
        return await self._decide(withdraw(key, actor=actor, reason=reason))

    async def override(self, key: str, *, actor: str, reason: str) -> Handle:
        """Decide that a delivery that waits for a person goes on, with fresh budgets."""
        return await self._decide(override(key, actor=actor, reason=reason))

    async def _decide(self, flow: Flow[Journal]) -> Handle:
        return Handle.of(await self._driver().run(flow))

    # -- parts ----------------------------------------------------------------------------------------------------------

    @property
    def _transport(self) -> "AsyncTransport":
        with self._lock:
            if self._made is None:
                from cybertip.adapters.transport.httpx_transport import AsyncHttpxTransport

                credentials = self._credentials() if callable(self._credentials) else self._credentials
                self._made = AsyncHttpxTransport(self._environment, credentials)
            return self._made

    def _driver(self, claim: Claim | None = None) -> AsyncDriver:
        return AsyncDriver(
            storage=self._storage,
            transport=self._transport,
            evidence=self._evidence,
            clock=self._clock,
            lease_for=self._lease_for,
            claim=claim,
            watch=self._watch,
            progress=self._progress,
        )

    def _token(self) -> str:
        return f"{self._worker}/{secrets.token_hex(8)}"
