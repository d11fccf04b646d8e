"""Files that are posted, and how HMA hashes them: as they lie in the file, palettes, inks and rotation included."""

import hashlib
import io
import re
from dataclasses import dataclass
from typing import Any

from cybertip.sandbox.answers import Answer
from cybertip.testing.hma.replies import Aborted, message

__all__ = ["Form", "form_of", "hashed"]

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_PARAMETER = re.compile(r'\b(name|filename)="([^"]*)"')

#: Below this quality HMA gives no hash.
_LOWEST_QUALITY = 50


@dataclass(frozen=True)
class Form:
    """A form's files and fields."""

    files: tuple[tuple[str, bytes], ...] = ()
    fields: tuple[tuple[str, str], ...] = ()


def form_of(content_type: str, body: bytes) -> Form:
    """Read a form; what is none has neither files nor fields."""
    boundary = _BOUNDARY.search(content_type)
    if not content_type.startswith("multipart/form-data") or boundary is None:
        return Form()
    files, fields = [], []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        named = dict(_PARAMETER.findall(head.decode("utf-8", "replace")))
        if "filename" in named:
            files.append((named.get("name", ""), content))
        else:
            fields.append((named.get("name", ""), content.decode("utf-8", "replace")))
    return Form(tuple(files), tuple(fields))


def hashed(signal: str, data: bytes) -> str:
    """Hash a file as HMA does; nothing for a picture of low quality, and a failure for what is no picture."""
    return _pdq(data) if signal == "pdq" else hashlib.md5(data, usedforsecurity=False).hexdigest()


def _pdq(data: bytes) -> str:
    import numpy as np
    from PIL import Image

    from cybertip.hashing.pdq import SIDE_LIMIT, pdq

    try:
        with Image.open(io.BytesIO(data)) as picture:
            array: Any = np.asarray(picture.convert("RGB") if picture.mode in ("LA", "I;16") else picture)
    except Exception as error:
        # What Pillow raises goes through HMA as a failure of the program.
        raise Aborted(_failed()) from error
    if array.dtype == bool or min(array.shape[:2]) < SIDE_LIMIT:
        return ""
    if array.ndim == 2:
        array = np.stack([array] * 3, axis=2)
    found = pdq(np.ascontiguousarray(array[:, :, :3]))
    return "" if found.quality < _LOWEST_QUALITY else found.variants[0].hex()


def _failed() -> Answer:
    return message(500)
