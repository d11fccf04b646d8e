"""The report itself: the rules of the document, of what happened, and of who reports."""

from typing import Any

from cybertip.cases.assembly.known import Known, Moment
from cybertip.cases.assembly.notes import additional_info
from cybertip.cases.assembly.people import RECIPIENT, USER, VICTIM
from cybertip.cases.assembly.rule import Rule, Section
from cybertip.model import BatchedReport, IncidentSummary, PersonOrUserReported, Report, ReportAnnotations, Reporter
from cybertip.rules.emptiness import says_nothing

__all__ = ["REPORT", "REPORTER", "SUMMARY"]


def _moment(known: Known) -> Moment:
    moment = known.incident
    assert moment is not None, "what lacks a time is an obstacle, and is not assembled"
    return moment


def _annotations(known: Known) -> ReportAnnotations | None:
    said = known.decision.annotations
    return None if said is None or says_nothing(said) else said


SUMMARY = Section[Known](
    kind=IncidentSummary,
    path="report.incident_summary",
    about="What happened.",
    rules=(
        Rule("incident_type", "decision.incident_type", "as decided", lambda known: known.decision.incident_type),
        Rule("escalate_to_high_priority", "decision.escalation", "as decided; never cut off",
             lambda known: known.decision.escalation),
        Rule("report_annotations", "decision.annotations", "left out where none is set", _annotations),
        Rule("incident_date_time", "decision.incident_at, case.media[].uploaded_at, attachments[].newest_at",
             "as decided; else when the newest file that is filed was uploaded, of those that are not supplemental first; "
             "else when the newest message of the transcripts was sent", lambda known: _moment(known).at),
        Rule("incident_date_time_description", "decision.incident_at, case.media[].uploaded_at, attachments[].newest_at",
             "which of these times it is", lambda known: f"This is {_moment(known).meaning}"),
    ),
)  # fmt: skip

REPORTER = Section[Any](
    kind=Reporter,
    path="report.reporter",
    about="Who reports, as the organisation's profile says.",
    rules=(
        Rule("reporting_person", "profile.reporter_email", "the email where NCMEC answers",
             lambda reporter: reporter.reporting_person),
        Rule("contact_person", "profile.contact", "whom law enforcement may contact",
             lambda reporter: reporter.contact_person),
        Rule("company_template", "profile.company_name", "the company's name", lambda reporter: reporter.company_template),
        Rule("terms_of_service", "profile.terms_of_service", "the text or its URL",
             lambda reporter: reporter.terms_of_service),
        Rule("legal_url", "profile.legal_url", "how to serve process", lambda reporter: reporter.legal_url),
    ),
)  # fmt: skip


def _users(known: Known) -> tuple[PersonOrUserReported, ...]:
    if not known.batched:
        return (USER.build(known.user),)
    users = (known.case.user, *known.decision.batched_users)
    return tuple(PersonOrUserReported(esp_identifier=user.id) for user in users)


REPORT = Section[Known](
    kind=Report,
    path="report",
    about="The document. Law enforcement (`lawEnforcement`) is named by nobody here.",
    rules=(
        Rule("batched_report", "decision.batched", "only where the decision says so",
             lambda known: BatchedReport(reason=known.decision.batched) if known.decision.batched else None),
        Rule("incident_summary", "decision", "see `incidentSummary`", SUMMARY.build),
        Rule("internet_details", "profile.default_incident, profile.more_info_url",
             "where the organisation's incidents take place; none in a batched report",
             lambda known: () if known.batched else known.profile.internet_details()),
        Rule("reporter", "profile", "see `reporter`", lambda known: REPORTER.build(known.profile.reporter())),
        Rule("persons_or_users_reported", "case.user", "see `personOrUserReported`", _users),
        Rule("intended_recipients", "decision.recipients", "see `intendedRecipient`",
             lambda known: tuple(RECIPIENT.build(known.person(one), base=one) for one in known.decision.recipients)),
        Rule("victims", "decision.victims", "see `victim`",
             lambda known: tuple(VICTIM.build(known.person(one), base=one) for one in known.decision.victims)),
        Rule("additional_info", "decision.additional_info, answer.additionalInfo, case.missing, answer.media[].missing",
             "the reviewer's text, the platform's, and what is missing; none in a batched report", additional_info),
    ),
)  # fmt: skip
