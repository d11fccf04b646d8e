"""Both clients against the double: every endpoint, every code, every way an answer can go wrong."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cybertip import (
    AlreadyFinished,
    AlreadyRetracted,
    Credentials,
    Email,
    Environment,
    FileDetails,
    FileId,
    IncidentSummary,
    IncidentType,
    InDoubt,
    Misunderstanding,
    NcmecError,
    NotAllowed,
    NotFound,
    NotUnderstood,
    Person,
    Report,
    Reporter,
    ReportId,
    Unavailable,
)
from cybertip.protocol import Code, error_for
from cybertip.sandbox import Answer, Behaviour, Fault, Ncmec, SandboxTransport, running

KEYS = Credentials(username="sandbox", password="sandbox")
DOCUMENT = Report(
    incident_summary=IncidentSummary(
        incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 31, 12, tzinfo=UTC)
    ),
    reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
)
CONTENT = b"synthetic example"
ENDPOINTS = ("/status", "/xsd", "/submit", "/upload", "/fileinfo", "/finish", "/retract")
each_endpoint = pytest.mark.parametrize("path", ENDPOINTS)
# What is half-read is closed by httpx without telling its own generators, which trio notices.
HALF_READ = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


class Talk:
    """Talk to one double with one client, in memory or over a loopback port."""

    def __init__(self, colour: Any, ncmec: Ncmec, url: str | None) -> None:
        self._colour, self.ncmec, self._url = colour, ncmec, url

    def __call__(self, method: str, /, *given: Any, credentials: Any = KEYS, **settings: Any) -> Any:
        def call(client: Any) -> Any:
            return getattr(client, method)(*given, **settings)

        if self._url is None:
            return self._colour(call, SandboxTransport(self.ncmec), credentials=credentials, timeout=1)
        return self._colour(call, environment=Environment.sandbox(self._url), credentials=credentials, timeout=1)

    def upload(self, report: ReportId, content: Any = CONTENT, **settings: Any) -> Any:
        """Upload a file of a usual name."""
        return self("upload", report, content, **{"name": "example.jpg", "media_type": "image/jpeg", **settings})

    def at(self, path: str) -> Any:
        """Call an endpoint as it would succeed, with all that has to go before."""
        if path in ("/status", "/xsd", "/submit"):
            return {"/status": self.status, "/xsd": self.schema, "/submit": self.submit}[path]()
        faults, self.ncmec.faults[:] = list(self.ncmec.faults), []
        report = self.submit().report_id
        uploaded = self.upload(report).file_id if path == "/fileinfo" else FileId("")
        self.ncmec.faults[:] = faults
        match path:
            case "/upload":
                return self.upload(report)
            case "/fileinfo":
                return self("describe", FileDetails(report_id=report, file_id=uploaded))
            case _:
                return self(path[1:], report)

    def status(self) -> Any:
        """Ask for the status."""
        return self("status")

    def schema(self) -> Any:
        """Ask for the schema."""
        return self("schema")

    def submit(self) -> Any:
        """Open a report."""
        return self("submit", DOCUMENT)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Ncmec, str]]:
    """One double on a port; tests open reports of their own."""
    ncmec = Ncmec(Behaviour())
    with running(ncmec) as url:
        yield ncmec, url


@pytest.fixture(params=["in memory", "on a port"])
def talk(request: pytest.FixtureRequest, colour: Any, served: tuple[Ncmec, str]) -> Talk:
    """A client of each colour, with a double."""
    if request.param == "in memory":
        return Talk(colour, Ncmec(Behaviour()), None)
    ncmec, url = served
    ncmec.faults.clear()
    return Talk(colour, ncmec, url)


def test_a_report_is_filed(talk: Talk, tmp_path: Path) -> None:
    """A report goes from opening to receipt, with a file from each kind of source and its details."""
    path = tmp_path / "stored"
    path.write_bytes(CONTENT)
    assert "sandbox" in talk.status().description
    assert b"schema" in talk.schema().schema
    report = talk.submit().report_id
    uploaded = [talk.upload(report, source) for source in (path, CONTENT, lambda: path.open("rb"))]
    # The same bytes twice are two files with one hash.
    assert len({one.file_id for one in uploaded}) == 3
    assert {one.md5 for one in uploaded} == {hashlib.md5(CONTENT).hexdigest()}
    described = talk("describe", FileDetails(report_id=report, file_id=uploaded[0].file_id, original_file_name="a.jpg"))
    assert (described.report_id, described.file_id) == (report, uploaded[0].file_id)
    receipt = talk("finish", report)
    assert receipt.report_id == report
    assert set(receipt.file_ids) == {one.file_id for one in uploaded}
    assert receipt.raw.startswith(b"<?xml")
    assert receipt.request_id
    assert receipt.date is not None
    for name, expected in (("finish", AlreadyFinished), ("retract", AlreadyFinished)):
        with pytest.raises(expected):
            talk(name, report)
    with pytest.raises(AlreadyFinished):
        talk.upload(report)


def test_a_report_is_retracted(talk: Talk) -> None:
    """A report that is not finished can be dropped, once."""
    report = talk.submit().report_id
    assert talk("retract", report).report_id == report
    with pytest.raises(AlreadyRetracted):
        talk("retract", report)


def test_what_is_not_there_is_not_found(talk: Talk) -> None:
    """Reports and files that NCMEC does not know are told apart from refusals."""
    nowhere = ReportId(1)
    for name in ("finish", "retract"):
        with pytest.raises(NotFound):
            talk(name, nowhere)
    with pytest.raises(NotFound):
        talk.upload(nowhere)
    with pytest.raises(NotFound) as raised:
        talk("describe", FileDetails(report_id=talk.submit().report_id, file_id=FileId("0" * 32)))
    assert raised.value.code == 5002


@each_endpoint
@pytest.mark.parametrize("body", ["empty", "xml"])
def test_wrong_credentials_are_told(colour: Any, path: str, body: Any) -> None:
    """Wrong credentials, or none, are told whether HTTP 401 has a body or not."""
    talk = Talk(colour, Ncmec(Behaviour(unauthorised=body)), None)
    calls: dict[str, tuple[Any, ...]] = {
        "/status": ("status",),
        "/xsd": ("schema",),
        "/submit": ("submit", DOCUMENT),
        "/upload": ("upload", ReportId(1), CONTENT),
        "/fileinfo": ("describe", FileDetails(report_id=ReportId(1), file_id=FileId("0" * 32))),
        "/finish": ("finish", ReportId(1)),
        "/retract": ("retract", ReportId(1)),
    }
    settings = {"name": "example.jpg"} if path == "/upload" else {}
    for credentials in (Credentials(username="sandbox", password="wrong"), None):
        with pytest.raises(NotAllowed) as raised:
            talk(*calls[path], credentials=credentials, **settings)
        assert (raised.value.status, raised.value.code) == (401, 2000 if body == "xml" else None)


@each_endpoint
@pytest.mark.parametrize("code", [code for code in Code if code is not Code.SUCCESS] + [9999])
def test_every_code_is_told(colour: Any, path: str, code: int) -> None:
    """Each code, on each endpoint, is the error that says what we know; the next try goes through."""
    talk = Talk(colour, Ncmec(), None)
    talk.ncmec.faults.append(Fault(endpoint=path, when="before", answer=int(code)))
    with pytest.raises(NcmecError) as raised:
        talk.at(path)
    assert type(raised.value) is error_for(code)
    # NCMEC refuses credentials with HTTP 401, which need not have a body.
    told = None if raised.value.status == 401 else code
    assert (raised.value.code, raised.value.endpoint) == (told, path)
    assert raised.value.request_id
    talk.at(path)


@HALF_READ
@each_endpoint
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("answer", ["drop", "truncate", "hang"])
def test_a_lost_answer_leaves_doubt(talk: Talk, path: str, when: Any, answer: Any) -> None:
    """A lost answer is the same doubt whether NCMEC acted or not, for nobody could tell."""
    if answer == "hang" and talk._url is not None and (path, when) != ("/finish", "after"):
        return  # a second each: one is enough over the wire
    talk.ncmec.faults.append(Fault(endpoint=path, when=when, answer=answer))
    with pytest.raises(InDoubt) as raised:
        talk.at(path)
    assert raised.value.endpoint == path


def test_a_lost_receipt_is_found_again(talk: Talk) -> None:
    """A finish whose answer was lost after NCMEC acted is answered with "already finished" when it is repeated."""
    report = talk.submit().report_id
    talk.ncmec.faults.append(Fault(endpoint="/finish", when="after", answer="drop"))
    with pytest.raises(InDoubt):
        talk("finish", report)
    with pytest.raises(AlreadyFinished):
        talk("finish", report)


@each_endpoint
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200, (), b"<html>gateway</html>"), Misunderstanding),
        (Answer(200, (), b""), Misunderstanding),
        (Answer(502, (), b"<html>gateway</html>"), Unavailable),
        (Answer(429, (("Retry-After", "1"),), b""), Unavailable),
        (Answer(302, (("Location", "http://127.0.0.1:9/"),), b""), Misunderstanding),
        (Answer(403, (), b""), NotAllowed),
        (Answer(500, (), b"<reportResponse><responseCode>0</responseCode></reportResponse>"), Misunderstanding),
        (Answer(200, (), b"<reportResponse><responseCode>4100</responseCode></reportResponse>"), NotUnderstood),
        (Answer(200, (), b" " * (9 << 20)), Misunderstanding),
    ],
)
@HALF_READ
def test_a_strange_answer_is_no_success(talk: Talk, path: str, answer: Answer, expected: type[Exception]) -> None:
    """Whatever stands in an answer's place is never taken for success."""
    talk.ncmec.faults.append(Fault(endpoint=path, when="after", answer=answer))
    with pytest.raises(expected):
        talk.at(path)


