"""File CyberTipline reports with NCMEC. The public names, sorted, and nothing else.

Names are imported when they are first used: `import cybertip` itself costs next to nothing, and a program that only writes
XML never imports an HTTP client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cybertip.adapters.evidence import (
        LocalEvidence as LocalEvidence,
        MemoryEvidence as MemoryEvidence,
    )
    from cybertip.adapters.storage.memory import (
        AsyncMemoryStorage as AsyncMemoryStorage,
        MemoryStorage as MemoryStorage,
    )
    from cybertip.adapters.storage.sql import (
        AsyncSqlStorage as AsyncSqlStorage,
        SqlStorage as SqlStorage,
    )
    from cybertip.client import (
        AsyncClient as AsyncClient,
        Client as Client,
    )
    from cybertip.courier import (
        AsyncCourier as AsyncCourier,
        Courier as Courier,
        Handle as Handle,
    )
    from cybertip.errors import (
        AdapterError as AdapterError,
        AlreadyFinished as AlreadyFinished,
        AlreadyRetracted as AlreadyRetracted,
        Conflict as Conflict,
        CybertipError as CybertipError,
        HashMismatch as HashMismatch,
        InDoubt as InDoubt,
        InvalidReport as InvalidReport,
        Misunderstanding as Misunderstanding,
        NcmecError as NcmecError,
        NeedsHuman as NeedsHuman,
        NeverSent as NeverSent,
        NotAllowed as NotAllowed,
        NotFound as NotFound,
        NotUnderstood as NotUnderstood,
        Refused as Refused,
        SubmissionError as SubmissionError,
        TransportError as TransportError,
        Unavailable as Unavailable,
        UnknownEvent as UnknownEvent,
        UnknownSubmission as UnknownSubmission,
        Violation as Violation,
    )
    from cybertip.filing import (
        FileEntry as FileEntry,
        Filing as Filing,
        Journal as Journal,
        Policy as Policy,
        Status as Status,
        Submission as Submission,
    )
    from cybertip.model import (
        DEFAULT_EDITION as DEFAULT_EDITION,
        AccountPermanentlyDisabled as AccountPermanentlyDisabled,
        AccountPlatform as AccountPlatform,
        AccountTemporarilyDisabled as AccountTemporarilyDisabled,
        Address as Address,
        AddressType as AddressType,
        AssociatedAccount as AssociatedAccount,
        AssociatedAccountType as AssociatedAccountType,
        BatchedReport as BatchedReport,
        BatchedReportReason as BatchedReportReason,
        CellPhoneIncident as CellPhoneIncident,
        ChatImIncident as ChatImIncident,
        ContactPerson as ContactPerson,
        Country as Country,
        Details as Details,
        DeviceId as DeviceId,
        DoneFiles as DoneFiles,
        Edition as Edition,
        Email as Email,
        EmailIncident as EmailIncident,
        EmailType as EmailType,
        EstimatedLocation as EstimatedLocation,
        FileAnnotations as FileAnnotations,
        FileClassification as FileClassification,
        FileDescription as FileDescription,
        FileDetails as FileDetails,
        FileId as FileId,
        FileRelevance as FileRelevance,
        Hash as Hash,
        Incident as Incident,
        IncidentSummary as IncidentSummary,
        IncidentType as IncidentType,
        IntendedRecipient as IntendedRecipient,
        IpCaptureEvent as IpCaptureEvent,
        IpCaptureType as IpCaptureType,
        LawEnforcement as LawEnforcement,
        MetadataType as MetadataType,
        NameValue as NameValue,
        NewsgroupIncident as NewsgroupIncident,
        NonInternetIncident as NonInternetIncident,
        OnlineGamingIncident as OnlineGamingIncident,
        Peer2PeerIncident as Peer2PeerIncident,
        Person as Person,
        PersonOrUserReported as PersonOrUserReported,
        Phone as Phone,
        PhoneType as PhoneType,
        Report as Report,
        ReportAnnotations as ReportAnnotations,
        ReportDoneResponse as ReportDoneResponse,
        Reporter as Reporter,
        ReportId as ReportId,
        ReportResponse as ReportResponse,
        ServedLegalProcessInternational as ServedLegalProcessInternational,
        State as State,
        Victim as Victim,
        WebPageIncident as WebPageIncident,
        evolve as evolve,
    )
    from cybertip.ports.evidence import (
        entry_of as entry_of,
    )
    from cybertip.protocol import (
        Credentials as Credentials,
        Environment as Environment,
    )
    from cybertip.rules import (
        check as check,
    )
    from cybertip.xml import (
        from_json as from_json,
        read as read,
        schema as schema,
        to_json as to_json,
        write as write,
    )

#: Where each public name is at home.
_HOMES = {
    "cybertip.adapters.evidence": (
        "LocalEvidence",
        "MemoryEvidence",
    ),
    "cybertip.adapters.storage.memory": (
        "AsyncMemoryStorage",
        "MemoryStorage",
    ),
    "cybertip.adapters.storage.sql": (
        "AsyncSqlStorage",
        "SqlStorage",
    ),
    "cybertip.client": (
        "AsyncClient",
        "Client",
    ),
    "cybertip.courier": (
        "AsyncCourier",
        "Courier",
        "Handle",
    ),
    "cybertip.errors": (
        "AdapterError",
        "AlreadyFinished",
        "AlreadyRetracted",
        "Conflict",
        "CybertipError",
        "HashMismatch",
        "InDoubt",
        "InvalidReport",
        "Misunderstanding",
        "NcmecError",
        "NeedsHuman",
        "NeverSent",
        "NotAllowed",
        "NotFound",
        "NotUnderstood",
        "Refused",
        "SubmissionError",
        "TransportError",
        "Unavailable",
        "UnknownEvent",
        "UnknownSubmission",
        "Violation",
    ),
    "cybertip.filing": (
        "FileEntry",
        "Filing",
        "Journal",
        "Policy",
        "Status",
        "Submission",
    ),
    "cybertip.model": (
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
        "evolve",
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
        "Reporter",
        "ReportId",
        "ReportResponse",
        "ServedLegalProcessInternational",
        "State",
        "Victim",
        "WebPageIncident",
    ),
    "cybertip.ports.evidence": ("entry_of",),
    "cybertip.protocol": (
        "Credentials",
        "Environment",
    ),
    "cybertip.rules": ("check",),
    "cybertip.xml": (
        "from_json",
        "read",
        "schema",
        "to_json",
        "write",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])
