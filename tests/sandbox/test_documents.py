"""The documents that are refused, with NCMEC's codes, statuses and words."""

from collections.abc import Callable
from typing import Any

import pytest

from cybertip import Edition, schema

VIRAL = "<fileAnnotations><viral/></fileAnnotations>"


def test_bytes_that_are_no_xml_are_malformed(caller: Any) -> None:
    """What cannot be parsed is answered with 4110, and opens nothing."""
    for body in (b"", b"report", b"<report>", b"\xff\xfe", caller.report_xml()[:-1]):
        assert caller.submit(body).outcome == (200, 4110)
    assert caller.ncmec.reports() == []


def test_a_doctype_is_refused(caller: Any) -> None:
    """A document cannot make the double read files, fetch addresses or grow without bound."""
    bomb = b'<!DOCTYPE report [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + caller.report_xml()
    assert caller.submit(bomb).outcome == (200, 4110)


def test_the_root_must_be_the_endpoints(caller: Any) -> None:
    """File details sent to /submit, a report sent to /fileinfo and strangers are refused by name."""
    assert caller.submit(caller.details_xml(1, "a")).outcome == (400, 4100)
    assert caller.call("POST", "/fileinfo", caller.report_xml(), kind="text/xml").outcome == (400, 4100)
    assert caller.submit(b"<stranger/>").description == "cvc-elt.1: Cannot find the declaration of element 'stranger'."


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("path", ["/submit", "/fileinfo"])
def test_documents_come_as_xml(caller: Any, path: str, kind: str | None) -> None:
    """A document of another content type is refused before it is read."""
    assert caller.call("POST", path, caller.report_xml(), kind=kind).outcome == (415, 4000)


def test_a_document_beyond_the_limit_is_refused(calling: Callable[..., Any]) -> None:
    """The limit is what is read, to the byte; the rest passes by without being kept."""
    body = calling().report_xml()
    assert calling(document_limit=len(body)).submit(body).code == 0
    assert calling(document_limit=len(body) - 1).submit(body).outcome == (413, 4000)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (
            {"before_reporter": "<victim/>"},
            "cvc-complex-type.2.4.a: Invalid content was found starting with element 'victim'. "
            "One of '{internetDetails, lawEnforcement, reporter}' is expected.",
        ),
        (
            {"after_reporter": "<victim/>"},
            "cvc-complex-type.2.4.b: The content of element 'victim' is not complete. One of '{victimPerson}' is expected.",
        ),
        (
            {"after_reporter": "<additionalInfo>a</additionalInfo><additionalInfo>b</additionalInfo>"},
            "cvc-complex-type.2.4.d: Invalid content was found starting with element 'additionalInfo'. "
            "No child element is expected at this point.",
        ),
        (
            {"before_reporter": "text"},
            "cvc-complex-type.2.3: Element 'report' cannot have character [children], "
            "because the type's content type is element-only.",
        ),
        (
            {"at": "yesterday"},
            "cvc-datatype-valid.1.2.1: 'yesterday' is not a valid value for 'dateTime'.",
        ),
        (
            {"after_reporter": "<personOrUserReported><associatedAccount/></personOrUserReported>"},
            "cvc-complex-type.4: Attribute 'type' must appear on element 'associatedAccount'.",
        ),
        (
            {"after_reporter": "<personOrUserReported q='1'/>"},
            "cvc-complex-type.3.2.2: Attribute 'q' is not allowed to appear in element 'personOrUserReported'.",
        ),
    ],
)
def test_a_document_that_the_xsd_refuses_is_told_so_as_xerces_does(
    caller: Any, wrong: dict[str, str], text: str
) -> None:
    """Schema errors come with HTTP 200, code 4100 and the text that NCMEC's server has for them."""
    reply = caller.submit(caller.report_xml(**wrong))
    assert (reply.outcome, reply.description) == ((200, 4100), text)
    assert caller.ncmec.reports() == []


def test_a_word_that_is_not_in_the_list_is_quoted(caller: Any) -> None:
    """NCMEC's descriptions quote what was sent, which is why they must stay out of logs."""
    reply = caller.submit(caller.report_xml().replace(b"Child Sex Trafficking", b"canary"))
    assert reply.description.startswith("cvc-enumeration-valid: Value 'canary' is not facet-valid with respect to")
    assert reply.description.endswith("It must be a value from the enumeration.")


def test_the_status_of_schema_errors_can_be_chosen(calling: Callable[..., Any]) -> None:
    """A client must not need HTTP 200 to read a code, nor HTTP 400."""
    assert calling(schema_error_status=400).submit(b"<report/>").outcome == (400, 4100)


def test_a_time_to_come_is_refused(caller: Any) -> None:
    """Times are in the past when NCMEC reads them, by its clock, to the second."""
    reply = caller.submit(caller.report_xml(at="2026-01-01T12:00:01Z"))
    assert reply.outcome == (400, 4100)
    assert reply.description == "incidentDateTime must be a past date"
    assert caller.submit(caller.report_xml(at="2026-01-01T11:59:59Z")).code == 0


def test_a_time_without_offset_is_refused(caller: Any) -> None:
    """The XSD lets it pass; the documentation does not."""
    assert caller.submit(caller.report_xml(at="2025-01-01T12:00:00")).outcome == (400, 4100)


def test_documented_rules_are_checked_of_file_details_too(caller: Any) -> None:
    """A rule that is broken keeps file details out, and the right ones may follow."""
    report_id = caller.opened()
    file_id = caller.uploaded(report_id)
    content = "<uploadedToEspTimestamp>2027-01-01T00:00:00Z</uploadedToEspTimestamp>"
    reply = caller.describe(report_id, file_id, content)
    assert (reply.outcome, reply.description) == ((400, 4100), "uploadedToEspTimestamp must be a past date")
    assert caller.describe(report_id, file_id).code == 0


