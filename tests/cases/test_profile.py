"""An organisation's settings are right when they are loaded, or are named; and what is missing is said."""

import re
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from cybertip import check
from cybertip.cases import profile as module
from cybertip.cases.profile import Contact, IncidentKind, Profile, Purpose
from cybertip.errors import InvalidReport
from cybertip.model import IncidentSummary, IncidentType, Report, WebPageIncident

WHOLE = """
company_name = "Example"
legal_url = "https://company.example/legal"
reporter_email = "safety@company.example"
terms_of_service = "https://company.example/terms"
more_info_url = "https://company.example/safety"
default_queue = "child-safety"
default_incident = "web_page"
additional_info_url = "https://hooks.company.example/info"
preservation_url = "https://hooks.company.example/preserve"
case_event_url = "http://localhost:8080/events"

[contact]
first_name = "Invented"
last_name = "Person"
email = "law@company.example"
phone = "+1 202 555 0100"
"""


def test_every_setting_is_read_from_toml() -> None:
    """A file gives every setting, at its top or in a table of its own."""
    profile = Profile.from_toml(WHOLE)
    assert all(value is not None for value in attrs.astuple(profile, recurse=False))
    assert profile.contact == Contact(
        first_name="Invented", last_name="Person", email="law@company.example", phone="+1 202 555 0100"
    )
    assert profile.default_incident is IncidentKind.WEB_PAGE
    assert (
        Profile.from_toml("[profile]\n" + WHOLE.replace("[contact]", "[profile.contact]") + "[other]\nx = 1") == profile
    )


def test_every_setting_is_read_from_the_environment() -> None:
    """Variables give every setting as well, and go before the file; empty ones and those of others do not count."""
    names = [field.name for field in attrs.fields(Profile)]
    plain = attrs.asdict(Profile.from_toml(WHOLE))
    contact = plain.pop("contact")
    environ = {f"CYBERTIP_PROFILE_{name.upper()}": value for name, value in plain.items()}
    environ |= {f"CYBERTIP_PROFILE_CONTACT_{name.upper()}": value for name, value in contact.items()}
    assert len(environ) == len(names) - 1 + len(contact)
    assert Profile.from_environment({**environ, "PATH": "/", "CYBERTIP_STORAGE": "x"}) == Profile.from_toml(WHOLE)
    assert Profile.from_environment({"CYBERTIP_PROFILE_LEGAL_URL": ""}) == Profile()
    over = Profile.from_toml(
        WHOLE, environ={"CYBERTIP_PROFILE_COMPANY_NAME": "Other", "CYBERTIP_PROFILE_CONTACT_PHONE": "1"}
    )
    assert over.company_name == "Other"
    assert over.contact == Contact(first_name="Invented", last_name="Person", email="law@company.example", phone="1")


@pytest.mark.parametrize(
    ("setting", "value", "path", "rule"),
    [
        ("company_name", " ", "company_name", "text"),
        ("company_name", "x" * 101, "company_name", "text"),
        ("company_name", 7, "company_name", "type"),
        ("legal_url", "canary", "legal_url", "url"),
        ("legal_url", "https://company.example/" + "x" * 2083, "legal_url", "url"),
        ("reporter_email", "canary", "reporter_email", "email"),
        ("terms_of_service", "x" * 3001, "terms_of_service", "text"),
        ("contact", "canary", "contact", "type"),
        ("contact", {"email": "canary"}, "contact.email", "email"),
        ("contact", {"first_name": "x" * 101}, "contact.first_name", "text"),
        ("contact", {"canary": "x"}, "contact", "unknown-key"),
        ("more_info_url", "/canary", "more_info_url", "url"),
        ("default_incident", "canary", "default_incident", "incident"),
        ("additional_info_url", "http://hooks.company.example/canary", "additional_info_url", "endpoint"),
        ("preservation_url", "https://user:canary@company.example/", "preservation_url", "endpoint"),
        ("case_event_url", "canary", "case_event_url", "endpoint"),
        ("canary", "x", "", "unknown-key"),
    ],
)
def test_what_is_wrong_is_named_when_it_is_loaded(setting: str, value: Any, path: str, rule: str) -> None:
    """A setting that cannot be is named at once, by its name and never with its value: not when a report is waiting."""
    with pytest.raises(InvalidReport) as refused:
        Profile.from_toml(_toml(setting, value))
    assert [(one.path, one.rule) for one in refused.value.violations] == [
        ("profile" + (f".{path}" if path else ""), rule)
    ]
    assert "canary" not in str(refused.value)


