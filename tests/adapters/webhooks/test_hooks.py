"""The platform's endpoints are called once, signed, in bounded time; and what went wrong says what is known of the world."""

import base64
import contextlib
import json
import logging
import pickle
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cybertip.cases.enrichment import AdditionalInfoRequest
from cybertip.cases.notices import CaseEvent, CaseEventKind, Preservation
from cybertip.cases.references import CaseId, ItemRef, UserRef
from cybertip.errors import AdapterError
from cybertip.model import ReportId
from cybertip.ports.policing import policed
from cybertip.webhooks.addresses import LOOPBACK, Guard
from cybertip.webhooks.endpoints import Endpoint, Limits
from cybertip.webhooks.failures import (
    WebhookDeclined,
    WebhookError,
    WebhookNotSent,
    WebhookUnanswered,
    WebhookUnreadable,
)
from cybertip.webhooks.signing import Headers
from cybertip.webhooks.standard import StandardSigner, StandardVerifier

KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)
HERE = Guard(hosts=["127.0.0.1", "localhost"], networks=LOOPBACK)
REQUEST = AdditionalInfoRequest(
    users=(UserRef(id="canary", type_id="user"),), media=(ItemRef(id="m1", type_id="image"),)
)
PRESERVATION = Preservation(
    user=UserRef(id="u1", type_id="user"),
    reported_media=(ItemRef(id="m1", type_id="image"),),
    report_id=ReportId(123456789),
)
EVENT = CaseEvent(kind=CaseEventKind.NEEDS_HUMAN, case=CaseId("c1"), at=NOW)
ANSWER = b'{"users":[{"id":"canary","typeId":"user"}],"media":[{"id":"m1","typeId":"image"}]}'
CALLS = [("additional_info", REQUEST), ("preserve", PRESERVATION), ("notify", EVENT)]
NAMES = {"additional_info": "additional info", "preserve": "preservation", "notify": "case event"}


class Fixed:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return noon."""
        return NOW


def at(url: str, **more: Any) -> dict[str, Any]:
    """Return what makes adapters whose three endpoints are one server."""
    one = Endpoint(address=f"{url}/canary?token=canary", signer=StandardSigner([KEY]))
    return {"additional_info": one, "preservation": one, "case_event": one, "guard": HERE, "clock": Fixed(), **more}


@pytest.mark.parametrize(("method", "value"), CALLS)
def test_a_request_is_signed_and_says_what_the_contract_says(
    colour: Any, serving: Any, answer: Any, method: str, value: Any
) -> None:
    """The body is the contract's in its compact form, under a signature of now and the id that was given."""
    with serving(answer(ANSWER)) as server:
        getattr(colour.webhooks(**at(server.url)), method)(value, id="case-1_2")
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/canary?token=canary")
    assert request.body == json.dumps(value.as_json(), sort_keys=True, separators=(",", ":")).encode()
    assert request.headers["content-type"] == "application/json"
    verified = StandardVerifier([KEY]).verify(request.body, request.headers, now=NOW)
    assert (verified.id, verified.sent_at) == ("case-1_2", NOW)


def test_the_bodies_are_those_of_the_contract() -> None:
    """Preservation is spelled as Coop spells it; an event as Standard Webhooks recommends; and both can be read again."""
    assert PRESERVATION.as_json() == {
        "user": {"id": "u1", "typeId": "user"},
        "reportedMedia": [{"id": "m1", "typeId": "image"}],
        "reportId": "123456789",
    }
    assert EVENT.as_json() == {
        "type": "case.needs_human",
        "timestamp": "2025-01-01T12:00:00+00:00",
        "data": {"caseId": "c1", "reportId": None},
    }
    assert Preservation.from_json(PRESERVATION.as_json()) == PRESERVATION
    filed = CaseEvent(kind=CaseEventKind.FILED, case=CaseId("c1"), at=NOW, report_id=ReportId(7))
    assert CaseEvent.from_json(filed.as_json()) == filed


