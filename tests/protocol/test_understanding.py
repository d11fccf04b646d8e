"""What NCMEC's answers mean."""

import pickle
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip import (
    AlreadyFinished,
    AlreadyRetracted,
    CybertipError,
    FileDetails,
    FileId,
    HashMismatch,
    Misunderstanding,
    NcmecError,
    NotAllowed,
    NotFound,
    NotUnderstood,
    Refused,
    ReportId,
    Unavailable,
)
from cybertip.protocol import (
    Described,
    Finished,
    Opened,
    Reply,
    Request,
    Retracted,
    SchemaReply,
    StatusReply,
    Uploaded,
    describe,
    finish,
    retract,
    schema,
    status,
    understand,
    upload,
)
from cybertip.protocol.endpoints import Endpoint

NUMBER = ReportId(4564654)
FILE = FileId("12345678901234567890123456789012")
MD5 = "fafa5efeaf3cbe3b23b2748d13e629a1"
HEADERS = {"Request-ID": "abc-1", "Date": "Wed, 05 Nov 2025 12:00:00 GMT"}

SUBMIT: Request[Opened] = Request(endpoint=Endpoint.SUBMIT, reply=Opened, content_type="text/xml", body=b"<report/>")
REQUESTS: dict[str, Request[Any]] = {
    "/status": status(),
    "/xsd": schema(),
    "/submit": SUBMIT,
    "/upload": upload(NUMBER, name="canary.jpg", size=3),
    "/fileinfo": describe(FileDetails(report_id=NUMBER, file_id=FILE)),
    "/finish": finish(NUMBER),
    "/retract": retract(NUMBER),
}
XSD = b'<?xml version="1.0"?><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'


def response(
    code: object = 0, description: str | None = "Success", *, root: str = "reportResponse", **more: object
) -> bytes:
    """Write a `reportResponse`."""
    said = "" if description is None else f"<responseDescription>{description}</responseDescription>"
    rest = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return f"{declaration}<{root}><responseCode>{code}</responseCode>{said}{rest}</{root}>".encode()


def done(code: object = 0, report: object = NUMBER, files: tuple[str, ...] = (FILE,)) -> bytes:
    """Write a `reportDoneResponse`."""
    inside = "".join(f"<fileId>{one}</fileId>" for one in files)
    return response(code, None, root="reportDoneResponse", reportId=report, files=inside)


SUCCESSES = {
    "/status": response(description="Remote User : example, Remote Ip : 192.0.2.1"),
    "/xsd": XSD,
    "/submit": response(reportId=NUMBER),
    "/upload": response(reportId=NUMBER, fileId=FILE, hash=MD5),
    "/fileinfo": response(reportId=NUMBER),
    "/finish": done(),
    "/retract": response(reportId=NUMBER),
}
each_endpoint = pytest.mark.parametrize("path", REQUESTS)


def ask(path: str, code: int, body: bytes, headers: dict[str, str] = HEADERS, **more: Any) -> Any:
    """Understand an answer of an endpoint."""
    return understand(REQUESTS[path], code, headers, body, **more)


# -- success ------------------------------------------------------------------------------------------------------------


def test_each_success_is_read_as_what_it_grants() -> None:
    """Each endpoint's success has its own type, with the ids that it grants."""
    kinds: dict[str, type[Reply]] = {
        "/status": StatusReply,
        "/xsd": SchemaReply,
        "/submit": Opened,
        "/upload": Uploaded,
        "/fileinfo": Described,
        "/finish": Finished,
        "/retract": Retracted,
    }
    for path, kind in kinds.items():
        reply = ask(path, 200, SUCCESSES[path])
        assert type(reply) is kind
        assert (reply.status, reply.request_id, reply.raw) == (200, "abc-1", SUCCESSES[path])
        assert reply.date == datetime(2025, 11, 5, 12, tzinfo=UTC)
        assert pickle.loads(pickle.dumps(reply)) == reply
    assert ask("/status", 200, SUCCESSES["/status"]).description.startswith("Remote User")
    assert ask("/xsd", 200, XSD).schema == XSD
    assert ask("/submit", 200, SUCCESSES["/submit"]).report_id == NUMBER
    uploaded = ask("/upload", 200, SUCCESSES["/upload"])
    assert (uploaded.report_id, uploaded.file_id, uploaded.md5) == (NUMBER, FILE, MD5)
    described = ask("/fileinfo", 200, SUCCESSES["/fileinfo"])
    assert (described.report_id, described.file_id) == (NUMBER, FILE)
    finished = ask("/finish", 200, SUCCESSES["/finish"])
    assert (finished.report_id, finished.file_ids) == (NUMBER, (FILE,))
    assert ask("/retract", 200, SUCCESSES["/retract"]).report_id == NUMBER


