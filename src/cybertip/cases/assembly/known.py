"""What is known when a filing is assembled, brought together by whom and what it is about."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import attrs

from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision, MediaDecision, View
from cybertip.cases.enrichment import (
    Enriched,
    MediaInfo,
    Placed,
    PlacedHash,
    UserInfo,
    place_events,
    place_hash,
)
from cybertip.cases.events import MediaKept
from cybertip.cases.profile import Profile
from cybertip.cases.references import ItemRef, UserRef
from cybertip.cases.signals import KnownMatch, Media
from cybertip.cases.transcripts import file_name
from cybertip.model import FileRelevance, IntendedRecipient, IpCaptureEvent, ReportId, Victim
from cybertip.rules.values import is_blank

__all__ = ["Known", "KnownAttachment", "KnownFile", "KnownPerson", "KnownUser", "Moment", "told"]


def told(text: str | None) -> str | None:
    """Return a text that says something: an empty one says nothing, and is left out."""
    return None if text is None or is_blank(text) else text


class Moment(NamedTuple):
    """A time, and what it is the time of."""

    at: datetime
    meaning: str


@attrs.frozen(kw_only=True)
class KnownFile:
    """A file of the case that is filed."""

    #: Its place in the decision, from 0.
    index: int
    decided: MediaDecision
    kept: MediaKept
    #: As the signals named it.
    media: Media
    #: As the platform answered.
    info: MediaInfo
    #: Who looked at the bytes that are kept of it.
    views: tuple[View, ...]
    #: What known material it matched.
    matches: tuple[KnownMatch, ...]
    #: What it is called when it is sent.
    name: str
    #: Where its IP events and its hash go.
    placed: Placed
    hash: PlacedHash | None

    @property
    def path(self) -> str:
        """How a reviewer finds it."""
        return f"decision.media[{self.index}]"

    @property
    def original_name(self) -> str | None:
        """What its user called it."""
        return told(self.info.file_name) or told(self.media.file_name)

    @property
    def viewed(self) -> bool | None:
        """Whether a person is recorded to have looked at all of it; None where nobody is recorded to have looked."""
        return any(view.wholly for view in self.views) if self.views else None


@attrs.frozen(kw_only=True)
class KnownAttachment:
    """A file that goes with the report and is no media of the case."""

    attachment: Attachment
    #: Whether it is what is reported, for there is no media.
    alone: bool


@attrs.frozen(kw_only=True)
class KnownUser:
    """The user whom the case is about."""

    ref: UserRef
    info: UserInfo
    #: The company's name.
    service: str | None
    #: What the details of files, which take one event each, had no room for.
    further_events: tuple[IpCaptureEvent, ...]
    prior_reports: tuple[ReportId, ...]


@attrs.frozen(kw_only=True)
class KnownPerson:
    """A victim or an intended recipient, as the reviewer wrote, with what the platform knows of that user."""

    said: Any
    info: UserInfo | None
    service: str | None


@attrs.frozen(kw_only=True)
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
            files=tuple(_files(case, decision, enrichment)),
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


# -- files ----------------------------------------------------------------------------------------------------------------


def _files(case: Case, decision: Decision, enrichment: Enriched) -> Iterator[KnownFile]:
    """Bring together what is known of each file; what cannot be filed is passed over, and is an obstacle elsewhere."""
    views = _views(case, decision)
    matches: dict[ItemRef, list[KnownMatch]] = {}
    for match in case.matches:
        matches.setdefault(match.media, []).append(match)
    media = _media(case)
    names = _Names()
    for index, decided in enumerate(decision.media):
        ref = decided.media
        kept, info, file = case.kept.get(ref), enrichment.media.get(ref), media.get(ref)
        if not decided.include or kept is None or info is None or file is None:
            continue
        path = f"decision.media[{index}]"
        yield KnownFile(
            index=index,
            decided=decided,
            kept=kept,
            media=file,
            info=info,
            views=views.get(kept.sha256, ()),
            matches=tuple(matches.get(ref, ())),
            name=names.give(ref, info.file_name or file.file_name, file.media_type),
            placed=place_events(info.ip_capture_events, uploaded_at=file.uploaded_at, path=path),
            hash=None if info.hash is None else place_hash(info.hash, path=path),
        )


#: What several signals can say of a file; the first that says it counts.
_SAID = ("file_name", "media_type", "uploaded_at")


def _media(case: Case) -> Mapping[ItemRef, Media]:
    """Return each file with all that signals say of it, whichever of them does."""
    found = dict(case.media)
    for signal in case.signals.values():
        for one in signal.media:
            known = found[one.ref]
            further = {
                field: value for field in _SAID if getattr(known, field) is None and (value := getattr(one, field))
            }
            if further:
                found[one.ref] = attrs.evolve(known, **further)
    return found


def _views(case: Case, decision: Decision) -> Mapping[str, tuple[View, ...]]:
    """Return the records of views, each once, by the digest of what was looked at."""
    found: dict[str, dict[View, None]] = {}
    for view in (*case.views, *decision.views):
        found.setdefault(view.sha256, {})[view] = None
    return {digest: tuple(views) for digest, views in found.items()}


_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
#: Not what the system's tables say, which differ from machine to machine: the same case makes the same filing everywhere.
_SUFFIXES = {
    "application/pdf": ".pdf",
    "image/avif": ".avif",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}


class _Names:
    """Names under which files are sent: safe to unpack anywhere, made of the platform's identifiers, each given once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def give(self, ref: ItemRef, original: str | None, media_type: str | None) -> str:
        ending = _SUFFIX.search(original or "")
        suffix = ending[0].lower() if ending else _SUFFIXES.get((media_type or "").partition(";")[0].lower(), "")
        # A space never stays as it is, so that the longer name gets a digest which no other name has.
        name = next(one for one in self._names(ref, suffix) if one not in self._given)
        self._given.add(name)
        return name

    @staticmethod
    def _names(ref: ItemRef, suffix: str) -> Iterator[str]:
        yield file_name(ref.id, suffix)
        yield file_name(f"{ref.type_id} {ref.id}", suffix)
        number = 2
        while True:
            yield file_name(f"{ref.type_id} {ref.id} {number}", suffix)
            number += 1
