"""The only code that blocks or awaits for durable filing: a driver performs what a flow asks for.

`Driver` and `AsyncDriver` stand side by side and differ in `async`, `await` and prefixes alone; a test compares them. A flow
that is cancelled, a crash and a power cut are one case: whoever comes next reads the journal.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar, assert_never, cast

import anyio.to_thread

from cybertip.adapters.transport.blocks import AsyncBlocks, Blocks
from cybertip.errors import Conflict, InDoubt, NeverSent, TransportError
from cybertip.filing import Journal
from cybertip.filing.effects import AnyEffect, Exchange, Flow, Inspect, Now, Read, Record, Report
from cybertip.filing.manifest import canonical
from cybertip.ports.clock import Clock
from cybertip.ports.evidence import Evidence, inspect
from cybertip.ports.storage import AsyncStorage, Claim, Head, Letter, Storage
from cybertip.ports.transport import AsyncTransport, Transport
from cybertip.protocol import Answer

__all__ = ["AsyncDriver", "Driver", "Progress", "Watch"]

T = TypeVar("T")

#: Told after each record how a submission stands; for progress and metrics.
Watch = Callable[[Journal], object]
#: Told how far an upload is: the submission's key, the file's index, bytes sent, bytes in all.
Progress = Callable[[str, int, int, int], object]


def head_of(journal: Journal, due_at: datetime | None) -> Head:
    """Return the head that goes with a journal."""
    state = journal.submission
    return Head(
        key=journal.key,
        version=journal.version,
        digest=journal.digest,
        status=journal.status,
        due_at=due_at,
        priority=state.priority,
        tenant=state.tenant,
        lane=state.environment,
        report_id=state.report_id,
        tags=state.tags,
    )


def letters_of(effect: Record) -> tuple[Letter, ...]:
    """Return the letters that go with a record. They name the submission and hold nothing of it."""
    journal = effect.journal
    data = canonical({"key": journal.key, "status": journal.status, "reportId": journal.submission.report_id})
    return tuple(
        Letter(
            id=f"{journal.key}/{journal.version}/{topic}",
            key=journal.key,
            topic=topic,
            data=data,
            due_at=journal.pending[-1].recorded_at,
        )
        for topic in effect.topics
    )


def expected_by(journal: Journal) -> int:
    """Return the version that storage must have for what is pending to follow."""
    return journal.version - len(journal.pending)


class _Lapsed(Exception):
    """The claim was lost while a file was being sent: someone else has the submission now."""


class Driver:
    """Perform the effects of a flow, one after the other."""

    def __init__(
        self,
        *,
        storage: Storage,
        transport: Transport,
        evidence: Evidence,
        clock: Clock,
        lease_for: timedelta,
        claim: Claim | None = None,
        watch: Watch | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._storage = storage
        self._transport = transport
        self._evidence = evidence
        self._clock = clock
        self._lease_for = lease_for
        self.claim = claim
        self._watch = watch
        self._progress = progress

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and return what it returns."""
        answer: Any = None
        fault: Conflict | None = None
        while True:
            try:
                effect = flow.send(answer) if fault is None else flow.throw(fault)
            except StopIteration as end:
                return cast(T, end.value)
            answer = fault = None
            try:
                answer = self.perform(cast(AnyEffect, effect))
            except Conflict as conflict:
                # The one failure that a flow has an answer to.
                fault = conflict

    def perform(self, effect: AnyEffect) -> Any:
        """Do what one effect asks for, and return its answer."""
        match effect:
            case Now():
                return self._clock.now()
            case Read(key):
                return self._storage.read(key)
            case Record():
                return self._record(effect)
            case Inspect(file):
                return inspect(self._evidence, file)
            case Exchange():
                return self._exchange(effect)
            case Report():
                return self._watch(effect.journal) if self._watch is not None else None
            case never:
                assert_never(never)

    def _record(self, effect: Record) -> None:
        journal = effect.journal
        if effect.claimed and self.claim is None:
            raise Conflict("it is not claimed", key=journal.key)
        self._storage.append(
            journal.pending,
            head_of(journal, effect.due_at),
            expected=expected_by(journal),
            claim=self.claim if effect.claimed else None,
            letters=letters_of(effect),
        )

    def _exchange(self, effect: Exchange) -> Answer | TransportError:
        endpoint = str(effect.request.endpoint)
        try:
            self.beat()
            if effect.file is None:
                return self._transport.exchange(effect.request)
            reference = effect.file.evidence
            with Blocks(lambda: self._evidence.open(reference), digest=False, progress=None) as blocks:
                return self._transport.exchange(effect.request, _Beating(self, blocks, effect))
        except TransportError as error:
            return error
        except _Lapsed:
            return InDoubt(endpoint=endpoint, reason="the claim was lost while the file was being sent")
        except OSError as error:
            # The evidence could not be opened: what fails before the exchange begins was never sent.
            return NeverSent(endpoint=endpoint, reason=f"the evidence cannot be read ({type(error).__name__})")

    def advance(self, effect: Exchange, sent: int) -> None:
        """Tell the host how far an upload is."""
        if self._progress is not None and self.claim is not None and effect.file is not None:
            self._progress(self.claim.key, effect.index, sent, effect.file.size)

    def beat(self) -> None:
        """Prolong the claim when half of it is over."""
        if self.claim is None:
            return
        now = self._clock.now()
        if now + self._lease_for / 2 >= self.claim.until:
            self.claim = self._storage.renew(self.claim, until=now + self._lease_for)
            if self.claim is None:
                raise _Lapsed


