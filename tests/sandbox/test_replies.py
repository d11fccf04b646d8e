"""What goes over the wire around the documents: credentials, headers, statuses, addresses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cybertip import Edition, schema
from cybertip.model import ReportDoneResponse, ReportResponse
from cybertip.xml import read


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Bearer c2FuZGJveDpzYW5kYm94"},
        {"Authorization": "Basic c2FuZGJveDp3cm9uZw=="},
        {"Authorization": "Basic ÿ"},
    ],
)
@pytest.mark.parametrize("path", ["/status", "/submit", "/xsd", "/nowhere"])
def test_nothing_is_answered_without_the_credentials(caller: Any, path: str, headers: dict[str, str]) -> None:
    """Wrong credentials are refused by the head alone, with a challenge, an empty body and nothing else learned."""
    exchange = caller.ncmec.begin("POST", f"/ispws{path}", headers)
    assert exchange.answer is not None
    assert (exchange.answer.status, exchange.answer.body) == (401, b"")
    assert exchange.answer.header("WWW-Authenticate").startswith("Basic ")
    assert exchange.answer.header("Request-ID")
    assert exchange.end() is exchange.answer


def test_a_refusal_of_credentials_may_have_an_xml_body(calling: Callable[..., Any]) -> None:
    """Both kinds of HTTP 401 were seen of NCMEC, so both can be had."""
    answer = calling(unauthorised="xml").ncmec.handle("GET", "/ispws/status")
    assert (answer.status, read(answer.body).response_code) == (401, 2000)  # type: ignore[union-attr]


def test_the_credentials_can_be_chosen(calling: Callable[..., Any]) -> None:
    """Names of headers and schemes have no case; user and password do, and may hold any character."""
    caller = calling(username="ä user", password="p:ä")
    headers = {"aUTHORIZATION": caller.basic("ä user", "p:ä")["Authorization"].replace("Basic", "bASIC")}
    assert caller.ncmec.handle("GET", "/ispws/status", headers).status == 200
    assert caller.ncmec.handle("GET", "/ispws/status", list(headers.items())).status == 200
    assert caller.ncmec.handle("GET", "/ispws/status", caller.basic("ä user", "P:ä")).status == 401
    with pytest.raises(ValueError, match="colon"):
        calling(username="a:b")


def test_status_names_the_user_and_the_address(caller: Any) -> None:
    """/status tells the caller who it is taken for."""
    answer = caller.ncmec.handle("GET", "/ispws/status?x=1", caller.basic(), peer="127.0.0.9")
    reply = read(answer.body)
    assert isinstance(reply, ReportResponse)
    assert reply.response_description == "Remote User : sandbox, Remote Ip : 127.0.0.9"


def test_every_answer_has_a_request_id_of_its_own_and_the_doubles_time(caller: Any) -> None:
    """Success or failure, an answer can be told to NCMEC's support, and shows their clock."""
    calls = [
        ("GET", "/status"),
        ("GET", "/xsd"),
        ("POST", "/submit"),
        ("POST", "/upload"),
        ("PUT", "/finish"),
        ("GET", "/"),
    ]
    answers = [caller.call(method, path).answer for method, path in calls]
    assert len({answer.header("request-id") for answer in answers}) == len(calls)
    assert {answer.header("date") for answer in answers} == {"Thu, 01 Jan 2026 12:00:00 GMT"}
    caller.ncmec.clock.advance(timedelta(days=1))
    assert caller.call("GET", "/status").answer.header("date") == "Fri, 02 Jan 2026 12:00:00 GMT"


def test_replies_claim_a_charset_that_they_do_not_have(caller: Any) -> None:
    """As the original does, the header names Latin-1 over a document that declares and is UTF-8."""
    answer = caller.opened() and caller.call("GET", "/status").answer
    assert answer.header("content-type") == "application/xml;charset=ISO-8859-1"
    assert answer.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, 1210),
        ("GET", "", 404, 1210),
        ("POST", "/submit/", 404, 1210),
        ("GET", "/submit", 405, 4000),
        ("POST", "/status", 405, 4000),
        ("DELETE", "/xsd", 405, 4000),
    ],
)
def test_wrong_addresses_and_methods_are_refused_in_xml(
    caller: Any, method: str, path: str, status: int, code: int
) -> None:
    """An address that is wrong is answered with NCMEC's reply document, as everything is."""
    assert caller.call(method, path).outcome == (status, code)


def test_what_is_not_below_ispws_is_not_there(caller: Any) -> None:
    """The double has NCMEC's paths and its own control routes, and no other."""
    assert caller.ncmec.handle("GET", "/status", caller.basic()).status == 404
    assert caller.ncmec.handle("GET", "/", caller.basic()).status == 404


@pytest.mark.parametrize("edition", list(Edition))
def test_the_schema_is_the_one_that_is_judged_by(calling: Callable[..., Any], edition: Edition) -> None:
    """/xsd serves the edition that was chosen."""
    assert calling(edition=edition).call("GET", "/xsd").answer.body == schema.exported(edition)


def test_success_looks_as_documented(caller: Any, calling: Callable[..., Any]) -> None:
    """Each success has its ids; only the receipt has no description, and the others' may be empty."""
    report_id = caller.opened()
    uploaded = caller.upload(report_id, b"abc").values
    assert uploaded["reportId"] == str(report_id)
    assert uploaded["hash"] == "900150983cd24fb0d6963f7d28e17f72"
    assert caller.describe(report_id, uploaded["fileId"]).values["responseDescription"] == "Success"
    receipt = read(caller.finish(report_id).answer.body)
    assert isinstance(receipt, ReportDoneResponse)
    assert (receipt.response_code, receipt.report_id) == (0, report_id)
    assert receipt.files.file_ids == (uploaded["fileId"],)
    quiet = calling(success_description="")
    assert quiet.submit().values["responseDescription"] == ""


def test_the_http_status_of_a_code_can_be_chosen(calling: Callable[..., Any]) -> None:
    """Clients must go by the code, so that any status may come with it."""
    assert calling(statuses={5001: 500}).finish(1).outcome == (500, 5001)


@pytest.mark.parametrize("choice", [{"after_deletion": 5002}, {"second_file_details": "maybe"}, {"edition": "1999-01"}])
def test_a_choice_that_is_none_is_refused(calling: Callable[..., Any], choice: dict[str, Any]) -> None:
    """A misspelt behaviour is an error and not the default."""
    with pytest.raises(ValueError):
        calling(**choice)


def test_secrets_and_documents_are_in_no_repr(caller: Any) -> None:
    """What a debugger or a failing test prints of the double shows neither passwords nor what was reported."""
    body = caller.report_xml(summary="<platform>canary-platform</platform>")
    answer = caller.submit(body).answer
    refused = caller.submit(body.replace(b"Child Sex Trafficking", b"canary-type")).answer
    assert b"canary-type" in refused.body
    shown = repr([answer, refused, caller.ncmec.behaviour, *caller.ncmec.desk.register.all()])
    assert "canary" not in shown
    assert "password" not in shown
