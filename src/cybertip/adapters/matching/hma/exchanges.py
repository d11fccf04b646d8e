"""One exchange on its way through httpx: the request that leaves, and the answer that comes back within bounds."""

import ssl
import time
from importlib.metadata import version
from typing import Any, Final

import httpx

from cybertip.adapters.matching.hma.effects import Ask, Reply
from cybertip.adapters.matching.hma.settings import Bounds, HmaSettings

__all__ = ["Reading", "client_settings", "failed", "outgoing", "too_late"]

_FAULTS: Final[dict[type[Exception], str]] = {
    httpx.ConnectTimeout: "no connection to HMA could be made in time",
    httpx.ConnectError: "no connection to HMA could be made",
    httpx.PoolTimeout: "no connection of the pool was free in time",
    httpx.TimeoutException: "HMA did not answer in time",
    httpx.RemoteProtocolError: "the connection ended before HMA's answer was whole",
    httpx.NetworkError: "the connection to HMA broke",
}

#: After these another connection may hold: servers close those that were idle just when they are used again.
_BROKEN: Final = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class _Unquoted(httpx.URL):
    """An address whose query, which holds what is looked up, is in no log: httpx writes each address that it asks."""

    def __str__(self) -> str:
        return super().__str__().partition("?")[0]

    def __repr__(self) -> str:
        return f"URL({str(self)!r})"


def outgoing(http: Any, settings: HmaSettings, asked: Ask) -> httpx.Request:
    """Build a request with the caller's client, or ours."""
    bounds = settings.bounds
    silence = bounds.silence_for.total_seconds()
    request: httpx.Request = http.build_request(
        asked.method,
        settings.address(asked.role) + asked.path,
        params=asked.query or None,
        # HMA wants a name of a file, whatever it is.
        files={asked.file[0]: ("file", asked.file[1])} if asked.file is not None else None,
        json=asked.given,
        headers={"Accept-Encoding": "identity"},
        timeout=httpx.Timeout(silence, connect=bounds.connect_for.total_seconds()),
    )
    request.url = _Unquoted(request.url)
    return request


class Reading:
    """An answer while it is read, up to what it may be."""

    def __init__(self, response: httpx.Response, bounds: Bounds, began: float) -> None:
        self._response = response
        self._limit = bounds.answer_bytes
        self._until = began + bounds.answer_for.total_seconds()
        self._body = bytearray()
        self._fault = ""

    def wanted(self) -> bool:
        """Tell whether there is a body to read; one that a caller's hook has read is taken as it is."""
        if self._response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
            self._fault = "HMA's answer is encoded, though no encoding was accepted"
            return False
        if self._response.is_stream_consumed:
            self.take(self._response.content)
            return False
        return True

    def take(self, chunk: bytes) -> bool:
        """Keep a piece of the body; return False once, where enough was read."""
        if self._fault:
            return True
        self._body += chunk
        if len(self._body) > self._limit:
            self._fault = f"HMA's answer is larger than {self._limit} bytes"
        elif time.monotonic() > self._until:
            self._fault = "HMA's answer took too long as a whole"
        return not self._fault

    def reply(self, error: Exception | None = None) -> Reply:
        """Return what came, or why not: an error that follows from our own cutting off says nothing."""
        if self._fault:
            return Reply(fault=self._fault)
        if error is not None:
            return failed(error)
        return Reply(status=self._response.status_code, body=bytes(self._body))


def failed(error: Exception) -> Reply:
    """Return what is known after an error of the client's. Its text is not quoted: it can hold addresses."""
    words = next((words for kind, words in _FAULTS.items() if isinstance(error, kind)), "HMA could not be asked")
    return Reply(fault=f"{words} ({type(error).__name__})", broken=isinstance(error, _BROKEN))


def too_late() -> Reply:
    """Return what is known of what was not asked, because all that was asked before took too long."""
    return Reply(fault="there was no time left to ask")


def client_settings(settings: HmaSettings) -> dict[str, Any]:
    """Return the settings of a client of our own."""
    urls = [settings.address(role) for role in ("matcher", "hasher", "curator") if getattr(settings, role) is not None]
    return {
        "follow_redirects": False,
        # Where no TLS is spoken, a context that trusts nobody saves the loading of certificates.
        "verify": any(url.startswith("https://") for url in urls) or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        "limits": httpx.Limits(max_connections=settings.at_once, max_keepalive_connections=settings.at_once),
        "headers": {"User-Agent": f"cybertip/{version('cybertip')}"},
    }
