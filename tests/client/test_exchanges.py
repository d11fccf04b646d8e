"""Each call is one exchange, and both clients make it alike."""

import gzip
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cybertip import (
    AsyncClient,
    Client,
    Credentials,
    Email,
    Environment,
    FileDetails,
    FileId,
    IncidentSummary,
    IncidentType,
    Misunderstanding,
    NeverSent,
    NotAllowed,
    Person,
    Report,
    Reporter,
    ReportId,
    Unavailable,
    read,
)

REPORT = ReportId(4564654)
FILE = FileId("12345678901234567890123456789012")
DETAILS = FileDetails(report_id=REPORT, file_id=FILE)
DOCUMENT = Report(
    incident_summary=IncidentSummary(
        incident_type=IncidentType.ONLINE_ENTICEMENT,
        incident_date_time=datetime(2025, 1, 31, 12, tzinfo=UTC),
    ),
    reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
)
XSD = b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'
CREDENTIALS = Credentials(username="Aladdin", password="open sesame")
BASIC = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="

CALLS: dict[str, Any] = {
    "/status": lambda ncmec: ncmec.status(),
    "/xsd": lambda ncmec: ncmec.schema(),
    "/submit": lambda ncmec: ncmec.submit(DOCUMENT),
    "/upload": lambda ncmec: ncmec.upload(REPORT, b"example", name="a.jpg"),
    "/fileinfo": lambda ncmec: ncmec.describe(DETAILS),
    "/finish": lambda ncmec: ncmec.finish(REPORT),
    "/retract": lambda ncmec: ncmec.retract(REPORT),
}
MD5 = "1a79a4d60de6718e8e5b326e338ae533"
each_call = pytest.mark.parametrize("path", CALLS)


def success(kit: Any, path: str) -> bytes:
    """Return the body of an endpoint's success."""
    bodies = {
        "/status": kit.reply(),
        "/xsd": XSD,
        "/submit": kit.reply(reportId=REPORT),
        "/upload": kit.reply(reportId=REPORT, fileId=FILE, hash=MD5),
        "/fileinfo": kit.reply(),
        "/finish": kit.reply(root="reportDoneResponse", reportId=REPORT, files=f"<fileId>{FILE}</fileId>"),
        "/retract": kit.reply(),
    }
    body: bytes = bodies[path]
    return body


@each_call
def test_a_call_is_one_request(colour: Any, kit: Any, path: str) -> None:
    """Each call sends exactly one request, with its method, address, body and credentials, and answers what was granted."""
    transport, seen = kit.answering(success(kit, path), Request_ID="abc")
    reply = colour(CALLS[path], transport, credentials=CREDENTIALS)
    (request,) = seen
    assert str(request.url) == f"http://127.0.0.1:8025/ispws{path}"
    assert request.method == ("GET" if path in ("/status", "/xsd") else "POST")
    assert request.headers["Authorization"] == BASIC
    assert request.headers["Accept-Encoding"] == "identity"
    assert (reply.request_id, reply.raw) == ("abc", success(kit, path))
    kind = request.headers.get("Content-Type")
    match path:
        case "/submit":
            assert (kind, read(request.content)) == ("text/xml; charset=utf-8", DOCUMENT)
        case "/fileinfo":
            assert (kind, read(request.content)) == ("text/xml; charset=utf-8", DETAILS)
        case "/finish" | "/retract":
            assert (kind, request.content) == ("application/x-www-form-urlencoded", b"id=4564654")
        case "/upload":
            assert kind is not None
            assert kind.startswith("multipart/form-data; boundary=")
            assert int(request.headers["Content-Length"]) == len(request.content)
        case _:
            assert (kind, request.content) == (None, b"")


@pytest.mark.parametrize("environment", [Environment.TEST, Environment.PRODUCTION])
def test_the_environment_decides_the_address(colour: Any, kit: Any, environment: Environment) -> None:
    """Requests go to the environment that was chosen, whatever base address the caller's client has."""
    transport, seen = kit.answering(kit.reply())
    colour(CALLS["/status"], transport, environment=environment, base_url="https://example.com/elsewhere")
    assert str(seen[0].url) == f"{environment.url}/status"


@each_call
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(colour: Any, kit: Any, path: str, status: int) -> None:
    """A redirect is not followed, even by a client that follows them: evidence goes nowhere but to NCMEC."""
    transport, seen = kit.answering(success(kit, path), status, Location="https://example.com/")
    with pytest.raises(Misunderstanding, match="redirect"):
        colour(CALLS[path], transport, credentials=CREDENTIALS, follow_redirects=True)
    assert len(seen) == 1


