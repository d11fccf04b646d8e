"""Which pictures HMA can be trusted to hash: it takes whatever a decoder returns for red, green and blue.

A palette's numbers and the inks of a print are neither, what can be seen through has no colour of its own, and photographs
lie in their files otherwise than they were held: the hash of such a picture is that of another, and finding nothing by it
means nothing. So only files that are surely stored upright, as brightness or as red, green and blue, are left to HMA.
"""

import re
import struct
from typing import Final

__all__ = ["is_plain"]

_PNG: Final = b"\x89PNG\r\n\x1a\n"
#: Grey and red, green, blue; the others are palettes, or have something to see through.
_PNG_COLOURS: Final = (0, 2)
#: A marker of a JPEG, with any number of bytes before it that only fill.
_MARKER: Final = re.compile(rb"\xff+([^\xff])", re.DOTALL)
#: Those that begin a frame, which says how many colours there are, and those that nothing belongs to.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
_SCAN, _APP1 = 0xDA, 0xE1
#: Cameras and editors write some dozens before the picture begins; whoever writes more has something else in mind.
_MOST_SEGMENTS: Final = 1000
#: How the camera was held, as EXIF data have it and as XMP has it.
_ORIENTATION: Final = 0x0112
_SHORT: Final = 3
_XMP: Final = re.compile(rb"tiff:Orientation(?:\s*=\s*[\"']|>)\s*([0-9]+)")


def is_plain(data: bytes) -> bool:
    """Tell whether a picture is stored upright, as grey or as red, green and blue, one picture a file.

    It takes its time for files that are made to take it: not on an event loop.

    >>> is_plain(b"GIF89a")
    False
    """
    if data.startswith(b"\xff\xd8"):
        return _is_plain_jpeg(data)
    if data.startswith(_PNG):
        return _is_plain_png(data)
    return data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8 "


def _is_plain_jpeg(data: bytes) -> bool:
    place, colours = 2, 0
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.match(data, place)
        if found is None or (marker := found[1][0]) in _ALONE:
            return False
        if marker == _SCAN:
            return colours in (1, 3)
        begin = found.end()
        place = begin + max(int.from_bytes(data[begin : begin + 2], "big"), 2)
        segment = data[begin + 2 : place]
        if marker in _FRAMES:
            colours = segment[5] if len(segment) > 5 else 0
        elif marker == _APP1 and not _is_upright(segment):
            return False
    return False


def _is_plain_png(data: bytes) -> bool:
    bits, colours = data[24:25], data[25:26]
    if bits != b"\x08" or colours == b"" or colours[0] not in _PNG_COLOURS:
        return False
    begin = data.find(b"IDAT")
    if begin < 0 or data.find(b"acTL", 0, begin) >= 0 or data.find(b"tRNS", 0, begin) >= 0:
        return False
    # What follows may come after the pixels, too. That pixels look like it by chance costs an answer, and misleads nobody.
    if b"Raw profile type exif" in data or data.count(b"eXIf") > 1 or not _is_upright_xmp(data):
        return False
    place = data.find(b"eXIf")
    return place < 0 or _orientation(data[place + 4 : place + 4 + int.from_bytes(data[place - 4 : place], "big")]) == 1


def _is_upright(segment: bytes) -> bool:
    exif = b"Exif\0\0"
    return _orientation(segment.removeprefix(exif)) == 1 if segment.startswith(exif) else _is_upright_xmp(segment)


def _is_upright_xmp(data: bytes) -> bool:
    return all(found[1] == b"1" for found in _XMP.finditer(data))


def _orientation(exif: bytes) -> int:
    """Return what EXIF data say about the position: 1 is upright, as is what they do not mention; 0 if they are broken."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 0
    try:
        (place,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, place)
        for entry in range(place + 2, place + 2 + 12 * count, 12):
            tag, kind, number, value = struct.unpack_from(f"{order}HHIH", exif, entry)
            if tag == _ORIENTATION:
                return int(value) if (kind, number) == (_SHORT, 1) else 0
    except struct.error:
        return 0
    return 1
