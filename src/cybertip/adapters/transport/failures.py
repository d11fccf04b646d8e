"""What each of httpx's exceptions tells about the world."""

import httpx

from cybertip.errors import InDoubt, NeverSent, TransportError
from cybertip.protocol import Endpoint

__all__ = ["NEVER_SENT", "failure_of"]

#: Raised while there is no connection that a request could have left on, or by a request that is no sound HTTP.
NEVER_SENT: dict[type[Exception], str] = {
    httpx.ConnectError: "no connection could be made",
    httpx.ConnectTimeout: "no connection could be made in time",
    httpx.PoolTimeout: "no connection of the pool was free in time",
    httpx.ProxyError: "the proxy made no connection",
    httpx.UnsupportedProtocol: "the client does not speak the address's protocol",
    httpx.InvalidURL: "the client does not understand the address",
    httpx.LocalProtocolError: "the request is no sound HTTP",
}

#: Words for those after which nobody knows; whatever is not here is as doubtful.
_IN_DOUBT: dict[type[Exception], str] = {
    httpx.ReadTimeout: "no answer came in time",
    httpx.WriteTimeout: "sending took too long",
    httpx.RemoteProtocolError: "the connection ended, or broke HTTP, before the answer was whole",
    httpx.NetworkError: "the connection broke",
}


def failure_of(endpoint: Endpoint, error: Exception, *, begun: bool, source: Exception | None = None) -> TransportError:
    """Return the error that stands for one of the wire's, of a caller's hook, or of the reading of a file.

    `begun` says that the head of the request is known to have left: no name of an error can undo that, for a transport of
    the caller's may have tried twice. `source` is what went wrong with the file, if anything did. Neither the error's own
    text nor the address is quoted: both can hold what nobody should read.
    """
    kinds = _IN_DOUBT if begun else NEVER_SENT | _IN_DOUBT
    reason = next((words for kind, words in kinds.items() if isinstance(error, kind)), "the exchange failed")
    if error is source:
        reason = "the file could not be read to its end, and the upload was broken off"
    elif isinstance(error, tuple(NEVER_SENT)) and not begun:
        return NeverSent(endpoint=str(endpoint), reason=f"{reason} ({type(error).__name__})")
    return InDoubt(endpoint=str(endpoint), reason=f"{reason} ({type(error).__name__})")
