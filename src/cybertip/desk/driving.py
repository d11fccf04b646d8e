"""The only code of a desk that blocks or awaits: it does what the flows ask for.

`Hands` and `AsyncHands` stand side by side and differ in colour alone; a test compares them. What the host's own functions
raise is noted by its type, for its text may hold anything, and harms nothing: the flow hears that they failed.
"""

import logging
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar, assert_never, cast

import anyio.from_thread
import anyio.to_thread

from cybertip.adapters.evidence.transcripts import keep_transcripts
from cybertip.cases.attachments import Attachment
from cybertip.cases.enrichment import AdditionalInfo, AsyncSource, Source, nothing_known, with_addresses
from cybertip.cases.references import EvidenceId, MessageId, ThreadId, UserRef
from cybertip.cases.signals import Signal
from cybertip.cases.transcripts import Message
from cybertip.courier import AsyncCourier, Courier
from cybertip.desk.beating import BeatingEvidence
from cybertip.desk.effects import (
    AnyEffect,
    Append,
    Ask,
    Failed,
    Fetch,
    File,
    Find,
    Look,
    Notify,
    Now,
    Preserve,
    Read,
    Resolve,
    Settle,
    Submitted,
    Transcribe,
    Weigh,
    Weighed,
)
from cybertip.errors import AdapterError, Conflict, InvalidReport, UnknownEvent
from cybertip.filing import Journal
from cybertip.filing.effects import Flow
from cybertip.ports.clock import Clock
from cybertip.ports.evidence import Evidence, KeepingEvidence, entry_of
from cybertip.ports.storage import AsyncStorage, Claim, Head, Storage
from cybertip.ports.webhooks import AsyncMedia, AsyncWebhooks, Fetched, Media, Webhooks
from cybertip.webhooks.failures import WebhookError

__all__ = ["AsyncConversations", "AsyncHands", "AsyncResolver", "Conversations", "Hands", "Resolver"]

T = TypeVar("T")

_log = logging.getLogger("cybertip")

#: Says who made what a signal is about; None as long as it is not known.
Resolver = Callable[[Signal], UserRef | None]
AsyncResolver = Callable[[Signal], Awaitable[UserRef | None]]
#: Returns those messages of a conversation, in the order in which they were sent.
Conversations = Callable[[ThreadId, tuple[MessageId, ...]], Iterable[Message]]
AsyncConversations = Callable[[ThreadId, tuple[MessageId, ...]], AsyncIterable[Message]]


