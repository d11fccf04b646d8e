"""The two auditors: a loop each, and the only code here that blocks or awaits."""

from collections.abc import AsyncIterator, Collection, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, assert_never

import anyio.to_thread

from cybertip.audit.file import Checkpoint
from cybertip.audit.walk import PAGE, Entries, HeadOf, Heads, Marks, Progress, Tally, walk
from cybertip.errors import AdapterError
from cybertip.filing.chain import Tampering
from cybertip.filing.checkpoint import Draft, Mark, Signer
from cybertip.ports.storage import AsyncStorage, Storage

__all__ = ["AsyncAuditor", "Auditor"]


class Auditor:
    """Look for tampering in all journals of a storage.

    >>> from cybertip.adapters.storage.memory import MemoryStorage
    >>> list(Auditor(MemoryStorage()).verify())
    []
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def verify(self, *, checkpoint: Checkpoint | None = None, progress: Progress | None = None) -> Iterator[Tampering]:
        """Yield each place where something is not as it was written; nothing means that all of it is whole.

        Without a checkpoint it goes unseen when a whole submission is missing, when a journal and its head were cut or
        written anew together, and when all of the storage was replaced.

        Args:
            checkpoint: where the journals once stood, from a place that whoever can write to the storage cannot write to.
            progress: called after each submission with how much was looked at.
        """
        work = walk(checkpoint.seal if checkpoint is not None else None)
        answer: Any = None
        with closing(_marks(checkpoint)) as marks:
            while True:
                try:
                    ask = work.send(answer)
                except StopIteration:
                    return
                answer = None
                match ask:
                    case Heads(after):
                        with _placed(f"the heads after {after!r}"):
                            answer = self._storage.heads(after=after, limit=PAGE)
                    case HeadOf(key):
                        with _placed(f"the head of submission {key!r}"):
                            answer = self._storage.head(key)
                    case Entries(key):
                        with _placed(f"the journal of submission {key!r}"):
                            answer = self._storage.read(key)
                    case Marks():
                        answer = _some(marks)
                    case Tampering():
                        yield ask
                    case Tally():
                        if progress is not None:
                            progress(ask)
                    case never:
                        assert_never(never)

    def checkpoint(
        self, *, taken_at: datetime, previous: str | None = None, signers: Collection[Signer] = ()
    ) -> Iterator[bytes]:
        """Yield the lines of a checkpoint over all heads. Verify first: what is wrong by now is not found by it later.

        Args:
            taken_at: now.
            previous: the root of the checkpoint before this one, so that the two are in a chain.
            signers: who vouches for it.
        """
        draft = Draft(taken_at=taken_at, previous=previous)
        yield draft.begin()
        after: str | None = None
        while True:
            heads = self._storage.heads(after=after, limit=PAGE)
            for head in heads:
                yield draft.add(Mark(key=head.key, version=head.version, digest=head.digest))
                after = head.key
            if len(heads) < PAGE:
                break
        yield draft.end()
        for signer in signers:
            yield draft.signed(signer)


class AsyncAuditor:
    """Look for tampering in all journals of a storage, as `Auditor` does, from asyncio or trio."""

    def __init__(self, storage: AsyncStorage) -> None:
        self._storage = storage

    async def verify(
        self, *, checkpoint: Checkpoint | None = None, progress: Progress | None = None
    ) -> AsyncIterator[Tampering]:
        """Yield each place where something is not as it was written; nothing means that all of it is whole.

        Without a checkpoint it goes unseen when a whole submission is missing, when a journal and its head were cut or
        written anew together, and when all of the storage was replaced.

        Args:
            checkpoint: where the journals once stood, from a place that whoever can write to the storage cannot write to.
            progress: called after each submission with how much was looked at.
        """
        work = walk(checkpoint.seal if checkpoint is not None else None)
        answer: Any = None
        with closing(_marks(checkpoint)) as marks:
            while True:
                try:
                    ask = work.send(answer)
                except StopIteration:
                    return
                answer = None
                match ask:
                    case Heads(after):
                        with _placed(f"the heads after {after!r}"):
                            answer = await self._storage.heads(after=after, limit=PAGE)
                    case HeadOf(key):
                        with _placed(f"the head of submission {key!r}"):
                            answer = await self._storage.head(key)
                    case Entries(key):
                        with _placed(f"the journal of submission {key!r}"):
                            answer = await self._storage.read(key)
                    case Marks():
                        answer = await anyio.to_thread.run_sync(_some, marks)
                    case Tampering():
                        yield ask
                    case Tally():
                        if progress is not None:
                            progress(ask)
                    case never:
                        assert_never(never)

    async def checkpoint(
        self, *, taken_at: datetime, previous: str | None = None, signers: Collection[Signer] = ()
    ) -> AsyncIterator[bytes]:
        """Yield the lines of a checkpoint over all heads. Verify first: what is wrong by now is not found by it later.

        Args:
            taken_at: now.
            previous: the root of the checkpoint before this one, so that the two are in a chain.
            signers: who vouches for it.
        """
        draft = Draft(taken_at=taken_at, previous=previous)
        yield draft.begin()
        after: str | None = None
        while True:
            heads = await self._storage.heads(after=after, limit=PAGE)
            for head in heads:
                yield draft.add(Mark(key=head.key, version=head.version, digest=head.digest))
                after = head.key
            if len(heads) < PAGE:
                break
        yield draft.end()
        for signer in signers:
            yield draft.signed(signer)


@contextmanager
def _placed(what: str) -> Iterator[None]:
    """Say what could not be read: a row that no program of ours wrote may be the reason."""
    try:
        yield
    except AdapterError as error:
        raise AdapterError(f"{what} cannot be read, and nothing after it was looked at: {error}") from error


def _marks(checkpoint: Checkpoint | None) -> Generator[Mark, None, None]:
    if checkpoint is not None:
        yield from checkpoint.marks()


def _some(marks: Iterator[Mark]) -> list[Mark]:
    return list(islice(marks, PAGE))
