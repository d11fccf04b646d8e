"""What a reply means. The order of the questions is the point: each answers before a later one could mislead.

1. HTTP 401 and 403 are decided by the status alone: before 2016 code 1000 meant "authentication required".
2. A redirect is never an answer.
3. A body that can be read decides by its code, whatever the HTTP status: NCMEC refuses with HTTP 200, and success under an
   error's status is a contradiction, not success.
4. A body that cannot be read leaves HTTP 429 and 5xx, which say "later"; under any other status nobody knows.
5. A success must hold the ids that its endpoint gives, and those of the right report and file.
"""

import re
from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar, cast

from cybertip.errors import HashMismatch, InvalidReport, Misunderstanding, NcmecError, NotAllowed, Unavailable
from cybertip.model import ReportDoneResponse, ReportResponse
from cybertip.protocol.codes import Code, error_for
from cybertip.protocol.endpoints import Endpoint
from cybertip.protocol.headers import Headers, ReplyHeaders
from cybertip.protocol.replies import Reply, SchemaReply
from cybertip.protocol.requests import Request
from cybertip.xml import read
from cybertip.xml.lexical import read_whole
from cybertip.xml.parsing import parse

__all__ = ["understand"]

R = TypeVar("R", bound=Reply)

_REPLIES = ("reportResponse", "reportDoneResponse")
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")
_SCHEMA_ROOT = "{http://www.w3.org/2001/XMLSchema}schema"
#: How much of an unreadable body an error keeps, in bytes.
_KEPT = 4096


def understand(
    request: Request[R], status: int, headers: Headers, body: bytes, *, fault: str = "", md5: str | None = None
) -> R:
    """Return what NCMEC granted, or raise what its answer means.

    `fault` says why `body` is not whole (see `Answer`). `md5` is that of the bytes that were sent, where the request could
    not know it; empty where not all of them were sent.

    Raises the `NcmecError` of the code; `NotAllowed` for HTTP 401 and 403; `Unavailable` for HTTP 429 and 5xx without a
    readable body, where nobody but a gateway may have spoken (`code` is then None); `Misunderstanding` for anything that
    cannot be read or contradicts itself; `HashMismatch` where NCMEC holds other bytes. Clause: NCMEC, sections 3 and 4.

    >>> from cybertip.model import ReportId
    >>> from cybertip.protocol import retract
    >>> body = b"<reportResponse><responseCode>5102</responseCode></reportResponse>"
    >>> understand(retract(ReportId(7)), 200, {"Request-ID": "abc"}, body)
    Traceback (most recent call last):
    cybertip.errors.AlreadyFinished: Request-ID abc: /retract answered code 5102. The report is filed. Do not file it again.
    """
    return cast(R, _Exchange(request, status, ReplyHeaders(headers), body, fault).understand(md5))