class _Beating:
    """The blocks of a file, handed out while the claim is kept alive; as often as the transport has to begin again."""

    def __init__(self, driver: Driver, blocks: Blocks, effect: Exchange) -> None:
        self._driver, self._blocks, self._effect = driver, blocks, effect

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for block in self._blocks:
            self._driver.beat()
            yield block
            sent += len(block)
            self._driver.advance(self._effect, sent)


class AsyncDriver:
    """Perform the effects of a flow, as `Driver` does, without blocking the event loop."""

    def __init__(
        self,
        *,
        storage: AsyncStorage,
        transport: AsyncTransport,
        evidence: Evidence,
        clock: Clock,
        lease_for: timedelta,
        claim: Claim | None = None,
        watch: Watch | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._storage = storage
        self._transport = transport
        self._evidence = evidence
        self._clock = clock
        self._lease_for = lease_for
        self.claim = claim
        self._watch = watch
        self._progress = progress

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and return what it returns."""
        answer: Any = None
        fault: Conflict | None = None
        while True:
            try:
                effect = flow.send(answer) if fault is None else flow.throw(fault)
            except StopIteration as end:
                return cast(T, end.value)
            answer = fault = None
            try:
                answer = await self.perform(cast(AnyEffect, effect))
            except Conflict as conflict:
                # The one failure that a flow has an answer to.
                fault = conflict

    async def perform(self, effect: AnyEffect) -> Any:
        match effect:
            case Now():
                return self._clock.now()
            case Read(key):
                return await self._storage.read(key)
            case Record():
                return await self._record(effect)
            case Inspect(file):
                return await anyio.to_thread.run_sync(inspect, self._evidence, file)
            case Exchange():
                return await self._exchange(effect)
            case Report():
                return self._watch(effect.journal) if self._watch is not None else None
            case never:
                assert_never(never)

    async def _record(self, effect: Record) -> None:
        journal = effect.journal
        if effect.claimed and self.claim is None:
            raise Conflict("it is not claimed", key=journal.key)
        await self._storage.append(
            journal.pending,
            head_of(journal, effect.due_at),
            expected=expected_by(journal),
            claim=self.claim if effect.claimed else None,
            letters=letters_of(effect),
        )

    async def _exchange(self, effect: Exchange) -> Answer | TransportError:
        endpoint = str(effect.request.endpoint)
        try:
            await self.beat()
            if effect.file is None:
                return await self._transport.exchange(effect.request)
            reference = effect.file.evidence
            async with AsyncBlocks(lambda: self._evidence.open(reference), digest=False, progress=None) as blocks:
                return await self._transport.exchange(effect.request, _AsyncBeating(self, blocks, effect))
        except TransportError as error:
            return error
        except _Lapsed:
            return InDoubt(endpoint=endpoint, reason="the claim was lost while the file was being sent")
        except OSError as error:
            # The evidence could not be opened: what fails before the exchange begins was never sent.
            return NeverSent(endpoint=endpoint, reason=f"the evidence cannot be read ({type(error).__name__})")

    def advance(self, effect: Exchange, sent: int) -> None:
        """Tell the host how far an upload is."""
        if self._progress is not None and self.claim is not None and effect.file is not None:
            self._progress(self.claim.key, effect.index, sent, effect.file.size)

    async def beat(self) -> None:
        """Prolong the claim when half of it is over."""
        if self.claim is None:
            return
        now = self._clock.now()
        if now + self._lease_for / 2 >= self.claim.until:
            self.claim = await self._storage.renew(self.claim, until=now + self._lease_for)
            if self.claim is None:
                raise _Lapsed


class _AsyncBeating:
    """The blocks of a file, handed out while the claim is kept alive; as often as the transport has to begin again."""

    def __init__(self, driver: AsyncDriver, blocks: AsyncBlocks, effect: Exchange) -> None:
        self._driver, self._blocks, self._effect = driver, blocks, effect

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        async for block in self._blocks:
            await self._driver.beat()
            yield block
            sent += len(block)
            self._driver.advance(self._effect, sent)
