"""File CyberTipline reports with NCMEC. The public names, sorted, and nothing else.

Names are imported when they are first used: `import cybertip` itself costs next to nothing, and a program that only writes
XML never imports an HTTP client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cybertip.adapters.classifying.google import (
        AsyncGoogleClassifier as AsyncGoogleClassifier,
        GoogleClassifier as GoogleClassifier,
    )
    from cybertip.adapters.evidence import (
        LocalEvidence as LocalEvidence,
        MemoryEvidence as MemoryEvidence,
        keep_transcripts as keep_transcripts,
    )
    from cybertip.adapters.matching.combined import (
        AsyncCombinedHashMatcher as AsyncCombinedHashMatcher,
        CombinedHashMatcher as CombinedHashMatcher,
    )
    from cybertip.adapters.matching.descriptions import (
        with_hashes as with_hashes,
    )
    from cybertip.adapters.matching.hma import (
        AsyncHmaMatcher as AsyncHmaMatcher,
        HmaMatcher as HmaMatcher,
        HmaSettings as HmaSettings,
    )
    from cybertip.adapters.matching.lifted import (
        lift_matcher as lift_matcher,
    )
    from cybertip.adapters.matching.local import (
        LocalDigestMatcher as LocalDigestMatcher,
    )
    from cybertip.adapters.matching.local_pdq import (
        LocalPdqMatcher as LocalPdqMatcher,
    )
    from cybertip.adapters.matching.sharing import (
        AsyncHttpxHashSharing as AsyncHttpxHashSharing,
        HashSharingFeedback as HashSharingFeedback,
        HashSharingSync as HashSharingSync,
        HttpxHashSharing as HttpxHashSharing,
        Synced as Synced,
    )
    from cybertip.adapters.matching.signals import (
        classifier_scored as classifier_scored,
        hash_matched as hash_matched,
    )
    from cybertip.adapters.matching.store import (
        HashStore as HashStore,
        ListEntry as ListEntry,
    )
    from cybertip.adapters.storage.memory import (
        AsyncMemoryStorage as AsyncMemoryStorage,
        MemoryStorage as MemoryStorage,
    )
    from cybertip.adapters.storage.sql import (
        AsyncSqlStorage as AsyncSqlStorage,
        SqlStorage as SqlStorage,
    )
    from cybertip.adapters.webhooks import (
        AsyncHttpxMedia as AsyncHttpxMedia,
        AsyncHttpxWebhooks as AsyncHttpxWebhooks,
        HttpxMedia as HttpxMedia,
        HttpxWebhooks as HttpxWebhooks,
    )
    from cybertip.cases.assembly import (
        Assembled as Assembled,
        assemble as assemble,
    )
    from cybertip.cases.attachments import (
        Attachment as Attachment,
        AttachmentKind as AttachmentKind,
    )
    from cybertip.cases.case import (
        Case as Case,
    )
    from cybertip.cases.decisions import (
        Decision as Decision,
        Dismissed as Dismissed,
        MediaDecision as MediaDecision,
        ThreadDecision as ThreadDecision,
        View as View,
    )
    from cybertip.cases.enrichment import (
        AdditionalFile as AdditionalFile,
        AdditionalInfo as AdditionalInfo,
        AdditionalInfoRequest as AdditionalInfoRequest,
        MediaInfo as MediaInfo,
        MessageInfo as MessageInfo,
        UserInfo as UserInfo,
        nothing_known as nothing_known,
        reconcile as reconcile,
    )
    from cybertip.cases.notices import (
        CaseEvent as CaseEvent,
        CaseEventKind as CaseEventKind,
        Preservation as Preservation,
    )
    from cybertip.cases.profile import (
        Contact as Contact,
        IncidentKind as IncidentKind,
        Profile as Profile,
        Purpose as Purpose,
    )
    from cybertip.cases.references import (
        CaseId as CaseId,
        EvidenceId as EvidenceId,
        ItemRef as ItemRef,
        MessageId as MessageId,
        ReviewerId as ReviewerId,
        SignalId as SignalId,
        ThreadId as ThreadId,
        UserRef as UserRef,
    )
    from cybertip.cases.review import (
        ReviewPolicy as ReviewPolicy,
    )
    from cybertip.cases.routing import (
        Destination as Destination,
        Rule as Rule,
        Rules as Rules,
    )
    from cybertip.cases.signals import (
        ClassifierScored as ClassifierScored,
        ContentRemoved as ContentRemoved,
        Escalated as Escalated,
        HashMatched as HashMatched,
        KnownMatch as KnownMatch,
        Media as Media,
        Noticed as Noticed,
        Signal as Signal,
        UserReported as UserReported,
    )
    from cybertip.cases.stages import (
        Stage as Stage,
    )
    from cybertip.cases.transcripts import (
        Message as Message,
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
    from cybertip.desk.asking import (
        Summary as Summary,
        Waiting as Waiting,
    )
    from cybertip.desk.desks import (
        AsyncCaseDesk as AsyncCaseDesk,
        CaseDesk as CaseDesk,
        Placement as Placement,
    )
    from cybertip.desk.visibility import (
        Viewer as Viewer,
    )
    from cybertip.errors import (
        AdapterError as AdapterError,
        AlreadyFinished as AlreadyFinished,
        AlreadyRetracted as AlreadyRetracted,
        CaseError as CaseError,
        Conflict as Conflict,
        CybertipError as CybertipError,
        HashMismatch as HashMismatch,
        InDoubt as InDoubt,
        InvalidCheckpoint as InvalidCheckpoint,
        InvalidReport as InvalidReport,
        Misunderstanding as Misunderstanding,
        NcmecError as NcmecError,
        NeedsHuman as NeedsHuman,
        NeverSent as NeverSent,
        NotAllowed as NotAllowed,
        NotFound as NotFound,
        NotNow as NotNow,
        NotUnderstood as NotUnderstood,
        NotYours as NotYours,
        Refused as Refused,
        SubmissionError as SubmissionError,
        TransportError as TransportError,
        Unavailable as Unavailable,
        UnknownCase as UnknownCase,
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
    from cybertip.hash_sharing import (
        Source as Source,
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
    from cybertip.ports.matching import (
        Classification as Classification,
        EntryId as EntryId,
        HashMatch as HashMatch,
        ItemId as ItemId,
        ListName as ListName,
        MatchResult as MatchResult,
        MediaHash as MediaHash,
        MediaItem as MediaItem,
        NotChecked as NotChecked,
        Outcome as Outcome,
        Verdict as Verdict,
    )
    from cybertip.protocol import (
        Credentials as Credentials,
        Environment as Environment,
    )
    from cybertip.rules import (
        check as check,
    )
    from cybertip.webhooks.addresses import (
        Guard as Guard,
    )
    from cybertip.webhooks.coop import (
        CoopSigner as CoopSigner,
        CoopVerifier as CoopVerifier,
    )
    from cybertip.webhooks.endpoints import (
        Endpoint as Endpoint,
        Limits as Limits,
    )
    from cybertip.webhooks.failures import (
        WebhookDeclined as WebhookDeclined,
        WebhookError as WebhookError,
        WebhookNotSent as WebhookNotSent,
        WebhookUnanswered as WebhookUnanswered,
        WebhookUnreadable as WebhookUnreadable,
    )
    from cybertip.webhooks.standard import (
        StandardSigner as StandardSigner,
        StandardVerifier as StandardVerifier,
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
    "cybertip.adapters.classifying.google": (
        "AsyncGoogleClassifier",
        "GoogleClassifier",
    ),
    "cybertip.adapters.evidence": (
        "keep_transcripts",
        "LocalEvidence",
        "MemoryEvidence",
    ),
    "cybertip.adapters.matching.combined": (
        "AsyncCombinedHashMatcher",
        "CombinedHashMatcher",
    ),
    "cybertip.adapters.matching.descriptions": ("with_hashes",),
    "cybertip.adapters.matching.hma": (
        "AsyncHmaMatcher",
        "HmaMatcher",
        "HmaSettings",
    ),
    "cybertip.adapters.matching.lifted": ("lift_matcher",),
    "cybertip.adapters.matching.local": ("LocalDigestMatcher",),
    "cybertip.adapters.matching.local_pdq": ("LocalPdqMatcher",),
    "cybertip.adapters.matching.sharing": (
        "AsyncHttpxHashSharing",
        "HashSharingFeedback",
        "HashSharingSync",
        "HttpxHashSharing",
        "Synced",
    ),
    "cybertip.adapters.matching.signals": (
        "classifier_scored",
        "hash_matched",
    ),
    "cybertip.adapters.matching.store": (
        "HashStore",
        "ListEntry",
    ),
    "cybertip.adapters.storage.memory": (
        "AsyncMemoryStorage",
        "MemoryStorage",
    ),
    "cybertip.adapters.storage.sql": (
        "AsyncSqlStorage",
        "SqlStorage",
    ),
    "cybertip.adapters.webhooks": (
        "AsyncHttpxMedia",
        "AsyncHttpxWebhooks",
        "HttpxMedia",
        "HttpxWebhooks",
    ),
    "cybertip.cases.assembly": (
        "assemble",
        "Assembled",
    ),
    "cybertip.cases.attachments": (
        "Attachment",
        "AttachmentKind",
    ),
    "cybertip.cases.case": ("Case",),
    "cybertip.cases.decisions": (
        "Decision",
        "Dismissed",
        "MediaDecision",
        "ThreadDecision",
        "View",
    ),
    "cybertip.cases.enrichment": (
        "AdditionalFile",
        "AdditionalInfo",
        "AdditionalInfoRequest",
        "MediaInfo",
        "MessageInfo",
        "nothing_known",
        "reconcile",
        "UserInfo",
    ),
    "cybertip.cases.notices": (
        "CaseEvent",
        "CaseEventKind",
        "Preservation",
    ),
    "cybertip.cases.profile": (
        "Contact",
        "IncidentKind",
        "Profile",
        "Purpose",
    ),
    "cybertip.cases.references": (
        "CaseId",
        "EvidenceId",
        "ItemRef",
        "MessageId",
        "ReviewerId",
        "SignalId",
        "ThreadId",
        "UserRef",
    ),
    "cybertip.cases.review": ("ReviewPolicy",),
    "cybertip.cases.routing": (
        "Destination",
        "Rule",
        "Rules",
    ),
    "cybertip.cases.signals": (
        "ClassifierScored",
        "ContentRemoved",
        "Escalated",
        "HashMatched",
        "KnownMatch",
        "Media",
        "Noticed",
        "Signal",
        "UserReported",
    ),
    "cybertip.cases.stages": ("Stage",),
    "cybertip.cases.transcripts": ("Message",),
    "cybertip.client": (
        "AsyncClient",
        "Client",
    ),
    "cybertip.courier": (
        "AsyncCourier",
        "Courier",
        "Handle",
    ),
    "cybertip.desk.asking": (
        "Summary",
        "Waiting",
    ),
    "cybertip.desk.desks": (
        "AsyncCaseDesk",
        "CaseDesk",
        "Placement",
    ),
    "cybertip.desk.visibility": ("Viewer",),
    "cybertip.errors": (
        "AdapterError",
        "AlreadyFinished",
        "AlreadyRetracted",
        "CaseError",
        "Conflict",
        "CybertipError",
        "HashMismatch",
        "InDoubt",
        "InvalidCheckpoint",
        "InvalidReport",
        "Misunderstanding",
        "NcmecError",
        "NeedsHuman",
        "NeverSent",
        "NotAllowed",
        "NotFound",
        "NotNow",
        "NotUnderstood",
        "NotYours",
        "Refused",
        "SubmissionError",
        "TransportError",
        "Unavailable",
        "UnknownCase",
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
    "cybertip.hash_sharing": ("Source",),
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
    "cybertip.ports.matching": (
        "Classification",
        "EntryId",
        "HashMatch",
        "ItemId",
        "ListName",
        "MatchResult",
        "MediaHash",
        "MediaItem",
        "NotChecked",
        "Outcome",
        "Verdict",
    ),
    "cybertip.protocol": (
        "Credentials",
        "Environment",
    ),
    "cybertip.rules": ("check",),
    "cybertip.webhooks.addresses": ("Guard",),
    "cybertip.webhooks.coop": (
        "CoopSigner",
        "CoopVerifier",
    ),
    "cybertip.webhooks.endpoints": (
        "Endpoint",
        "Limits",
    ),
    "cybertip.webhooks.failures": (
        "WebhookDeclined",
        "WebhookError",
        "WebhookNotSent",
        "WebhookUnanswered",
        "WebhookUnreadable",
    ),
    "cybertip.webhooks.standard": (
        "StandardSigner",
        "StandardVerifier",
    ),
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
