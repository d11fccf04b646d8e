"""Journals and heads in this process's memory: for tests, and to read what a storage has to do."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from threading import Lock

import anyio.lowlevel
import attrs

from cybertip.adapters.storage.checks import LENGTH_OF_ID, append_of, moment, name, time
from cybertip.errors import AdapterError, Conflict
from cybertip.ports.storage import Claim, Entry, Head, Letter

__all__ = ["AsyncMemoryStorage", "MemoryStorage"]


@attrs.define
class _Standing:
    """A head, and the claim on it as its token and its end."""

    head: Head
    token: str | None = None
    until: int | None = None

    def ready_at(self) -> int | None:
        """Return from when on it can be claimed as due."""
        if self.head.due_at is None:
            return None
        due_at = time(self.head.due_at)
        return due_at if self.until is None else max(due_at, self.until)


class MemoryStorage:
    """Keep journals and heads in memory (see `cybertip.ports.storage.Storage` for what is guaranteed).

    Nothing survives the process, so nothing real is to be filed with it. Calls may be made from several threads.

    >>> from datetime import UTC, datetime
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> entry = Entry(key="a", version=1, recorded_at=now, kind="began", data="{}", previous="0" * 64, digest="1" * 64)
    >>> storage = MemoryStorage()
    >>> storage.append([entry], Head(key="a", version=1, digest="1" * 64, status="open", due_at=now), expected=0)
    >>> storage.next_due(now=now) == now
    True
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._journals: dict[str, list[Entry]] = {}
        self._standings: dict[str, _Standing] = {}
        self._keys: list[str] = []
        #: The keys that have a tag, in their order: a page of them looks at no others.
        self._tagged: dict[str, list[str]] = {}
        #: What has something to do: a claim looks at no more than this.
        self._unsettled: set[str] = set()
        #: When each tenant last had its turn.
        self._served: dict[str, int] = {}
        self._letters: dict[str, Letter] = {}

    def append(
        self,
        entries: Sequence[Entry],
        head: Head,
        *,
        expected: int,
        claim: Claim | None = None,
        letters: Sequence[Letter] = (),
    ) -> None:
        """Record entries, replace the head and post letters, or raise `Conflict` and do nothing."""
        append_of(entries, head, expected=expected, claim=claim, letters=letters)
        kept = [attrs.evolve(entry, recorded_at=moment(time(entry.recorded_at))) for entry in entries]
        posted = {letter.id: attrs.evolve(letter, due_at=moment(time(letter.due_at))) for letter in letters}
        due_at = None if head.due_at is None else moment(time(head.due_at))
        new = attrs.evolve(head, due_at=due_at, tags=tuple(head.tags))
        with self._lock:
            standing = self._standings.get(head.key)
            if (standing.head.version if standing else 0) != expected:
                raise Conflict("the journal went on meanwhile", key=head.key)
            if claim is not None and not self._holds(claim, head.key):
                raise Conflict("the claim was lost", key=head.key)
            if not posted.keys().isdisjoint(self._letters):
                raise AdapterError("a letter with this id is waiting already: nothing was done")
            if standing is None:
                insort(self._keys, head.key)
                standing = self._standings[head.key] = _Standing(new)
                self._tag(head.key, (), new.tags)
            else:
                self._tag(head.key, standing.head.tags, new.tags)
            standing.head = new
            if due_at is None:
                standing.token = standing.until = None
                self._unsettled.discard(head.key)
            else:
                self._unsettled.add(head.key)
            self._journals.setdefault(head.key, []).extend(kept)
            self._letters |= posted

    def _tag(self, key: str, before: Collection[str], after: Collection[str]) -> None:
        for tag in set(before) - set(after):
            del self._tagged[tag][bisect_left(self._tagged[tag], key)]
        for tag in set(after) - set(before):
            insort(self._tagged.setdefault(tag, []), key)

    def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
        """Return the entries of a journal that come after a version."""
        with self._lock:
            return tuple(self._journals.get(name(key, "a key"), ())[max(after, 0) :])

    def head(self, key: str) -> Head | None:
        """Return where a submission stands."""
        with self._lock:
            standing = self._standings.get(name(key, "a key"))
            return standing.head if standing is not None else None

    def heads(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        status: str | None = None,
        tenant: str | None = None,
        lane: str | None = None,
        tag: str | None = None,
    ) -> tuple[Head, ...]:
        """Return a page of heads in the order of their keys."""
        page: list[Head] = []
        with self._lock:
            keys = self._keys if tag is None else self._tagged.get(tag, [])
            for position in range(0 if after is None else bisect_right(keys, after), len(keys)):
                if len(page) >= limit:
                    break
                head = self._standings[keys[position]].head
                if status in (None, head.status) and tenant in (None, head.tenant) and lane in (None, head.lane):
                    page.append(head)
        return tuple(page)

    def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """Claim one submission, unless a claim on it lasts."""
        name(token, "a token")
        with self._lock:
            standing = self._standings.get(name(key, "a key"))
            if standing is None or (standing.until is not None and standing.until > time(now)):
                return None
            return self._claimed(standing, token, time(until))

    def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None = None
    ) -> tuple[tuple[Head, Claim], ...]:
        """Claim what is due, the tenants in turn."""
        name(token, "a token")
        at, end = time(now), time(until)
        with self._lock:
            chosen = self._in_turn(one for one in self._waiting(lanes) if _is_ready(one, at))
            claimed = tuple((one.head, self._claimed(one, token, end)) for one in chosen[: max(limit, 0)])
            self._served |= {head.tenant: max(at, self._served.get(head.tenant, at)) for head, _ in claimed}
            return claimed

    def renew(self, claim: Claim, *, until: datetime) -> Claim | None:
        """Prolong a claim, unless it was lost."""
        with self._lock:
            if not self._holds(claim, claim.key):
                return None
            return self._claimed(self._standings[claim.key], claim.token, time(until))

    def release(self, claim: Claim) -> None:
        """Give a claim back, unless it was lost."""
        with self._lock:
            if self._holds(claim, claim.key):
                standing = self._standings[claim.key]
                standing.token = standing.until = None

    def take_letters(
        self, *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None = None
    ) -> tuple[Letter, ...]:
        """Take letters that are due, and hide them until a time."""
        at, end = moment(time(now)), moment(time(until))
        with self._lock:
            due = [
                one for one in self._letters.values() if one.due_at <= at and (topics is None or one.topic in topics)
            ]
            due.sort(key=lambda letter: (letter.due_at, letter.id))
            taken = tuple(attrs.evolve(letter, tries=letter.tries + 1) for letter in due[: max(limit, 0)])
            self._letters |= {letter.id: attrs.evolve(letter, due_at=end) for letter in taken}
            return taken

    def settle_letter(self, id: str, *, due_at: datetime | None = None) -> None:
        """Forget a letter, or have it taken again later."""
        with self._lock:
            if due_at is None:
                self._letters.pop(name(id, "a letter's id", LENGTH_OF_ID), None)
            elif id in self._letters:
                self._letters[id] = attrs.evolve(self._letters[id], due_at=moment(time(due_at)))

    def next_due(self, *, now: datetime, lanes: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which there is something to claim, `now` at the earliest."""
        with self._lock:
            times = [at for one in self._waiting(lanes) if (at := one.ready_at()) is not None]
            return moment(max(min(times), time(now))) if times else None

    def next_letter(self, *, now: datetime, topics: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which there is a letter to take, `now` at the earliest."""
        with self._lock:
            times = [one.due_at for one in self._letters.values() if topics is None or one.topic in topics]
            return max(min(times), moment(time(now))) if times else None

    def _waiting(self, lanes: Collection[str] | None) -> list[_Standing]:
        standings = map(self._standings.__getitem__, self._unsettled)
        return [one for one in standings if lanes is None or one.head.lane in lanes]

    def _holds(self, claim: Claim, key: str) -> bool:
        standing = self._standings.get(key)
        return standing is not None and claim.key == key and standing.token == claim.token

    def _claimed(self, standing: _Standing, token: str, until: int) -> Claim:
        standing.token, standing.until = token, until
        return Claim(key=standing.head.key, token=token, until=moment(until))

    def _in_turn(self, ready: Iterable[_Standing]) -> list[_Standing]:
        """Put what is ready in order: tenants within a priority in rounds, whoever waited longest first in each."""
        waiting = sorted(ready, key=lambda one: (one.head.due_at, one.head.key))
        rounds: dict[tuple[int, str], int] = {}
        order: list[tuple[tuple[float, ...], int, _Standing]] = []
        for position, one in enumerate(waiting):
            head = one.head
            turn = rounds[head.priority, head.tenant] = rounds.get((head.priority, head.tenant), 0) + 1
            order.append(((-head.priority, turn, self._served.get(head.tenant, float("-inf"))), position, one))
        return [one for _, _, one in sorted(order, key=lambda item: item[:2])]


class AsyncMemoryStorage:
    """Keep journals and heads in memory on asyncio or trio, as `MemoryStorage` does.

    Args:
        storage: whose state to share; without it, the state is new.
    """

    def __init__(self, storage: MemoryStorage | None = None) -> None:
        self._storage = MemoryStorage() if storage is None else storage

    async def append(
        self,
        entries: Sequence[Entry],
        head: Head,
        *,
        expected: int,
        claim: Claim | None = None,
        letters: Sequence[Letter] = (),
    ) -> None:
        """Record entries, replace the head and post letters, or raise `Conflict` and do nothing."""
        # Others get a turn, and a cancellation strikes, before anything happens: afterwards it could not be told apart.
        await anyio.lowlevel.checkpoint()
        self._storage.append(entries, head, expected=expected, claim=claim, letters=letters)

    async def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
        """Return the entries of a journal that come after a version."""
        await anyio.lowlevel.checkpoint()
        return self._storage.read(key, after=after)

    async def head(self, key: str) -> Head | None:
        """Return where a submission stands."""
        await anyio.lowlevel.checkpoint()
        return self._storage.head(key)

    async def heads(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        status: str | None = None,
        tenant: str | None = None,
        lane: str | None = None,
        tag: str | None = None,
    ) -> tuple[Head, ...]:
        """Return a page of heads in the order of their keys."""
        await anyio.lowlevel.checkpoint()
        return self._storage.heads(after=after, limit=limit, status=status, tenant=tenant, lane=lane, tag=tag)

    async def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        """Claim one submission, unless a claim on it lasts."""
        await anyio.lowlevel.checkpoint()
        return self._storage.claim(key, token=token, now=now, until=until)

    async def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None = None
    ) -> tuple[tuple[Head, Claim], ...]:
        """Claim what is due, the tenants in turn."""
        await anyio.lowlevel.checkpoint()
        return self._storage.claim_due(token=token, now=now, until=until, limit=limit, lanes=lanes)

    async def renew(self, claim: Claim, *, until: datetime) -> Claim | None:
        """Prolong a claim, unless it was lost."""
        await anyio.lowlevel.checkpoint()
        return self._storage.renew(claim, until=until)

    async def release(self, claim: Claim) -> None:
        """Give a claim back, unless it was lost."""
        await anyio.lowlevel.checkpoint()
        self._storage.release(claim)

    async def take_letters(
        self, *, now: datetime, until: datetime, limit: int, topics: Collection[str] | None = None
    ) -> tuple[Letter, ...]:
        """Take letters that are due, and hide them until a time."""
        await anyio.lowlevel.checkpoint()
        return self._storage.take_letters(now=now, until=until, limit=limit, topics=topics)

    async def settle_letter(self, id: str, *, due_at: datetime | None = None) -> None:
        """Forget a letter, or have it taken again later."""
        await anyio.lowlevel.checkpoint()
        self._storage.settle_letter(id, due_at=due_at)

    async def next_due(self, *, now: datetime, lanes: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which there is something to claim, `now` at the earliest."""
        await anyio.lowlevel.checkpoint()
        return self._storage.next_due(now=now, lanes=lanes)

    async def next_letter(self, *, now: datetime, topics: Collection[str] | None = None) -> datetime | None:
        """Return the next time at which there is a letter to take, `now` at the earliest."""
        await anyio.lowlevel.checkpoint()
        return self._storage.next_letter(now=now, topics=topics)


def _is_ready(standing: _Standing, at: int) -> bool:
    ready_at = standing.ready_at()
    return ready_at is not None and ready_at <= at
