"""Request bodies as they arrive: gathered where they are small, streamed where they hold a file."""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import parse_qs

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from cybertip.protocol.codes import Code
from cybertip.sandbox.answers import Refusal
from cybertip.sandbox.uploads import Shelf, Upload

__all__ = ["Body", "Form", "Gathered", "Multipart", "Nothing", "UrlEncoded", "content_type"]

#: The most that is read of a form's field or of a form without files, in bytes.
_FIELD = 4096

_silent = logging.getLogger("cybertip.sandbox.multipart")
_silent.disabled = True


def content_type(headers: Mapping[str, str]) -> tuple[str, bytes]:
    """Return the media type that headers with lower-case names tell, and its boundary, which may be empty."""
    kind, options = parse_options_header(headers.get("content-type"))
    return kind.decode("latin-1"), options.get(b"boundary", b"")


class Body(Protocol):
    """Take a body chunk by chunk; `discard` gives back what it holds outside memory."""

    def feed(self, chunk: bytes) -> None: ...
    def discard(self) -> None: ...


class Form(Body, Protocol):
    """A body that is a form."""

    def id(self) -> int:
        """Return the report id of a form that has arrived, or refuse the form."""
        ...


class Nothing:
    """Let a body pass that nobody asked for."""

    def feed(self, chunk: bytes) -> None:
        pass

    def discard(self) -> None:
        pass


class Gathered:
    """Gather a body up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()

    def feed(self, chunk: bytes) -> None:
        # One byte more than the limit is enough to know; the rest passes by.
        self._data += chunk[: self._limit + 1 - len(self._data)]

    def data(self) -> bytes:
        """Return the body, or refuse it for its size."""
        if len(self._data) > self._limit:
            raise Refusal(Code.INVALID_REQUEST, f"Request is larger than {self._limit} bytes", status=413)
        return bytes(self._data)

    def discard(self) -> None:
        self._data.clear()


class UrlEncoded(Gathered):
    """Read an `application/x-www-form-urlencoded` form."""

    def __init__(self) -> None:
        super().__init__(_FIELD)

    def id(self) -> int:
        try:
            fields = parse_qs(self.data().decode("ascii"), keep_blank_values=True)
        except ValueError:
            raise Refusal(Code.INVALID_REQUEST, "Request cannot be read as a form") from None
        return _number(fields.get("id", []))


class Multipart:
    """Read a `multipart/form-data` form with a report's `id` and perhaps one `file`, in any order.

    The file goes to the shelf as it arrives. Whatever is wrong is said when the whole form has arrived.
    """

    def __init__(self, boundary: bytes, shelf: Shelf) -> None:
        self._shelf = shelf
        self._ids: list[str] = []
        self._upload: Upload | None = None
        self._fault: str | None = None
        self._ended = False
        # Of the part that is arriving: its headers, and where its data go.
        self._name = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._write: Callable[[memoryview], None] | None = None
        self._field = bytearray()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_to_name,
                    "on_header_value": self._add_to_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._add_data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
            # Its warnings quote bytes of the body.
            self._parser.logger = _silent
        except FormParserError as error:
            self._fault = str(error)

    def feed(self, chunk: bytes) -> None:
        if self._fault is None and chunk:
            try:
                self._parser.write(chunk)
            except FormParserError:
                self._fault = "Request cannot be read as a multipart form"

    def id(self) -> int:
        if self._fault is not None:
            raise Refusal(Code.INVALID_REQUEST, self._fault)
        if not self._ended:
            raise Refusal(Code.INVALID_REQUEST, "The multipart form ends before its last boundary")
        return _number(self._ids)

    def upload(self) -> Upload:
        """Return the file of a form that has arrived, or refuse the form."""
        if self._upload is None:
            raise Refusal(Code.INVALID_REQUEST, "Required part 'file' is not present")
        return self._upload

    def discard(self) -> None:
        if self._upload is not None:
            self._upload.discard()

    # -- what the parser calls; it may cut any of it in pieces ------------------------------------------------------------

    def _begin_part(self) -> None:
        self._headers = {}
        self._name = self._value = b""
        self._write = None
        self._field.clear()

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name, filename = options.get(b"name"), options.get(b"filename")
        if name == b"id":
            self._write = self._add_to_field
        elif name == b"file" and self._upload is not None:
            self._fault = "Part 'file' is present more than once"
        elif name == b"file":
            self._upload = self._shelf.upload(_text(filename), _text(self._headers.get(b"content-type")))
            self._write = self._upload.write

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._write is not None:
            self._write(memoryview(data)[start:end])

    def _add_to_field(self, data: memoryview) -> None:
        self._field += data[: _FIELD - len(self._field)]

    def _end_part(self) -> None:
        if self._write == self._add_to_field:
            self._ids.append(self._field.decode("utf-8", "replace"))

    def _end(self) -> None:
        self._ended = True


def _text(value: bytes | None) -> str | None:
    return value.decode("utf-8", "replace") if value is not None else None


def _number(given: list[str]) -> int:
    if len(given) != 1:
        raise Refusal(Code.INVALID_REQUEST, "Required parameter 'id' must be present once")
    text = given[0].strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise Refusal(Code.INVALID_REQUEST, "Parameter 'id' must be a number")
    return int(text)