@each_endpoint
@pytest.mark.parametrize("description", ["", None, "\u6210\u529f"])
def test_a_success_need_not_describe_itself(path: str, description: str | None) -> None:
    """A description that is empty, absent or in any language changes nothing."""
    if path in ("/xsd", "/finish"):
        return
    body = re.sub(rb"<responseDescription>.*</responseDescription>", b"", SUCCESSES[path])
    extra = "" if description is None else f"<responseDescription>{description}</responseDescription>"
    assert ask(path, 200, body.replace(b"</responseCode>", f"</responseCode>{extra}".encode()), {}).request_id is None


def test_the_content_type_is_not_believed() -> None:
    """Bytes are read by what the document itself declares, whatever the header says."""
    headers = {"Content-Type": "application/xml;charset=ISO-8859-1"}
    assert ask("/status", 200, response(description="\u6210\u529f"), headers).description == "\u6210\u529f"
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?>' + response(description="\u00fc").decode().split("?>")[1]
    assert ask("/status", 200, latin.encode("latin-1"), {"Content-Type": "text/html"}).description == "\u00fc"


def test_a_file_id_is_text() -> None:
    """An id of digits alone, or with zeros in front, stays what it is."""
    digits = "00000000000000000000000000000001"
    assert ask("/upload", 200, response(reportId=NUMBER, fileId=digits, hash=MD5)).file_id == digits
    assert ask("/finish", 200, done(files=(digits, FILE))).file_ids == (digits, FILE)
    assert ask("/finish", 200, done(files=())).file_ids == ()


def test_what_ncmec_adds_is_kept() -> None:
    """Elements that nobody has heard of are kept with the reply, in any order, and change nothing."""
    body = response(reportId=NUMBER, surprise="<inner/>")
    assert ask("/submit", 200, body).document.unknown_elements == ("<surprise><inner/></surprise>",)
    assert ask("/submit", 201, body).report_id == NUMBER


# -- codes --------------------------------------------------------------------------------------------------------------

CODES: dict[int, type[NcmecError]] = {
    1000: Unavailable,
    1100: Unavailable,
    1110: Unavailable,
    1111: Unavailable,
    1300: Unavailable,
    1210: NotUnderstood,
    2000: NotAllowed,
    3000: NotAllowed,
    3100: NotAllowed,
    3300: NotAllowed,
    4000: NotUnderstood,
    4100: NotUnderstood,
    4110: NotUnderstood,
    4200: NotUnderstood,
    5001: NotFound,
    5002: NotFound,
    5101: AlreadyRetracted,
    5102: AlreadyFinished,
    1999: Unavailable,
    9999: NcmecError,
    -1: NcmecError,
}


@each_endpoint
@pytest.mark.parametrize("status", [200, 400, 404, 429, 500, 503])
@pytest.mark.parametrize("code", CODES)
def test_the_code_decides(path: str, status: int, code: int) -> None:
    """A code that can be read says what happened, under any HTTP status and on any endpoint, known or not."""
    headers = {**HEADERS, "Retry-After": "30"}
    with pytest.raises(NcmecError) as raised:
        ask(path, status, response(code, "canary text"), headers)
    error = raised.value
    assert type(error) is CODES[code]
    assert (error.endpoint, error.code, error.status) == (path, code, status)
    assert (error.description, error.request_id, error.retry_after_for) == ("canary text", "abc-1", 30.0)
    assert str(error).startswith("Request-ID abc-1: ")
    assert "canary" not in str(error) + repr(error)


@each_endpoint
@pytest.mark.parametrize("http", [401, 403])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", None),
        (b"<html>", None),
        (response(2000), 2000),
        (response(1000), 1000),
        (response(0), None),
        (done(), None),
        (XSD, None),
    ],
)
def test_http_401_and_403_decide_alone(path: str, http: int, body: bytes, code: int | None) -> None:
    """Refused credentials are told by the status, whatever the body says or does not say."""
    for fault in ("", "it is larger than 1 bytes"):
        with pytest.raises(NotAllowed) as raised:
            ask(path, http, body, fault=fault)
        assert raised.value.code == (None if fault else code)
        assert raised.value.status == http


@pytest.mark.parametrize("with_report", [True, False])
@pytest.mark.parametrize("code", [4100, 5001, 5101, 5102])
def test_finish_can_fail_in_either_document(with_report: bool, code: int) -> None:
    """A refusal to finish is understood as a `reportResponse`, and as a `reportDoneResponse` with or without an id."""
    whole = done(code)
    bare = response(code, None, root="reportDoneResponse")
    for body in (response(code), whole if with_report else bare):
        with pytest.raises(CODES[code]) as raised:
            ask("/finish", 400, body)
        assert raised.value.code == code


