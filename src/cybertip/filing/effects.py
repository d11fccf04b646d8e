"""What a flow asks for. An effect is yielded and its answer comes back; iterating it does just that, with its type.

```python
now = yield from Now()
```
"""

from collections.abc import Generator
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs

from cybertip.errors import TransportError
from cybertip.filing.chain import Entry
from cybertip.filing.journal import Journal
from cybertip.filing.manifest import FileEntry
from cybertip.protocol import Answer, Request

__all__ = [
    "AnyEffect",
    "Effect",
    "Exchange",
    "Flow",
    "Hold",
    "Inspect",
    "Now",
    "Read",
    "Record",
    "Report",
    "Spoiled",
    "Stopping",
]

R_co = TypeVar("R_co", covariant=True)


class Effect(Generic[R_co]):
    """Something that only a driver can do."""

    def __iter__(self) -> Generator["Effect[Any]", Any, R_co]:
        answer: R_co = yield self
        return answer


@attrs.frozen
class Now(Effect[datetime]):
    """Look at the clock."""


@attrs.frozen
class Read(Effect[tuple[Entry, ...]]):
    """Read a journal."""

    key: str


@attrs.frozen(kw_only=True)
class Record(Effect[None]):
    """Record what is pending of a journal, and when there is something to do again; raises `Conflict` if it went on."""

    journal: Journal
    due_at: datetime | None
    #: Only the holder of the claim may record; without it, anyone who is not outrun.
    claimed: bool = True
    #: Follow-up work to post with it, by topic.
    topics: tuple[str, ...] = ()


@attrs.frozen
class Spoiled:
    """The evidence could not be opened, or is not what the manifest says: nothing was sent."""

    reason: str
    #: Whether it may be well in a while: what keeps evidence does not answer, as a disk elsewhere may not for a moment.
    passing: bool = attrs.field(default=False, kw_only=True)

    @classmethod
    def unread(cls, error: Exception) -> "Spoiled":
        """Say that evidence cannot be read. What is gone is gone; everything else may pass."""
        passing = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
        return cls(f"cannot be read ({type(error).__name__})", passing=passing)


@attrs.frozen
class Inspect(Effect[Spoiled | None]):
    """Compare a file's evidence with its manifest; the answer says what is wrong, or is None."""

    file: FileEntry


@attrs.frozen(kw_only=True)
class Exchange(Effect[Answer | TransportError | Spoiled]):
    """Make a call, and return its answer or how it failed."""

    request: Request[Any]
    #: The file to send with it, and which one it is.
    file: FileEntry | None = None
    index: int = 0


@attrs.frozen(kw_only=True)
class Report(Effect[None]):
    """Tell the host how it goes: for progress and metrics, never for decisions."""

    journal: Journal


@attrs.frozen
class Stopping(Effect[bool]):
    """Ask whether the host wants the worker to stop."""


@attrs.frozen
class Hold(Effect[None]):
    """Put the claimed submission aside until a time and call a person, without touching its journal."""

    until: datetime


#: Every effect there is.
AnyEffect = Now | Read | Record | Inspect | Exchange | Report | Stopping | Hold

Flow = Generator[Effect[Any], Any, R_co]
