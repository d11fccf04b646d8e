"""A part can be made of what NCMEC's XSD allows, and of nothing else."""

import math
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cybertip import (
    Address,
    AssociatedAccount,
    AssociatedAccountType,
    BatchedReport,
    CellPhoneIncident,
    ContactPerson,
    Country,
    Details,
    Email,
    EmailType,
    FileAnnotations,
    FileDescription,
    FileDetails,
    FileId,
    FileRelevance,
    IncidentSummary,
    IncidentType,
    InvalidReport,
    IpCaptureEvent,
    NameValue,
    Person,
    Phone,
    Report,
    ReportAnnotations,
    ReportDoneResponse,
    Reporter,
    ReportId,
    Victim,
    WebPageIncident,
)
from cybertip.model import DoneFiles

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


class _Seconds(tzinfo):
    """A zone whose offset has seconds, as local mean times had."""

    def utcoffset(self, _: datetime | None) -> timedelta:
        return timedelta(minutes=19, seconds=32)

    def tzname(self, _: datetime | None) -> str:
        return "LMT"

    def dst(self, _: datetime | None) -> timedelta:
        return timedelta(0)


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        (Person, "first_name", 1, "must be text"),
        (Person, "first_name", b"Sam", "must be text"),
        (Person, "age", "15", "must be a whole number of 32 bits"),
        (Person, "age", 15.0, "must be a whole number of 32 bits"),
        (Person, "age", True, "must be a whole number of 32 bits"),
        (Person, "age", 1 << 31, "must be a whole number of 32 bits"),
        (Person, "age", -(1 << 31) - 1, "must be a whole number of 32 bits"),
        (Person, "date_of_birth", "2009-12-31", "must be a date"),
        (Person, "date_of_birth", datetime(2009, 12, 31, tzinfo=UTC), "must be a date"),
        (Person, "age_assertion_discrepancy", 1, "must be True or False"),
        (Person, "age_assertion_discrepancy", "true", "must be True or False"),
        (Person, "phones", None, "must be a tuple"),
        (Person, "phones", "555 0100", "must be a tuple"),
        (Person, "emails", {Email(value="a@example.com")}, "must be a tuple"),
        (Person, "emails", ("a@example.com",), "must be of type Email"),
        (Address, "state", "IL", "must be a member of State, such as State.AK"),
        (Address, "country", "US", "must be a member of Country, such as Country.A1"),
        (
            Address,
            "type",
            "Home",
            "must be one of AddressType.HOME, AddressType.BUSINESS, AddressType.BILLING, AddressType.SHIPPING, "
            "AddressType.TECHNICAL",
        ),
        (CellPhoneIncident, "latitude", 1, "must be a float"),
        (CellPhoneIncident, "latitude", "1.0", "must be a float"),
        (FileDescription, "uploaded_to_esp_timestamp", date(2025, 1, 1), "must be a datetime"),
        (FileDescription, "uploaded_to_esp_timestamp", "2025-01-01T00:00:00Z", "must be a datetime"),
        (
            FileDescription,
            "uploaded_to_esp_timestamp",
            NOON.replace(tzinfo=None),
            "must have an offset from UTC (a time zone)",
        ),
        (
            FileDescription,
            "uploaded_to_esp_timestamp",
            datetime(2025, 1, 1, tzinfo=_Seconds()),
            "must have an offset of whole minutes, 14 hours at the most",
        ),
        (
            FileDescription,
            "uploaded_to_esp_timestamp",
            datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=14, minutes=1))),
            "must have an offset of whole minutes, 14 hours at the most",
        ),
        (FileDescription, "file_annotations", True, "must be of type FileAnnotations"),
        (FileAnnotations, "viral", None, "must be True or False"),
        (FileAnnotations, "viral", 1, "must be True or False"),
        (WebPageIncident, "urls", "https://example.com/", "must be a tuple"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(kind: type, field: str, value: object, message: str) -> None:
    """A wrong value is refused with the name of its field and what it must be, in words that do not quote it."""
    with pytest.raises(InvalidReport) as caught:
        kind(**{field: value})
    (violation,) = caught.value.violations
    assert violation.path.partition("[")[0] == f"{kind.__name__}.{field}"
    assert (violation.rule, violation.message) == ("type", message)


@pytest.mark.parametrize("value", ["+", "1", "+1234", "++1", "+1 ", " +1", "+1\n", "+\u0661", "0044", ""])
def test_a_calling_code_is_a_plus_sign_and_three_digits_at_the_most(value: str) -> None:
    """A calling code that the XSD's pattern refuses is refused: no spaces, no line end, no digits but ASCII's."""
    with pytest.raises(InvalidReport, match=r"country_calling_code: must be text that matches"):
        Phone(value="555 0100", country_calling_code=value)


@pytest.mark.parametrize("value", ["", "x", "1x", "\u0661", " 1", "1\n"])
def test_an_extension_is_digits(value: str) -> None:
    """A phone extension holds digits of ASCII and nothing else, as in the XSD's pattern."""
    with pytest.raises(InvalidReport, match=r"extension: must be text that matches"):
        Phone(value="555 0100", extension=value)


@pytest.mark.parametrize("value", [" a", "a ", "a  b", "a\tb", "a\nb", "a\rb", "\n"])
def test_a_token_has_no_stray_white_space(value: str) -> None:
    """White space that a reader of the XSD would collapse is refused in a file's name, for it would come back changed."""
    with pytest.raises(InvalidReport, match=r"FileDetails\.file_id: must be text without stray white space"):
        FileDetails(report_id=ReportId(1), file_id=FileId(value))


def test_what_the_xsd_allows_is_allowed_however_odd() -> None:
    """The model is no stricter than the XSD: extremes, empty text and values that are not numbers are taken."""
    Person(first_name="", age=-(1 << 31), date_of_birth=date.min)
    Person(age=(1 << 31) - 1, date_of_birth=date.max)
    FileDetails(report_id=ReportId(-(1 << 63)), file_id=FileId(""))
    FileDetails(report_id=ReportId((1 << 63) - 1), file_id=FileId("\u00a0a b\u00a0"))
    CellPhoneIncident(latitude=math.nan, longitude=-math.inf)
    Address(country=Country.UNSTATED)
    IpCaptureEvent(ip_address="", port=-1, date_time=datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))))
    Phone(value="", country_calling_code="+999", extension="0" * 100)
    FileDescription(potential_meme=False)


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        (Report, {"incident_summary", "reporter"}),
        (IncidentSummary, {"incident_type", "incident_date_time"}),
        (Reporter, {"reporting_person"}),
        (Victim, {"victim_person"}),
        (AssociatedAccount, {"type"}),
        (BatchedReport, {"reason"}),
        (FileDetails, {"report_id", "file_id"}),
        (Details, {"name_value_pairs"}),
        (NameValue, {"name", "value"}),
    ],
)
def test_what_the_xsd_requires_must_be_given(kind: type, needed: set[str]) -> None:
    """A part without a field that the XSD requires cannot be made, and no field is given a value by silence."""
    with pytest.raises(TypeError) as caught:
        kind()
    assert all(f"'{name}'" in str(caught.value) for name in needed)
    with pytest.raises(InvalidReport):
        kind(**dict.fromkeys(needed))