@each_call
def test_nothing_is_retried(colour: Any, kit: Any, path: str) -> None:
    """An answer that says "later" is reported, once, with the time to wait."""
    transport, seen = kit.answering(b"", 503, Retry_After="7")
    with pytest.raises(Unavailable) as raised:
        colour(CALLS[path], transport)
    assert raised.value.retry_after_for == 7.0
    assert len(seen) == 1


# -- a client of the caller's -------------------------------------------------------------------------------------------


def test_a_callers_client_keeps_what_it_has(colour: Any, kit: Any) -> None:
    """Authentication, headers, cookies and hooks of the caller's own client apply, and it stays open."""
    transport, seen = kit.answering(kit.reply())
    heard: list[str] = []
    reply = colour(
        CALLS["/retract"],
        transport,
        auth=("Aladdin", "open sesame"),
        headers={"X-Gateway": "example", "Accept-Encoding": "gzip"},
        cookies={"lane": "1"},
        event_hooks={
            "request": [colour.hooks(lambda request: heard.append(request.url.path))],
            "response": [colour.hooks(lambda response: heard.append(str(response.status_code)))],
        },
    )
    assert reply.report_id == REPORT
    (request,) = seen
    assert request.headers["Authorization"] == BASIC
    assert request.headers["X-Gateway"] == "example"
    assert request.headers["Cookie"] == "lane=1"
    assert request.headers["Accept-Encoding"] == "identity"
    assert heard == ["/ispws/retract", "200"]


def test_credentials_take_the_place_of_the_clients_own(colour: Any, kit: Any) -> None:
    """Credentials that are given are the ones that are sent; without any, nothing is made up."""
    transport, seen = kit.answering(kit.reply())
    colour(CALLS["/status"], transport, credentials=CREDENTIALS, auth=("other", "other"))
    colour(CALLS["/status"], transport)
    assert [request.headers.get("Authorization") for request in seen] == [BASIC, None]


def test_timeouts_are_the_callers_unless_given(colour: Any, kit: Any) -> None:
    """A caller's client keeps its timeouts unless one is given."""
    transport, seen = kit.answering(kit.reply())
    colour(CALLS["/status"], transport)
    colour(CALLS["/status"], transport, timeout=3)
    colour(CALLS["/status"], transport, timeout=httpx.Timeout(1, read=2))
    found = [request.extensions["timeout"] for request in seen]
    assert [one["read"] for one in found] == [5, 3, 2]
    assert [one["connect"] for one in found] == [5, 3, 1]


class Challenged(httpx.Auth):
    """Answer a challenge by sending the request again, as Digest does."""

    def auth_flow(self, request: httpx.Request) -> Any:
        response = yield request
        assert response.status_code == 401
        request.headers["Authorization"] = "Example answered"
        yield request


class Signed(httpx.Auth):
    """Sign the body, as some gateways ask."""

    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["X-Signature"] = str(len(request.content))
        yield request


@each_call
def test_authentication_may_ask_twice(colour: Any, kit: Any, path: str) -> None:
    """An authentication that answers a challenge sends the whole request again, file and all."""
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        if "Authorization" not in request.headers:
            return httpx.Response(401)
        return httpx.Response(200, content=success(kit, path))

    class Wire(httpx.MockTransport):
        """Forget a body once it was read, as a connection does."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return super().handle_request(self._fresh(request))

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return await super().handle_async_request(self._fresh(request))

        def _fresh(self, request: httpx.Request) -> httpx.Request:
            return httpx.Request(request.method, request.url, headers=request.headers, stream=request.stream)

    colour(CALLS[path], Wire(answer), auth=Challenged())
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


@each_call
def test_authentication_may_see_the_body(colour: Any, kit: Any, path: str) -> None:
    """An authentication that signs the body is shown it."""
    transport, seen = kit.answering(success(kit, path))
    colour(CALLS[path], transport, auth=Signed())
    assert seen[0].headers["X-Signature"] == str(len(seen[0].content))


@each_call
@pytest.mark.parametrize("read_first", [True, False])
def test_a_hook_that_raises_for_status_loses_no_answer(colour: Any, kit: Any, path: str, read_first: bool) -> None:
    """A client whose hook raises for every error status still gets the answer understood."""

    def hook(response: httpx.Response) -> None:
        response.raise_for_status()

    async def reading_async(response: httpx.Response) -> None:
        await response.aread()
        response.raise_for_status()

    def reading(response: httpx.Response) -> None:
        response.read()
        response.raise_for_status()

    chosen = hook if not read_first else reading if colour.backend is None else reading_async
    hooks = {"response": [chosen if chosen is reading_async else colour.hooks(chosen)]}
    for status, expected in ((401, NotAllowed), (503, Unavailable)):
        transport, _ = kit.answering(b"", status)
        with pytest.raises(expected):
            colour(CALLS[path], transport, event_hooks=hooks)


def test_a_hook_may_read_the_reply(colour: Any, kit: Any) -> None:
    """A reply that a caller's hook has read already is understood all the same."""

    def read_it(response: httpx.Response) -> Any:
        return response.read() and None if colour.backend is None else response.aread()

    transport, _ = kit.answering(kit.reply(), Request_ID="abc")
    assert colour(CALLS["/retract"], transport, event_hooks={"response": [colour.hooks(read_it)]}).request_id == "abc"


