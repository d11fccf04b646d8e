"""What the double sends back: an HTTP answer, and how much of it arrives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

__all__ = ["Answer", "Delivery", "Headers", "Refusal"]

Headers = tuple[tuple[str, str], ...]

_PIECE = 64 * 1024


class Delivery(Enum):
    """How much of an answer reaches the client."""

    WHOLE = auto()
    #: The connection breaks in the middle of the body.
    HALF = auto()
    #: The connection breaks before the first byte of the answer.
    NOTHING = auto()
    #: Nothing comes and the connection stays open, until the client gives up.
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. Its `body` is in memory unless `path` names a file whose bytes are the body.

    A `Content-Length` among the headers is sent as it is, even if it is wrong; without one, the true one is sent.
    """

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    path: Path | None = None
    delivery: Delivery = Delivery.WHOLE

    def header(self, name: str) -> str | None:
        """Return a header's value, whatever the case of its name.

        >>> Answer(200, (("Request-ID", "7"),)).header("request-id")
        '7'
        """
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    def framed(self) -> tuple[Headers, bytes, bool]:
        """Return what goes over the wire: the headers with a length, the bytes, and whether the connection then breaks."""
        length = self.header("content-length")
        if length is None:
            size = self.path.stat().st_size if self.path is not None else len(self.body)
            length = str(size)
            headers = (*self.headers, ("Content-Length", length))
        else:
            headers = self.headers
        if self.delivery is Delivery.HALF:
            return headers, self.body[: len(self.body) // 2], True
        # A length that is too short cuts the body, as it does at the client; one that is too long breaks the connection.
        body = self.body[: int(length)]
        return headers, body, self.path is None and len(body) < int(length)

    def pieces(self, body: bytes) -> Iterator[bytes]:
        """Yield the bytes to send: those of the file, or the body as it was framed."""
        if self.path is None:
            yield body
            return
        with self.path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


class Refusal(Exception):
    """The double's reason to answer with a code other than 0. It is an answer, never an error of the sandbox."""

    def __init__(
        self, code: int, description: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.description = description
        #: The HTTP status, where it is not the one that goes with the code.
        self.status = status
        self.headers: Headers = tuple((headers or {}).items())
