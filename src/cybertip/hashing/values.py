"""What a hash is, and why there may be none."""

import re
from enum import StrEnum
from typing import Final, NewType

import attrs

__all__ = ["MD5", "PDQ", "PHOTODNA", "SHA1", "SHA256", "HashType", "MediaHash", "NotChecked", "Variant", "worst"]

#: The kind of a hash. Lists know more kinds than these, and any text is a kind.
HashType = NewType("HashType", str)

MD5: Final = HashType("md5")
SHA1: Final = HashType("sha1")
SHA256: Final = HashType("sha256")
PDQ: Final = HashType("pdq")
PHOTODNA: Final = HashType("photodna")

#: How many hexadecimal digits a hash has, where it is written in them.
_DIGITS: Final = {MD5: 32, SHA1: 40, SHA256: 64, PDQ: 64}

_HEXADECIMAL = re.compile(r"[0-9a-f]+")


class Variant(StrEnum):
    """Which of a picture's eight flips and rotations a hash is of; rotations turn counter-clockwise."""

    ORIGINAL = "original"
    ROTATED_90 = "rotated_90"
    ROTATED_180 = "rotated_180"
    ROTATED_270 = "rotated_270"
    UPSIDE_DOWN = "upside_down"  # flipped top to bottom
    MIRRORED = "mirrored"  # flipped left to right
    TRANSPOSED = "transposed"  # flipped about the diagonal that begins at the top left
    TRANSVERSED = "transversed"  # flipped about the other diagonal


class NotChecked(StrEnum):
    """Why something could not be hashed, or not be looked up. The worst comes last.

    They are ordered by how little is known: whoever merges answers keeps the last of them.
    """

    #: It has too little in it to tell it from others: a hash of it would match what has nothing to do with it.
    LOW_QUALITY = "low_quality"
    #: It is so small that its hash is mostly chance.
    TOO_SMALL = "too_small"
    #: It moves, and only the first of its pictures was looked at.
    FIRST_FRAME_ONLY = "first_frame_only"
    #: No list, or none of this kind of hash, is there to look in.
    NO_LIST = "no_list"
    #: The list, or the index made of it, is older than allowed.
    STALE_LIST = "stale_list"
    #: A hash that the matcher needs was neither given nor could be computed from what was given.
    MISSING_HASH = "missing_hash"
    #: It is of a kind that is not read here: a video, a document, a picture of a rare format.
    UNSUPPORTED_TYPE = "unsupported_type"
    #: It is larger, or takes longer to decode, than the limits allow.
    TOO_LARGE = "too_large"
    #: It claims to be of a kind that is read here, and cannot be decoded.
    UNDECODABLE = "undecodable"
    #: Its bytes could not be read.
    UNREADABLE = "unreadable"
    #: The service or the database that knows did not answer, or not in a way that is understood.
    UNAVAILABLE = "unavailable"


_BADNESS: Final = {reason: position for position, reason in enumerate(NotChecked)}


def worst(*reasons: NotChecked) -> NotChecked:
    """Return the reason that leaves the least known.

    >>> worst(NotChecked.UNAVAILABLE, NotChecked.LOW_QUALITY)
    <NotChecked.UNAVAILABLE: 'unavailable'>
    """
    return max(reasons, key=_BADNESS.__getitem__)


@attrs.frozen(kw_only=True)
class MediaHash:
    """A hash of a file's bytes or of what can be seen in it.

    >>> MediaHash(type=MD5, value="D41D8CD98F00B204E9800998ECF8427E").value
    'd41d8cd98f00b204e9800998ecf8427e'
    """

    type: HashType
    #: Hexadecimal digits, in lower case however they were given, for the kinds that are written so; else as its list has it.
    #: It is in no repr: hashes of known material are not for logs.
    value: str = attrs.field(repr=False)
    variant: Variant = Variant.ORIGINAL
    #: What the hasher thinks of it, from 0 to 100, where it says so.
    quality: int | None = None

    def __attrs_post_init__(self) -> None:
        digits = _DIGITS.get(self.type)
        if digits is None:
            return
        value = self.value.lower()
        if len(value) != digits or _HEXADECIMAL.fullmatch(value) is None:
            raise ValueError(f"a hash of type {self.type} is {digits} hexadecimal digits, and this is not")
        object.__setattr__(self, "value", value)