class Hands:
    """Do what flows ask for, one effect after the other."""

    def __init__(
        self,
        *,
        storage: Storage,
        courier: Courier,
        evidence: KeepingEvidence,
        clock: Clock,
        resolve: Resolver | None,
        source: Source | None,
        conversations: Conversations | None,
        webhooks: Webhooks | None,
        media: Media | None,
        claim: Claim | None = None,
    ) -> None:
        self._storage = storage
        self._courier = courier
        self._evidence = BeatingEvidence(evidence, self._beat_from_thread)
        self._clock = clock
        self._resolve_with = resolve
        self._source = source
        self._conversations = conversations
        self._webhooks = webhooks
        self._media = media
        self._claim = claim
        #: When the claim is looked after next, where the storage could not do it.
        self._beat_at: datetime | None = None

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and return what it returns."""
        answer: Any = None
        fault: Exception | None = None
        while True:
            try:
                effect = flow.send(answer) if fault is None else flow.throw(fault)
            except StopIteration as end:
                return cast(T, end.value)
            answer = fault = None
            try:
                answer = self.perform(cast(AnyEffect, effect))
            except (Conflict, InvalidReport) as error:
                # The failures that a flow has an answer to.
                fault = error

    def perform(self, effect: AnyEffect) -> Any:
        """Do what one effect asks for, and return its answer. Raises `Conflict` where the claim was lost meanwhile."""
        self.beat()
        match effect:
            case Now():
                return self._clock.now()
            case Read(key):
                return self._storage.read(key)
            case Look(key):
                return self._storage.head(key)
            case Find():
                return self._find(effect)
            case Append():
                return self._append(effect)
            case Resolve(signal):
                return self._resolve(signal)
            case Weigh(evidence):
                return self._weigh(evidence)
            case Fetch():
                return self._fetch(effect)
            case Ask():
                return self._ask(effect)
            case Transcribe():
                return self._transcribe(effect)
            case File():
                return self._file(effect)
            case Submitted(key):
                return self._submitted(key)
            case Preserve() | Notify():
                return self._tell(effect)
            case Settle():
                return self._storage.settle_letter(effect.id, due_at=effect.due_at)
            case never:
                assert_never(never)

    def beat(self) -> None:
        """Prolong the claim when half of it is over."""
        if self._claim is None:
            return
        now = self._clock.now()
        lease_for = self._courier.lease_for
        if now + lease_for / 2 < self._claim.until or (self._beat_at is not None and now < self._beat_at):
            return
        key = self._claim.key
        try:
            self._claim = self._storage.renew(self._claim, until=now + lease_for)
        except AdapterError:
            # No reason to break off what takes long: if another worker claims the case meanwhile, our record is refused.
            self._beat_at = now + lease_for / 8
            return
        self._beat_at = None
        if self._claim is None:
            raise Conflict("the claim was lost while something took long", key=key)

    def _beat_from_thread(self) -> None:
        self.beat()

    def release(self) -> None:
        """Give the claim back, if there is one."""
        if self._claim is not None:
            self._storage.release(self._claim)

    def _find(self, effect: Find) -> tuple[Head, ...]:
        return self._storage.heads(
            after=effect.after,
            limit=effect.limit,
            status=effect.status,
            tenant=effect.tenant,
            lane=effect.lane,
            tag=effect.tag,
        )

    def _append(self, effect: Append) -> None:
        if effect.claimed and self._claim is None:
            raise Conflict("it is not claimed", key=effect.head.key)
        self._storage.append(
            effect.entries,
            effect.head,
            expected=effect.expected,
            claim=self._claim if effect.claimed else None,
            letters=effect.letters,
        )

    def _resolve(self, signal: Signal) -> UserRef | Failed | None:
        if self._resolve_with is None:
            return None
        try:
            found = self._resolve_with(signal)
        except Exception as error:
            return _failed("the function that resolves creators", error)
        return found if found is None else _of_type(UserRef, found, "the function that resolves creators")

    def _weigh(self, evidence: EvidenceId) -> Weighed | Failed:
        try:
            return _weighed(self._evidence, evidence)
        except Conflict:
            # The claim was lost.
            raise
        except Exception as error:
            return Failed(f"the evidence cannot be read ({type(error).__name__})")

    def _fetch(self, effect: Fetch) -> Fetched | WebhookError | Failed:
        if self._media is None:
            return Failed("the desk has nothing to fetch with: give it `media`, or keep the bytes yourself")
        try:
            return self._media.fetch(effect.url, into=self._evidence, html=effect.html)
        except WebhookError as error:
            return error
        except Conflict:
            # The claim was lost.
            raise
        except OSError as error:
            return Failed(f"the evidence cannot be kept ({type(error).__name__})")
        except Exception as error:
            return _failed("what fetches media", error)

    def _ask(self, effect: Ask) -> AdditionalInfo | WebhookError | Failed:
        try:
            if self._source is not None:
                known = self._source(effect.request)
                return _of_type(AdditionalInfo, known, "the function that knows more")
            if self._webhooks is not None:
                return self._webhooks.additional_info(effect.request, id=effect.id)
            if effect.is_named:
                return Failed(
                    "the profile names an endpoint that knows more, and the desk has no `webhooks` to ask it with"
                )
            return nothing_known(effect.request)
        except WebhookError as error:
            return error
        except InvalidReport as error:
            return Failed(f"the platform's answer is not what the contract says: {error}")
        except Exception as error:
            return _failed("the function that knows more", error)

    def _transcribe(self, effect: Transcribe) -> tuple[Attachment, ...] | Failed:
        if self._conversations is None:
            return Failed("the desk has nothing that returns messages: give it `conversations`")
        path = f"decision.threads[{effect.index}]"
        try:
            messages = _each(self._conversations(effect.thread.thread, effect.thread.messages))
            return _transcribed(effect, messages, self._evidence, path)
        except InvalidReport as error:
            return Failed(str(error))
        except OSError as error:
            return Failed(f"the evidence cannot be kept ({type(error).__name__})")
        except Conflict:
            # The claim was lost.
            raise
        except Exception as error:
            return _failed("the function that returns messages", error)

    def _file(self, effect: File) -> None:
        if self._claim is not None and self._clock.now() >= self._claim.until:
            # Somebody else may have the case by now, and have decided otherwise.
            raise Conflict("the claim is over", key=effect.key)
        self._courier.file(
            effect.filing, key=effect.key, priority=effect.priority, tenant=effect.tenant, tags=effect.tags
        )

    def _submitted(self, key: str) -> Journal | Failed | None:
        entries = self._storage.read(key)
        try:
            journal = Journal.of(key, entries)
        except UnknownEvent:
            return Failed("a newer program wrote in its journal")
        return None if journal.state is None else journal

    def _tell(self, effect: Preserve | Notify) -> WebhookError | Failed | None:
        if self._webhooks is None:
            return Failed("the desk has no webhooks")
        try:
            if isinstance(effect, Preserve):
                self._webhooks.preserve(effect.notice, id=effect.id)
            else:
                self._webhooks.notify(effect.event, id=effect.id)
        except WebhookError as error:
            return error
        return None


class AsyncHands:
    """Do what flows ask for, as `Hands` does, without blocking the event loop."""

    def __init__(
        self,
        *,
        storage: AsyncStorage,
        courier: AsyncCourier,
        evidence: KeepingEvidence,
        clock: Clock,
        resolve: AsyncResolver | None,
        source: AsyncSource | None,
        conversations: AsyncConversations | None,
        webhooks: AsyncWebhooks | None,
        media: AsyncMedia | None,
        claim: Claim | None = None,
    ) -> None:
        self._storage = storage
        self._courier = courier
        self._evidence = BeatingEvidence(evidence, self._beat_from_thread)
        self._clock = clock
        self._resolve_with = resolve
        self._source = source
        self._conversations = conversations
        self._webhooks = webhooks
        self._media = media
        self._claim = claim
        #: When the claim is looked after next, where the storage could not do it.
        self._beat_at: datetime | None = None

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and return what it returns."""
        answer: Any = None
        fault: Exception | None = None
        while True:
            try:
                effect = flow.send(answer) if fault is None else flow.throw(fault)
            except StopIteration as end:
                return cast(T, end.value)
            answer = fault = None
            try:
                answer = await self.perform(cast(AnyEffect, effect))
            except (Conflict, InvalidReport) as error:
                # The failures that a flow has an answer to.
                fault = error

    async def perform(self, effect: AnyEffect) -> Any:
        """Do what one effect asks for, and return its answer. Raises `Conflict` where the claim was lost meanwhile."""
        await self.beat()
        match effect:
            case Now():
                return self._clock.now()
            case Read(key):
                return await self._storage.read(key)
            case Look(key):
                return await self._storage.head(key)
            case Find():
                return await self._find(effect)
            case Append():
                return await self._append(effect)
            case Resolve(signal):
                return await self._resolve(signal)
            case Weigh(evidence):
                return await self._weigh(evidence)
            case Fetch():
                return await self._fetch(effect)
            case Ask():
                return await self._ask(effect)
            case Transcribe():
                return await self._transcribe(effect)
            case File():
                return await self._file(effect)
            case Submitted(key):
                return await self._submitted(key)
            case Preserve() | Notify():
                return await self._tell(effect)
            case Settle():
                return await self._storage.settle_letter(effect.id, due_at=effect.due_at)
            case never:
                assert_never(never)

    async def beat(self) -> None:
        """Prolong the claim when half of it is over."""
        if self._claim is None:
            return
        now = self._clock.now()
        lease_for = self._courier.lease_for
        if now + lease_for / 2 < self._claim.until or (self._beat_at is not None and now < self._beat_at):
            return
        key = self._claim.key
        try:
            self._claim = await self._storage.renew(self._claim, until=now + lease_for)
        except AdapterError:
            # No reason to break off what takes long: if another worker claims the case meanwhile, our record is refused.
            self._beat_at = now + lease_for / 8
            return
        self._beat_at = None
        if self._claim is None:
            raise Conflict("the claim was lost while something took long", key=key)

    def _beat_from_thread(self) -> None:
        anyio.from_thread.run(self.beat)

    async def release(self) -> None:
        """Give the claim back, if there is one."""
        if self._claim is not None:
            await self._storage.release(self._claim)

    async def _find(self, effect: Find) -> tuple[Head, ...]:
        return await self._storage.heads(
            after=effect.after,
            limit=effect.limit,
            status=effect.status,
            tenant=effect.tenant,
            lane=effect.lane,
            tag=effect.tag,
        )

    async def _append(self, effect: Append) -> None:
        if effect.claimed and self._claim is None:
            raise Conflict("it is not claimed", key=effect.head.key)
        await self._storage.append(
            effect.entries,
            effect.head,
            expected=effect.expected,
            claim=self._claim if effect.claimed else None,
            letters=effect.letters,
        )

    async def _resolve(self, signal: Signal) -> UserRef | Failed | None:
        if self._resolve_with is None:
            return None
        try:
            found = await self._resolve_with(signal)
        except Exception as error:
            return _failed("the function that resolves creators", error)
        return found if found is None else _of_type(UserRef, found, "the function that resolves creators")

    async def _weigh(self, evidence: EvidenceId) -> Weighed | Failed:
        try:
            return await anyio.to_thread.run_sync(_weighed, self._evidence, evidence)
        except Conflict:
            # The claim was lost.
            raise
        except Exception as error:
            return Failed(f"the evidence cannot be read ({type(error).__name__})")

    async def _fetch(self, effect: Fetch) -> Fetched | WebhookError | Failed:
        if self._media is None:
            return Failed("the desk has nothing to fetch with: give it `media`, or keep the bytes yourself")
        try:
            return await self._media.fetch(effect.url, into=self._evidence, html=effect.html)
        except WebhookError as error:
            return error
        except Conflict:
            # The claim was lost.
            raise
        except OSError as error:
            return Failed(f"the evidence cannot be kept ({type(error).__name__})")
        except Exception as error:
            return _failed("what fetches media", error)

    async def _ask(self, effect: Ask) -> AdditionalInfo | WebhookError | Failed:
        try:
            if self._source is not None:
                known = await self._source(effect.request)
                return _of_type(AdditionalInfo, known, "the function that knows more")
            if self._webhooks is not None:
                return await self._webhooks.additional_info(effect.request, id=effect.id)
            if effect.is_named:
                return Failed(
                    "the profile names an endpoint that knows more, and the desk has no `webhooks` to ask it with"
                )
            return nothing_known(effect.request)
        except WebhookError as error:
            return error
        except InvalidReport as error:
            return Failed(f"the platform's answer is not what the contract says: {error}")
        except Exception as error:
            return _failed("the function that knows more", error)

    async def _transcribe(self, effect: Transcribe) -> tuple[Attachment, ...] | Failed:
        if self._conversations is None:
            return Failed("the desk has nothing that returns messages: give it `conversations`")
        path = f"decision.threads[{effect.index}]"
        try:
            messages = _async_each(self._conversations(effect.thread.thread, effect.thread.messages))
            return await anyio.to_thread.run_sync(_transcribed, effect, messages, self._evidence, path)
        except InvalidReport as error:
            return Failed(str(error))
        except OSError as error:
            return Failed(f"the evidence cannot be kept ({type(error).__name__})")
        except Conflict:
            # The claim was lost.
            raise
        except Exception as error:
            return _failed("the function that returns messages", error)

    async def _file(self, effect: File) -> None:
        if self._claim is not None and self._clock.now() >= self._claim.until:
            # Somebody else may have the case by now, and have decided otherwise.
            raise Conflict("the claim is over", key=effect.key)
        await self._courier.file(
            effect.filing, key=effect.key, priority=effect.priority, tenant=effect.tenant, tags=effect.tags
        )

    async def _submitted(self, key: str) -> Journal | Failed | None:
        entries = await self._storage.read(key)
        try:
            journal = Journal.of(key, entries)
        except UnknownEvent:
            return Failed("a newer program wrote in its journal")
        return None if journal.state is None else journal

    async def _tell(self, effect: Preserve | Notify) -> WebhookError | Failed | None:
        if self._webhooks is None:
            return Failed("the desk has no webhooks")
        try:
            if isinstance(effect, Preserve):
                await self._webhooks.preserve(effect.notice, id=effect.id)
            else:
                await self._webhooks.notify(effect.event, id=effect.id)
        except WebhookError as error:
            return error
        return None


