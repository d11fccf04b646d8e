"""Batched reports, email incidents, and what else concerns a document as a whole."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cybertip import (
    BatchedReport,
    BatchedReportReason,
    ChatImIncident,
    Email,
    EmailIncident,
    FileAnnotations,
    FileClassification,
    FileDescription,
    FileRelevance,
    IncidentSummary,
    IncidentType,
    IntendedRecipient,
    LawEnforcement,
    NewsgroupIncident,
    Person,
    PersonOrUserReported,
    Report,
    Reporter,
    ReportId,
    Victim,
    check,
    evolve,
)

NOW = datetime(2025, 6, 1, tzinfo=UTC)
SUMMARY = IncidentSummary(
    incident_type=IncidentType.CHILD_SEX_TOURISM, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
)
REPORTER = Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),)))
PLAIN = Report(incident_summary=SUMMARY, reporter=REPORTER)
BATCHED = evolve(
    PLAIN,
    batched_report=BatchedReport(reason=BatchedReportReason.VIRAL_POTENTIAL_MEME),
    persons_or_users_reported=tuple(PersonOrUserReported(esp_identifier=f"user-{i}") for i in range(3)),
)
MEME = FileDescription(
    file_annotations=FileAnnotations(viral=True, potential_meme=True), industry_classification=FileClassification.B2
)


def broken(report: Any, *files: FileDescription | None) -> list[tuple[str, str]]:
    """Return the rules that a report breaks, and where."""
    return [(one.rule, one.path) for one in check(report, now=NOW, files=files)]


def test_a_batched_report_names_many_users_by_their_identifiers() -> None:
    """Many users, one viral file, and nothing more: that is what NCMEC takes."""
    assert broken(BATCHED, MEME) == []
    assert broken(BATCHED) == []
    assert broken(BATCHED, FileDescription(potential_meme=True)) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (
            {"incident_summary": evolve(SUMMARY, escalate_to_high_priority="Soon.")},
            "report.incident_summary.escalate_to_high_priority",
        ),
        ({"internet_details": (ChatImIncident(),)}, "report.internet_details"),
        ({"law_enforcement": LawEnforcement(agency_name="Example")}, "report.law_enforcement"),
        ({"intended_recipients": (IntendedRecipient(esp_identifier="x"),)}, "report.intended_recipients"),
        ({"victims": (Victim(victim_person=Person()),)}, "report.victims"),
        ({"additional_info": "x"}, "report.additional_info"),
    ],
)
def test_a_batched_report_holds_nothing_about_one_incident(changes: dict[str, Any], path: str) -> None:
    """Each section that belongs to a single incident is refused, and is fine in an ordinary report."""
    assert broken(evolve(BATCHED, **changes)) == [("batched-forbidden", path)]
    assert broken(evolve(PLAIN, **changes)) == []


def test_a_user_of_a_batched_report_is_an_identifier_alone() -> None:
    """A missing identifier, or anything beside it, is named with the user's place."""
    report = evolve(
        BATCHED,
        persons_or_users_reported=(
            PersonOrUserReported(esp_identifier="fine"),
            PersonOrUserReported(screen_name="x", display_names=("y",)),
        ),
    )
    path = "report.persons_or_users_reported[1]"
    assert broken(report) == [
        ("batched-identifier", f"{path}.esp_identifier"),
        ("batched-identifier", f"{path}.screen_name"),
        ("batched-identifier", f"{path}.display_names"),
    ]


@pytest.mark.parametrize(
    ("file", "count"),
    [
        (None, 1),
        (FileDescription(), 1),
        (FileDescription(publicly_available=False), 1),
        (FileDescription(file_annotations=FileAnnotations(viral=True, infant=True)), 1),
        (FileDescription(file_annotations=FileAnnotations(infant=True)), 2),
        (FileDescription(file_annotations=FileAnnotations(viral=True)), 0),
        (FileDescription(file_annotations=FileAnnotations(potential_meme=True)), 0),
    ],
)
def test_the_file_of_a_batched_report_is_viral_or_a_meme(file: FileDescription | None, count: int) -> None:
    """It carries one of the two tags, and no other."""
    assert broken(BATCHED, file) == [("batched-annotation", "files[0].file_annotations")] * count
    assert broken(PLAIN, file) == []