# -- what cannot be read ------------------------------------------------------------------------------------------------

UNREADABLE = {
    "nothing": b"",
    "blank": b" \r\n",
    "html": b"<!DOCTYPE html><html><body>Bad gateway</body></html>",
    "xhtml": b"<html><body>Bad gateway</body></html>",
    "text": b"Service unavailable",
    "json": b'{"responseCode": 0}',
    "cut short": SUCCESSES["/upload"][:-20],
    "doctype": response().replace(b"<reportResponse>", b'<!DOCTYPE reportResponse [<!ENTITY a "b">]><reportResponse>'),
    "another document": b"<report/>",
    "no code": b"<reportResponse><responseDescription/></reportResponse>",
    "two codes": response(0, None, responseCode=0),
    "a code in words": response("zero"),
    "a code too large": response(1 << 40),
    "a report id in words": response(reportId="one"),
    "wrong bytes": response().replace(b"Success", b"\xff\xfe"),
    "utf-16": response().decode().replace("UTF-8", "UTF-16").encode("utf-16")[:-3],
    "null bytes": b"\x00" * 100,
    "done without id": response(0, None, root="reportDoneResponse"),
}


@each_endpoint
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("http", [200, 204, 400, 404, 409])
def test_what_cannot_be_read_is_no_answer(path: str, body: bytes, http: int) -> None:
    """A body that is not NCMEC's reply is never taken for success or for a refusal: nobody knows what happened."""
    with pytest.raises(Misunderstanding) as raised:
        ask(path, http, body)
    error = raised.value
    assert (error.endpoint, error.status, error.request_id, error.body) == (path, http, "abc-1", body)
    assert str(error).startswith("Request-ID abc-1: ")
    assert "Bad gateway" not in str(error) + repr(error)


@each_endpoint
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("http", [429, 500, 502, 503, 504])
def test_a_server_that_cannot_is_unavailable(path: str, body: bytes, http: int) -> None:
    """HTTP 429 and 5xx mean "later" where no code says more, and Retry-After is honoured."""
    with pytest.raises(Unavailable) as raised:
        ask(path, http, body, {**HEADERS, "Retry-After": "Wed, 05 Nov 2025 12:02:00 GMT"})
    assert (raised.value.code, raised.value.status, raised.value.retry_after_for) == (None, http, 120.0)


@each_endpoint
@pytest.mark.parametrize("http", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_no_answer(path: str, http: int) -> None:
    """A redirect is not followed and not believed, even with a reply in its body."""
    for body in (b"", SUCCESSES[path], response(5102)):
        with pytest.raises(Misunderstanding, match="redirect"):
            ask(path, http, body, {"Location": "https://example.com/"})


@each_endpoint
@pytest.mark.parametrize("http", [400, 404, 429, 500, 503])
def test_success_under_an_errors_status_is_no_success(path: str, http: int) -> None:
    """Code 0 with an HTTP status that says otherwise is a contradiction, and leaves the call in doubt."""
    if path == "/xsd":
        return
    with pytest.raises(Misunderstanding, match="says success"):
        ask(path, http, SUCCESSES[path])


@each_endpoint
def test_a_body_that_is_not_whole_is_not_read(path: str) -> None:
    """What was cut off or encoded is not believed, even where what is left looks like a reply."""
    with pytest.raises(Misunderstanding, match="larger than"):
        ask(path, 200, SUCCESSES[path], fault="it is larger than 7 bytes")
    with pytest.raises(Unavailable):
        ask(path, 503, SUCCESSES[path], fault="it is encoded")


def test_the_body_that_an_error_keeps_is_bounded() -> None:
    """An error keeps enough of an unreadable body for a person, and no more."""
    with pytest.raises(Misunderstanding) as raised:
        ask("/submit", 200, b"<html>" * 100_000)
    assert len(raised.value.body) == 4096


# -- success that is none -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/submit", response(), "without the report's id"),
        ("/submit", response(reportId=0), "without the report's id"),
        ("/submit", done(), "another endpoint"),
        ("/upload", response(), "without the ids"),
        ("/upload", response(reportId=NUMBER, hash=MD5), "without the ids"),
        ("/upload", response(reportId=NUMBER, fileId="", hash=MD5), "without the ids"),
        ("/upload", response(fileId=FILE, hash=MD5), "without the ids"),
        ("/upload", response(reportId=NUMBER, fileId=FILE), "without the ids"),
        ("/upload", response(reportId=1, fileId=FILE, hash=MD5), "another report"),
        ("/fileinfo", response(reportId=1), "another report"),
        ("/fileinfo", response(reportId=NUMBER, fileId="0" * 32), "another file"),
        ("/fileinfo", done(), "another endpoint"),
        ("/finish", response(), "another endpoint"),
        ("/finish", response(reportId=NUMBER), "another endpoint"),
        ("/finish", done(report=1), "another report"),
        ("/retract", response(reportId=1), "another report"),
        ("/retract", done(), "another endpoint"),
        ("/status", done(), "another endpoint"),
        ("/xsd", response(), "another endpoint"),
        ("/xsd", b"<schema/>", "not a reply"),
    ],
)
def test_a_success_must_be_this_calls(path: str, body: bytes, reason: str) -> None:
    """Code 0 without the ids that the endpoint gives, or with another report's or file's, is not this call's success."""
    with pytest.raises(Misunderstanding, match=reason):
        ask(path, 200, body)


