"""What a desk is made of in either colour, and what it does on its own: the work between decisions and filings."""

import logging
import secrets
import threading
from datetime import timedelta
from functools import partial
from typing import TypeVar

import anyio

from cybertip.cases.enrichment import AsyncSource, Source
from cybertip.cases.profile import Profile
from cybertip.cases.review import ReviewPolicy
from cybertip.cases.routing import DEFAULT, Rules
from cybertip.courier import AsyncCourier, Courier
from cybertip.courier.office import LOOK_FOR
from cybertip.desk.asking import seen
from cybertip.desk.driving import AsyncConversations, AsyncHands, AsyncResolver, Conversations, Hands, Resolver
from cybertip.desk.following import follow
from cybertip.desk.holding import hold
from cybertip.desk.office import Office
from cybertip.desk.placing import settle
from cybertip.desk.visibility import Viewer
from cybertip.desk.working import work
from cybertip.errors import AdapterError, Conflict, CybertipError
from cybertip.filing import Policy
from cybertip.filing.effects import Flow
from cybertip.ports.evidence import KeepingEvidence
from cybertip.ports.storage import Claim, Head, Letter
from cybertip.ports.webhooks import AsyncMedia, AsyncWebhooks, Media, Webhooks

__all__ = ["AsyncWorkers", "Workers"]

T = TypeVar("T")

_log = logging.getLogger("cybertip")


class Workers:
    """Hold a desk's parts, and do what is due."""

    def __init__(
        self,
        organisation: str,
        *,
        courier: Courier,
        evidence: KeepingEvidence,
        profile: Profile,
        resolve: Resolver | None = None,
        source: Source | None = None,
        conversations: Conversations | None = None,
        webhooks: Webhooks | None = None,
        media: Media | None = None,
        rules: Rules = DEFAULT,
        review: ReviewPolicy | None = None,
        policy: Policy | None = None,
    ) -> None:
        self._office = Office(
            organisation=organisation,
            environment=courier.environment,
            profile=profile,
            rules=rules,
            review=review or ReviewPolicy(),
            policy=policy or Policy(),
        )
        self._courier = courier
        self._storage = courier.storage
        self._clock = courier.clock
        self._lanes = (self._office.cases, self._office.signals)
        self._hands = partial(
            Hands,
            storage=courier.storage,
            courier=courier,
            evidence=evidence,
            clock=courier.clock,
            resolve=resolve,
            source=source,
            conversations=conversations,
            webhooks=webhooks,
            media=media,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._office.environment}>"

    def run_due(self, *, limit: int = 100) -> int:
        """Do what is due now, and return how much that was: keep media, ask the platform, file, look after what is filed,
        and tell the host. It waits for nothing; call it again and again, in any number of processes.
        """
        done = 0
        # One at a time: what is claimed and has to wait for its turn would be claimed for nothing.
        while done < limit:
            worked = self._next_case()
            told = self._next_letter()
            if not (worked or told):
                break
            done += worked + told
        return done

    def _next_case(self) -> bool:
        """Take up the case or the signal that is due first, and tell whether there was one."""
        now = self._clock.now()
        claimed = self._storage.claim_due(
            token=secrets.token_hex(16), now=now, until=now + self._courier.lease_for, limit=1, lanes=self._lanes
        )
        for head, held in claimed:
            self._work(head, held)
        return bool(claimed)

    def _next_letter(self) -> bool:
        """Deliver the letter that is due first, and tell whether there was one."""
        now = self._clock.now()
        until = now + self._courier.lease_for
        letters = self._storage.take_letters(now=now, until=until, limit=1, topics=self._office.topics)
        for letter in letters:
            self._follow(letter)
        return bool(letters)

    def _work(self, head: Head, claim: Claim) -> None:
        """Take up one case or signal; what goes wrong with it stops no other."""
        hands = self._hands(claim=claim)
        try:
            if head.lane == self._office.signals:
                hands.run(settle(self._office, head.key))
            else:
                hands.run(work(self._office, head.key))
        except AdapterError:
            raise
        except Conflict as error:
            # The claim was lost: somebody else has it now.
            _log.info("%s", error)
        except Exception as error:
            # A newer program's journal, or a fault of ours: it must not stop the others, nor be forgotten.
            _log.error("%r is held, and is tried again slowly: %s", head.key, _told(error))
            hands.run(hold(self._office, head))
        hands.release()

    def _follow(self, letter: Letter) -> None:
        """Deliver one letter; one that cannot be delivered comes again."""
        try:
            self._run(follow(self._office, letter))
        except AdapterError:
            raise
        except Exception as error:
            _log.error("letter %r is tried again slowly: %s", letter.id, _told(error))

    def run_until_stopped(self, stop: threading.Event, *, until_idle: bool = False) -> None:
        """Do whatever becomes due until `stop` is set. When storage fails, it says so in the log, waits, and goes on.

        Args:
            stop: set it from a signal handler, or from anywhere.
            until_idle: return when nothing is left but what waits for people, or is tried again only much later; and raise
                `AdapterError` when storage fails.
        """
        while not stop.is_set():
            try:
                if self.run_due(limit=1):
                    continue
                if until_idle and self._is_idle():
                    return
            except AdapterError as error:
                if until_idle:
                    raise
                _log.warning("storage failed (%s); the desk goes on when it is back", error)
            self._sleep(stop, LOOK_FOR)

    def _is_idle(self) -> bool:
        """Tell whether nothing can be done for so long that waiting for it is of no use."""
        now = self._clock.now()
        at = self._storage.next_due(now=now, lanes=self._lanes)
        letter_at = self._storage.next_letter(now=now, topics=self._office.topics)
        soon = now + self._office.policy.longest_pause_for
        return all(one is None or one > soon for one in (at, letter_at))

    def _sleep(self, stop: threading.Event, pause_for: timedelta) -> None:
        stop.wait(pause_for.total_seconds())

    def _ask(self, viewer: Viewer, key: str, flow: Flow[T]) -> T:
        return self._run(seen(self._office, viewer, key, flow))

    def _run(self, flow: Flow[T]) -> T:
        return self._hands().run(flow)


