"""What an endpoint's answer, or its silence, means."""

import httpx

from cybertip.errors import InvalidReport
from cybertip.protocol.headers import ReplyHeaders
from cybertip.webhooks.failures import (
    WebhookDeclined,
    WebhookError,
    WebhookNotSent,
    WebhookUnanswered,
    WebhookUnreadable,
)

__all__ = ["Answer", "declined", "failure_of", "unencoded", "unreadable"]

#: Raised while there was no connection that a request could have left on.
_NOT_SENT: dict[type[Exception], str] = {
    httpx.ConnectTimeout: "no connection could be made in time",
    httpx.ConnectError: "no connection could be made",
    httpx.LocalProtocolError: "the request is no sound HTTP",
    httpx.InvalidURL: "the address is none",
}
_UNANSWERED: dict[type[Exception], str] = {
    httpx.TimeoutException: "no whole answer came in time",
    httpx.RemoteProtocolError: "the connection ended, or broke HTTP, before the answer was whole",
    httpx.NetworkError: "the connection broke",
}


def failure_of(endpoint: str, error: Exception) -> WebhookError:
    """Return our error for one of httpx's. The text of the original is not quoted, but for the guard's own words."""
    if isinstance(error, httpx.UnsupportedProtocol):
        return WebhookNotSent(endpoint=endpoint, reason=str(error))
    for kind, words in _NOT_SENT.items():
        if isinstance(error, kind):
            return WebhookNotSent(endpoint=endpoint, reason=f"{words} ({type(error).__name__})")
    words = next((words for kind, words in _UNANSWERED.items() if isinstance(error, kind)), "the exchange failed")
    return WebhookUnanswered(endpoint=endpoint, reason=f"{words} ({type(error).__name__})")


def declined(endpoint: str, response: httpx.Response) -> WebhookDeclined:
    """Return our error for a status that is no success."""
    status = response.status_code
    more = ", a redirect, which is not followed" if response.is_redirect else ""
    waits = ReplyHeaders(response.headers).retry_after_for
    return WebhookDeclined(
        endpoint=endpoint, reason=f"answered HTTP {status}{more}", status=status, retry_after_for=waits
    )


def unreadable(endpoint: str, reason: str) -> WebhookUnreadable:
    """Return our error for an answer that the contract does not have."""
    return WebhookUnreadable(endpoint=endpoint, reason=reason)


def unencoded(endpoint: str, response: httpx.Response) -> None:
    """Refuse an encoded answer: it could be larger than what was bounded."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise unreadable(endpoint, "answered in an encoding, though none was accepted")


class Answer:
    """An answer's body while it is read, up to a bound."""

    def __init__(self, endpoint: str, response: httpx.Response, *, limit: int) -> None:
        unencoded(endpoint, response)
        self._endpoint = endpoint
        self._limit = limit
        self._body = bytearray()

    def take(self, block: bytes) -> None:
        """Keep a piece; raise `WebhookUnreadable` once there are too many."""
        self._body += block
        if len(self._body) > self._limit:
            raise unreadable(self._endpoint, f"answered with more than {self._limit} bytes")

    def body(self) -> bytes:
        """Return what may be JSON."""
        body = bytes(self._body)
        if not body.strip():
            raise unreadable(self._endpoint, "answered with nothing")
        if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise unreadable(self._endpoint, "answered with HTML, not JSON: a sign-in page or a gateway's, perhaps")
        return body

    def wrong(self, error: InvalidReport) -> WebhookUnreadable:
        """Return our error for a body that does not hold what it should."""
        reason = "answered with something that the contract does not have"
        return WebhookUnreadable(endpoint=self._endpoint, reason=reason, violations=error.violations)
