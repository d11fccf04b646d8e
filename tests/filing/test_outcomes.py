"""What each answer of NCMEC's means to a delivery: for every code, every call, every HTTP status and every broken wire.

The expectations are NCMEC's codes and what may be repeated after a lost answer (NCMEC: sections 4 and 6), written out here.
"""

from typing import Any

import pytest

from cybertip.errors import InDoubt, NeverSent, TransportError
from cybertip.filing import Policy
from cybertip.filing.events import (
    Call,
    Described,
    Finished,
    Lost,
    Mismatched,
    Opened,
    Refused,
    Retracted,
    Unsent,
    Uploaded,
    Verdict,
)
from cybertip.filing.outcomes import outcome
from cybertip.model import FileDescription, FileId, ReportId
from cybertip.protocol import Answer, Code, Request, describe, finish, retract, submit, upload

REPORT = ReportId(4564654)
FILE = FileId("0123456789abcdef0123456789abcdef")
MD5 = "0f343b0931126a20f133d67c2b018a3b"
DATE = ("Date", "Thu, 01 Jan 2026 12:00:00 GMT")
HEADERS = (("Request-ID", "request-1"), DATE)

CALLS = tuple(Call)
LATER, CREDENTIALS, OURS, GONE, FILE_GONE, UNKNOWN = Verdict

#: What is known after a code, whatever the call (NCMEC: section 4).
EVERY_CALL: dict[int, Verdict] = {
    1000: LATER,
    1100: LATER,
    1110: LATER,
    1111: LATER,
    1300: LATER,
    1210: OURS,
    2000: CREDENTIALS,
    3000: CREDENTIALS,
    3100: CREDENTIALS,
    3300: CREDENTIALS,
    4000: OURS,
    4100: OURS,
    4110: OURS,
    4200: OURS,
    5002: FILE_GONE,
    # Codes that are not documented: a failure of the server's where the thousands say so, and otherwise nobody knows.
    1999: LATER,
    999: UNKNOWN,
    6000: UNKNOWN,
    -1: UNKNOWN,
}

#: What is known after the codes that mean something else for each call (NCMEC: section 6).
BY_CALL: dict[int, dict[Call, Verdict | type[Finished]]] = {
    # It never was, or deleted itself.
    5001: {
        Call.SUBMIT: UNKNOWN,
        Call.UPLOAD: GONE,
        Call.DESCRIBE: GONE,
        Call.FINISH: GONE,
        Call.RETRACT: GONE,
    },
    # It was retracted before, or deleted itself.
    5101: {
        Call.SUBMIT: UNKNOWN,
        Call.UPLOAD: GONE,
        Call.DESCRIBE: GONE,
        Call.FINISH: GONE,
        Call.RETRACT: GONE,
    },
    # It is filed, whoever did it.
    5102: {
        Call.SUBMIT: UNKNOWN,
        Call.UPLOAD: Finished,
        Call.DESCRIBE: Finished,
        Call.FINISH: Finished,
        Call.RETRACT: Finished,
    },
}


def body(code: int, *, root: str = "reportResponse", **more: Any) -> bytes:
    """Write a reply of NCMEC's."""
    rest = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    return f"<{root}><responseCode>{code}</responseCode>{rest}</{root}>".encode()


def request_of(kit: Any, call: Call) -> Request[Any]:
    """Return the request of a call."""
    match call:
        case Call.SUBMIT:
            return submit(kit.report())
        case Call.UPLOAD:
            return upload(REPORT, name="1.png", size=21, md5=MD5)
        case Call.DESCRIBE:
            return describe(FileDescription(file_viewed_by_esp=True).named(report_id=REPORT, file_id=FILE))
        case Call.FINISH:
            return finish(REPORT)
        case Call.RETRACT:
            return retract(REPORT)


def came(kit: Any, call: Call, result: Answer | TransportError) -> Any:
    """Return the event that a call's result becomes."""
    file = 0 if call in (Call.UPLOAD, Call.DESCRIBE) else None
    event = outcome(call, file, request_of(kit, call), result, now=kit.NOW, policy=Policy())
    if isinstance(event, Lost | Unsent | Refused):
        assert event.call is call
    elif isinstance(event, Uploaded | Described | Mismatched):
        assert event.file == file
    else:
        assert isinstance(event, Opened | Finished | Retracted)
    return event


