"""What is known when a filing is assembled, brought together by whom and what it is about."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import attrs

from cybertip.cases.assembly.media import KnownFile, known_files
from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision
from cybertip.cases.enrichment import Enriched, UserInfo
from cybertip.cases.profile import Profile
from cybertip.cases.references import UserRef
from cybertip.model import FileRelevance, IntendedRecipient, IpCaptureEvent, ReportId, Victim

__all__ = ["Known", "KnownAttachment", "KnownPerson", "KnownUser", "Moment"]


class Moment(NamedTuple):
    """A time, and what it is the time of."""

    at: datetime
    meaning: str


@attrs.frozen(kw_only=True, repr=False)
class KnownAttachment:
    """A file that goes with the report and is no media of the case."""

    attachment: Attachment
    #: Whether it is what is reported, for there is no media.
    alone: bool


@attrs.frozen(kw_only=True, repr=False)
class KnownUser:
    """The user whom the case is about."""

    ref: UserRef
    info: UserInfo
    #: The company's name.
    service: str | None
    #: What the details of files, which take one event each, had no room for.
    further_events: tuple[IpCaptureEvent, ...]
    prior_reports: tuple[ReportId, ...]


@attrs.frozen(kw_only=True, repr=False)
class KnownPerson:
    """A victim or an intended recipient, as the reviewer wrote, with what the platform knows of that user."""

    said: Any
    info: UserInfo | None
    service: str | None


@attrs.frozen(kw_only=True, repr=False)
class Known:
    """Everything that a filing is assembled from."""

    case: Case
    decision: Decision
    enrichment: Enriched
    profile: Profile
    attachments: tuple[Attachment, ...]
    prior_reports: tuple[ReportId, ...]
    #: The files of the case that are filed: decided on, kept, and not missing.
    files: tuple[KnownFile, ...]

    @classmethod
    def of(
        cls,
        case: Case,
        decision: Decision,
        enrichment: Enriched,
        profile: Profile,
        attachments: Iterable[Attachment],
        prior_reports: Iterable[ReportId],
    ) -> "Known":
        """Bring together what is known."""
        return cls(
            case=case,
            decision=decision,
            enrichment=enrichment,
            profile=profile,
            attachments=tuple(attachments),
            prior_reports=tuple(dict.fromkeys(prior_reports)),
            files=tuple(known_files(case, decision, enrichment)),
        )

    @property
    def batched(self) -> bool:
        """Whether the report is about many users."""
        return self.decision.batched is not None

    @property
    def transcripts(self) -> tuple[Attachment, ...]:
        """What was written in the conversations that are reported."""
        return tuple(one for one in self.attachments if one.kind is AttachmentKind.TRANSCRIPT)

    @property
    def incident(self) -> Moment | None:
        """When it happened; None where nothing tells."""
        if self.decision.incident_at is not None:
            return Moment(self.decision.incident_at, "the time that the reviewer gave.")
        supplemental = FileRelevance.SUPPLEMENTAL_REPORTED
        uploads = [(one.media.uploaded_at, one.decided.relevance is not supplemental) for one in self.files]
        times = [(reported, at) for at, reported in uploads if at is not None]
        if times:
            # What is reported goes before what belongs to it.
            return Moment(max(times)[1], "when the newest of the reported files was uploaded to the platform.")
        sent = [one.newest_at for one in self.transcripts if one.newest_at is not None]
        return Moment(max(sent), "when the newest of the reported messages was sent.") if sent else None

    @property
    def user(self) -> KnownUser:
        """Whom the case is about. The answer must have an entry."""
        return KnownUser(
            ref=self.case.user,
            info=self.enrichment.users[self.case.user],
            service=self.profile.company_name,
            further_events=tuple(event for file in self.files for event in file.placed.user_events),
            prior_reports=self.prior_reports,
        )

    def person(self, said: Victim | IntendedRecipient) -> KnownPerson:
        """Return what is known of a victim or a recipient."""
        ref = self.ref_of(said)
        info = None if ref is None else self.enrichment.users[ref]
        return KnownPerson(said=said, info=info, service=self.profile.company_name)

    def ref_of(self, said: Victim | IntendedRecipient) -> UserRef | None:
        """Return which user of the answer a victim or recipient is; None where none is, or more than one could be."""
        if said.esp_service not in (None, self.profile.company_name):
            return None
        found = [ref for ref in self.enrichment.users if ref.id == said.esp_identifier and ref != self.case.user]
        return found[0] if len(found) == 1 else None
