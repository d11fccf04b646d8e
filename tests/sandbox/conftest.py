"""What the tests of the double share: synthetic documents, and a client that knows nothing of ours."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from lxml import etree

from cybertip.sandbox import Answer, Behaviour, Ncmec

BOUNDARY = "synthetic-boundary"


def report_xml(
    *,
    batched: bool = False,
    at: str = "2025-06-01T12:00:00Z",
    summary: str = "",
    before_reporter: str = "",
    after_reporter: str = "",
) -> bytes:
    """Write a small report, with whatever a test wants in it."""
    batch = '<batchedReport reason="VIRAL_POTENTIAL_MEME"/>' if batched else ""
    return (
        f"<report>{batch}<incidentSummary><incidentType>Child Sex Trafficking</incidentType>{summary}"
        f"<incidentDateTime>{at}</incidentDateTime></incidentSummary>{before_reporter}"
        "<reporter><reportingPerson><email>safety@example.com</email></reportingPerson></reporter>"
        f"{after_reporter}</report>"
    ).encode()


def details_xml(report_id: int, file_id: str, content: str = "") -> bytes:
    """Write file details."""
    return f"<fileDetails><reportId>{report_id}</reportId><fileId>{file_id}</fileId>{content}</fileDetails>".encode()


def form(report_id: object, data: bytes = b"synthetic", *, filename: str = "a.bin", file_first: bool = False) -> bytes:
    """Write the multipart form of an upload."""
    number = f'Content-Disposition: form-data; name="id"\r\n\r\n{report_id}\r\n'.encode()
    head = f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: image/png\r\n\r\n'
    parts = [number, head.encode() + data + b"\r\n"]
    delimiter = f"--{BOUNDARY}".encode()
    ordered = reversed(parts) if file_first else parts
    return b"".join(delimiter + b"\r\n" + part for part in ordered) + delimiter + b"--\r\n"


def basic(username: str = "sandbox", password: str = "sandbox") -> dict[str, str]:
    """Return the header of Basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


@dataclass
class Reply:
    """What a test looks at in an answer."""

    answer: Answer
    values: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        body = self.answer.body
        self.values = {str(one.tag): one.text or "" for one in etree.fromstring(body).iter()} if body else {}

    @property
    def code(self) -> int:
        return int(self.values["responseCode"])

    @property
    def description(self) -> str:
        return self.values["responseDescription"]

    @property
    def outcome(self) -> tuple[int, int]:
        return self.answer.status, self.code


class Caller:
    """Call the double's endpoints with hand-made bytes; and write such bytes."""

    boundary = BOUNDARY
    multipart = f"multipart/form-data; boundary={BOUNDARY}"
    report_xml = staticmethod(report_xml)
    details_xml = staticmethod(details_xml)
    form = staticmethod(form)
    basic = staticmethod(basic)

    def __init__(self, ncmec: Ncmec) -> None:
        self.ncmec = ncmec

    def call(self, method: str, path: str, body: bytes = b"", *, kind: str | None = None) -> Reply:
        headers = basic() | ({"Content-Type": kind} if kind is not None else {})
        return Reply(self.ncmec.handle(method, f"/ispws{path}", headers, body))

    def submit(self, body: bytes | None = None) -> Reply:
        return self.call("POST", "/submit", report_xml() if body is None else body, kind="text/xml; charset=utf-8")

    def upload(self, report_id: object, data: bytes = b"synthetic") -> Reply:
        return self.call("POST", "/upload", form(report_id, data), kind=self.multipart)

    def describe(self, report_id: int, file_id: str, content: str = "") -> Reply:
        return self.call("POST", "/fileinfo", details_xml(report_id, file_id, content), kind="application/xml")

    def finish(self, report_id: object) -> Reply:
        return self.call("POST", "/finish", f"id={report_id}".encode(), kind="application/x-www-form-urlencoded")

    def retract(self, report_id: object) -> Reply:
        return self.call("POST", "/retract", f"id={report_id}".encode(), kind="application/x-www-form-urlencoded")

    def opened(self, body: bytes | None = None) -> int:
        return int(self.submit(body).values["reportId"])

    def uploaded(self, report_id: int, data: bytes = b"synthetic") -> str:
        return self.upload(report_id, data).values["fileId"]


@pytest.fixture
def calling() -> Callable[..., Caller]:
    """Make a double that behaves as told, and a caller for it."""
    return lambda **behaviour: Caller(Ncmec(Behaviour(**behaviour)))


@pytest.fixture
def caller(calling: Callable[..., Caller]) -> Caller:
    """A caller of a double with the usual behaviour."""
    return calling()