# -- bounds -------------------------------------------------------------------------------------------------------------


class Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that never ends, and counts what was asked of it."""

    def __init__(self) -> None:
        self.sent = 0

    def __iter__(self) -> "Endless":
        return self

    def __aiter__(self) -> "Endless":
        return self

    def __next__(self) -> bytes:
        self.sent += 65536
        return b" " * 65536

    async def __anext__(self) -> bytes:
        return next(self)


# Half-read bodies are closed by httpx without telling its own generators, which trio notices.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@each_call
def test_a_reply_is_read_up_to_a_bound(colour: Any, path: str) -> None:
    """A body without end costs a bounded amount of memory, and is no answer; the schema may be larger than a reply."""
    body = Endless()
    with pytest.raises(Misunderstanding, match="larger than"):
        colour(CALLS[path], httpx.MockTransport(lambda request: httpx.Response(200, stream=body)))
    limit = (8 if path == "/xsd" else 1) << 20
    assert limit <= body.sent <= limit + 2 * 65536


def test_a_large_schema_is_read(colour: Any, kit: Any) -> None:
    """A schema of several megabytes is no surprise."""
    body = XSD.replace(b"/>", b">" + b" " * (4 << 20) + b"</xs:schema>")
    assert colour(CALLS["/xsd"], kit.answering(body)[0]).schema == body


def test_a_compressed_reply_is_not_unpacked(colour: Any, kit: Any) -> None:
    """An encoding that nobody accepted is refused, so that a small body cannot become a large one."""
    packed = gzip.compress(kit.reply())

    def plain(body: bytes, status: int) -> Any:
        return httpx.MockTransport(
            lambda request: httpx.Response(status, stream=Once(body), headers={"Content-Encoding": "gzip"})
        )

    with pytest.raises(Misunderstanding, match="encoded"):
        colour(CALLS["/retract"], plain(packed, 200))
    with pytest.raises(Unavailable):
        colour(CALLS["/retract"], plain(packed, 503))
    with pytest.raises(NotAllowed):
        colour(CALLS["/retract"], plain(packed, 401))


class Once(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in one piece that was not read yet."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Any:
        yield self._body

    async def __aiter__(self) -> Any:
        yield self._body


# -- making a client ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_is_made_of_the_right_things(kind: Any) -> None:
    """There is no default environment, and nothing passes for one; each mistake is named."""
    with pytest.raises(TypeError):
        kind()
    for environment in ("test", "https://exttest.cybertip.org/ispws", None, Environment):
        with pytest.raises(TypeError, match=r"Environment\.TEST"):
            kind(environment)
    with pytest.raises(TypeError, match="Credentials"):
        kind(Environment.TEST, ("canary", "canary"))
    wrong = httpx.AsyncClient() if kind is Client else httpx.Client()
    with pytest.raises(TypeError, match=r"httpx\."):
        kind(Environment.TEST, http=wrong)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_of_ours_is_careful(kind: Any) -> None:
    """Our own client verifies TLS, follows nothing and waits for nothing for ever; to a sandbox it uses no proxy."""
    for environment in (Environment.TEST, Environment.PRODUCTION, Environment.sandbox("https://127.0.0.1:8025")):
        client = kind(environment)
        http = client._transport._http
        assert client.environment is environment
        assert http.follow_redirects is False
        assert http.trust_env is not environment.is_sandbox
        assert all(value is not None for value in http.timeout.as_dict().values())
        context = http._transport._pool._ssl_context
        assert context.check_hostname is True
        assert context.verify_mode.name == "CERT_REQUIRED"
        assert repr(client) == f"<{kind.__name__} of {environment}>"


def test_a_closed_client_sends_nothing(colour: Any, kit: Any) -> None:
    """A call with a client that was closed says that nothing was sent."""

    def use_closed(ncmec: Any) -> Any:
        if colour.backend is None:
            ncmec.close()
            return ncmec.status()

        async def main() -> None:
            await ncmec.aclose()
            await ncmec.status()

        return main()

    with pytest.raises(NeverSent, match="closed"):
        colour(use_closed)


def test_the_library_itself_imports_no_http_client() -> None:
    """Only making a client costs an HTTP client."""
    program = "import sys, cybertip, cybertip.protocol, cybertip.client; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
