"""What is written, to the byte."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from lxml import etree

from cybertip import (
    Address,
    AssociatedAccount,
    AssociatedAccountType,
    CellPhoneIncident,
    Country,
    Email,
    EmailType,
    FileAnnotations,
    FileDetails,
    FileId,
    Hash,
    IncidentSummary,
    IncidentType,
    InvalidReport,
    IpCaptureEvent,
    Person,
    PersonOrUserReported,
    Phone,
    Report,
    ReportAnnotations,
    Reporter,
    ReportId,
    ReportResponse,
    Victim,
    WebPageIncident,
    evolve,
    read,
    write,
)
from cybertip.model.declaration import Place, part_of
from cybertip.testing import strategies
from cybertip.xml.layout import DOCUMENTS, members

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def report(**changes: Any) -> Report:
    """Return the smallest report there is, with changes."""
    smallest = Report(
        incident_summary=IncidentSummary(incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=NOON),
        reporter=Reporter(reporting_person=Person()),
    )
    return evolve(smallest, **changes)


GOLDEN = """<?xml version="1.0" encoding="UTF-8"?>
<report xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="https://report.cybertip.org/ispws/xsd">\
<incidentSummary>\
<incidentType>Online Enticement of Children for Sexual Acts</incidentType>\
<escalateToHighPriority>&lt;now&gt; &amp; &quot;here&quot; ]]&gt;</escalateToHighPriority>\
<reportAnnotations><sextortion/><spam/></reportAnnotations>\
<incidentDateTime>2025-01-01T12:00:00+00:00</incidentDateTime>\
</incidentSummary>\
<internetDetails><webPageIncident thirdPartyHostedContent="true">\
<url>https://example.com/?a=1&amp;b=2</url><url>https://example.com/2</url>\
</webPageIncident></internetDetails>\
<internetDetails><cellPhoneIncident>\
<phoneNumber type="Mobile" countryCallingCode="+1" extension="007">555 0100</phoneNumber>\
<latitude>-0.5</latitude><longitude>NaN</longitude>\
</cellPhoneIncident></internetDetails>\
<reporter><reportingPerson>\
<email type="Business" verified="false" verificationDate="2024-12-31T23:59:59.000001-11:30">safety@example.com</email>\
</reportingPerson><legalURL>https://example.com/legal</legalURL></reporter>\
<personOrUserReported>\
<personOrUserReportedPerson><firstName></firstName>\
<address type="Home"><city>Zürich 🏔</city><country>CH</country></address>\
<dateOfBirth>0999-01-31</dateOfBirth></personOrUserReportedPerson>\
<priorCTReports>123456789</priorCTReports><priorCTReports>2</priorCTReports>\
<associatedAccount type="Parent/Guardian"><firstName>a&#13;b
c\td</firstName></associatedAccount>\
</personOrUserReported>\
<victim><victimPerson><age>15</age></victimPerson></victim>\
</report>"""


def test_a_report_is_written_in_ncmecs_words_and_order() -> None:
    """The whole of a report comes out as written here: order, escapes, spellings, and nothing for what is absent."""
    written = report(
        victims=(Victim(victim_person=Person(age=15)),),
        persons_or_users_reported=(
            PersonOrUserReported(
                associated_accounts=(
                    AssociatedAccount(type=AssociatedAccountType.PARENT_GUARDIAN, first_name="a\rb\nc\td"),
                ),
                prior_ct_reports=(ReportId(123456789), ReportId(2)),
                person_or_user_reported_person=Person(
                    date_of_birth=date(999, 1, 31),
                    first_name="",
                    addresses=(_address(),),
                ),
            ),
        ),
        internet_details=(
            WebPageIncident(
                third_party_hosted_content=True, urls=("https://example.com/?a=1&b=2", "https://example.com/2")
            ),
            CellPhoneIncident(
                longitude=math.nan,
                latitude=-0.5,
                phone_number=Phone(value="555 0100", type=_mobile(), extension="007", country_calling_code="+1"),
            ),
        ),
        incident_summary=IncidentSummary(
            incident_date_time=NOON,
            report_annotations=ReportAnnotations(spam=True, sextortion=True),
            escalate_to_high_priority='<now> & "here" ]]>',
            incident_type=IncidentType.ONLINE_ENTICEMENT,
        ),
        reporter=Reporter(
            legal_url="https://example.com/legal",
            reporting_person=Person(
                emails=(
                    Email(
                        value="safety@example.com",
                        verified=False,
                        type=EmailType.BUSINESS,
                        verification_date=datetime(
                            2024, 12, 31, 23, 59, 59, 1, tzinfo=timezone(-timedelta(hours=11, minutes=30))
                        ),
                    ),
                )
            ),
        ),
    )
    # A quotation mark needs no escape between tags.
    assert write(written).decode() == GOLDEN.replace("&quot;", '"')


def _address() -> Address:
    from cybertip import AddressType

    return Address(city="Zürich 🏔", country=Country.CH, type=AddressType.HOME)


def _mobile() -> Any:
    from cybertip import PhoneType

    return PhoneType.MOBILE


def test_attributes_keep_every_character() -> None:
    """Quotes, tabs and line ends in an attribute are written so that no XML parser takes them for something else."""
    text = "\"'<>&\t\n\r \u0085"
    details = FileDetails(
        report_id=ReportId(1), file_id=FileId("0a"), original_file_hashes=(Hash(value="0a", hash_type=text),)
    )
    data = write(details)
    assert b'hashType="&quot;\'&lt;&gt;&amp;&#9;&#10;&#13; \xc2\x85"' in data
    assert etree.fromstring(data).find("originalFileHash").get("hashType") == text  # type: ignore[union-attr] # it is there
    assert read(data) == details


@given(document=strategies.documents(edition="2026-08"))
def test_elements_stand_in_the_order_of_the_declaration_and_none_is_there_in_vain(document: Any) -> None:
    """Each part's elements come in the declared order, as many as there are values, and attributes only where given."""
    root = etree.fromstring(write(document, edition="2026-08"))
    _compare(root, document)