def _each(messages: Iterable[Message]) -> Iterator[Message]:
    """Pass messages on one by one, to be taken from a thread."""
    yield from messages


def _async_each(messages: AsyncIterable[Message]) -> Iterator[Message]:
    """Pass messages on one by one, to be taken from a thread."""
    iterator = aiter(messages)
    while (message := anyio.from_thread.run(_next_of, iterator)) is not None:
        yield message


async def _next_of(messages: AsyncIterator[Message]) -> Message | None:
    return await anext(messages, None)


def _transcribed(
    effect: Transcribe, messages: Iterator[Message], into: KeepingEvidence, path: str
) -> tuple[Attachment, ...]:
    return keep_transcripts(effect.thread, with_addresses(messages, effect.addresses), into=into, path=path)


def _weighed(evidence: Evidence, reference: EvidenceId) -> Weighed:
    entry = entry_of(evidence, reference, name="weighed")
    return Weighed(evidence=reference, size=entry.size, sha256=entry.sha256, md5=entry.md5)


def _failed(what: str, error: Exception) -> Failed:
    """Note that something of the host's failed, by its type."""
    _log.warning("%s failed (%s)", what, type(error).__name__)
    return Failed(f"{what} failed ({type(error).__name__})")


def _of_type(kind: type[T], value: object, what: str) -> T | Failed:
    """Return what a function of the host's returned, if it is what was asked for; nothing else is looked at, or shown."""
    if isinstance(value, kind):
        return value
    return Failed(f"{what} returned {type(value).__name__} and not {kind.__name__}")