def test_the_answer_is_read(colour: Any, serving: Any, answer: Any) -> None:
    """What the platform knows comes back as values, also from an answer in pieces."""

    def chunked(connection: socket.socket, _: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(ANSWER), 10):
            piece = ANSWER[start : start + 10]
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.sendall(b"0\r\n\r\n")

    for behaviour in (
        answer(ANSWER),
        chunked,
        answer(ANSWER, Content_Type="text/plain"),
        answer(b"\xef\xbb\xbf" + ANSWER),
    ):
        with serving(behaviour) as server:
            found = colour.webhooks(**at(server.url)).additional_info(REQUEST, id="a")
        assert [one.ref for one in found.users] == list(REQUEST.users)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
def test_any_success_is_one(colour: Any, serving: Any, answer: Any, status: str) -> None:
    """Whoever hears and says so in any way has heard; what else the answer says does not matter."""
    with serving(answer(b"" if "204" in status else b"<html>\xff", status=status)) as server:
        webhooks = colour.webhooks(**at(server.url))
        assert webhooks.preserve(PRESERVATION, id="a") is None
        assert webhooks.notify(EVENT, id="b") is None
    assert len(server.requests) == 2


@pytest.mark.parametrize(("method", "value"), CALLS)
@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 503])
def test_anything_else_is_none(colour: Any, serving: Any, answer: Any, method: str, value: Any, status: int) -> None:
    """A refusal is told by its status and its patience; a redirect is not followed, wherever it leads."""
    behaviour = answer(b"canary", status=f"{status} X", Location="/elsewhere", Retry_After="120")
    with serving(behaviour) as server, pytest.raises(WebhookDeclined) as declined:
        getattr(colour.webhooks(**at(server.url)), method)(value, id="a")
    assert (declined.value.status, declined.value.retry_after_for) == (status, 120.0)
    assert declined.value.endpoint == NAMES[method]
    assert ("redirect" in str(declined.value)) == (status in (301, 302, 307, 308))
    assert len(server.requests) == 1
    assert "canary" not in str(declined.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "with nothing"),
        (b"  \n", "with nothing"),
        (b"<!DOCTYPE html><title>canary</title>", "HTML, not JSON"),
        (b"\xef\xbb\xbf<html>", "HTML, not JSON"),
        (b"canary", "is not JSON"),
        (ANSWER[:-1], "is not JSON"),
        (b"\xff\xfe\xfd", "is not JSON"),
        (b"[]", "answer: must be an object"),
        (b'{"users":[{"id":"canary","typeId":7}]}', r"answer\.users\[0\]\.typeId: must be text"),
        (b'{"users":[],"messages":[{"id":"1","typeId":"m","ipAddress":"canary"}]}', r"messages\[0\]\.ipAddress"),
    ],
)
def test_an_answer_that_is_none_is_named(colour: Any, serving: Any, answer: Any, body: bytes, words: str) -> None:
    """HTML, half an answer or a wrong type: the error says what came and where it is wrong, and repeats nothing of it."""
    with serving(answer(body)) as server, pytest.raises(WebhookUnreadable, match=words) as unreadable:
        colour.webhooks(**at(server.url)).additional_info(REQUEST, id="a")
    assert "canary" not in str(unreadable.value)
    assert "canary" not in repr(unreadable.value)


def test_every_wrong_entry_is_kept_on_the_error(serving: Any, answer: Any, colour: Any) -> None:
    """A reviewer's screen can show entry by entry what is wrong."""
    body = b'{"users":[{"id":1,"typeId":"t"},{"id":"b"}]}'
    with serving(answer(body)) as server, pytest.raises(WebhookUnreadable) as unreadable:
        colour.webhooks(**at(server.url)).additional_info(REQUEST, id="a")
    assert [one.path for one in unreadable.value.violations] == ["answer.users[0].id", "answer.users[1].typeId"]


