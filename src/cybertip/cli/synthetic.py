"""Files for the demonstration: generated noise, generated shapes and an invented conversation."""

import json
import random
import struct
import zlib
from pathlib import Path

__all__ = ["make_files"]

_SIZE = 1024


def make_files(folder: Path) -> tuple[Path, ...]:
    """Write the three files that the example names, the same bytes each time."""
    chance = random.Random(17)  # noqa: S311 - noise for a picture
    noise = b"".join(b"\0" + chance.randbytes(3 * _SIZE) for _ in range(_SIZE))
    shapes = b"".join(b"\0" + bytes(_shade(x, y) for x in range(_SIZE) for _ in range(3)) for y in range(_SIZE))
    made = {
        "noise.png": _png(noise),
        "shapes.png": _png(shapes),
        "transcript.jsonl": "".join(f"{json.dumps(message)}\n" for message in _conversation()).encode(),
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return tuple(folder / name for name in made)


def _shade(x: int, y: int) -> int:
    """Return the grey of a pixel: a disc on a chessboard."""
    disc = (x - _SIZE // 2) ** 2 + (y - _SIZE // 2) ** 2 < (_SIZE // 3) ** 2
    return 255 if disc else 64 + 64 * ((x // 64 + y // 64) % 2)


def _png(lines: bytes) -> bytes:
    """Wrap filtered lines of RGB pixels in the three chunks that a PNG needs."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", _SIZE, _SIZE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines, 1)), chunk(b"IEND", b""))
    )


def _conversation() -> list[dict[str, object]]:
    people = ("user-1001", "user-1002")
    return [
        {
            "id": f"message-{number}",
            "thread": "thread-1",
            "sentAt": f"2025-06-01T13:0{number}:00+00:00",
            "sender": people[number % 2],
            "recipients": [people[1 - number % 2]],
            "text": f"Synthetic message {number}.",
        }
        for number in range(5)
    ]
