"""Elements that say nothing are left out, and named where they are not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cybertip import (
    AccountPermanentlyDisabled,
    Address,
    ChatImIncident,
    Email,
    FileAnnotations,
    FileDescription,
    IncidentSummary,
    IncidentType,
    LawEnforcement,
    Person,
    PersonOrUserReported,
    Phone,
    Report,
    ReportAnnotations,
    Reporter,
    Victim,
    check,
    evolve,
)

NOW = datetime(2025, 6, 1, tzinfo=UTC)
PLAIN = Report(
    incident_summary=IncidentSummary(
        incident_type=IncidentType.CHILD_SEX_TOURISM, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
    ),
    reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"additional_info": ""}, "report.additional_info"),
        ({"persons_or_users_reported": (PersonOrUserReported(),)}, "report.persons_or_users_reported[0]"),
        (
            {"persons_or_users_reported": (PersonOrUserReported(esp_identifier="x", display_names=("a", "")),)},
            "report.persons_or_users_reported[0].display_names[1]",
        ),
        (
            {"victims": (Victim(victim_person=Person(addresses=(Address(),))),)},
            "report.victims[0].victim_person.addresses[0]",
        ),
        ({"victims": (Victim(victim_person=Person(phones=(Phone(value="", verified=False),))),)},
         "report.victims[0].victim_person.phones[0].value"),
        ({"incident_summary": evolve(PLAIN.incident_summary, report_annotations=ReportAnnotations())},
         "report.incident_summary.report_annotations"),
    ],
)  # fmt: skip
def test_an_empty_element_is_named(changes: dict[str, Any], path: str) -> None:
    """What is not known is left out: an element without anything in it is refused before NCMEC refuses it."""
    found = [(one.rule, one.path) for one in check(evolve(PLAIN, **changes), now=NOW)]
    assert found == [("empty-element", path)]


@pytest.mark.parametrize(
    "changes",
    [
        {"victims": (Victim(victim_person=Person()),)},
        {"internet_details": (ChatImIncident(),)},
        {"law_enforcement": LawEnforcement(agency_name="", reported_to_le=False)},
        {"persons_or_users_reported": (PersonOrUserReported(compromised_account=False),)},
        {"persons_or_users_reported": (
            PersonOrUserReported(account_permanently_disabled=AccountPermanentlyDisabled(value=False)),
        )},
    ],
)  # fmt: skip
def test_what_is_required_or_answers_no_is_not_empty(changes: dict[str, Any]) -> None:
    """An element that the schema demands, a kind of incident, and a plain no are there for a reason."""
    assert check(evolve(PLAIN, **changes), now=NOW) == ()


def test_a_files_tags_are_there_or_left_out() -> None:
    """Annotations without a single tag say nothing."""
    found = check(FileDescription(file_annotations=FileAnnotations()), now=NOW)
    assert [one.path for one in found] == ["fileDetails.file_annotations"]


def test_the_edition_is_checked_too() -> None:
    """What passes the check can be written in the edition that was asked about."""
    newer = evolve(
        PLAIN, incident_summary=evolve(PLAIN.incident_summary, report_annotations=ReportAnnotations(informational=True))
    )
    assert [one.rule for one in check(newer, now=NOW)] == ["edition"]
    assert check(newer, now=NOW, edition="2026-08") == ()


@pytest.mark.parametrize("document", ["text", None, 7, Report])
def test_only_documents_are_checked(document: Any) -> None:
    """Anything else is a mistake of the program's, and is said to be."""
    with pytest.raises(TypeError, match="a document or a part"):
        check(document, now=NOW)