def answer(code: int, status: int = 200, **more: Any) -> Answer:
    return Answer(status=status, headers=HEADERS, body=body(code, **more))


every_call = pytest.mark.parametrize("call", CALLS)


def test_no_code_is_left_out() -> None:
    """Every documented code is in the tables of this test."""
    assert {*EVERY_CALL, *BY_CALL, 0} >= set(Code)


@every_call
@pytest.mark.parametrize("code", [*EVERY_CALL, *BY_CALL])
@pytest.mark.parametrize("status", [200, 400, 404, 429, 500, 503])
def test_a_code_decides_whatever_the_http_status(kit: Any, call: Call, code: int, status: int) -> None:
    """Each code means for each call what NCMEC's rules say, under whatever HTTP status it comes."""
    expected = BY_CALL[code][call] if code in BY_CALL else EVERY_CALL[code]
    event = came(kit, call, answer(code, status))
    if isinstance(expected, Verdict):
        assert isinstance(event, Refused)
        assert (event.verdict, event.code) == (expected, code)
    else:
        assert isinstance(event, expected)
    assert event.observation.status == status
    assert event.observation.request_id == "request-1"
    assert event.observation.raw == body(code)


@pytest.mark.parametrize("call", [call for call in CALLS if call is not Call.SUBMIT])
def test_already_finished_is_adopted(kit: Any, call: Call) -> None:
    """5102 means filed: the report counts as finished under the number that was asked about, its list of files is lost,
    and its contents are to be kept."""
    event = came(kit, call, answer(5102))
    assert (event.report_id, event.adopted, event.file_ids) == (REPORT, True, ())
    assert event.preserve_until == kit.NOW + Policy().preserved_for


def test_success(kit: Any) -> None:
    """Code 0 with the ids that belong to it is done, and what NCMEC named is kept."""
    files = f"<fileId>{FILE}</fileId>"
    assert came(kit, Call.SUBMIT, answer(0, reportId=REPORT)).report_id == REPORT
    assert came(kit, Call.UPLOAD, answer(0, reportId=REPORT, fileId=FILE, hash=MD5)).file_id == FILE
    assert isinstance(came(kit, Call.UPLOAD, answer(0, reportId=REPORT, fileId=FILE, hash=MD5.upper())), Uploaded)
    assert isinstance(came(kit, Call.DESCRIBE, answer(0, reportId=REPORT)), Described)
    assert isinstance(came(kit, Call.RETRACT, answer(0, reportId=REPORT)), Retracted)
    done = came(kit, Call.FINISH, answer(0, root="reportDoneResponse", reportId=REPORT, files=files))
    assert (done.report_id, done.file_ids, done.adopted) == (REPORT, (FILE,), False)
    assert done.preserve_until == kit.NOW + Policy().preserved_for
    assert done.observation.raw == body(0, root="reportDoneResponse", reportId=REPORT, files=files)
    assert done.observation.date == kit.after(12 * 3600)


def test_other_bytes(kit: Any) -> None:
    """Where NCMEC's MD5 is not the manifest's, it holds other bytes: the file has not arrived."""
    event = came(kit, Call.UPLOAD, answer(0, reportId=REPORT, fileId=FILE, hash="0" * 32))
    assert isinstance(event, Mismatched)
    assert event.observation.raw