def _compare(element: Any, part: Any) -> None:
    expected: list[tuple[str, Any]] = []
    attributes = set()
    for field in part_of(type(part)).fields:
        value = getattr(part, field.python)
        given = value if field.many else () if value is None or (field.flag and not value) else (value,)
        if field.place is Place.ATTRIBUTE and value is not None:
            attributes.add(field.xml)
        if field.place is Place.ELEMENT:
            expected += [(field.xml, one if members(field) else None) for one in given]
    assert [child.tag for child in element] == [name for name, _ in expected]
    assert {name for name in element.attrib if not name.startswith("{")} == attributes
    for child, (name, one) in zip(element, expected, strict=True):
        if one is not None:
            _compare(child[0] if name == "internetDetails" else child, one)


@pytest.mark.parametrize("kind", DOCUMENTS.values(), ids=lambda kind: kind.__name__)
def test_every_document_says_its_encoding_and_what_we_send_the_place_of_the_schema(kind: type, filled: Any) -> None:
    """Each document is UTF-8 and says so; what is sent to NCMEC names NCMEC's schema, as NCMEC's example does."""
    data = write(filled(kind, _ones), edition="2026-08")
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<' + part_of(kind).name.encode())
    location = etree.fromstring(data).get("{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation")
    assert location == (None if part_of(kind).reply else "https://report.cybertip.org/ispws/xsd")
    data.decode()


def _ones(field: Any) -> Any:
    """Return some value for each type that occurs."""
    values = {"STRING": "1", "TOKEN": "1", "BOOLEAN": True, "INT": 1, "LONG": 1, "DOUBLE": 1.0}
    if not hasattr(field.type, "lexical"):
        return next(iter(field.type))
    times = {"DATE": date(2025, 1, 1), "DATETIME": NOON}
    plus = "+" if (field.type.pattern or "").startswith("\\") else ""
    return times.get(field.type.lexical.name) or (
        plus + "1" if field.type.lexical.name == "STRING" else values[field.type.lexical.name]
    )


FORBIDDEN = [*map(chr, [*range(9), 11, 12, 14, 31, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xFFFE, 0xFFFF])]


@pytest.mark.parametrize("character", FORBIDDEN, ids=lambda one: f"U+{ord(one):04X}")
def test_a_character_that_xml_cannot_hold_is_refused_with_its_place(character: str) -> None:
    """A forbidden character is named with the field, the position and the number of the character, and nothing else."""
    account = AssociatedAccount(type=AssociatedAccountType.OTHER, display_names=("fine", f"ab{character}"))
    document = report(
        persons_or_users_reported=(PersonOrUserReported(), PersonOrUserReported(associated_accounts=(account,)))
    )
    with pytest.raises(InvalidReport) as caught:
        write(document)
    (violation,) = caught.value.violations
    assert violation.path == "report.persons_or_users_reported[1].associated_accounts[0].display_names[1]"
    assert violation.xpath == "/report/personOrUserReported[2]/associatedAccount[1]/displayName[2]"
    assert violation.rule == "xml-character"
    assert violation.message == f"holds U+{ord(character):04X} at position 2, which XML cannot hold"