def test_rules_can_be_left_out(calling: Callable[..., Any]) -> None:
    """Without the rules, all that the XSD allows is taken."""
    assert calling(check_rules=False).submit(calling().report_xml(at="2099-01-01T00:00:00Z")).code == 0


def test_an_edition_refuses_what_came_later(calling: Callable[..., Any]) -> None:
    """A platform can try today how its documents fare with another edition."""
    body = calling().report_xml(summary="<reportAnnotations><informational/></reportAnnotations>")
    assert calling().submit(body).code == 4100
    assert calling(edition=Edition.V2026_08).submit(body).code == 0


def test_another_xsd_is_judged_by_in_our_place(calling: Callable[..., Any]) -> None:
    """A newer schema of NCMEC's can be tried out, with elements that the model does not know."""
    ours = schema.exported().decode()
    newer = ours.replace(
        '<xs:element ref="incidentSummary"/>',
        '<xs:element ref="incidentSummary"/><xs:element name="novelty" type="xs:string" minOccurs="0"/>',
    )
    assert newer != ours
    caller = calling(xsd=newer.encode())
    body = caller.report_xml(before_reporter="<novelty>1</novelty>")
    report_id = caller.opened(body)
    assert caller.finish(report_id).code == 0
    assert caller.call("GET", "/xsd").answer.body == newer.encode()
    assert calling().submit(body).code == 4100


@pytest.mark.parametrize(
    ("xsd", "reason"),
    [
        (b"", "cannot be used"),
        (b"<report/>", "cannot be used"),
        (
            b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="a"/></xs:schema>',
            "one file",
        ),
        (
            b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="b"/></xs:schema>',
            "cannot",
        ),
    ],
)
def test_an_xsd_that_cannot_be_used_is_refused_at_once(calling: Callable[..., Any], xsd: bytes, reason: str) -> None:
    """The double starts with a schema that works or not at all, and fetches none."""
    with pytest.raises(ValueError, match=reason):
        calling(xsd=xsd)


def test_the_text_of_a_document_is_decoded_as_it_declares(caller: Any) -> None:
    """The listing shows what was meant, whatever the encoding that it came in."""
    text = caller.report_xml(summary="<platform>Größe</platform>").decode()
    caller.submit(f'<?xml version="1.0" encoding="ISO-8859-1"?>{text}'.encode("latin-1"))
    caller.submit(text.encode("utf-16"))
    assert all("Größe" in one["report"] for one in caller.ncmec.reports())
    assert len(caller.ncmec.reports()) == 2


# -- batched reports ------------------------------------------------------------------------------------------------------

USERS = "".join(
    f"<personOrUserReported><espIdentifier>user-{n}</espIdentifier></personOrUserReported>" for n in range(3)
)


def test_a_batched_report_with_one_viral_file_is_filed(caller: Any) -> None:
    """Many users, identifiers alone, one file that is tagged: so it is meant."""
    report_id = caller.opened(caller.report_xml(batched=True, after_reporter=USERS))
    file_id = caller.uploaded(report_id)
    assert caller.describe(report_id, file_id, VIRAL).code == 0
    assert caller.finish(report_id).code == 0


def test_a_batched_report_with_two_files_cannot_be_finished(caller: Any) -> None:
    """The second file is taken, and /finish refuses the report for it: only retracting helps."""
    report_id = caller.opened(caller.report_xml(batched=True, after_reporter=USERS))
    for _ in range(2):
        assert caller.describe(report_id, caller.uploaded(report_id), VIRAL).code == 0
    assert caller.finish(report_id).outcome == (400, 4100)
    assert caller.ncmec.reports()[0]["state"] == "open"
    assert caller.retract(report_id).code == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"summary": "<escalateToHighPriority>now</escalateToHighPriority>"},
        {"after_reporter": "<additionalInfo>more</additionalInfo>"},
        {"after_reporter": "<personOrUserReported><screenName>a</screenName></personOrUserReported>"},
        {"before_reporter": "<lawEnforcement><agencyName>Agency</agencyName></lawEnforcement>"},
    ],
)
def test_a_batched_report_says_nothing_else(caller: Any, wrong: dict[str, str]) -> None:
    """What a batched report must not have is refused when it is opened."""
    assert caller.submit(caller.report_xml(batched=True, **wrong)).outcome == (400, 4100)
    assert caller.submit(caller.report_xml(**wrong)).code == 0


@pytest.mark.parametrize(
    "content",
    ["", "<fileAnnotations><viral/><infant/></fileAnnotations>", "<fileAnnotations><infant/></fileAnnotations>"],
)
def test_the_file_of_a_batched_report_is_tagged_as_viral_or_as_a_meme(caller: Any, content: str) -> None:
    """Details of such a file without the tags, or with others, are refused; for other reports they are well."""
    for batched, code in ((True, 4100), (False, 0)):
        report_id = caller.opened(caller.report_xml(batched=batched))
        assert caller.describe(report_id, caller.uploaded(report_id), content).code == code


def test_an_undescribed_file_keeps_a_batched_report_from_being_finished(caller: Any) -> None:
    """A file of which nothing is said is not tagged."""
    report_id = caller.opened(caller.report_xml(batched=True, after_reporter=USERS))
    file_id = caller.uploaded(report_id)
    assert caller.finish(report_id).outcome == (400, 4100)
    assert caller.describe(report_id, file_id, VIRAL).code == 0
    assert caller.finish(report_id).code == 0
