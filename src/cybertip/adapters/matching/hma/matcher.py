"""The matcher, in both colours: they play the plans of `lookups` and `survey`."""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
import anyio.to_thread
import httpx

from cybertip.adapters.matching.hma.effects import Ask, Here, Plan, Reply
from cybertip.adapters.matching.hma.exchanges import Reading, client_settings, failed, outgoing, too_late
from cybertip.adapters.matching.hma.feedback import recorded
from cybertip.adapters.matching.hma.hashes import can_hash_pictures
from cybertip.adapters.matching.hma.lookups import looked_up
from cybertip.adapters.matching.hma.settings import HmaSettings
from cybertip.adapters.matching.hma.standing import Seen, Standing
from cybertip.adapters.matching.hma.survey import Survey
from cybertip.hashing.together import each
from cybertip.ports.clock import Clock, SystemClock
from cybertip.ports.matching import PDQ, HashMatch, HashType, MatcherHealth, MatchResult, MediaItem, NotChecked, Verdict

__all__ = ["AsyncHmaMatcher", "HmaMatcher"]

A = TypeVar("A")
T = TypeVar("T")


class HmaMatcher:
    """Look up media in the banks of an HMA (see `cybertip.ports.matching.HashMatcher` for what is guaranteed).

    What an item does not bring is hashed on this machine and looked up by its hashes, a picture as it is, mirrored and
    turned, one request a hash; an item without bytes is looked up by the hashes that it brings. Addresses are never sent.
    HMA, and whatever stands before it, may log what it is asked, hashes included.

    Args:
        hma: HMA's address, or where its roles are and what to ask them.
        http: a client with headers, authentication or certificates of yours; HMA itself has no authentication. It is not
            closed here. Its redirects are not followed, and its timeouts are those of the settings.
        clock: tells the time.

    `close` it, or use it as a context manager, unless the client is yours.
    """

    def __init__(self, hma: HmaSettings | str, *, http: httpx.Client | None = None, clock: Clock | None = None) -> None:
        self._settings = HmaSettings.at(hma) if isinstance(hma, str) else hma
        self._ours = http is None
        self._http = httpx.Client(**client_settings(self._settings)) if http is None else http
        self._clock = clock or SystemClock()
        self._seen: dict[str, Seen] = {}
        self._standing: Standing | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self._ours:
            self._http.close()

    @property
    def name(self) -> str:
        """What it is called in results."""
        return self._settings.name

    @property
    def hash_types(self) -> frozenset[HashType]:
        """The kinds of hashes that each item is looked up by."""
        return frozenset(one.type for one in self._settings.signals)

    @property
    def most_items(self) -> int:
        """How many items may be asked about at once."""
        return self._settings.most_items

    def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        """Look up items."""
        _check_number(items, self.most_items)
        if not items:
            return ()
        until = time.monotonic() + self._settings.bounds.batch_for.total_seconds()
        # How HMA stands comes first: what is added from here on is found, but is not promised.
        standing = self._standing
        if standing is None or not standing.holds(self._clock.now(), self._settings.state_for):
            standing = self._standing = self._surveyed(until)
        look_up = partial(self._looked_up, standing=standing, until=until)
        results = _each(look_up, items, self._settings.at_once)
        if any(one.reason is NotChecked.UNAVAILABLE for one in results):
            # It does not stand as it did.
            self._standing = None
        return results

    def health(self) -> MatcherHealth:
        """Say whether HMA can be asked, which banks it looks in, and what should be mended."""
        until = time.monotonic() + self._settings.bounds.batch_for.total_seconds()
        return _health(self._settings, self._surveyed(until))

    def feedback(self, match: HashMatch, *, verdict: Verdict, reason: str | None = None) -> None:
        """Record what a person found, for banks of your own: an entry that is a false positive is not found any more.

        HMA knows no reasons. It raises `AdapterError` for other banks, and where HMA does not say that it was recorded.
        """
        until = time.monotonic() + self._settings.bounds.batch_for.total_seconds()
        self._play(recorded(match, verdict, self._settings), until)

    def _surveyed(self, until: float) -> Standing:
        return self._play(Survey(self._settings, self._clock.now(), self._seen).plan(), until)

    def _looked_up(self, item: MediaItem, *, standing: Standing, until: float) -> MatchResult:
        return self._play(looked_up(item, settings=self._settings, standing=standing), until)

    def _play(self, plan: Plan[T], until: float) -> T:
        """Do what a plan asks for, and return what it does."""
        answer: Any = None
        while True:
            try:
                effect = plan.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            match effect:
                case Ask():
                    answer = self._asked(effect, until)
                case Here():
                    answer = effect.work()

    def _asked(self, asked: Ask, until: float) -> Reply:
        if time.monotonic() > until:
            return too_late()
        reply = self._exchange(asked)
        return self._exchange(asked) if asked.again(reply) else reply

    def _exchange(self, asked: Ask) -> Reply:
        began = time.monotonic()
        try:
            request = outgoing(self._http, self._settings, asked)
            response = self._http.send(request, stream=True, follow_redirects=False)
        except Exception as error:
            # A client of the caller's has hooks and authentication, which may raise whatever they like.
            return failed(error)
        reading = Reading(response, self._settings.bounds, began)
        try:
            if reading.wanted():
                for chunk in response.iter_raw():
                    if not reading.take(chunk):
                        # Left half-way, the generators below would have to be closed from the inside out. Cut off, they end.
                        if "network_stream" not in response.extensions:
                            break
                        response.extensions["network_stream"].close()
            return reading.reply()
        except Exception as error:
            return reading.reply(error)
        finally:
            response.close()


