"""What a report says: immutable values that mirror NCMEC's document section by section."""

from cybertip.model.common import AccountPermanentlyDisabled, AccountPlatform, AccountTemporarilyDisabled, Address, AssociatedAccount, ContactPerson, DeviceId, Email, EstimatedLocation, IpCaptureEvent, Person, Phone
from cybertip.model.country import Country
from cybertip.model.declaration import evolve, part_of
from cybertip.model.edition import DEFAULT_EDITION, Edition
from cybertip.model.files import Details, FileAnnotations, FileDescription, FileDetails, Hash, NameValue
from cybertip.model.identifiers import FileId, ReportId
from cybertip.model.incident import IncidentSummary, LawEnforcement, ReportAnnotations, ServedLegalProcessInternational
from cybertip.model.internet import CellPhoneIncident, ChatImIncident, EmailIncident, Incident, NewsgroupIncident, NonInternetIncident, OnlineGamingIncident, Peer2PeerIncident, WebPageIncident
from cybertip.model.parties import IntendedRecipient, PersonOrUserReported, Reporter, Victim
from cybertip.model.replies import DoneFiles, ReportDoneResponse, ReportResponse
from cybertip.model.report import BatchedReport, Report
from cybertip.model.vocabulary import AddressType, AssociatedAccountType, BatchedReportReason, EmailType, FileClassification, FileRelevance, IncidentType, IpCaptureType, MetadataType, PhoneType, State

__all__ = [
    "AccountPermanentlyDisabled",
    "AccountPlatform",
    "AccountTemporarilyDisabled",
    "Address",
    "AddressType",
    "AssociatedAccount",
    "AssociatedAccountType",
    "BatchedReport",
    "BatchedReportReason",
    "CellPhoneIncident",
    "ChatImIncident",
    "ContactPerson",
    "Country",
    "DEFAULT_EDITION",
    "Details",
    "DeviceId",
    "DoneFiles",
    "Edition",
    "Email",
    "EmailIncident",
    "EmailType",
    "EstimatedLocation",
    "FileAnnotations",
    "FileClassification",
    "FileDescription",
    "FileDetails",
    "FileId",
    "FileRelevance",
    "Hash",
    "Incident",
    "IncidentSummary",
    "IncidentType",
    "IntendedRecipient",
    "IpCaptureEvent",
    "IpCaptureType",
    "LawEnforcement",
    "MetadataType",
    "NameValue",
    "NewsgroupIncident",
    "NonInternetIncident",
    "OnlineGamingIncident",
    "Peer2PeerIncident",
    "Person",
    "PersonOrUserReported",
    "Phone",
    "PhoneType",
    "Report",
    "ReportAnnotations",
    "ReportDoneResponse",
    "ReportId",
    "ReportResponse",
    "Reporter",
    "ServedLegalProcessInternational",
    "State",
    "Victim",
    "WebPageIncident",
    "evolve",
    "part_of",
]
