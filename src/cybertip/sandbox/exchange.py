"""One request and its answer: who may ask, who answers, how the body is read, and what a fault makes of it."""

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import TYPE_CHECKING

from cybertip.model import ReportDoneResponse, ReportResponse
from cybertip.protocol.codes import Code
from cybertip.protocol.endpoints import Endpoint
from cybertip.sandbox import control
from cybertip.sandbox.answers import Answer, Headers, Refusal
from cybertip.sandbox.bodies import Body, Form, Gathered, Multipart, Nothing, UrlEncoded, content_type
from cybertip.sandbox.faults import spoiled, take
from cybertip.xml import write

if TYPE_CHECKING:
    from cybertip.sandbox.core import Ncmec

__all__ = ["Exchange", "Head"]

_Reply = ReportResponse | ReportDoneResponse | bytes

_ROOT = "/ispws"
_ENDPOINTS = {endpoint.path: endpoint for endpoint in Endpoint}


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    peer: str


class Exchange:
    """One request on its way in and the answer to it. Call `end` or `abort` once."""

    def __init__(self, ncmec: "Ncmec", head: Head) -> None:
        self._ncmec = ncmec
        self._head = head
        self._body: Body = Nothing()
        self._act: Callable[[], Answer] | None = None
        #: The answer, where the head alone decides it.
        self.answer: Answer | None = None
        try:
            if head.path.startswith("/_sandbox/"):
                self._control()
            else:
                self._authorise()
                self._route()
        except Refusal as refusal:
            self.answer = self._refused(refusal)

    def feed(self, chunk: bytes) -> None:
        """Take some of the request's body."""
        self._body.feed(chunk)

    def end(self) -> Answer:
        """Act on a request that has arrived as a whole, and return the answer."""
        try:
            if self.answer is None:
                self.answer = self._acted_or_spoiled()
            return self.answer
        finally:
            self.abort()

    def abort(self) -> None:
        """Forget a request that broke off; nothing has happened."""
        self._body.discard()

    # -- the head ---------------------------------------------------------------------------------------------------------

    def _control(self) -> None:
        head, gathered = self._head, Gathered(control.LIMIT)
        self._body = gathered
        self._act = lambda: self._ncmec.control.answer(head.method, head.path, gathered.data())

    def _authorise(self) -> None:
        """Refuse wrong credentials before a byte of the body is read (NCMEC: section 1)."""
        behaviour = self._ncmec.behaviour
        scheme, _, given = self._head.headers.get("authorization", "").partition(" ")
        expected = f"{behaviour.username}:{behaviour.password}".encode()
        try:
            known = hmac.compare_digest(base64.b64decode(given.strip(), validate=True), expected)
        except (binascii.Error, ValueError):
            known = False
        if scheme.lower() != "basic" or not known:
            challenge = {"WWW-Authenticate": 'Basic realm="NCMEC double"'}
            raise Refusal(Code.AUTHENTICATION_REQUIRED, "Authentication required", headers=challenge)

    def _route(self) -> None:
        """Find who answers, and how the body is to be read."""
        endpoint = _ENDPOINTS.get(self._head.path.removeprefix(_ROOT)) if self._head.path.startswith(_ROOT) else None
        if endpoint is None:
            raise Refusal(Code.RESOURCE_NOT_FOUND, "Resource not found")
        if endpoint.method != self._head.method:
            raise Refusal(Code.INVALID_REQUEST, "Method not allowed", status=405, headers={"Allow": endpoint.method})
        desk, peer = self._ncmec.desk, self._head.peer
        match endpoint:
            case Endpoint.STATUS:
                self._act = lambda: self._reply(desk.status(peer))
            case Endpoint.SCHEMA:
                self._act = lambda: self._reply(desk.schema())
            case Endpoint.SUBMIT:
                report = self._document()
                self._act = lambda: self._reply(desk.submit(report.data()))
            case Endpoint.FILE_INFO:
                details = self._document()
                self._act = lambda: self._reply(desk.file_info(details.data()))
            case Endpoint.UPLOAD:
                upload = self._multipart()
                self._act = lambda: self._reply(desk.upload(upload))
            case Endpoint.FINISH:
                form = self._form()
                self._act = lambda: self._reply(desk.finish(form))
            case Endpoint.RETRACT:
                form = self._form()
                self._act = lambda: self._reply(desk.retract(form))

    def _document(self) -> Gathered:
        kind, _ = content_type(self._head.headers)
        if kind not in ("text/xml", "application/xml"):
            raise Refusal(Code.INVALID_REQUEST, "Content type must be text/xml or application/xml", status=415)
        self._body = gathered = Gathered(self._ncmec.behaviour.document_limit)
        return gathered

    def _multipart(self) -> Multipart:
        kind, boundary = content_type(self._head.headers)
        if kind != "multipart/form-data" or not boundary:
            raise Refusal(Code.INVALID_REQUEST, "Content type must be multipart/form-data with a boundary", status=415)
        self._body = form = Multipart(boundary, self._ncmec.shelf)
        return form

    def _form(self) -> Form:
        kind, _ = content_type(self._head.headers)
        if kind != "application/x-www-form-urlencoded":
            return self._multipart()
        self._body = form = UrlEncoded()
        return form

    # -- the answer -------------------------------------------------------------------------------------------------------

    def _acted_or_spoiled(self) -> Answer:
        endpoint = self._head.path.removeprefix(_ROOT)
        fault = take(self._ncmec.faults, endpoint) if endpoint in _ENDPOINTS else None
        if fault is None:
            return self._acted()
        untouched = Refusal(Code.SERVER_ERROR, "Server error")
        answer = self._refused(untouched) if fault.when == "before" else self._acted()
        return spoiled(answer, fault, lambda code: self._refused(Refusal(code, "Ordered by a fault")))

    def _acted(self) -> Answer:
        assert self._act is not None
        try:
            return self._act()
        except Refusal as refusal:
            return self._refused(refusal)

    def _refused(self, refusal: Refusal) -> Answer:
        behaviour = self._ncmec.behaviour
        status = refusal.status or behaviour.statuses.get(refusal.code, 200)
        if refusal.code == Code.AUTHENTICATION_REQUIRED and behaviour.unauthorised == "empty":
            return Answer(status, (*self._always(), *refusal.headers))
        reply = ReportResponse(response_code=refusal.code, response_description=refusal.description)
        return self._reply(reply, status=status, headers=refusal.headers)

    def _reply(self, reply: _Reply, *, status: int = 200, headers: Headers = ()) -> Answer:
        body = reply if isinstance(reply, bytes) else write(reply)
        kind = ("Content-Type", self._ncmec.behaviour.content_type)
        return Answer(status, (kind, *self._always(), *headers), body)

    def _always(self) -> Headers:
        now = format_datetime(self._ncmec.clock.now(), usegmt=True)
        return ("Request-ID", self._ncmec.identifiers.request()), ("Date", now)