@pytest.mark.parametrize("character", FORBIDDEN, ids=lambda one: f"U+{ord(one):04X}")
def test_a_forbidden_character_in_an_attribute_or_a_part_that_is_text_is_refused(character: str) -> None:
    """Attributes and elements that have attributes are no way around the check."""
    document = FileDetails(
        report_id=ReportId(1),
        file_id=FileId(character),
        original_file_hashes=(Hash(value=character, hash_type=character),),
        additional_infos=("fine", character),
    )
    with pytest.raises(InvalidReport) as caught:
        write(document)
    assert [violation.path for violation in caught.value.violations] == [
        "fileDetails.file_id",
        "fileDetails.additional_infos[1]",
        "fileDetails.original_file_hashes[0].value",
        "fileDetails.original_file_hashes[0].hash_type",
    ]


ALLOWED = [*map(chr, [9, 10, 13, 32, 0x7F, 0x85, 0x2028, 0xD7FF, 0xE000, 0xFFFD, 0x1FFFE, 0x10FFFF])]


@pytest.mark.parametrize("character", ALLOWED, ids=lambda one: f"U+{ord(one):04X}")
def test_every_character_that_xml_can_hold_comes_back(character: str) -> None:
    """What is at the edge of the forbidden is allowed, and is the same character after a round trip."""
    document = ReportResponse(response_code=0, response_description=f"{character}a{character}")
    assert read(write(document)) == document


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (
            report(
                incident_summary=IncidentSummary(
                    incident_type=IncidentType.ONLINE_ENTICEMENT,
                    incident_date_time=NOON,
                    report_annotations=ReportAnnotations(instrumental_use=True),
                )
            ),
            "report.incident_summary.report_annotations.instrumental_use",
        ),
        (
            report(victims=(Victim(victim_person=Person(age_assertion_discrepancy=False)),)),
            "report.victims[0].victim_person.age_assertion_discrepancy",
        ),
    ],
)
def test_a_field_that_the_edition_does_not_have_is_refused(document: Report, path: str) -> None:
    """Nothing is left out in silence: a field of a later edition is an error in an earlier one."""
    with pytest.raises(InvalidReport) as caught:
        write(document, edition="2025-11")
    assert [(violation.path, violation.rule) for violation in caught.value.violations] == [(path, "edition")]
    assert read(write(document, edition="2026-08")) == document


def test_an_unknown_edition_is_refused() -> None:
    """An edition that nobody knows is an error, and not the newest one."""
    with pytest.raises(ValueError, match="2027-01"):
        write(report(), edition="2027-01")


def test_only_documents_can_be_written() -> None:
    """A part of a document is no document, and is refused rather than sent as one."""
    part: Any = Person()
    with pytest.raises(TypeError, match="Report"):
        write(part)


def test_numbers_of_other_libraries_are_written_as_numbers() -> None:
    """A float that prints itself in some other way, as numeric libraries' do, is written as XSD has it."""

    class Float64(float):
        def __repr__(self) -> str:
            return "Float64(1.5)"

    document = report(internet_details=(CellPhoneIncident(latitude=Float64(1.5)),))
    assert b"<latitude>1.5</latitude>" in write(document)


def test_file_annotations_are_empty_elements() -> None:
    """A tag is written as an empty element, which is how NCMEC has it mean true."""
    details = FileDetails(report_id=ReportId(1), file_id=FileId("0a"), file_annotations=FileAnnotations(viral=True))
    assert b"<fileAnnotations><viral/></fileAnnotations>" in write(details)


def test_a_time_is_written_with_its_offset_and_no_fraction_it_does_not_have() -> None:
    """A time keeps its offset and its microseconds, and whole seconds have none."""
    for time, text in [
        (NOON, "2025-01-01T12:00:00+00:00"),
        (NOON.replace(microsecond=500_000), "2025-01-01T12:00:00.500000+00:00"),
        (NOON.replace(year=1), "0001-01-01T12:00:00+00:00"),
        (NOON.astimezone(timezone(timedelta(hours=14))), "2025-01-02T02:00:00+14:00"),
        (NOON.astimezone(timezone(-timedelta(minutes=1))), "2025-01-01T11:59:00-00:01"),
    ]:
        document = FileDetails(
            report_id=ReportId(1),
            file_id=FileId("0a"),
            ip_capture_event=IpCaptureEvent(ip_address="192.0.2.1", date_time=time),
        )
        assert f"<dateTime>{text}</dateTime>".encode() in write(document)
