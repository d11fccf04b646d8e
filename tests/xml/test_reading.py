"""What the reader refuses, and what it says of it: the line, the path in Python and in XML, the rule."""

from typing import Any

import pytest

from cybertip import FileDetails, InvalidReport, Report, Violation, read
from cybertip.xml import schema

TYPE, TIME = "Child Sex Tourism", "2025-01-01T12:00:00Z"
SMALLEST = f"""<report>
<incidentSummary>
<incidentType>{TYPE}</incidentType>
<incidentDateTime>{TIME}</incidentDateTime>
</incidentSummary>
<reporter>
<reportingPerson/>
</reporter>
</report>"""


def with_user(*lines: str) -> bytes:
    """Return a report with a reported user, whose content starts in line 10."""
    user = "\n".join(["<personOrUserReported>", *lines, "</personOrUserReported>"])
    return SMALLEST.replace("</reporter>\n", f"</reporter>\n{user}\n").encode()


def refusal(data: bytes) -> tuple[Violation, ...]:
    """Return why a document is refused."""
    with pytest.raises(InvalidReport) as caught:
        read(data)
    return caught.value.violations


USER, XML = "report.persons_or_users_reported[0]", "/report/personOrUserReported"


@pytest.mark.parametrize(
    ("content", "path", "line", "rule"),
    [
        ("<unforeseen/>", ".unforeseen", 10, "xsd-content"),
        ("<espService>x</espService>\n<espIdentifier>x</espIdentifier>", ".esp_identifier", 11, "xsd-content"),
        ("<espService>x</espService>\n<espService>y</espService>", ".esp_service", 11, "xsd-content"),
        ("<displayName>x</displayName>\n<displayName><b/></displayName>", ".display_names[1]", 11, "xsd-content"),
        ("<espIdentifier>x</espIdentifier>stray", "", 9, "xsd-content"),
        ("<compromisedAccount>yes</compromisedAccount>", ".compromised_account", 10, "xsd-value"),
        ("<compromisedAccount/>", ".compromised_account", 10, "xsd-value"),
        ("<priorCTReports>1</priorCTReports>\n<priorCTReports/>", ".prior_ct_reports[1]", 11, "xsd-value"),
        ("<espIdentifier of='x'>x</espIdentifier>", ".esp_identifier", 10, "xsd-content"),
        ("<associatedAccount type='Other' when='x'/>", ".associated_accounts[0]", 10, "xsd-attribute"),
        ("<associatedAccount/>", ".associated_accounts[0]", 10, "xsd-attribute"),
        ("<associatedAccount type='Friend'/>", ".associated_accounts[0]", 10, "xsd-value"),
        ("<ipCaptureEvent>\n<port>1</port></ipCaptureEvent>", ".ip_capture_events[0].port", 11, "xsd-content"),
        ("<ipCaptureEvent>\n</ipCaptureEvent>", ".ip_capture_events[0]", 10, "xsd-content"),
        (
            "<estimatedLocation>\n<countryCode>XX</countryCode>\n</estimatedLocation>",
            ".estimated_location.country_code",
            11,
            "xsd-value",
        ),
        ("<deviceId xmlns='https://example.com/'/>", ".*", 10, "xsd-content"),
    ],
)
def test_a_fault_is_named_by_line_and_path(content: str, path: str, line: int, rule: str) -> None:
    """What is unknown, misplaced, doubled, missing or of the wrong type is refused where it stands."""
    violation, *_ = refusal(with_user(content))
    assert (violation.path, violation.line, violation.rule) == (USER + path, line, rule)
    assert violation.message
    assert schema.validate(with_user(content), edition="2026-08")[0] == violation


def test_a_fault_is_named_by_its_xpath() -> None:
    """The second of several is called by its number, as XPath does, beginning with one."""
    violation, *_ = refusal(with_user("<priorCTReports>1</priorCTReports><priorCTReports>x</priorCTReports>"))
    assert violation.xpath == f"{XML}/priorCTReports[2]"


def test_an_expected_element_is_named() -> None:
    """Where something else should stand, the refusal says what."""
    (violation,) = refusal(
        SMALLEST.replace("<reporter>", "<reporters>").replace("</reporter>", "</reporters>").encode()
    )
    assert "reporter" in violation.message
    assert violation.line == 6


def test_every_fault_is_named_at_once() -> None:
    """A document with several wrong values is refused with each of them, in the order of the document."""
    data = with_user("<priorCTReports>x</priorCTReports>", "<priorCTReports>y</priorCTReports>")
    assert [(one.line, one.rule) for one in refusal(data)] == [(10, "xsd-value"), (11, "xsd-value")]


def test_an_attribute_is_named_in_both_ways() -> None:
    """A value of an attribute that Python cannot hold is named by the attribute."""
    data = with_user("<accountTemporarilyDisabled disabledDate='2025-01-01T00:00:00'>true</accountTemporarilyDisabled>")
    (violation,) = refusal(data)
    assert violation == Violation(
        path=f"{USER}.account_temporarily_disabled.disabled_date",
        xpath=f"{XML}/accountTemporarilyDisabled/@disabledDate",
        rule="type",
        message="must have an offset from UTC, such as Z or +01:00",
        line=10,
    )