def test_a_list_that_must_have_members_has_one() -> None:
    """Details without a pair are refused, as by the XSD."""
    with pytest.raises(InvalidReport, match=r"Details.name_value_pairs: must have at least one member \[required\]"):
        Details(name_value_pairs=())


def test_alternatives_exclude_each_other() -> None:
    """A file has `potential_meme` or `file_annotations`, which the XSD makes a choice, and never both."""
    with pytest.raises(InvalidReport, match=r"file_annotations: cannot stand beside potential_meme \[choice\]"):
        FileDescription(potential_meme=False, file_annotations=FileAnnotations())


def test_an_incident_is_one_of_the_eight_kinds() -> None:
    """Anything but the eight kinds of incident is refused, with the index of what is wrong."""
    given: Any = (WebPageIncident(), Address())
    with pytest.raises(
        InvalidReport, match=r"Report.internet_details\[1\]: must be one of WebPageIncident, EmailIncident"
    ):
        _report(internet_details=given)


def test_every_fault_is_named_at_once() -> None:
    """All that is wrong with a part is said in one error, so that it can be mended in one go."""
    wrong: Any = None
    with pytest.raises(InvalidReport) as caught:
        Email(value=wrong, type=EmailType.HOME, verified=1, verification_date=NOON.replace(tzinfo=None))  # type: ignore[arg-type] # the fault under test
    found = [(one.path, one.xpath) for one in caught.value.violations]
    assert found == [
        ("Email.value", "email"),
        ("Email.verified", "email/@verified"),
        ("Email.verification_date", "email/@verificationDate"),
    ]


def test_parts_take_keywords_only() -> None:
    """A part cannot be made of positional values, which would change their meaning with the next edition."""
    with pytest.raises(TypeError):
        Email("a@example.com")  # type: ignore[call-arg] # the fault under test


def test_any_sequence_becomes_a_tuple() -> None:
    """A list or a generator is taken for a repeated field, and is a tuple from then on."""
    emails = [Email(value="a@example.com")]
    assert ContactPerson(emails=emails).emails == tuple(emails)  # type: ignore[arg-type] # more than the types promise
    assert ContactPerson(emails=(one for one in emails)).emails == tuple(emails)  # type: ignore[arg-type] # as above
    assert DoneFiles(file_ids=[]) == DoneFiles()  # type: ignore[arg-type] # as above


def test_a_time_keeps_the_offset_it_has_and_no_zone() -> None:
    """A time in a zone with clock changes is kept with its offset at that time, on either side of a change."""
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2024, 10, 27, 2, 30, tzinfo=zone)
    second = first.replace(fold=1)
    kept = [IpCaptureEvent(ip_address="192.0.2.1", date_time=one).date_time for one in (first, second)]
    assert [one.isoformat() for one in kept if one] == ["2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00"]
    assert {type(one.tzinfo) for one in kept if one} == {timezone}


def test_annotations_can_be_set_and_left() -> None:
    """Tags are false until they are set; an edition's newer tags are known to the same class."""
    assert not any(getattr(FileAnnotations(), name) for name in ("viral", "infant", "generative_ai"))
    assert ReportAnnotations(informational=True) != ReportAnnotations()
    assert FileDescription(file_relevance=FileRelevance.REPORTED).file_relevance is FileRelevance.REPORTED
    assert AssociatedAccount(type=AssociatedAccountType.LINKED).type == "Linked"
    assert ReportDoneResponse(response_code=0, report_id=ReportId(1), files=DoneFiles()).files.file_ids == ()


def _report(**changes: Any) -> Report:
    return Report(
        incident_summary=IncidentSummary(incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=NOON),
        reporter=Reporter(reporting_person=Person()),
        **changes,
    )
