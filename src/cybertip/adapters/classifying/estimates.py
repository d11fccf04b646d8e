"""What is sent to Google's Content Safety API, and what its answers mean: pictures in batches, priorities back."""

import base64
import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import Any, Final

import attrs
import httpx

from cybertip.errors import InvalidReport
from cybertip.hashing.pictures import Limits, Unhashed
from cybertip.hashing.previews import Preview, preview
from cybertip.hashing.together import each
from cybertip.ports.matching import Classification, MediaItem, NotChecked, Priority
from cybertip.xml.as_json import parse_json

__all__ = ["MOST_BYTES", "MOST_IMAGES", "Batch", "Estimate", "Reading", "answers", "batches", "previews", "request_of"]

#: What one request may hold, as Google says.
MOST_IMAGES: Final = 32
MOST_BYTES: Final = 10_000_000

#: What a request holds beside its pictures: `{"images":[]}` without a comma, and quotes and a comma around each picture.
_AROUND: Final = 12
_AROUND_EACH: Final = 3

#: An answer has a word for each picture, and little more.
_MOST_ANSWERED: Final = 64 * 1024

#: Of a model's version, which is recorded, and of an error's name, which is logged.
_MODEL: Final = re.compile(r"[!-~]{1,100}")
_ERROR: Final = re.compile(r"[A-Z_]{1,60}")

_TIMEOUT: Final = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=30.0)

_log = logging.getLogger("cybertip")


@attrs.frozen(kw_only=True)
class Estimate:
    """What Google says of one picture."""

    priority: Priority
    model: str | None


@attrs.frozen(kw_only=True)
class Batch:
    """Pictures that are asked about in one request."""

    #: Where each has its place among the items.
    positions: tuple[int, ...]
    body: bytes = attrs.field(repr=False)


def previews(items: Sequence[MediaItem], limits: Limits | None, threads: int | None) -> list[Preview | NotChecked]:
    """Return a small copy of each item's picture, or why there is none."""
    return list(each(partial(_preview, limits=limits), items, threads=threads if len(items) > 1 else 1))


def _preview(item: MediaItem, *, limits: Limits | None) -> Preview | NotChecked:
    if item.media is None:
        return NotChecked.UNREADABLE
    found = preview(item.media, limits=limits)
    return found.reason if isinstance(found, Unhashed) else found


def batches(shown: Sequence[Preview | NotChecked]) -> Iterator[Batch]:
    """Yield requests for all the pictures that there are, none with more or larger ones than Google takes."""
    positions: list[int] = []
    images: list[bytes] = []
    size = _AROUND
    for position, one in enumerate(shown):
        if not isinstance(one, Preview):
            continue
        image = base64.b64encode(one.data)
        if images and (len(images) == MOST_IMAGES or size + len(image) + _AROUND_EACH > MOST_BYTES):
            yield _batch(positions, images)
            positions, images, size = [], [], _AROUND
        positions.append(position)
        images.append(image)
        size += len(image) + _AROUND_EACH
    if images:
        yield _batch(positions, images)


def _batch(positions: Sequence[int], images: Iterable[bytes]) -> Batch:
    return Batch(positions=tuple(positions), body=b'{"images":["' + b'","'.join(images) + b'"]}')


def request_of(batch: Batch, key: str) -> dict[str, Any]:
    """Return the parts of the request for a batch. The key is in a header: addresses end up in logs."""
    headers = {
        "X-Goog-Api-Key": key,
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"cybertip/{version('cybertip')}",
    }
    return {"method": "POST", "headers": headers, "content": batch.body, "timeout": _TIMEOUT}