@pytest.mark.parametrize("inner", ["", "<webPageIncident/><emailIncident/>", "<victim/>", "x", "<webPageIncident/>x"])
def test_internet_details_hold_exactly_one_incident(inner: str) -> None:
    """None, two, or something that is no incident is refused."""
    details = f"<internetDetails>{inner}</internetDetails>\n<reporter>"
    violation, *_ = refusal(SMALLEST.replace("<reporter>", details).encode())
    assert violation.path.startswith("report.internet_details[0]")
    assert violation.line == 6


@pytest.mark.parametrize(
    "meme",
    ["<potentialMeme>true</potentialMeme><fileAnnotations/>", "<fileAnnotations/><potentialMeme>true</potentialMeme>"],
)
def test_alternatives_exclude_each_other(meme: str) -> None:
    """A file with both of two alternatives is refused, in either order."""
    data = f"<fileDetails><reportId>1</reportId><fileId>0a</fileId>{meme}</fileDetails>".encode()
    assert refusal(data)[0].rule == "xsd-content"


@pytest.mark.parametrize(
    "tags",
    ["<viral/><viral/>", "<viral>false</viral>", "<viral><viral/></viral>", "<viral x='y'/>", "<unforeseen/>", "x"],
)
def test_a_tag_is_there_once_or_not_at_all(tags: str) -> None:
    """A tag that is doubled, denied, filled or unknown is refused."""
    annotations = f"<fileAnnotations>{tags}</fileAnnotations>"
    assert refusal(f"<fileDetails><reportId>1</reportId><fileId>0a</fileId>{annotations}</fileDetails>".encode())


@pytest.mark.parametrize(
    "root", ["person", "victim", "incidentSummary", "details", "html", "Report", "{https://example.com/}report"]
)
def test_only_the_four_documents_are_read(root: str) -> None:
    """A part of a document is no document, even where the XSD would take it for one; nor is anything else."""
    name = root.partition("}")[2] or root
    space = f" xmlns='{root[1:].partition('}')[0]}'" if root.startswith("{") else ""
    (violation,) = refusal(f"\n<{name}{space}/>".encode())
    assert (violation.rule, violation.line) == ("root", 2)
    assert violation.message == "must be one of report, fileDetails, reportResponse, reportDoneResponse"


def test_a_type_of_its_own_is_refused() -> None:
    """An element that names another type could carry what no field holds, so it is refused although the XSD takes it."""
    data = f"""<report xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
{SMALLEST.removeprefix("<report>")}""".replace(
        "<incidentDateTime>", '<platform xsi:type="phone" extension="5550100">x</platform><incidentDateTime>'
    ).encode()
    assert schema.validate(data) == ()
    (violation,) = refusal(data)
    assert (violation.path, violation.rule) == ("report.incident_summary.platform", "xsi-type")


@pytest.mark.parametrize(
    "hint",
    [
        "xsi:noNamespaceSchemaLocation='https://report.cybertip.org/ispws/xsd'",
        "xsi:noNamespaceSchemaLocation='https://example.com/never/fetched'",
        "xsi:schemaLocation='https://example.com/a https://example.com/b'",
        "xmlns:unused='https://example.com/'",
    ],
)
def test_a_hint_at_a_schema_changes_nothing(hint: str) -> None:
    """What a document says of where its schema is, anywhere in it, is neither followed nor held against it."""
    declaration = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
    expected = read(SMALLEST.encode())
    for name in ("report", "reporter", "incidentType"):
        hinted = SMALLEST.replace(f"<{name}>", f"<{name} {declaration} {hint}>")
        assert read(hinted.encode()) == expected


def test_a_report_of_any_edition_is_read() -> None:
    """The reader knows the fields of the newest edition, whatever edition is written by default."""
    data = with_user(
        "<personOrUserReportedPerson><ageAssertionDiscrepancy>true</ageAssertionDiscrepancy></personOrUserReportedPerson>"
    )
    document = read(data)
    assert isinstance(document, Report)
    (user,) = document.persons_or_users_reported
    assert user.person_or_user_reported_person is not None
    assert user.person_or_user_reported_person.age_assertion_discrepancy is True
    assert schema.validate(data, edition="2025-11") != ()


def test_a_file_id_of_digits_remains_text() -> None:
    """A file's name is text even where it looks like a number: its zeros are part of it."""
    document = read(b"<fileDetails><reportId>007</reportId><fileId>007</fileId></fileDetails>")
    assert isinstance(document, FileDetails)
    assert (document.report_id, document.file_id) == (7, "007")


@pytest.mark.parametrize("data", ["<report/>", None, 1, ["<report/>"], bytearray(b"<report/>")])
def test_only_bytes_are_read(data: Any) -> None:
    """A document is bytes: text, whose encoding was somebody else's guess, is refused."""
    (violation,) = refusal(data)
    assert (violation.path, violation.rule) == ("", "xml")
