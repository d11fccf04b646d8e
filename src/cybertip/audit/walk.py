"""Going through a storage and a checkpoint side by side, for both have the order of their keys.

Written once for both colours: the walk yields what it wants to have, and is sent it.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import attrs

from cybertip.audit.judgement import Unread, judge
from cybertip.errors import AdapterError
from cybertip.filing.chain import Entry, Tampering
from cybertip.filing.checkpoint import Mark, Seal
from cybertip.ports.storage import Head

__all__ = ["PAGE", "Ask", "Entries", "HeadOf", "Heads", "Marks", "Progress", "Tally", "walk"]

#: Heads read at once, and marks.
PAGE = 200


@attrs.frozen(kw_only=True)
class Tally:
    """How much was looked at."""

    submissions: int = 0
    entries: int = 0
    #: Submissions in which a newer program wrote: their chains were checked, and not what follows from them.
    unread: int = 0


#: Told after each submission how much was looked at so far.
Progress = Callable[[Tally], object]


@attrs.frozen
class Heads:
    """Asks for the heads after a key."""

    after: str | None


@attrs.frozen
class HeadOf:
    """Asks for the head of a submission, as it is now."""

    key: str


@attrs.frozen
class Entries:
    """Asks for the journal of a submission."""

    key: str


@attrs.frozen
class Marks:
    """Asks for the checkpoint's next marks."""


#: What is wanted, and what is told.
Ask = Heads | HeadOf | Entries | Marks | Tampering | Tally
_Walk = Generator[Ask, Any, None]


def walk(seal: Seal | None) -> _Walk:
    """Look at every submission of a storage and, with a seal, of its checkpoint."""
    return _Walker(seal).walk()


class _Walker:
    def __init__(self, seal: Seal | None) -> None:
        self._seal = seal
        self._tally = Tally()
        #: Marks that were read and not used yet, the next one last.
        self._marks: list[Mark] = []

    def walk(self) -> _Walk:
        mark = yield from self._next_mark()
        after: str | None = None
        while True:
            heads: Sequence[Head] = yield Heads(after)
            for head in heads:
                if after is not None and head.key <= after:
                    raise AdapterError("the heads are not in the order of their keys: nothing can be said of them")
                after = head.key
                while mark is not None and mark.key < head.key:
                    yield from self._unlisted(mark)
                    mark = yield from self._next_mark()
                if mark is not None and mark.key == head.key:
                    yield from self._submission(head, mark)
                    mark = yield from self._next_mark()
                else:
                    yield from self._submission(head, None)
            if len(heads) < PAGE:
                break
        while mark is not None:
            yield from self._unlisted(mark)
            mark = yield from self._next_mark()

    def _next_mark(self) -> Generator[Ask, Any, Mark | None]:
        if not self._marks and self._seal is not None:
            read: Sequence[Mark] = yield Marks()
            self._marks = list(reversed(read))
        return self._marks.pop() if self._marks else None

    def _unlisted(self, mark: Mark) -> _Walk:
        """Say what is missing of a submission that the checkpoint has and the heads have not."""
        entries: Sequence[Entry] = yield Entries(mark.key)
        what = "is missing, and so is the whole submission, which the checkpoint has"
        if entries:
            what = "is there and its head is missing: nobody would find the submission"
        yield Tampering(key=mark.key, version=entries[0].version if entries else 1, what=what)
        yield self._counted(entries)

    def _submission(self, head: Head, mark: Mark | None) -> _Walk:
        entries: Sequence[Entry] = yield Entries(head.key)
        present: Head | None = head
        if len(entries) > head.version:
            # It went on meanwhile, or its head was set back: the head of now tells.
            present = yield HeadOf(head.key)
        unread = False
        try:
            yield from judge(head, entries, present=present, seal=self._seal, mark=mark)
        except Unread:
            unread = True
        yield self._counted(entries, unread=unread)

    def _counted(self, entries: Sequence[Entry], *, unread: bool = False) -> Tally:
        before = self._tally
        self._tally = Tally(
            submissions=before.submissions + 1,
            entries=before.entries + len(entries),
            unread=before.unread + unread,
        )
        return self._tally
