"""What a host records and asks: filings, a person's decisions, and how submissions stand. None of it needs NCMEC."""

from collections.abc import Callable

from cybertip.courier.handle import Handle
from cybertip.courier.office import Office, log
from cybertip.courier.wire import AsyncWire, Wire
from cybertip.drivers import AsyncDriver, Driver
from cybertip.errors import AdapterError, UnknownSubmission
from cybertip.filing import Filing, Journal, Submission
from cybertip.filing.effects import Flow
from cybertip.filing.events import Finished
from cybertip.filing.flows import override, suspend, withdraw
from cybertip.ports.queue import AsyncQueue, Queue
from cybertip.ports.storage import AsyncStorage, Claim, Storage

__all__ = ["AsyncRecords", "Records"]


class Records(Office[Storage, Wire, Queue]):
    """Record filings and decisions, and say how submissions stand."""

    def file(
        self, filing: Filing, *, key: str, priority: int = 0, tenant: str = "", tags: tuple[str, ...] = ()
    ) -> Handle:
        """Record a filing for delivery; when this returns, it is durable.

        The same key with the same filing gives the same submission, however often; with another filing it is a `Conflict`.
        Raises `InvalidReport` for what NCMEC would refuse; nothing is recorded then. NCMEC is not asked for anything.

        Args:
            filing: the report and the manifest of its files.
            key: the host's own name for the filing, such as the number of its decision; it shows in logs and messages.
            priority: higher goes first.
            tenant: whose filing it is; tenants take turns.
            tags: to find it by.
        """
        flow = self._acceptance(filing, key=key, priority=priority, tenant=tenant, tags=tuple(tags))
        handle = Handle.of(self._driver().run(flow))
        self._wake(key)
        return handle

    def _wake(self, key: str) -> None:
        """Wake a worker. Storage is the truth: one that is not woken finds the work all the same, a little later."""
        if self._queue is not None:
            try:
                self._queue.put(key)
            except AdapterError as error:
                log.warning("the queue failed (%s); workers find the submission in storage", error)

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
        return (self.journal(key)).submission

    def receipt(self, key: str) -> Finished | None:
        """Return NCMEC's receipt, its bytes included; None while there is none. Raises `UnknownSubmission`."""
        return (self.submission(key)).receipt

    def retract(self, key: str, *, actor: str, reason: str) -> Handle:
        """Decide that a report must not be filed. What is finished stays finished: look at the status that returns.

        An open report at NCMEC is retracted by a worker. Who decided, and why, is recorded. Raises `UnknownSubmission`.
        """
        return self._decide(withdraw(key, actor=actor, reason=reason))

    def override(self, key: str, *, actor: str, reason: str) -> Handle:
        """Decide that a delivery that waits for a person goes on, with fresh budgets. Raises `UnknownSubmission`.

        Who decided, and why, is recorded. What is finished or retracted stays as it is.
        """
        return self._decide(override(key, actor=actor, reason=reason))

    def suspend(self, key: str, *, known: int) -> Handle:
        """Decide that nothing is filed before a person looked, for a checkpoint has `known` entries of the journal, and the
        journal fewer: it was restored from a backup, and NCMEC may have the report. Raises `UnknownSubmission`.

        `override` lets it go on, `retract` ends it. What is finished or retracted stays as it is.
        """
        return self._decide(suspend(key, known=known))

    def _decide(self, flow: Flow[Journal]) -> Handle:
        handle = Handle.of(self._driver().run(flow))
        self._wake(handle.key)
        return handle

    def _driver(self, claim: Claim | None = None, stopping: Callable[[], bool] | None = None) -> Driver:
        return Driver(
            storage=self._storage,
            transport=self._wire,
            evidence=self._evidence,
            clock=self._clock,
            lease_for=self._lease_for,
            claim=claim,
            watch=self._watch,
            progress=self._progress,
            stop=stopping,
        )


class AsyncRecords(Office[AsyncStorage, AsyncWire, AsyncQueue]):
    """Record filings and decisions, and say how submissions stand."""

    async def file(
        self, filing: Filing, *, key: str, priority: int = 0, tenant: str = "", tags: tuple[str, ...] = ()
    ) -> Handle:
        """Record a filing for delivery; when this returns, it is durable.

        The same key with the same filing gives the same submission, however often; with another filing it is a `Conflict`.
        Raises `InvalidReport` for what NCMEC would refuse; nothing is recorded then. NCMEC is not asked for anything.

        Args:
            filing: the report and the manifest of its files.
            key: the host's own name for the filing, such as the number of its decision; it shows in logs and messages.
            priority: higher goes first.
            tenant: whose filing it is; tenants take turns.
            tags: to find it by.
        """
        flow = self._acceptance(filing, key=key, priority=priority, tenant=tenant, tags=tuple(tags))
        handle = Handle.of(await self._driver().run(flow))
        await self._wake(key)
        return handle

    async def _wake(self, key: str) -> None:
        """Wake a worker. Storage is the truth: one that is not woken finds the work all the same, a little later."""
        if self._queue is not None:
            try:
                await self._queue.put(key)
            except AdapterError as error:
                log.warning("the queue failed (%s); workers find the submission in storage", error)

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
        """Decide that a report must not be filed. What is finished stays finished: look at the status that returns.

        An open report at NCMEC is retracted by a worker. Who decided, and why, is recorded. Raises `UnknownSubmission`.
        """
        return await self._decide(withdraw(key, actor=actor, reason=reason))

    async def override(self, key: str, *, actor: str, reason: str) -> Handle:
        """Decide that a delivery that waits for a person goes on, with fresh budgets. Raises `UnknownSubmission`.

        Who decided, and why, is recorded. What is finished or retracted stays as it is.
        """
        return await self._decide(override(key, actor=actor, reason=reason))

    async def suspend(self, key: str, *, known: int) -> Handle:
        """Decide that nothing is filed before a person looked, for a checkpoint has `known` entries of the journal, and the
        journal fewer: it was restored from a backup, and NCMEC may have the report. Raises `UnknownSubmission`.

        `override` lets it go on, `retract` ends it. What is finished or retracted stays as it is.
        """
        return await self._decide(suspend(key, known=known))

    async def _decide(self, flow: Flow[Journal]) -> Handle:
        handle = Handle.of(await self._driver().run(flow))
        await self._wake(handle.key)
        return handle

    def _driver(self, claim: Claim | None = None, stopping: Callable[[], bool] | None = None) -> AsyncDriver:
        return AsyncDriver(
            storage=self._storage,
            transport=self._wire,
            evidence=self._evidence,
            clock=self._clock,
            lease_for=self._lease_for,
            claim=claim,
            watch=self._watch,
            progress=self._progress,
            stop=stopping,
        )
