"""What files are called when they are sent."""

import re
from collections.abc import Iterator

from cybertip.cases.references import ItemRef
from cybertip.cases.transcripts import file_name

__all__ = ["Names"]

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
#: Not what the system's tables say, which differ from machine to machine: the same case makes the same filing everywhere.
_SUFFIXES = {
    "application/pdf": ".pdf",
    "image/avif": ".avif",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}


class Names:
    """Names under which files are sent: safe to unpack anywhere, made of the platform's identifiers, each given once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def give(self, ref: ItemRef, original: str | None, media_type: str | None) -> str:
        """Return a name that was not given yet; it ends as the original one does, or as its kind of file does."""
        ending = _SUFFIX.search(original or "")
        suffix = ending[0].lower() if ending else _SUFFIXES.get((media_type or "").partition(";")[0].lower(), "")
        # A space never stays as it is, so that the longer name gets a digest which no other name has.
        name = next(one for one in self._names(ref, suffix) if one not in self._given)
        self._given.add(name)
        return name

    @staticmethod
    def _names(ref: ItemRef, suffix: str) -> Iterator[str]:
        yield file_name(ref.id, suffix)
        yield file_name(f"{ref.type_id} {ref.id}", suffix)
        number = 2
        while True:
            yield file_name(f"{ref.type_id} {ref.id} {number}", suffix)
            number += 1