class Reading:
    """What comes back for a batch, while it is read: bounded in size and time, and never believed in part."""

    def __init__(self, batch: Batch, *, answer_for: timedelta) -> None:
        self._batch = batch
        self._until = time.monotonic() + answer_for.total_seconds()
        self._status = 0
        self._body = bytearray()
        self._fault: str | None = None

    def begin(self, response: httpx.Response) -> bool:
        """Note the head of the answer, and tell whether its body is wanted: one in an encoding has no bounds."""
        self._status = response.status_code
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
            self._fault = "answered in an encoding, though none was accepted"
        return self._fault is None

    def take(self, block: bytes) -> bool:
        """Keep a piece, and tell whether more is wanted."""
        self._body += block
        if len(self._body) > _MOST_ANSWERED:
            self._fault = f"answered with more than {_MOST_ANSWERED} bytes"
        elif time.monotonic() > self._until:
            self._fault = "took too long to answer"
        return self._fault is None

    def fail(self, error: Exception) -> None:
        """Note that the exchange failed. The error's text is not quoted: it can hold what nobody should read."""
        self._fault = f"could not be asked ({type(error).__name__})"

    def estimates(self) -> dict[int, Estimate | NotChecked]:
        """Return what was said of each picture; of none, where the answer is not understood as a whole."""
        try:
            found = self._found()
        except InvalidReport:
            found = "answered with something that is not JSON"
        if isinstance(found, str):
            count = len(self._batch.positions)
            _log.warning("Google's Content Safety API %s: %d pictures are not estimated", found, count)
            return dict.fromkeys(self._batch.positions, NotChecked.UNAVAILABLE)
        return dict(zip(self._batch.positions, found, strict=True))

    def _found(self) -> list[Estimate | NotChecked] | str:
        """Return an estimate for each picture, or what is wrong with the answer."""
        if self._fault is not None:
            return self._fault
        if self._status != 200:
            return f"answered HTTP {self._status}{self._named()}"
        answer = parse_json(bytes(self._body))
        words = answer.get("reviewPriorities") if isinstance(answer, dict) else None
        if not isinstance(words, list) or len(words) != len(self._batch.positions):
            return "did not answer with one priority for each picture"
        model = answer.get("model_version", answer.get("modelVersion"))
        sound = model if isinstance(model, str) and _MODEL.fullmatch(model) else None
        return [_estimate(word, sound) for word in words]

    def _named(self) -> str:
        """Return Google's own name for its error, where it has one."""
        try:
            name = parse_json(bytes(self._body))["error"]["status"]
        except (InvalidReport, LookupError, TypeError):
            return ""
        return f" ({name})" if isinstance(name, str) and _ERROR.fullmatch(name) else ""


def _estimate(word: Any, model: str | None) -> Estimate | NotChecked:
    """Return what a word means; one that nobody knows means nothing."""
    if not isinstance(word, str) or word not in Priority.__members__:
        return NotChecked.UNAVAILABLE
    return Estimate(priority=Priority[word], model=model)


def answers(
    items: Sequence[MediaItem],
    shown: Sequence[Preview | NotChecked],
    found: Mapping[int, Estimate | NotChecked],
    *,
    classifier: str,
) -> tuple[Classification, ...]:
    """Return what is known of each item."""
    said = (one if isinstance(one, NotChecked) else _of_all(one, found[number]) for number, one in enumerate(shown))
    return tuple(_answer(item, one, classifier) for item, one in zip(items, said, strict=True))


def _of_all(shown: Preview, found: Estimate | NotChecked) -> Estimate | NotChecked:
    """Return what is known of a whole file, of which one picture was seen.

    Of a file that moves there are more. The whole cannot be less urgent than its first picture, so that a high priority
    stands. A lower one is not said, for it would be about the rest, too.
    """
    if shown.moving and isinstance(found, Estimate) and found.priority < Priority.HIGH:
        return NotChecked.FIRST_FRAME_ONLY
    return found


def _answer(item: MediaItem, said: Estimate | NotChecked, classifier: str) -> Classification:
    if isinstance(said, NotChecked):
        return Classification(item=item.id, classifier=classifier, reason=said)
    return Classification(
        item=item.id, classifier=classifier, model=said.model, priority=said.priority, label=said.priority.name
    )
