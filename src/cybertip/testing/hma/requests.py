"""A request as HMA's routes see it."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cybertip.sandbox.answers import Answer
from cybertip.testing.hma.replies import Aborted, message

__all__ = ["Request", "request_of"]


@dataclass(frozen=True)
class Request:
    """A method, a path, a query and a body."""

    method: str
    path: str
    query: dict[str, str] = field(repr=False)
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def banks(self) -> frozenset[str] | None:
        """The banks that were asked about, where it says so."""
        given = self.query.get("banks")
        return frozenset(given.split(",")) if given else None

    def json(self) -> Any:
        """Return the body, or abort as Flask does."""
        if not self.content_type.startswith("application/json"):
            raise Aborted(_unsupported())
        try:
            return json.loads(self.body)
        except ValueError:
            words = "The browser (or proxy) sent a request that this server could not understand."
            raise Aborted(message(400, words)) from None

    def object(self) -> dict[str, Any]:
        """Return a body that is an object."""
        found = self.json()
        if not isinstance(found, dict):
            raise Aborted(message(500))
        return found


def request_of(method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
    """Take a request apart."""
    parts = urlsplit(target)
    named = {name.lower(): value for name, value in headers.items()}
    query = dict(reversed(parse_qsl(parts.query, keep_blank_values=True)))
    return Request(method, parts.path, query, named.get("content-type", ""), body, named)


def _unsupported() -> Answer:
    words = "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
    return message(415, words)
