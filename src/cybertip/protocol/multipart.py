"""The exact bytes around a file in a multipart form (RFC 7578, spelled as browsers spell it)."""

import re
import unicodedata
from dataclasses import dataclass

from cybertip.errors import InvalidReport, Violation
from cybertip.model import ReportId

__all__ = ["FilePart", "Frame", "frame"]

_WORD = r"[A-Za-z0-9!#$&^_.+-]+"
_MEDIA_TYPE = re.compile(rf'{_WORD}/{_WORD}( *; *{_WORD}=({_WORD}|"[\x20!\x23-\x5b\x5d-\x7e]*"))*')
_SOME = re.compile(r".+", re.DOTALL)
_BOUNDARY = re.compile(r"[A-Za-z0-9]{16,70}")
_MD5 = re.compile(r"[0-9A-Fa-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """Say what is known of a file before it is sent; the bytes come from elsewhere.

    A name, media type or MD5 that cannot be sent raises `InvalidReport`, as does an empty file: NCMEC would take one, and
    an investigator would get nothing.
    """

    name: str
    media_type: str = "application/octet-stream"
    #: Bytes; None where it is not known, and the form is then sent in chunks.
    size: int | None = None
    #: The MD5 that NCMEC must confirm, where it is known beforehand: 32 hexadecimal digits.
    md5: str | None = None

    def __post_init__(self) -> None:
        found = [
            Violation(path=path, rule=rule, message=message)
            for path, rule, message, sound in (
                ("name", "file-name", "must be text that is not empty", _matches(_SOME, self.name)),
                (
                    "media_type",
                    "media-type",
                    "must be a media type, such as image/jpeg",
                    _matches(_MEDIA_TYPE, self.media_type),
                ),
                ("source", "empty-file", "has no bytes", self.size is None or self.size > 0),
                ("md5", "md5", "must be 32 hexadecimal digits", self.md5 is None or _matches(_MD5, self.md5)),
            )
            if not sound
        ]
        if found:
            raise InvalidReport(tuple(found))

    def __repr__(self) -> str:
        # The name and the digest tell what the file is.
        return f"FilePart(media_type={self.media_type!r}, size={self.size!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The bytes before and after a file, and the header that goes with them."""

    content_type: str
    head: bytes
    tail: bytes

    def __repr__(self) -> str:
        return f"Frame(head={len(self.head)} bytes, tail={len(self.tail)} bytes)"


def frame(*, report_id: ReportId, file: FilePart, boundary: str) -> Frame:
    """Frame a file as `/upload` takes it: the field `id`, then `file`.

    `boundary` must not occur in the file, whose bytes come from strangers: make it of at least 128 random bits.
    Clause: NCMEC, section 2, /upload.

    >>> made = frame(report_id=ReportId(7), file=FilePart(name='a".jpg'), boundary="0123456789abcdef")
    >>> made.head.decode().splitlines()[5]
    'Content-Disposition: form-data; name="file"; filename="a%22.jpg"'
    """
    if not _BOUNDARY.fullmatch(boundary):
        raise ValueError("a boundary must be 16 to 70 letters and digits")
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="id"\r\n'
        "\r\n"
        f"{int(report_id)}\r\n"
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{_file_name(file.name)}"\r\n'
        f"Content-Type: {file.media_type}\r\n"
        "\r\n"
    )
    return Frame(
        content_type=f"multipart/form-data; boundary={boundary}",
        head=head.encode(),
        tail=f"\r\n--{boundary}--\r\n".encode(),
    )


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _file_name(name: str) -> str:
    """Escape as the WHATWG form encoding does, and more: every control character, and the backslash.

    Browsers leave a backslash alone, but readers that know RFC 822 take the last one for an escape of the closing quote.
    """
    # Half a surrogate pair cannot be sent; whole pairs are one character.
    whole = name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "".join(
        "".join(f"%{byte:02X}" for byte in character.encode())
        if character in '"\\' or unicodedata.category(character) == "Cc"
        else character
        for character in whole
    )