def _toml(setting: str, value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join([f"[{setting}]", *(_toml(*pair) for pair in value.items())])
    return f"{setting} = {value}" if isinstance(value, int) else f'{setting} = "{value}"'


def test_a_slip_is_recognised() -> None:
    """An unknown setting that looks like a known one is answered with the known one."""
    with pytest.raises(InvalidReport, match="did you mean legal_url"):
        Profile.from_toml('legal_ulr = "https://company.example"')
    with pytest.raises(InvalidReport, match="did you mean legal_url"):
        Profile.from_environment({"CYBERTIP_PROFILE_LEGALURL": "https://company.example"})


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """Whoever writes a file mends it in one go."""
    with pytest.raises(InvalidReport) as refused:
        Profile.from_toml("company_name = 1\nlegal_url = 2\n[contact]\nemail = 3")
    assert [one.path for one in refused.value.violations] == [
        "profile.company_name",
        "profile.legal_url",
        "profile.contact.email",
    ]


@pytest.mark.parametrize("text", ["canary", 'company_name = "canary', "profile = 7", 'x = "\\ud800"'])
def test_what_is_no_toml_is_refused_by_its_place(text: str) -> None:
    """A file that cannot be read is refused without quoting it."""
    with pytest.raises(InvalidReport) as refused:
        Profile.from_toml(text)
    assert refused.value.violations[0].path == "profile"
    assert "canary" not in str(refused.value)


def test_the_same_settings_in_code_are_as_strict() -> None:
    """A profile made in Python is checked as one from a file is."""
    with pytest.raises(InvalidReport, match=r"Profile\.legal_url: must be an absolute URL"):
        Profile(legal_url="company.example")
    assert Profile(default_incident="WEB_PAGE") == Profile(default_incident=IncidentKind.WEB_PAGE)


def test_endpoints_are_not_shown() -> None:
    """An endpoint's address may hold a secret, and is in no repr."""
    profile = Profile(additional_info_url="https://company.example/?token=canary")
    assert "canary" not in repr(profile)


def test_nothing_at_all_lacks_everything() -> None:
    """An empty profile says what is missing for each purpose, and each purpose includes the ones before it."""
    for_test, for_production, for_good = ([one.setting for one in Profile().missing(one)] for one in Purpose)
    assert for_test == ["reporter_email", "company_name"]
    assert for_production == [*for_test, "legal_url"]
    assert for_good[:3] == for_production
    assert set(for_good) == {field.name for field in attrs.fields(Profile)} - {"more_info_url", "case_event_url"}


def test_a_whole_profile_lacks_nothing() -> None:
    """With every setting of the table, nothing is missing for anything."""
    assert Profile.from_toml(WHOLE).missing(Purpose.GOOD_REPORT) == ()


@pytest.mark.parametrize(
    "contact",
    [None, Contact(), Contact(first_name="Invented"), Contact(email="law@company.example")],
)
def test_a_contact_is_somebody_who_can_be_reached(contact: Contact | None) -> None:
    """A name without a way to call, or a way without a name, is nobody to contact."""
    assert "contact" in [lack.setting for lack in Profile(contact=contact).missing(Purpose.GOOD_REPORT)]
    whole = Contact(last_name="Person", phone="1")
    assert "contact" not in [lack.setting for lack in Profile(contact=whole).missing(Purpose.GOOD_REPORT)]


def test_an_incident_on_web_pages_needs_a_page() -> None:
    """The page is missing only where incidents are on web pages."""
    page, chat = Profile(default_incident=IncidentKind.WEB_PAGE), Profile(default_incident=IncidentKind.CHAT_IM)
    assert "more_info_url" in [lack.setting for lack in page.missing(Purpose.GOOD_REPORT)]
    assert "more_info_url" not in [lack.setting for lack in chat.missing(Purpose.GOOD_REPORT)]


@pytest.mark.parametrize("kind", IncidentKind)
def test_each_kind_of_incident_goes_into_a_report(kind: IncidentKind) -> None:
    """A report of a profile with any of the eight kinds passes the documented checks."""
    profile = attrs.evolve(Profile.from_toml(WHOLE), default_incident=kind)
    report = Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
        ),
        internet_details=profile.internet_details(),
        reporter=profile.reporter(),
    )
    assert check(report, now=datetime(2025, 1, 2, tzinfo=UTC)) == ()
    assert len(report.internet_details) == 1
    assert Profile().internet_details() == ()


def test_the_reporter_is_the_organisation() -> None:
    """Everything that the organisation says of itself is in the report."""
    profile = Profile.from_toml(WHOLE)
    reporter = profile.reporter()
    assert [one.value for one in reporter.reporting_person.emails] == ["safety@company.example"]
    assert (reporter.company_template, reporter.legal_url) == ("Example", "https://company.example/legal")
    assert reporter.terms_of_service == "https://company.example/terms"
    assert reporter.contact_person is not None
    assert [one.value for one in reporter.contact_person.phones] == ["+1 202 555 0100"]
    assert profile.internet_details() == (WebPageIncident(urls=("https://company.example/safety",)),)


def test_no_reporter_without_an_email() -> None:
    """NCMEC takes no report without the reporter's email: there is none to make."""
    with pytest.raises(InvalidReport, match=r"profile\.reporter_email: is missing"):
        Profile().reporter()
    assert Profile(reporter_email="safety@company.example", contact=Contact()).reporter().contact_person is None


def test_the_table_lists_every_setting() -> None:
    """What can be set is described where it is looked up, and nothing else is."""
    described = re.findall(r"^\| `(\w+)` \|", module.__doc__ or "", re.MULTILINE)
    assert described == [field.name for field in attrs.fields(Profile)]


@given(st.dictionaries(st.sampled_from([field.name for field in attrs.fields(Profile)]), st.text()))
def test_any_texts_are_a_profile_or_are_refused(values: dict[str, str]) -> None:
    """Whatever is in the environment gives a profile that reports can be made with, or a named refusal."""
    environ = {f"CYBERTIP_PROFILE_{name.upper()}": value for name, value in values.items()}
    try:
        profile = Profile.from_environment({"CYBERTIP_PROFILE_REPORTER_EMAIL": "a@company.example", **environ})
    except InvalidReport as refused:
        named = {one.path.partition(".")[2] for one in refused.violations}
        if not named <= set(values):
            raise
    else:
        assert profile.reporter_email is None or profile.reporter().reporting_person.emails