def endlessly(start: bytes, piece: bytes) -> Callable[[socket.socket, Any], None]:
    """Return the behaviour of sending a piece again and again, as fast as the receiver takes it."""

    def behave(connection: socket.socket, _: object) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(piece)

    return behave


def test_a_huge_answer_is_read_up_to_its_bound(colour: Any, serving: Any) -> None:
    """An endless answer, its end never announced, is given up once it is larger than any that makes sense."""
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    behaviour = endlessly(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk)
    limits = Limits(answer_bytes=1_000_000)
    with serving(behaviour) as server, pytest.raises(WebhookUnreadable, match="more than 1000000 bytes"):
        colour.webhooks(**at(server.url, limits=limits)).additional_info(REQUEST, id="a")


def test_an_answer_in_an_encoding_is_refused(colour: Any, serving: Any, answer: Any) -> None:
    """What is small on the wire and huge when unpacked is never unpacked."""
    with serving(answer(ANSWER, Content_Encoding="gzip")) as server, pytest.raises(WebhookUnreadable, match="encoding"):
        colour.webhooks(**at(server.url)).additional_info(REQUEST, id="a")
    assert server.requests[0].headers["accept-encoding"] == "identity"


def drips(start: bytes, piece: bytes, count: int = 400) -> Callable[[socket.socket, Any], None]:
    """Return the behaviour of sending a piece every 50 ms, for 20 seconds."""

    def behave(connection: socket.socket, _: object) -> None:
        connection.sendall(start)
        for _ in range(count):
            connection.sendall(piece)
            time.sleep(0.05)

    return behave


