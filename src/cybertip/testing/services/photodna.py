"""A double of PhotoDNA Cloud, whose errors come with HTTP 200. It needs the extra `[pdq]`.

PhotoDNA itself is licensed and is not in here: the double knows pictures by PDQ.
"""

import io
from collections.abc import Iterable
from typing import Any

import httpx
from PIL import Image

from cybertip.hashing.pdq import SAME_PICTURE, distance
from cybertip.hashing.pictures import PictureHashes, hash_picture

__all__ = ["PhotoDnaCloud"]

_LARGEST = 4 * 1024 * 1024
_SHORTEST = 160


class PhotoDnaCloud:
    """Know some pictures.

    Args:
        known: their files.
        key: what is let in.
    """

    def __init__(self, known: Iterable[bytes], *, key: str) -> None:
        self._known = [bits for one in known for bits in _pdq(one)[:1]]
        self._key = key

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        if request.headers.get("Ocp-Apim-Subscription-Key") != self._key:
            return httpx.Response(401, json={"statusCode": 401, "message": "synthetic"})
        if (request.method, request.url.path) != ("POST", "/photodna/v1.0/Match"):
            return httpx.Response(404, json={"statusCode": 404, "message": "synthetic"})
        try:
            picture = Image.open(io.BytesIO(request.content), formats=("GIF", "JPEG", "PNG", "BMP", "TIFF"))
        except OSError:
            return _answer(3206)
        if len(request.content) > _LARGEST or min(picture.size) < _SHORTEST:
            return _answer(3208)
        near = any(distance(bits, one) <= SAME_PICTURE for bits in _pdq(request.content) for one in self._known)
        return _answer(3000, matched=near)


def _pdq(data: bytes) -> tuple[bytes, ...]:
    found = hash_picture(data)
    return found.pdq.variants if isinstance(found, PictureHashes) else ()


def _answer(code: int, *, matched: bool = False) -> httpx.Response:
    flag = {"Source": "Test", "AdvancedInfo": [{"Key": "MatchId", "Value": "17"}]}
    answer: dict[str, Any] = {
        "Status": {"Code": code, "Description": "synthetic", "Exception": None},
        "TrackingId": "synthetic-tracking-id",
        "ContentId": "synthetic-content-id",
        "IsMatch": matched,
        "MatchDetails": {"MatchFlags": [flag] if matched else []},
    }
    return httpx.Response(200, json=answer)