class _Exchange:
    """One request with its answer, while it is being understood."""

    def __init__(self, request: Request[Any], status: int, headers: ReplyHeaders, body: bytes, fault: str) -> None:
        self.request = request
        self.status = status
        self.headers = headers
        self.body = body
        self.fault = fault

    def understand(self, md5: str | None) -> Reply:
        if self.status in (401, 403):
            self.refuse(NotAllowed, None if self.fault else self.document()[0])
        if 300 <= self.status < 400:
            self.misunderstand("it is a redirect, and none is followed")
        document, reason = (None, self.fault) if self.fault else self.document()
        if document is None:
            if self.request.endpoint is Endpoint.SCHEMA and 200 <= self.status < 300 and self.is_schema():
                return SchemaReply(**self.common())
            if self.status == 429 or self.status >= 500:
                self.refuse(Unavailable, None)
            self.misunderstand(reason)
        if document.response_code != Code.SUCCESS:
            self.refuse(error_for(document.response_code), document)
        if not 200 <= self.status < 300:
            self.misunderstand("it says success under an HTTP status that does not")
        return self.granted(document, md5)

    def document(self) -> tuple[ReportResponse | ReportDoneResponse | None, str]:
        """Return the reply's document, or None and the reason why there is none."""
        if not self.body:
            return None, "it has no body"
        try:
            document = read(self.body) if _is_reply(self.body) else None
        except InvalidReport as error:
            refusal = next(filter(None, map(_refusal, _spellings(self.body))), None)
            # A violation names one of our places and a rule, never a value.
            first = error.violations[0]
            return refusal, f"in its body, {first.path or 'the document'} {first.message}"
        if isinstance(document, ReportResponse | ReportDoneResponse):
            return document, ""
        return None, "its body is not a reply"

    def is_schema(self) -> bool:
        if self.fault:
            return False
        try:
            return bool(parse(self.body).tag == _SCHEMA_ROOT)
        except InvalidReport:
            return False

    def granted(self, document: ReportResponse | ReportDoneResponse, md5: str | None) -> Reply:
        """Return the endpoint's reply, where the document is of its kind and holds what it must."""
        request = self.request
        asked_done = request.endpoint is Endpoint.FINISH
        if request.endpoint is Endpoint.SCHEMA or isinstance(document, ReportDoneResponse) is not asked_done:
            self.misunderstand("it says success in a document of another endpoint")
        granted: dict[str, Any] = {"document": document, **self.common()}
        self.same("report", request.report_id, document.report_id)
        if request.endpoint is not Endpoint.STATUS:
            granted["report_id"] = request.report_id
        if isinstance(document, ReportDoneResponse):
            granted["file_ids"] = document.files.file_ids
            return cast(Reply, request.reply(**granted))
        match request.endpoint:
            case Endpoint.SUBMIT:
                if document.report_id is None or document.report_id <= 0:
                    self.misunderstand("it says success without the report's id")
                granted["report_id"] = document.report_id
            case Endpoint.UPLOAD:
                if document.report_id is None or not document.file_id or not document.hash:
                    self.misunderstand("it says success without the ids and the hash of the file")
                granted["file_id"] = document.file_id
                granted["md5"] = document.hash.lower()
                self.same_bytes(document.hash, md5)
            case Endpoint.FILE_INFO:
                self.same("file", request.file_id, document.file_id or None)
                granted["file_id"] = request.file_id
            case _:
                pass
        return cast(Reply, request.reply(**granted))

    def same(self, what: str, asked: object, answered: object) -> None:
        if asked is not None and answered is not None and asked != answered:
            self.misunderstand(f"it speaks of another {what}")

    def same_bytes(self, theirs: str, ours: str | None) -> None:
        known = self.request.file.md5 if self.request.file is not None else None
        expected = known if known is not None else ours
        if expected is not None and theirs.lower() != expected.lower():
            reason = "its MD5 of the file is not ours" if expected else "it came before the whole file was sent"
            raise HashMismatch(reason=reason, **self.of_misunderstanding())

    def common(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "request_id": self.headers.request_id,
            "date": self.headers.date,
            "raw": self.body,
        }

    def of_misunderstanding(self) -> dict[str, Any]:
        return {
            "endpoint": str(self.request.endpoint),
            "status": self.status,
            "request_id": self.headers.request_id,
            "body": self.body[:_KEPT],
        }

    def misunderstand(self, reason: str) -> NoReturn:
        raise Misunderstanding(reason=reason, **self.of_misunderstanding())

    def refuse(self, kind: type[NcmecError], document: ReportResponse | ReportDoneResponse | None) -> NoReturn:
        code = document.response_code if document is not None else Code.SUCCESS
        raise kind(
            endpoint=str(self.request.endpoint),
            # Success is no code of a refusal: a proxy that answers 401 may have passed the wrong body on.
            code=code if code != Code.SUCCESS else None,
            description=document.response_description if isinstance(document, ReportResponse) else "",
            request_id=self.headers.request_id,
            status=self.status,
            retry_after_for=self.headers.retry_after_for,
        )


def _spellings(body: bytes) -> Iterator[bytes]:
    """Yield a body as it came, and as it may have been meant: without white space before the XML declaration, and in
    Latin-1 where it declares UTF-8 and is not (NCMEC: section 3)."""
    yield body
    if body.strip() != body:
        yield body.strip()
    try:
        body.decode()
    except UnicodeDecodeError:
        yield _DECLARATION.sub(b"", body).strip().decode("latin-1").encode()


def _is_reply(body: bytes) -> bool:
    return str(parse(body).tag) in _REPLIES


def _refusal(body: bytes) -> ReportResponse | None:
    """Read the code of a refusal of which nothing else can be relied on: an id may be missing or there twice. A success is
    believed only as a whole."""
    try:
        root = parse(body)
        codes = [read_whole(code.text or "") for code in root.findall("responseCode")] if root.tag in _REPLIES else []
    except (InvalidReport, ValueError):
        return None
    if len(codes) != 1 or codes[0] == Code.SUCCESS or abs(codes[0]) >= 1 << 31:
        return None
    return ReportResponse(response_code=codes[0], response_description=root.findtext("responseDescription") or "")
