"""Canaries: what nobody may read is planted everywhere, and looked for in everything that anybody reads."""

import logging
import pickle
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cybertip import (
    Credentials,
    CybertipError,
    Email,
    FileDetails,
    FileId,
    IncidentSummary,
    IncidentType,
    Person,
    Report,
    Reporter,
    ReportId,
)

REPORT = ReportId(4564654)
CANARY = "canary-7f3a"
DOCUMENT = Report(
    incident_summary=IncidentSummary(
        incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 31, 12, tzinfo=UTC)
    ),
    reporter=Reporter(reporting_person=Person(first_name=CANARY, emails=(Email(value=f"{CANARY}@example.com"),))),
)
CALLS: dict[str, Any] = {
    "submit": lambda ncmec: ncmec.submit(DOCUMENT),
    "upload": lambda ncmec: ncmec.upload(REPORT, f"{CANARY} bytes".encode(), name=f"{CANARY}.jpg"),
    "upload of a lost file": lambda ncmec: ncmec.upload(REPORT, f"/nowhere/{CANARY}", name=f"{CANARY}.jpg"),
    "upload of a strange type": lambda ncmec: ncmec.upload(REPORT, b"x", name=CANARY, media_type=CANARY),
    "describe": lambda ncmec: ncmec.describe(
        FileDetails(report_id=REPORT, file_id=FileId("1" * 32), original_file_name=f"{CANARY}.jpg")
    ),
    "finish": lambda ncmec: ncmec.finish(REPORT),
}


def described(code: int) -> bytes:
    """Write a reply that quotes what was sent, as Xerces does."""
    return (
        f"<reportResponse><responseCode>{code}</responseCode>"
        f"<responseDescription>{CANARY} is wrong</responseDescription><x>{CANARY}</x></reportResponse>"
    ).encode()


def _raising(kind: type[httpx.HTTPError]) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        request.read() if isinstance(request.stream, httpx.SyncByteStream) else None
        raise kind(f"{CANARY} in {request.url}", request=request)  # type: ignore[call-arg] # those below take it

    return answer


def _answering(status: int, body: bytes, **headers: str) -> Any:
    return lambda request: httpx.Response(status, content=body, headers=headers)


ANSWERS: dict[str, Any] = {
    "refused": _answering(200, described(4100)),
    "unavailable": _answering(503, f"<html>{CANARY}</html>".encode()),
    "not allowed": _answering(401, described(2000)),
    "unreadable": _answering(200, f"<html>{CANARY}</html>".encode()),
    "cut short": _answering(200, described(0)[:-30]),
    "contradictory": _answering(500, described(0)),
    "redirect": _answering(302, b"", Location=f"https://{CANARY}.example.com"),
    "no connection": _raising(httpx.ConnectError),
    "lost": _raising(httpx.ReadError),
    "wrong hash": _answering(
        200,
        f"<reportResponse><responseCode>0</responseCode><reportId>{REPORT}</reportId><fileId>1</fileId>"
        f"<hash>{'0' * 32}</hash><responseDescription>{CANARY}</responseDescription></reportResponse>".encode(),
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_nothing_shows_what_was_sent(colour: Any, caplog: pytest.LogCaptureFixture, call: Any, answer: Any) -> None:
    """Credentials, names, addresses, file names and bytes are in no error, no repr and no log, even at the finest level."""
    caplog.set_level(logging.DEBUG)
    credentials = Credentials(username=CANARY, password=CANARY)
    seen = [repr(credentials)]

    def watched(client: Any) -> Any:
        seen.append(repr(client))
        return call(client)

    try:
        reply = colour(watched, httpx.MockTransport(answer), credentials=credentials)
    except (CybertipError, OSError) as error:
        told: BaseException = error
    else:
        seen.append(repr(reply))
        told = CybertipError()
    seen += [str(told), repr(told), *map(str, told.args)]
    if isinstance(told, CybertipError):
        again = pickle.loads(pickle.dumps(told))
        seen += [str(again), repr(again)]
        assert str(again) == str(told)
        # The traceback shows our own frames and the cause, whose text is httpx's; ours adds nothing to it.
        seen += traceback.format_exception_only(told)
    seen.append(caplog.text)
    assert CANARY not in "\n".join(seen)
    assert credentials.authorization().split()[1] not in "\n".join(seen)


def test_the_wire_is_logged_without_secrets(
    colour: Any, kit: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Over a real connection, the logs of the HTTP client below show no credentials, name or byte."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / f"{CANARY}.jpg"
    path.write_bytes(f"{CANARY} bytes".encode())
    credentials = Credentials(username=CANARY, password=CANARY)

    def handler(connection: Any) -> None:
        kit.read_request(connection)
        connection.sendall(kit.http_answer(described(4100)))

    with kit.serving(handler) as environment, pytest.raises(CybertipError) as raised:
        colour(
            lambda ncmec: ncmec.upload(REPORT, path, name=f"{CANARY}.jpg"),
            environment=environment,
            credentials=credentials,
        )
    assert "send_request_headers" in caplog.text
    shown = caplog.text + "".join(traceback.format_exception(raised.value))
    assert CANARY not in shown.replace(str(tmp_path), "")
    assert credentials.authorization().split()[1] not in shown
