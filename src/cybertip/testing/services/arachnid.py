"""A double of Arachnid Shield, as far as it looks up PDQ hashes. It needs the extra `[pdq]`."""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any

import httpx

from cybertip.hashing.pdq import BITS, SAME_PICTURE, distance

__all__ = ["Shield"]


class Shield:
    """Know some pictures by their PDQ hashes.

    Args:
        known: the hashes, of 32 bytes each.
        username: what is let in, with
        password: its password.
    """

    def __init__(self, known: Iterable[bytes], *, username: str, password: str) -> None:
        self._known = tuple(known)
        self._auth = httpx.BasicAuth(username, password)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        signed = next(self._auth.auth_flow(httpx.Request("GET", request.url)))
        if request.headers.get("Authorization") != signed.headers["Authorization"]:
            return httpx.Response(401, json={"detail": "synthetic"})
        if (request.method, request.url.path) != ("POST", "/v1/pdq/"):
            return httpx.Response(404, json={"detail": "synthetic"})
        try:
            hashes = [(one, base64.b64decode(one, validate=True)) for one in json.loads(request.content)["hashes"]]
        except (LookupError, TypeError, ValueError, binascii.Error):
            return httpx.Response(400, json={"detail": "synthetic"})
        if any(len(bits) != BITS // 8 for _, bits in hashes):
            return httpx.Response(400, json={"detail": "synthetic"})
        return httpx.Response(200, json={"scanned_hashes": {text: self._scanned(bits) for text, bits in hashes}})

    def _scanned(self, bits: bytes) -> dict[str, Any]:
        if not any(distance(bits, one) <= SAME_PICTURE for one in self._known):
            return {"classification": "no-known-match", "match_type": None, "near_match_details": []}
        details = {"timestamp": 0, "sha1_base32": "synthetic", "sha256_hex": "synthetic", "classification": "csam"}
        return {"classification": "csam", "match_type": "near", "near_match_details": [details]}