def test_file_details_need_no_ids_in_their_answer() -> None:
    """Where an endpoint gives nothing, its success needs no ids; the right ones are welcome."""
    for body in (response(), response(reportId=NUMBER, fileId=FILE), response(reportId=NUMBER, fileId="")):
        assert ask("/fileinfo", 200, body).file_id == FILE
    assert ask("/retract", 200, response()).report_id == NUMBER


def test_the_hash_is_compared() -> None:
    """NCMEC's MD5 must be that of the request, or else that of the bytes that were sent; letters have no case."""
    known: Request[Uploaded] = upload(NUMBER, name="canary.jpg", md5=MD5.upper())
    body = SUCCESSES["/upload"]
    assert understand(known, 200, HEADERS, body).md5 == MD5
    assert understand(known, 200, HEADERS, body, md5="0" * 32).md5 == MD5
    assert ask("/upload", 200, body.replace(MD5.encode(), MD5.upper().encode()), md5=MD5).md5 == MD5
    assert ask("/upload", 200, body).md5 == MD5
    other = response(reportId=NUMBER, fileId=FILE, hash="0" * 32)
    for request, md5, reason in (
        (known, None, "not ours"),
        (REQUESTS["/upload"], MD5, "not ours"),
        (REQUESTS["/upload"], "", "before the whole file"),
    ):
        with pytest.raises(HashMismatch, match=reason) as raised:
            understand(request, 200, HEADERS, other, md5=md5)
        assert isinstance(raised.value, Misunderstanding)
        assert raised.value.request_id == "abc-1"
        assert "canary" not in str(raised.value)


# -- anything at all ----------------------------------------------------------------------------------------------------

_BODIES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([*SUCCESSES.values(), *UNREADABLE.values(), *(response(code) for code in CODES)]),
    st.tuples(st.sampled_from([*SUCCESSES.values()]), st.integers(0, 200), st.binary(max_size=5)).map(
        lambda made: made[0][: made[1]] + made[2] + made[0][made[1] :]
    ),
)


@given(
    path=st.sampled_from(list(REQUESTS)),
    http=st.integers(100, 599),
    body=_BODIES,
    headers=st.dictionaries(st.sampled_from(["Request-ID", "date", "RETRY-AFTER", "x"]), st.text(max_size=40)),
)
def test_any_answer_is_understood_or_refused(path: str, http: int, body: bytes, headers: dict[str, str]) -> None:
    """Whatever comes over the wire becomes a reply or one of our errors; success only under HTTP 2xx."""
    outcome: Reply | CybertipError
    try:
        outcome = ask(path, http, body, headers)
    except (NcmecError, Misunderstanding) as error:
        outcome = error
    if isinstance(outcome, Reply):
        assert 200 <= http < 300
        assert outcome.raw == body
    else:
        assert "\n" not in str(outcome)
        assert str(pickle.loads(pickle.dumps(outcome))) == str(outcome)


def test_refusals_that_must_not_be_repeated_are_marked() -> None:
    """Everything that repeating cannot help is a `Refused`, and what "later" can help is not."""
    for code, kind in CODES.items():
        assert issubclass(kind, Refused) is (kind not in (Unavailable, NcmecError)), code


def test_reprs_of_replies_hide_what_they_hold() -> None:
    """No reply's repr shows its raw bytes, its description or a digest."""
    for path in SUCCESSES:
        text = repr(ask(path, 200, SUCCESSES[path].replace(b"Success", b"canary")))
        assert not any(word in text for word in ("canary", "Remote", "192.0.2.1", MD5, "<?xml"))
