"""What each of httpx's exceptions tells about the world."""

import httpx

from cybertip.errors import InDoubt, NeverSent, TransportError
from cybertip.protocol import Endpoint

__all__ = ["NEVER_SENT", "failure_of"]

#: Raised only while there is no connection that a request could have left on.
NEVER_SENT: dict[type[Exception], str] = {
    httpx.ConnectError: "no connection could be made",
    httpx.ConnectTimeout: "no connection could be made in time",
    httpx.PoolTimeout: "no connection of the pool was free in time",
    httpx.ProxyError: "the proxy made no connection",
    httpx.UnsupportedProtocol: "the client does not speak the address's protocol",
    httpx.InvalidURL: "the client does not understand the address",
}

#: Words for those after which nobody knows; whatever is not here is as doubtful.
_IN_DOUBT: dict[type[Exception], str] = {
    httpx.ReadTimeout: "no answer came in time",
    httpx.WriteTimeout: "sending took too long",
    httpx.RemoteProtocolError: "the connection ended, or broke HTTP, before the answer was whole",
    httpx.NetworkError: "the connection broke",
}


def failure_of(
    endpoint: Endpoint, error: Exception, *, source: Exception | None = None, begun: bool = True
) -> TransportError:
    """Return the error that stands for one of the wire's, of a caller's hook, or of the reading of a file.

    `source` is what went wrong with the file, if anything did; `begun` is false where the head of the request is known not
    to have left. Neither the error's own text nor the address is quoted: both can hold what nobody should read.
    """
    if error is source:
        reason = "the file could not be read to its end, and the upload was broken off"
        return InDoubt(endpoint=str(endpoint), reason=f"{reason} ({type(error).__name__})")
    for kind, reason in NEVER_SENT.items():
        if isinstance(error, kind):
            return NeverSent(endpoint=str(endpoint), reason=f"{reason} ({type(error).__name__})")
    if isinstance(error, httpx.LocalProtocolError) and not begun:
        return NeverSent(endpoint=str(endpoint), reason="the request is no sound HTTP (LocalProtocolError)")
    reason = next((words for kind, words in _IN_DOUBT.items() if isinstance(error, kind)), "the exchange failed")
    return InDoubt(endpoint=str(endpoint), reason=f"{reason} ({type(error).__name__})")
