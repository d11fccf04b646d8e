"""How an exchange reaches NCMEC. A transport carries; what the answer means is `cybertip.protocol`'s business."""

from collections.abc import AsyncIterable, Iterable
from typing import Any, Protocol

from cybertip.protocol import Answer, Request

__all__ = ["AsyncTransport", "Transport"]


class Transport(Protocol):
    """Carry one request to NCMEC and bring its answer back.

    - One call is one exchange: nothing is retried, and no redirect is followed.
    - An answer is returned whatever its HTTP status; what it means is not judged.
    - `NeverSent` is raised only where NCMEC cannot have acted on the request, `InDoubt` wherever it may have and no whole
      answer came; nothing else is raised for what the wire, or the reading of `content`, does wrong.
    - HTTP 401 and 403 are returned even where their body was lost, for they decide by status.
    - `content` is iterated only after the exchange began, block by block, and never gathered in memory. It is iterated anew
      from its beginning where authentication asks for the request again.
    - An upload is framed with a boundary that nobody can foresee, and has a Content-Length where the file's size is known.
    - No more of an answer's body is read than its endpoint can need; `Answer.fault` says where there was more.
    - Credentials, names and bodies are in no error, no repr and no log.
    """

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        """Send one request, with `content` as the bytes of its file where it has one, and return the answer."""
        ...


class AsyncTransport(Protocol):
    """Carry one request to NCMEC, as `Transport` does and with its guarantees.

    - The event loop is never blocked: what blocks happens in threads.
    - A cancelled exchange raises the cancellation; NCMEC may have acted on it.
    """

    async def exchange(self, request: Request[Any], content: AsyncIterable[bytes] | None = None) -> Answer:
        """Send one request, with `content` as the bytes of its file where it has one, and return the answer."""
        ...
