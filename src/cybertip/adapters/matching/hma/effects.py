"""What a plan asks for, and what it gets: questions to HMA, and work on this machine. Plans neither send nor wait."""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Generic, Literal, TypeVar

import attrs

from cybertip.adapters.matching.hma.settings import Role

__all__ = ["Ask", "Here", "Plan", "Reply"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Reply:
    """What came back, or why nothing did."""

    #: None where no whole answer came.
    status: int | None = None
    body: bytes = attrs.field(default=b"", repr=False)
    #: Why no whole answer came, in words.
    fault: str = ""
    #: The connection broke, which happens to old ones: another may hold.
    broken: bool = False


@attrs.frozen(kw_only=True)
class Ask:
    """One request. What is looked up is in no repr."""

    role: Role
    path: str
    method: Literal["GET", "POST", "PUT"] = "GET"
    query: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    #: A file to post: what HMA calls media of its kind, and its bytes.
    file: tuple[str, bytes] | None = attrs.field(default=None, repr=False)
    #: What to send as JSON.
    given: Mapping[str, int] | None = None

    def __iter__(self) -> Generator["Ask", Reply, Reply]:
        return (yield self)

    def again(self, reply: Reply) -> bool:
        """Tell whether it is worth asking once more.

        HMA answers 500 for a file that it cannot decode, for good; but for one that failed on something else, not for good.
        """
        return reply.broken or (self.file is not None and reply.status == 500)


@attrs.frozen
class Here(Generic[T]):
    """Something to do on this machine that takes its time."""

    work: Callable[[], T] = attrs.field(repr=False)

    def __iter__(self) -> Generator["Here[T]", T, T]:
        return (yield self)


#: Yields what it asks for, is sent what came of it, and returns what follows.
Plan = Generator[Ask | Here[Any], Any, T]
