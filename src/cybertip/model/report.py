"""Mirrors `report`: the whole document."""

from typing import Annotated

from cybertip.model import limits
from cybertip.model.declaration import ATTRIBUTE, Form, Name, Prose, part, public
from cybertip.model.incident import IncidentSummary, LawEnforcement
from cybertip.model.internet import Incident
from cybertip.model.parties import IntendedRecipient, PersonOrUserReported, Reporter, Victim
from cybertip.model.vocabulary import BatchedReportReason

__all__ = ["BatchedReport", "Report"]


@part("batchedReport")
class BatchedReport:
    """Mark a report that stands for many, one reported user each."""

    reason: Annotated[BatchedReportReason, ATTRIBUTE, public]


@part("report", form=Form.ELEMENT)
class Report:
    """Say everything that NCMEC is told about an incident, apart from its files.

    >>> from datetime import UTC, datetime
    >>> from cybertip.model import Email, IncidentSummary, IncidentType, Person, Reporter
    >>> report = Report(
    ...     incident_summary=IncidentSummary(
    ...         incident_type=IncidentType.ONLINE_ENTICEMENT,
    ...         incident_date_time=datetime(2025, 1, 1, tzinfo=UTC),
    ...     ),
    ...     reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
    ... )
    >>> report.victims
    ()
    """

    batched_report: BatchedReport | None = None
    incident_summary: IncidentSummary
    internet_details: tuple[Incident, ...] = ()
    law_enforcement: LawEnforcement | None = None
    reporter: Reporter
    persons_or_users_reported: Annotated[
        tuple[PersonOrUserReported, ...], Name("personOrUserReported"), limits.ONE_UNLESS_BATCHED
    ] = ()
    intended_recipients: Annotated[tuple[IntendedRecipient, ...], Name("intendedRecipient")] = ()
    victims: Annotated[tuple[Victim, ...], Name("victim")] = ()
    additional_info: Prose | None = None