class AsyncWorkers:
    """Hold a desk's parts, and do what is due."""

    def __init__(
        self,
        organisation: str,
        *,
        courier: AsyncCourier,
        evidence: KeepingEvidence,
        profile: Profile,
        resolve: AsyncResolver | None = None,
        source: AsyncSource | None = None,
        conversations: AsyncConversations | None = None,
        webhooks: AsyncWebhooks | None = None,
        media: AsyncMedia | None = None,
        rules: Rules = DEFAULT,
        review: ReviewPolicy | None = None,
        policy: Policy | None = None,
    ) -> None:
        self._office = Office(
            organisation=organisation,
            environment=courier.environment,
            profile=profile,
            rules=rules,
            review=review or ReviewPolicy(),
            policy=policy or Policy(),
        )
        self._courier = courier
        self._storage = courier.storage
        self._clock = courier.clock
        self._lanes = (self._office.cases, self._office.signals)
        self._hands = partial(
            AsyncHands,
            storage=courier.storage,
            courier=courier,
            evidence=evidence,
            clock=courier.clock,
            resolve=resolve,
            source=source,
            conversations=conversations,
            webhooks=webhooks,
            media=media,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._office.environment}>"

    async def run_due(self, *, limit: int = 100) -> int:
        """As `Workers.run_due`."""
        done = 0
        # One at a time: what is claimed and has to wait for its turn would be claimed for nothing.
        while done < limit:
            worked = await self._next_case()
            told = await self._next_letter()
            if not (worked or told):
                break
            done += worked + told
        return done

    async def _next_case(self) -> bool:
        """Take up the case or the signal that is due first, and tell whether there was one."""
        now = self._clock.now()
        claimed = await self._storage.claim_due(
            token=secrets.token_hex(16), now=now, until=now + self._courier.lease_for, limit=1, lanes=self._lanes
        )
        for head, held in claimed:
            await self._work(head, held)
        return bool(claimed)

    async def _next_letter(self) -> bool:
        """Deliver the letter that is due first, and tell whether there was one."""
        now = self._clock.now()
        until = now + self._courier.lease_for
        letters = await self._storage.take_letters(now=now, until=until, limit=1, topics=self._office.topics)
        for letter in letters:
            await self._follow(letter)
        return bool(letters)

    async def _work(self, head: Head, claim: Claim) -> None:
        """Take up one case or signal; what goes wrong with it stops no other."""
        hands = self._hands(claim=claim)
        try:
            if head.lane == self._office.signals:
                await hands.run(settle(self._office, head.key))
            else:
                await hands.run(work(self._office, head.key))
        except AdapterError:
            raise
        except Conflict as error:
            # The claim was lost: somebody else has it now.
            _log.info("%s", error)
        except Exception as error:
            # A newer program's journal, or a fault of ours: it must not stop the others, nor be forgotten.
            _log.error("%r is held, and is tried again slowly: %s", head.key, _told(error))
            await hands.run(hold(self._office, head))
        await hands.release()

    async def _follow(self, letter: Letter) -> None:
        """Deliver one letter; one that cannot be delivered comes again."""
        try:
            await self._run(follow(self._office, letter))
        except AdapterError:
            raise
        except Exception as error:
            _log.error("letter %r is tried again slowly: %s", letter.id, _told(error))

    async def run_until_stopped(self, stop: anyio.Event, *, until_idle: bool = False) -> None:
        """As `Workers.run_until_stopped`."""
        while not stop.is_set():
            try:
                if await self.run_due(limit=1):
                    continue
                if until_idle and await self._is_idle():
                    return
            except AdapterError as error:
                if until_idle:
                    raise
                _log.warning("storage failed (%s); the desk goes on when it is back", error)
            await self._sleep(stop, LOOK_FOR)

    async def _is_idle(self) -> bool:
        """Tell whether nothing can be done for so long that waiting for it is of no use."""
        now = self._clock.now()
        at = await self._storage.next_due(now=now, lanes=self._lanes)
        letter_at = await self._storage.next_letter(now=now, topics=self._office.topics)
        soon = now + self._office.policy.longest_pause_for
        return all(one is None or one > soon for one in (at, letter_at))

    async def _sleep(self, stop: anyio.Event, pause_for: timedelta) -> None:
        with anyio.move_on_after(pause_for.total_seconds()):
            await stop.wait()

    async def _ask(self, viewer: Viewer, key: str, flow: Flow[T]) -> T:
        return await self._run(seen(self._office, viewer, key, flow))

    async def _run(self, flow: Flow[T]) -> T:
        return await self._hands().run(flow)


def _told(error: Exception) -> str:
    """Return what may be said of an error: ours are written to be read, and others' words may hold anything."""
    return str(error) if isinstance(error, CybertipError) else f"a fault in this program ({type(error).__name__})"
