"""Mirrors `incidentSummary` and `lawEnforcement`: what happened, and who was told."""

from datetime import datetime
from typing import Annotated

from cybertip.model import limits
from cybertip.model.common import ContactPerson
from cybertip.model.country import Country
from cybertip.model.declaration import ATTRIBUTE, TEXT, Flag, Form, Group, Law, Lexical, Simple, part, public
from cybertip.model.edition import Edition
from cybertip.model.limits import max_length
from cybertip.model.vocabulary import IncidentType

__all__ = ["IncidentSummary", "LawEnforcement", "ReportAnnotations", "ServedLegalProcessInternational"]

_Reported = Annotated[bool, Simple("reportedToLawEnforcement", Lexical.BOOLEAN, complex=True)]


@part("reportAnnotations", group=Group.ALL)
class ReportAnnotations:
    """Tag a report; a tag is present or absent, and cannot be denied."""

    sextortion: Annotated[Flag, public] = False
    csam_solicitation: Annotated[Flag, public] = False
    minor_to_minor_interaction: Annotated[Flag, public] = False
    spam: Annotated[Flag, public] = False
    sadistic_online_exploitation: Annotated[Flag, public] = False
    informational: Annotated[Flag, Edition.V2026_08, public] = False
    potential_aggravating_factors: Annotated[Flag, Edition.V2026_08, public] = False
    instrumental_use: Annotated[Flag, Edition.V2026_08, public] = False


@part("incidentSummary", form=Form.ELEMENT)
class IncidentSummary:
    """Say what kind of incident it was, when, and how urgent it is.

    Text in `escalate_to_high_priority` asks for urgency: a child is at immediate risk, and why.
    """

    incident_type: Annotated[IncidentType, public]
    platform: Annotated[str | None, max_length(256)] = None
    escalate_to_high_priority: Annotated[str | None, limits.NOT_BLANK, max_length(3000)] = None
    report_annotations: ReportAnnotations | None = None
    incident_date_time: Annotated[datetime, limits.PAST, Law.HISTORY]
    incident_date_time_description: Annotated[str | None, max_length(3000), Law.HISTORY] = None


@part("servedLegalProcessInternational", form=Form.INLINE)
class ServedLegalProcessInternational:
    """Say whether another country's authority served legal process, and which country's."""

    value: Annotated[bool, TEXT, public]
    flea_country: Annotated[Country | None, ATTRIBUTE, limits.COUNTRY, public] = None


@part("lawEnforcement", form=Form.ELEMENT)
class LawEnforcement:
    """Name the agency that knows of the incident already."""

    agency_name: Annotated[str, max_length(255)]
    case_number: Annotated[str | None, max_length(100)] = None
    officer_contact: ContactPerson | None = None
    reported_to_le: Annotated[_Reported | None, public] = None
    served_legal_process_domestic: Annotated[bool | None, public] = None
    served_legal_process_international: ServedLegalProcessInternational | None = None
