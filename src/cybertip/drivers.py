"""The only code that blocks or awaits for durable filing: a driver performs what a flow asks for.

`Driver` and `AsyncDriver` stand side by side and differ in `async`, `await` and prefixes alone; a test compares them. A flow
that is cancelled, a crash and a power cut are one case: whoever comes next reads the journal.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar, assert_never, cast

import anyio.from_thread
import anyio.to_thread
import attrs

from cybertip.adapters.transport.blocks import AsyncBlocks, Blocks
from cybertip.errors import AdapterError, Conflict, InDoubt, InvalidReport, TransportError
from cybertip.filing import FileEntry, Journal, Status
from cybertip.filing.effects import (
    AnyEffect,
    Exchange,
    Flow,
    Hold,
    Inspect,
    Now,
    Read,
    Record,
    Report,
    Spoiled,
    Stopping,
)
from cybertip.filing.events import Escalated, decode
from cybertip.filing.flows import ALARM
from cybertip.filing.manifest import canonical
from cybertip.ports.clock import Clock
from cybertip.ports.evidence import Evidence, inspect
from cybertip.ports.storage import AsyncStorage, Claim, Head, Letter, Storage
from cybertip.ports.transport import AsyncTransport, Transport
from cybertip.protocol import Answer

__all__ = ["AsyncDriver", "Driver", "Progress", "Watch"]

T = TypeVar("T")

_log = logging.getLogger("cybertip")

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


def held(head: Head, *, now: datetime, due_at: datetime) -> tuple[Head, tuple[Letter, ...]]:
    """Return the head of a submission that nobody here can go on with, and the alarm, once for each time it is held."""
    if head.status == Status.HELD:
        return attrs.evolve(head, due_at=due_at), ()
    data = canonical({"key": head.key, "status": Status.HELD, "reportId": head.report_id})
    id = f"{head.key}/{head.version}/{ALARM}/{int(now.timestamp() * 1_000_000)}"
    letter = Letter(id=id, key=head.key, topic=ALARM, data=data, due_at=now)
    return attrs.evolve(head, status=Status.HELD, due_at=due_at), (letter,)


def _why(journal: Journal) -> str:
    """Say in our own words what a person is called for."""
    events = (decode(entry.kind, entry.data, key=journal.key) for entry in journal.pending)
    reasons = [event.reason for event in events if isinstance(event, Escalated)]
    return reasons[-1] if reasons else journal.submission.blocked or "its receipt is not the one that we expect"


def _told(hook: Callable[..., object] | None, *about: object) -> None:
    """Tell the host; a hook is there to watch, and what goes wrong in it harms no delivery."""
    if hook is None:
        return
    try:
        hook(*about)
    except Exception as error:
        # Its text may hold anything.
        _log.warning("a hook of the host's failed (%s); the delivery goes on", type(error).__name__)


class _Lapsed(Exception):
    """The claim was lost while a file was being read or sent: someone else has the submission now."""


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
        stop: Callable[[], bool] | None = None,
    ) -> None:
        self._storage = storage
        self._transport = transport
        self._evidence = evidence
        self._clock = clock
        self._lease_for = lease_for
        self.claim = claim
        self._watch = watch
        self._progress = progress
        self._stop = stop
        #: Whether it made a call: what the journal says of the last one may else be of long ago.
        self.called = False
        #: When the claim is looked after next, where the storage could not do it.
        self._beat_at: datetime | None = None

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
                return self._inspect(file)
            case Exchange():
                return self._exchange(effect)
            case Report():
                return _told(self._watch, effect.journal)
            case Stopping():
                return self._stop is not None and self._stop()
            case Hold(until):
                return self._hold(until)
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
        if effect.claimed and effect.due_at is None:
            # A head with nothing to do has lost its claim.
            self.claim = None
        if ALARM in effect.topics:
            _log.error("submission %r: a person has to look: %s", journal.key, _why(journal))

    def _hold(self, until: datetime) -> None:
        if self.claim is None or (head := self._storage.head(self.claim.key)) is None:
            return
        head, letters = held(head, now=self._clock.now(), due_at=until)
        self._storage.append((), head, expected=head.version, claim=self.claim, letters=letters)

    def _inspect(self, file: FileEntry) -> Spoiled | None:
        key = self.claim.key if self.claim is not None else ""
        try:
            return inspect(self._evidence, file, self._beat_from_thread)
        except _Lapsed:
            raise Conflict("the claim was lost while evidence was being read", key=key) from None

    def _beat_from_thread(self) -> None:
        self.beat()

    def _exchange(self, effect: Exchange) -> Answer | TransportError | Spoiled:
        endpoint = str(effect.request.endpoint)
        self.called = True
        try:
            self.beat()
            if effect.file is None:
                return self._transport.exchange(effect.request)
            return self._upload(effect, effect.file)
        except TransportError as error:
            return error
        except _Lapsed:
            return InDoubt(endpoint=endpoint, reason="the claim was lost while the file was being sent")

    def _upload(self, effect: Exchange, file: FileEntry) -> Answer | Spoiled:
        blocks = Blocks(lambda: self._evidence.open(file.evidence), digest=False, progress=None)
        try:
            blocks.__enter__()
        except (OSError, InvalidReport) as error:
            # What fails here fails before anything is sent; of what fails later, nobody knows.
            return Spoiled.unread(error)
        try:
            if blocks.size not in (None, file.size):
                return Spoiled(f"has {blocks.size} bytes, and the manifest says {file.size}")
            return self._transport.exchange(effect.request, _Beating(self, blocks, effect))
        finally:
            blocks.__exit__(None, None, None)

    def advance(self, effect: Exchange, sent: int) -> None:
        """Tell the host how far an upload is."""
        if self.claim is not None and effect.file is not None:
            _told(self._progress, self.claim.key, effect.index, sent, effect.file.size)

    def beat(self) -> None:
        """Prolong the claim when half of it is over."""
        if self.claim is None:
            return
        now = self._clock.now()
        if now + self._lease_for / 2 < self.claim.until or (self._beat_at is not None and now < self._beat_at):
            return
        try:
            self.claim = self._storage.renew(self.claim, until=now + self._lease_for)
        except AdapterError:
            # No reason to break an upload off: the storage may be back by the time its outcome is recorded, and if another
            # worker has claimed the submission meanwhile, that record is refused.
            self._beat_at = now + self._lease_for / 8
            return
        self._beat_at = None
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
        stop: Callable[[], bool] | None = None,
    ) -> None:
        self._storage = storage
        self._transport = transport
        self._evidence = evidence
        self._clock = clock
        self._lease_for = lease_for
        self.claim = claim
        self._watch = watch
        self._progress = progress
        self._stop = stop
        #: Whether it made a call: what the journal says of the last one may else be of long ago.
        self.called = False
        #: When the claim is looked after next, where the storage could not do it.
        self._beat_at: datetime | None = None

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
        """Do what one effect asks for, and return its answer."""
        match effect:
            case Now():
                return self._clock.now()
            case Read(key):
                return await self._storage.read(key)
            case Record():
                return await self._record(effect)
            case Inspect(file):
                return await self._inspect(file)
            case Exchange():
                return await self._exchange(effect)
            case Report():
                return _told(self._watch, effect.journal)
            case Stopping():
                return self._stop is not None and self._stop()
            case Hold(until):
                return await self._hold(until)
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
        if effect.claimed and effect.due_at is None:
            # A head with nothing to do has lost its claim.
            self.claim = None
        if ALARM in effect.topics:
            _log.error("submission %r: a person has to look: %s", journal.key, _why(journal))

    async def _hold(self, until: datetime) -> None:
        if self.claim is None or (head := await self._storage.head(self.claim.key)) is None:
            return
        head, letters = held(head, now=self._clock.now(), due_at=until)
        await self._storage.append((), head, expected=head.version, claim=self.claim, letters=letters)

    async def _inspect(self, file: FileEntry) -> Spoiled | None:
        key = self.claim.key if self.claim is not None else ""
        try:
            return await anyio.to_thread.run_sync(inspect, self._evidence, file, self._beat_from_thread)
        except _Lapsed:
            raise Conflict("the claim was lost while evidence was being read", key=key) from None

    def _beat_from_thread(self) -> None:
        anyio.from_thread.run(self.beat)

    async def _exchange(self, effect: Exchange) -> Answer | TransportError | Spoiled:
        endpoint = str(effect.request.endpoint)
        self.called = True
        try:
            await self.beat()
            if effect.file is None:
                return await self._transport.exchange(effect.request)
            return await self._upload(effect, effect.file)
        except TransportError as error:
            return error
        except _Lapsed:
            return InDoubt(endpoint=endpoint, reason="the claim was lost while the file was being sent")

    async def _upload(self, effect: Exchange, file: FileEntry) -> Answer | Spoiled:
        blocks = AsyncBlocks(lambda: self._evidence.open(file.evidence), digest=False, progress=None)
        try:
            await blocks.__aenter__()
        except (OSError, InvalidReport) as error:
            # What fails here fails before anything is sent; of what fails later, nobody knows.
            return Spoiled.unread(error)
        try:
            if blocks.size not in (None, file.size):
                return Spoiled(f"has {blocks.size} bytes, and the manifest says {file.size}")
            return await self._transport.exchange(effect.request, _AsyncBeating(self, blocks, effect))
        finally:
            await blocks.__aexit__(None, None, None)

    def advance(self, effect: Exchange, sent: int) -> None:
        """Tell the host how far an upload is."""
        if self.claim is not None and effect.file is not None:
            _told(self._progress, self.claim.key, effect.index, sent, effect.file.size)

    async def beat(self) -> None:
        """Prolong the claim when half of it is over."""
        if self.claim is None:
            return
        now = self._clock.now()
        if now + self._lease_for / 2 < self.claim.until or (self._beat_at is not None and now < self._beat_at):
            return
        try:
            self.claim = await self._storage.renew(self.claim, until=now + self._lease_for)
        except AdapterError:
            # No reason to break an upload off: the storage may be back by the time its outcome is recorded, and if another
            # worker has claimed the submission meanwhile, that record is refused.
            self._beat_at = now + self._lease_for / 8
            return
        self._beat_at = None
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