def test_a_batched_report_has_one_file_at_the_most() -> None:
    """A second file makes NCMEC refuse to finish the report."""
    assert broken(BATCHED, MEME, MEME) == [("batched-one-file", "files")]
    assert broken(PLAIN, MEME, MEME) == []


def test_a_files_own_rules_are_checked_with_the_report() -> None:
    """What is said of a file is checked before the report is opened, and found at the file's place."""
    assert broken(PLAIN, None, FileDescription(exif_viewed_by_esp=True)) == [
        ("viewed-if-exif-viewed", "files[1].file_viewed_by_esp")
    ]


@pytest.mark.parametrize("kind", [EmailIncident, NewsgroupIncident])
@pytest.mark.parametrize(
    "people",
    [
        {
            "persons_or_users_reported": (
                PersonOrUserReported(person_or_user_reported_person=Person(emails=(Email(value="A@example.com"),))),
            )
        },
        {
            "intended_recipients": (
                IntendedRecipient(intended_recipient_person=Person(emails=(Email(value="a@example.com"),))),
            )
        },
        {"victims": (Victim(victim_person=Person(emails=(Email(value="a@example.com"),))),)},
    ],
)
def test_an_incidents_address_belongs_to_a_person_of_the_report(kind: Any, people: dict[str, Any]) -> None:
    """An address that no reported person, recipient or victim has says nothing about anybody."""
    incident = kind(email_addresses=(Email(value="a@EXAMPLE.com"), Email(value="b@example.com")))
    report = evolve(PLAIN, internet_details=(ChatImIncident(), incident), **people)
    assert broken(report) == [("email-of-a-person", "report.internet_details[1].email_addresses[1]")]
    assert check(incident, now=NOW) == (), "without its report, nothing can be said"


def test_a_reporters_address_is_not_a_persons() -> None:
    """The company's own address is not one of those who took part."""
    incident = EmailIncident(email_addresses=(Email(value="safety@example.com"),))
    assert broken(evolve(PLAIN, internet_details=(incident,))) == [
        ("email-of-a-person", "report.internet_details[0].email_addresses[0]")
    ]


def test_everything_is_reported_at_once() -> None:
    """A tired engineer mends a document once, not fault by fault."""
    report = evolve(
        PLAIN,
        incident_summary=evolve(SUMMARY, platform="x" * 257, incident_date_time=NOW),
        additional_info="\x00",
        persons_or_users_reported=(
            PersonOrUserReported(prior_ct_reports=(ReportId(1), ReportId(-1))),
            PersonOrUserReported(esp_identifier="user-2"),
        ),
    )
    assert sorted(broken(report)) == [
        ("max-length", "report.incident_summary.platform"),
        ("one-unless-batched", "report.persons_or_users_reported"),
        ("past", "report.incident_summary.incident_date_time"),
        ("report-id", "report.persons_or_users_reported[0].prior_ct_reports[1]"),
        ("xml-character", "report.additional_info"),
    ]


@pytest.mark.parametrize(
    "tagged",
    [
        FileDescription(potential_meme=True),
        FileDescription(file_annotations=FileAnnotations(potential_meme=True)),
        FileDescription(industry_classification=FileClassification.A1),
    ],
)
def test_supplemental_files_are_not_classified(tagged: FileDescription) -> None:
    """A file that is a potential meme or has a class is reported content; the older element counts like the annotation."""
    for relevance, rules in ((FileRelevance.REPORTED, []), (FileRelevance.SUPPLEMENTAL_REPORTED, ["relevance"])):
        assert [one.rule for one in check(evolve(tagged, file_relevance=relevance), now=NOW)] == rules


def test_now_must_say_where_it_is() -> None:
    """A clock without an offset decides nothing."""
    with pytest.raises(ValueError, match="offset"):
        check(PLAIN, now=datetime(2025, 1, 1))  # noqa: DTZ001 - that is the point


def test_no_violation_quotes_a_value() -> None:
    """What breaks a rule may be evidence; messages name fields and limits alone."""
    canary = "canary"
    user = PersonOrUserReported(
        person_or_user_reported_person=Person(first_name=canary * 50, emails=(Email(value=canary),)),
        profile_urls=(canary,),
        display_names=(canary * 99 + "\x00",),
    )
    found = check(evolve(PLAIN, persons_or_users_reported=(user,)), now=NOW)
    assert len(found) == 5
    assert canary not in repr(found) + "".join(map(str, found))