@pytest.mark.parametrize(
    "behaviour",
    [
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", b" "),
        drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        drips(b"", b"H"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "headers", "status line", "informational"],
)
def test_a_slow_answer_is_given_up_as_a_whole(colour: Any, serving: Any, behaviour: Any) -> None:
    """A server that sends a byte now and then, wherever in its answer, holds nobody up beyond the deadline."""
    limits = Limits(deadline_for=timedelta(seconds=0.5), silence_for=timedelta(seconds=10))
    with serving(behaviour) as server, pytest.raises(WebhookUnanswered, match="in time"):
        colour.webhooks(**at(server.url, limits=limits)).additional_info(REQUEST, id="a")


def test_silence_is_not_waited_out_beyond_the_deadline(colour: Any, serving: Any) -> None:
    """The last wait is as long as what is left of the deadline, not as long as a silence may be."""

    def pauses(connection: socket.socket, _: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")
        connection.settimeout(8)
        with contextlib.suppress(TimeoutError):
            # It returns at once when the caller gives up.
            connection.recv(1)
        connection.sendall(ANSWER.ljust(400))

    limits = Limits(deadline_for=timedelta(seconds=0.5), silence_for=timedelta(seconds=60))
    with serving(pauses) as server, pytest.raises(WebhookUnanswered, match="in time"):
        colour.webhooks(**at(server.url, limits=limits)).additional_info(REQUEST, id="a")


def test_silence_is_given_up(colour: Any, serving: Any) -> None:
    """A server that takes the request and says nothing is given up; it may have acted on it."""
    limits = Limits(silence_for=timedelta(seconds=0.2))
    with (
        serving(lambda connection, _: connection.recv(1)) as server,
        pytest.raises(WebhookUnanswered, match="may have acted"),
    ):
        colour.webhooks(**at(server.url, limits=limits)).preserve(PRESERVATION, id="a")


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nConte"]
)
def test_half_an_answer_is_none(colour: Any, serving: Any, said: bytes) -> None:
    """A connection that ends early, or says what is no HTTP, leaves it open whether the endpoint acted."""
    with serving(lambda connection, _: connection.sendall(said)) as server, pytest.raises(WebhookUnanswered):
        colour.webhooks(**at(server.url)).additional_info(REQUEST, id="a")


def test_nobody_there_means_nothing_sent(colour: Any) -> None:
    """Where no connection can be made, nothing happened."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(WebhookNotSent, match="no connection could be made"):
        colour.webhooks(**at(f"http://127.0.0.1:{port}")).preserve(PRESERVATION, id="a")


class Wordless:
    """A signer that gives no signature."""

    content_type = "application/json"

    def sign(self, body: bytes, *, id: str, at: datetime) -> Headers:
        """Sign nothing."""
        return ()


class Broken(Wordless):
    """A signer whose key is gone."""

    def sign(self, body: bytes, *, id: str, at: datetime) -> Headers:
        """Fail, with a text that nobody should read."""
        raise OSError("canary")


@pytest.mark.parametrize("signer", [Wordless(), Broken()])
@pytest.mark.parametrize(("method", "value"), CALLS)
def test_what_cannot_be_signed_is_not_sent(
    colour: Any, serving: Any, answer: Any, signer: Any, method: str, value: Any
) -> None:
    """No request leaves without a signature, whatever keeps the signer from giving one."""
    with serving(answer(ANSWER)) as server:
        endpoint = Endpoint(address=server.url, signer=signer)
        given = {"additional_info": endpoint, "preservation": endpoint, "case_event": endpoint, "guard": HERE}
        with pytest.raises(WebhookNotSent, match="sign") as unsent:
            getattr(colour.webhooks(**given), method)(value, id="a")
    assert not server.requests
    assert unsent.value.for_good, "nobody but a person can mend it"
    assert "canary" not in str(unsent.value)


def test_an_id_that_cannot_be_signed_is_not_sent(colour: Any, serving: Any, answer: Any) -> None:
    """A header cannot be smuggled in by an id."""
    with serving(answer()) as server, pytest.raises(WebhookNotSent, match="could not be signed"):
        colour.webhooks(**at(server.url)).preserve(PRESERVATION, id="a\r\nX-Smuggled: yes")
    assert not server.requests


@pytest.mark.parametrize(("method", "value"), CALLS)
def test_an_endpoint_that_is_not_set_is_named(colour: Any, method: str, value: Any) -> None:
    """A platform without an endpoint is told which one it lacks."""
    with pytest.raises(WebhookNotSent, match=f"{NAMES[method]}: no such endpoint is set") as unsent:
        getattr(colour.webhooks(), method)(value, id="a")
    assert unsent.value.for_good


def test_nothing_is_shown(colour: Any, serving: Any, answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the address, nor the body, nor a key is in a log, a repr or an error."""
    caplog.set_level(logging.DEBUG)
    with serving(answer(b"canary", status="500 X")) as server:
        webhooks = colour.webhooks(**at(server.url))
        with pytest.raises(WebhookError) as failed:
            webhooks.additional_info(REQUEST, id="a")
    assert "canary" not in caplog.text
    assert KEY[6:] not in caplog.text
    assert "canary" not in f"{webhooks!r} {failed.value!r} {failed.value}"


@pytest.mark.parametrize(
    "error",
    [
        WebhookNotSent(endpoint="preservation", reason="why"),
        WebhookDeclined(endpoint="preservation", reason="why", status=503, retry_after_for=7.0),
        WebhookUnanswered(endpoint="preservation", reason="why"),
        WebhookUnreadable(endpoint="preservation", reason="why", violations=()),
    ],
)
def test_errors_survive_a_queue(error: WebhookError) -> None:
    """An error says the same after it was pickled, and is one of an adapter's: the port's callers know it."""
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    assert isinstance(error, AdapterError)
    assert str(error).startswith("preservation: why. ")


def test_the_port_lets_these_errors_through(serving: Any, answer: Any) -> None:
    """Behind the port's police the errors keep what they know of the world."""
    from cybertip.adapters.webhooks import HttpxWebhooks

    with serving(answer(status="503 X")) as server:
        webhooks = policed(HttpxWebhooks(**at(server.url)))
        with pytest.raises(WebhookDeclined):
            webhooks.preserve(PRESERVATION, id="a")
