"""What NCMEC answered, as values: one class per endpoint, so that a type checker knows what an answer holds.

`raw` is kept byte for byte: the receipt of a finished report is the legal notice under 18 U.S.C. 2258A(h)(1). It and NCMEC's
description, which may quote what was sent, are in no repr.
"""

from dataclasses import dataclass, field
from datetime import datetime

from cybertip.model import FileId, ReportDoneResponse, ReportId, ReportResponse

__all__ = [
    "Answer",
    "Described",
    "Finished",
    "Opened",
    "Reply",
    "Retracted",
    "SchemaReply",
    "StatusReply",
    "Uploaded",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Hold what came over the wire, not yet understood.

    `fault` says in a few words why `body` is not the whole of what was sent ("it is larger than 1048576 bytes"); empty
    where it is.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    fault: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """Hold a success: what was understood, and the record of it."""

    #: The HTTP status.
    status: int
    #: NCMEC's name for the exchange; its support asks for it. None where it named none.
    request_id: str | None
    #: NCMEC's clock, from the Date header.
    date: datetime | None
    #: The body, byte for byte.
    raw: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusReply(Reply):
    """The address and the credentials are well. The description names the user and the IP: keep it out of logs."""

    document: ReportResponse = field(repr=False)

    @property
    def description(self) -> str:
        """NCMEC's greeting, which names the user and the address that it sees."""
        return self.document.response_description


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaReply(Reply):
    """The schema that NCMEC serves; compare it with ours to see a change coming."""

    @property
    def schema(self) -> bytes:
        """The XSD, byte for byte."""
        return self.raw


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened(Reply):
    """A report was opened. It deletes itself if it is not finished in time."""

    document: ReportResponse = field(repr=False)
    report_id: ReportId


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploaded(Reply):
    """A file arrived; `md5` is NCMEC's, of what arrived, in lower case."""

    document: ReportResponse = field(repr=False)
    report_id: ReportId
    file_id: FileId
    md5: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Described(Reply):
    """The details of a file were taken."""

    document: ReportResponse = field(repr=False)
    report_id: ReportId
    file_id: FileId


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished(Reply):
    """The report is filed. `raw` is the receipt: keep it."""

    document: ReportDoneResponse = field(repr=False)
    report_id: ReportId
    file_ids: tuple[FileId, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Retracted(Reply):
    """The report is gone."""

    document: ReportResponse = field(repr=False)
    report_id: ReportId
