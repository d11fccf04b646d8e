"""Every exception of httpx says one of two things about the world."""

import inspect
from typing import Any

import httpx
import pytest
from httpx import _exceptions

from cybertip import CybertipError, InDoubt, Misunderstanding, NeverSent, ReportId
from cybertip.adapters.transport.failures import NEVER_SENT

REPORT = ReportId(4564654)

#: All that httpx can raise, public or not.
EXCEPTIONS: set[type[Exception]] = {
    kind
    for module in (httpx, _exceptions)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__.startswith("httpx")
}
NEVER: set[type[Exception]] = {
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.InvalidURL,
    httpx.LocalProtocolError,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
}
# What is half-read is closed by httpx without telling its own generators, which trio notices.
HALF_READ = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
CALLS: dict[str, Any] = {
    "/status": lambda ncmec: ncmec.status(),
    "/finish": lambda ncmec: ncmec.finish(REPORT),
    "/upload": lambda ncmec: ncmec.upload(REPORT, b"canary bytes", name="canary.jpg"),
}


def name_of(kind: object) -> str:
    """Sort exceptions the same way every time."""
    return str(kind)


def make(kind: type[Exception]) -> Exception:
    """Make an exception of httpx, whatever it wants to know."""
    request = httpx.Request("POST", "http://canary:canary@127.0.0.1/")
    if issubclass(kind, httpx.HTTPStatusError):
        return kind("canary", request=request, response=httpx.Response(500, request=request))
    try:
        return kind("canary")
    except TypeError:
        return kind()


def test_all_of_httpx_is_known() -> None:
    """The tests below see every exception that httpx lists, and every one that the table names exists."""
    listed = {getattr(httpx, name) for name in _exceptions.__all__}
    assert listed <= EXCEPTIONS
    assert len(listed) > 25
    assert set(NEVER_SENT) == NEVER


@pytest.mark.parametrize("kind", sorted(EXCEPTIONS, key=name_of))
@pytest.mark.parametrize("path", CALLS)
def test_every_exception_is_mapped(colour: Any, kind: type[Exception], path: str) -> None:
    """What httpx raises becomes `NeverSent` where no connection was made, and otherwise `InDoubt`, with itself as cause."""
    error = make(kind)

    def raising(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(CybertipError) as raised:
        colour(CALLS[path], httpx.MockTransport(raising))
    assert type(raised.value) is (NeverSent if kind in NEVER else InDoubt)
    assert raised.value.__cause__ is error
    assert getattr(raised.value, "endpoint", None) == path
    assert kind.__name__ in str(raised.value)
    assert "canary" not in str(raised.value) + repr(raised.value)


@HALF_READ
@pytest.mark.parametrize("kind", sorted(EXCEPTIONS, key=name_of))
def test_every_exception_while_reading_leaves_doubt(colour: Any, kind: type[Exception]) -> None:
    """Once an answer began, nothing that httpx raises can mean that nothing was sent, whatever it is called."""

    class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Any:
            yield b"<report"
            raise make(kind)

        async def __aiter__(self) -> Any:
            yield b"<report"
            raise make(kind)

    with pytest.raises((InDoubt, Misunderstanding)) as raised:
        colour(CALLS["/finish"], httpx.MockTransport(lambda request: httpx.Response(200, stream=Broken())))
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    "error", [OSError("canary"), RuntimeError("canary"), ValueError("canary"), ExceptionGroup("canary", [OSError()])]
)
def test_what_nobody_foresaw_leaves_doubt(colour: Any, error: Exception) -> None:
    """An error that a transport or a hook should not raise is as doubtful as a lost answer."""

    def raising(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(InDoubt) as raised:
        colour(CALLS["/finish"], httpx.MockTransport(raising))
    assert raised.value.__cause__ is error
    assert "canary" not in str(raised.value)


def test_a_request_that_is_no_http_was_never_sent(colour: Any, kit: Any) -> None:
    """A header of the caller's client that HTTP does not allow is noticed before anything leaves."""

    def handler(connection: Any) -> None:
        assert connection.recv(65536) == b""

    for path in CALLS:
        with kit.serving(handler) as environment, pytest.raises(NeverSent):
            colour(CALLS[path], environment=environment, headers={"X-Lane": "a\nb"})


@pytest.mark.parametrize("kind", sorted(NEVER, key=name_of))
def test_a_request_that_left_cannot_be_called_back(colour: Any, kit: Any, kind: type[Exception]) -> None:
    """A transport that lost an answer, tried again and found nobody leaves doubt, whatever its last error is called."""

    class Retrying(httpx.BaseTransport, httpx.AsyncBaseTransport):
        def __init__(self) -> None:
            self.sync, self.other = httpx.HTTPTransport(), httpx.AsyncHTTPTransport()

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            with pytest.raises(httpx.RemoteProtocolError), self.sync:
                self.sync.handle_request(request)
            raise make(kind)

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            with pytest.raises(httpx.RemoteProtocolError):
                async with self.other:
                    await self.other.handle_async_request(request)
            raise make(kind)

    with kit.serving(kit.read_request) as environment, pytest.raises(InDoubt):
        colour(CALLS["/finish"], Retrying(), environment=environment)


def test_keyboard_interrupts_pass(colour: Any) -> None:
    """What ends the program is not turned into an error of ours."""

    def raising(request: httpx.Request) -> httpx.Response:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        colour(CALLS["/finish"], httpx.MockTransport(raising))