class AsyncHmaMatcher:
    """Look up media in the banks of an HMA on asyncio or trio, as `HmaMatcher` does.

    Args:
        hma: HMA's address, or where its roles are and what to ask them.
        http: a client with headers, authentication or certificates of yours.
        clock: tells the time.
    """

    def __init__(
        self, hma: HmaSettings | str, *, http: httpx.AsyncClient | None = None, clock: Clock | None = None
    ) -> None:
        self._settings = HmaSettings.at(hma) if isinstance(hma, str) else hma
        self._ours = http is None
        self._http = httpx.AsyncClient(**client_settings(self._settings)) if http is None else http
        self._clock = clock or SystemClock()
        self._seen: dict[str, Seen] = {}
        self._standing: Standing | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self._ours:
            await self._http.aclose()

    @property
    def name(self) -> str:
        """What it is called in results."""
        return self._settings.name

    @property
    def hash_types(self) -> frozenset[HashType]:
        """The kinds of hashes that each item is looked up by."""
        return frozenset(one.type for one in self._settings.signals)

    @property
    def most_items(self) -> int:
        """How many items may be asked about at once."""
        return self._settings.most_items

    async def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        """Look up items."""
        _check_number(items, self.most_items)
        if not items:
            return ()
        until = time.monotonic() + self._settings.bounds.batch_for.total_seconds()
        # How HMA stands comes first: what is added from here on is found, but is not promised.
        standing = self._standing
        if standing is None or not standing.holds(self._clock.now(), self._settings.state_for):
            standing = self._standing = await self._surveyed(until)
        look_up = partial(self._looked_up, standing=standing, until=until)
        results = await _async_each(look_up, items, self._settings.at_once)
        if any(one.reason is NotChecked.UNAVAILABLE for one in results):
            # It does not stand as it did.
            self._standing = None
        return results

    async def health(self) -> MatcherHealth:
        """Say whether HMA can be asked, which banks it looks in, and what should be mended."""
        until = time.monotonic() + self._settings.bounds.batch_for.total_seconds()
        return _health(self._settings, await self._surveyed(until))

    async def feedback(self, match: HashMatch, *, verdict: Verdict, reason: str | None = None) -> None:
        """Record what a person found, for banks of your own: an entry that is a false positive is not found any more.

        HMA knows no reasons. It raises `AdapterError` for other banks, and where HMA does not say that it was recorded.
        """
        until = time.monotonic() + self._settings.bounds.batch_for.total_seconds()
        await self._play(recorded(match, verdict, self._settings), until)

    async def _surveyed(self, until: float) -> Standing:
        return await self._play(Survey(self._settings, self._clock.now(), self._seen).plan(), until)

    async def _looked_up(self, item: MediaItem, *, standing: Standing, until: float) -> MatchResult:
        return await self._play(looked_up(item, settings=self._settings, standing=standing), until)

    async def _play(self, plan: Plan[T], until: float) -> T:
        """Do what a plan asks for, and return what it does."""
        answer: Any = None
        while True:
            try:
                effect = plan.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            match effect:
                case Ask():
                    answer = await self._asked(effect, until)
                case Here():
                    answer = await anyio.to_thread.run_sync(effect.work)

    async def _asked(self, asked: Ask, until: float) -> Reply:
        if time.monotonic() > until:
            return too_late()
        reply = await self._exchange(asked)
        return await self._exchange(asked) if asked.again(reply) else reply

    async def _exchange(self, asked: Ask) -> Reply:
        began = time.monotonic()
        try:
            request = outgoing(self._http, self._settings, asked)
            response = await self._http.send(request, stream=True, follow_redirects=False)
        except Exception as error:
            # A client of the caller's has hooks and authentication, which may raise whatever they like.
            return failed(error)
        reading = Reading(response, self._settings.bounds, began)
        try:
            if reading.wanted():
                async for chunk in response.aiter_raw():
                    if not reading.take(chunk):
                        # Left half-way, the generators below would have to be closed from the inside out. Cut off, they end.
                        if "network_stream" not in response.extensions:
                            break
                        await response.extensions["network_stream"].aclose()
            return reading.reply()
        except Exception as error:
            return reading.reply(error)
        finally:
            await response.aclose()


def _each(work: Callable[[A], T], items: Sequence[A], at_once: int) -> tuple[T, ...]:
    """Do some work for each item, several at a time, in threads."""
    return tuple(each(work, items, threads=min(at_once, len(items))))


async def _async_each(work: Callable[[A], Awaitable[T]], items: Sequence[A], at_once: int) -> tuple[T, ...]:
    """Do some work for each item, several at a time, in tasks."""
    results: dict[int, T] = {}
    places = anyio.Semaphore(at_once)

    async def one(position: int, item: A) -> None:
        async with places:
            results[position] = await work(item)

    async with anyio.create_task_group() as group:
        for position, item in enumerate(items):
            group.start_soon(one, position, item)
    return tuple(results[position] for position in range(len(items)))


def _check_number(items: Sequence[MediaItem], most: int) -> None:
    if len(items) > most:
        raise ValueError(f"{len(items)} items were asked about, and at most {most} may be at once")


def _health(settings: HmaSettings, standing: Standing) -> MatcherHealth:
    warnings = list(standing.warnings)
    if any(one.type == PDQ for one in settings.signals) and not settings.send_bytes and not can_hash_pictures():
        warnings.append("pictures cannot be hashed here: install cybertip[pdq], or have items bring their hashes")
    if any(one.type == PDQ for one in settings.signals) and settings.send_bytes:
        warnings.append(
            "HMA hashes no picture mirrored or turned: those that are not found are not checked, unless they"
            " bring all their hashes"
        )
    return MatcherHealth(
        readiness=standing.readiness, lists=standing.lists, hashes=standing.sizes, warnings=tuple(warnings)
    )
