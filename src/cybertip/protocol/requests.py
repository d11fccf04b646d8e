"""The seven calls as values: what to send, and what kind of answer to expect. Nothing here sends anything."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cybertip.errors import InvalidReport, Violation
from cybertip.model import DEFAULT_EDITION, Edition, FileDetails, FileId, Report, ReportId
from cybertip.protocol.endpoints import Endpoint
from cybertip.protocol.multipart import FilePart
from cybertip.protocol.replies import Described, Finished, Opened, Reply, Retracted, SchemaReply, StatusReply, Uploaded
from cybertip.xml import write

__all__ = ["Request", "describe", "finish", "retract", "schema", "status", "submit", "upload"]

R_co = TypeVar("R_co", bound=Reply, covariant=True)

_XML = "text/xml; charset=utf-8"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[R_co]):
    """Hold one call of one endpoint; make it with the functions below. `repr` shows no body.

    An upload holds its `file`'s description: the bytes, which may be many, are given to the transport beside it.
    """

    endpoint: Endpoint
    #: What a success is read as.
    reply: type[R_co] = field(repr=False)
    report_id: ReportId | None = None
    file_id: FileId | None = None
    #: The Content-Type of `body`; None where there is no body, or where the transport frames a file.
    content_type: str | None = None
    body: bytes = field(default=b"", repr=False)
    file: FilePart | None = None


def status() -> Request[StatusReply]:
    """Ask whether address and credentials are well. Clause: NCMEC, section 2, /status."""
    return Request(endpoint=Endpoint.STATUS, reply=StatusReply)


def schema() -> Request[SchemaReply]:
    """Ask for the schema in force. Clause: NCMEC, section 2, /xsd."""
    return Request(endpoint=Endpoint.SCHEMA, reply=SchemaReply)


def submit(report: Report, *, edition: Edition | str = DEFAULT_EDITION) -> Request[Opened]:
    """Open a report.

    Raises `InvalidReport` for what cannot be written in `edition`. Clause: NCMEC, section 2, /submit.
    """
    _of_type("report", report, Report)
    return Request(endpoint=Endpoint.SUBMIT, reply=Opened, content_type=_XML, body=write(report, edition=edition))


def upload(
    report_id: ReportId,
    *,
    name: str,
    media_type: str = "application/octet-stream",
    size: int | None = None,
    md5: str | None = None,
) -> Request[Uploaded]:
    """Add a file to an open report.

    `size` is its length in bytes where that is known; `md5` the digest that NCMEC must confirm, where that is known.
    Raises `InvalidReport` for a size of 0 and for a name, media type or digest that cannot be sent.
    Clause: NCMEC, section 2, /upload.

    >>> upload(ReportId(4564654), name="example.jpg", media_type="image/jpeg", size=3).file
    FilePart(media_type='image/jpeg', size=3)
    """
    file = FilePart(name=name, media_type=media_type, size=size, md5=md5)
    return Request(endpoint=Endpoint.UPLOAD, reply=Uploaded, report_id=_number(report_id), file=file)


def describe(details: FileDetails, *, edition: Edition | str = DEFAULT_EDITION) -> Request[Described]:
    """Say what is known of an uploaded file; once per file. Clause: NCMEC, section 2, /fileinfo."""
    _of_type("details", details, FileDetails)
    return Request(
        endpoint=Endpoint.FILE_INFO,
        reply=Described,
        report_id=_number(details.report_id),
        file_id=details.file_id,
        content_type=_XML,
        body=write(details, edition=edition),
    )


def finish(report_id: ReportId) -> Request[Finished]:
    """File the report, which cannot be taken back. Clause: NCMEC, section 2, /finish."""
    return _form(Endpoint.FINISH, Finished, report_id)


def retract(report_id: ReportId) -> Request[Retracted]:
    """Drop a report that is not finished. Clause: NCMEC, section 2, /retract."""
    return _form(Endpoint.RETRACT, Retracted, report_id)


def _form(endpoint: Endpoint, reply: type[R_co], report_id: ReportId) -> Request[R_co]:
    number = _number(report_id)
    return Request(
        endpoint=endpoint, reply=reply, report_id=number, content_type=_FORM, body=f"id={number}".encode("ascii")
    )


def _number(report_id: ReportId) -> ReportId:
    if not _is_number(report_id):
        message = "must be the number that NCMEC gave the report"
        raise InvalidReport((Violation(path="report_id", rule="type", message=message),))
    return report_id


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 63


def _of_type(path: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        message = f"must be of type {kind.__name__}"
        raise InvalidReport((Violation(path=path, rule="type", message=message),))