@pytest.mark.parametrize(
    ("call", "more"),
    [
        (Call.SUBMIT, {}),
        (Call.SUBMIT, {"reportId": 0}),
        (Call.UPLOAD, {"reportId": REPORT, "hash": MD5}),
        (Call.UPLOAD, {"reportId": REPORT, "fileId": FILE}),
        (Call.UPLOAD, {"reportId": REPORT + 1, "fileId": FILE, "hash": MD5}),
        (Call.DESCRIBE, {"reportId": REPORT + 1}),
        (Call.DESCRIBE, {"reportId": REPORT, "fileId": FILE[::-1]}),
        (Call.FINISH, {"reportId": REPORT}),
        (Call.FINISH, {"root": "reportDoneResponse", "reportId": REPORT + 1, "files": ""}),
        (Call.RETRACT, {"reportId": REPORT + 1}),
    ],
    ids=str,
)
def test_a_success_without_its_ids_or_with_anothers(kit: Any, call: Call, more: dict[str, Any]) -> None:
    """A success that lacks what belongs to it, or speaks of another report, is none: nobody knows what happened."""
    event = came(kit, call, answer(0, **more))
    assert isinstance(event, Lost)
    assert event.observation is not None
    assert event.observation.request_id == "request-1"


@every_call
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    "given", [b"", b"<html/>", body(1000), body(0, reportId=REPORT)], ids=["", "html", "1000", "0"]
)
def test_credentials_are_decided_by_the_status(kit: Any, call: Call, status: int, given: bytes) -> None:
    """HTTP 401 and 403 are about our credentials, whatever stands in the body."""
    event = came(kit, call, Answer(status=status, headers=HEADERS, body=given))
    assert isinstance(event, Refused)
    assert event.verdict is CREDENTIALS


@every_call
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("given", [b"", b"<html>busy</html>"], ids=["empty", "html"])
def test_not_now(kit: Any, call: Call, status: int, given: bytes) -> None:
    """A gateway that says 429 or 503 has not passed the request on: it may be repeated, when the gateway says."""
    event = came(kit, call, Answer(status=status, headers=(*HEADERS, ("Retry-After", "120")), body=given))
    assert isinstance(event, Refused)
    assert (event.verdict, event.code, event.retry_after_for) == (LATER, None, 120.0)


@pytest.mark.parametrize("call", [Call.UPLOAD, Call.DESCRIBE])
def test_not_now_of_a_proxy(kit: Any, call: Call) -> None:
    """Some proxies say 503 of a connection that broke after the request had passed: a file must not arrive twice."""
    event = came(kit, call, Answer(status=503, headers=HEADERS, body=b"upstream connect error"))
    assert isinstance(event, Lost)


@every_call
@pytest.mark.parametrize("status", [500, 502, 504, 599, 200, 204, 302, 400, 404, 413])
@pytest.mark.parametrize(
    "given", [b"", b"<html>gateway</html>", b"\x00\xff", b"<!DOCTYPE a><reportResponse/>", body(0)[:30]], ids=range(5)
)
def test_no_answer_of_ncmecs(kit: Any, call: Call, status: int, given: bytes) -> None:
    """A page of a gateway's, nothing, or half a reply tells nothing of what NCMEC did; what came is kept."""
    event = came(kit, call, Answer(status=status, headers=HEADERS, body=given))
    assert isinstance(event, Lost)
    assert event.observation is not None
    assert (event.observation.status, event.observation.raw) == (status, given)


@every_call
def test_a_body_that_is_too_large(kit: Any, call: Call) -> None:
    """Of a body without end only its beginning is kept, and it is never a success."""
    whole = body(0, reportId=REPORT) + b" " * (1 << 20)
    event = came(kit, call, Answer(status=200, headers=HEADERS, body=whole, fault="it is larger than 1048576 bytes"))
    assert isinstance(event, Lost)
    assert event.observation is not None
    assert 0 < len(event.observation.raw) < len(whole)
    assert whole.startswith(event.observation.raw)


@every_call
def test_success_under_a_status_that_is_none(kit: Any, call: Call) -> None:
    """Code 0 under HTTP 500 contradicts itself: nobody knows."""
    assert isinstance(came(kit, call, answer(0, 500, reportId=REPORT)), Lost)


@every_call
def test_a_broken_wire(kit: Any, call: Call) -> None:
    """What never left did nothing; what left without an answer is in doubt; no reason is lost."""
    unsent = came(kit, call, NeverSent(endpoint="/x", reason="no connection"))
    assert (type(unsent), unsent.reason) == (Unsent, "no connection")
    lost = came(kit, call, InDoubt(endpoint="/x", reason="no answer"))
    assert (type(lost), lost.reason, lost.observation) == (Lost, "no answer", None)