def test_ncmecs_words_are_kept(talk: Talk) -> None:
    """What NCMEC says of a refused document is kept for people, beside its code and Request-ID."""
    later = Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2999, 1, 1, tzinfo=UTC)
        ),
        reporter=DOCUMENT.reporter,
    )
    with pytest.raises(NotUnderstood) as raised:
        talk("submit", later)
    assert raised.value.code == 4100
    assert "past" in raised.value.description
    assert raised.value.request_id
    assert "past" not in str(raised.value)


@pytest.mark.parametrize(
    "name", ['a".jpg', "a\r\nb.jpg", "\u65e5\u672c\u8a9e.jpg", "a\\", "x; name=id", "\x00\x1b", "\u202egpj.exe"]
)
def test_hostile_names_reach_the_right_report(talk: Talk, name: str) -> None:
    """A file goes to its report and arrives whole, whatever it is called."""
    report = talk.submit().report_id
    uploaded = talk.upload(report, CONTENT, name=name)
    assert (uploaded.report_id, uploaded.md5) == (report, hashlib.md5(CONTENT).hexdigest())


def test_a_large_file_arrives(talk: Talk) -> None:
    """A file of many blocks arrives whole, with and without a known MD5."""
    content = hashlib.shake_128(b"example").digest((3 << 20) + 1)
    report = talk.submit().report_id
    for md5 in (None, hashlib.md5(content).hexdigest()):
        assert talk.upload(report, content, md5=md5).md5 == hashlib.md5(content).hexdigest()
