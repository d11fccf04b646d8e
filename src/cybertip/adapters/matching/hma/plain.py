"""Which pictures HMA can be trusted to hash: it takes whatever a decoder returns for red, green and blue.

A palette's numbers and the inks of a print are neither: the hash of such a picture is that of another, and finding nothing
by it means nothing. So only files that are surely stored as brightness or as red, green and blue are left to HMA.
"""

import struct

__all__ = ["is_plain"]

_PNG = b"\x89PNG\r\n\x1a\n"
#: Grey and red, green, blue; the others are palettes, or have something to see through.
_PNG_COLOURS = (0, 2)
#: Markers of a JPEG that begin a frame, which says how many colours there are.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def is_plain(data: bytes) -> bool:
    """Tell whether a picture is stored as grey or as red, green and blue, one picture a file.

    >>> is_plain(b"GIF89a")
    False
    """
    if data.startswith(b"\xff\xd8"):
        return _colours(data) in (1, 3)
    if data.startswith(_PNG):
        bits, colours = data[24:25], data[25:26]
        still = b"acTL" not in data[: data.find(b"IDAT")]
        return bits == b"\x08" and colours != b"" and colours[0] in _PNG_COLOURS and still
    return data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8 "


def _colours(data: bytes) -> int:
    """Return how many colours a JPEG has; 0 where its frame cannot be found."""
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _FRAMES:
            return data[place + 9]
        if marker == 0xFF:
            place += 1
        else:
            place += 2 + struct.unpack(">H", data[place + 2 : place + 4])[0]
    return 0
