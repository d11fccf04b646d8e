"""What the tests of assembly share: a case that is ready, and a way to change one thing about it at a time."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cybertip.cases.assembly import Assembled, assemble
from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.case import Case, fold
from cybertip.cases.decisions import Decision, MediaDecision, ThreadDecision, View
from cybertip.cases.enrichment import (
    AdditionalInfo,
    AdditionalInfoRequest,
    Enriched,
    MediaInfo,
    UserInfo,
    nothing_known,
    reconcile,
)
from cybertip.cases.events import Environment, Event, Joined, MediaKept, MediaMissing, Opened, Viewed
from cybertip.cases.profile import IncidentKind, Profile
from cybertip.cases.references import EvidenceId, ItemRef, MessageId, ReviewerId, SignalId, ThreadId, UserRef
from cybertip.cases.signals import HashMatched, KnownMatch, Media, Noticed, Signal
from cybertip.errors import InvalidReport
from cybertip.model import FileDescription, IncidentType, IpCaptureEvent, IpCaptureType, PersonOrUserReported

NOW = datetime(2026, 1, 2, tzinfo=UTC)
UPLOADED = datetime(2026, 1, 1, tzinfo=UTC)
USER, OTHER, CHILD = (UserRef(id=f"u{number}", type_id="user") for number in (1, 2, 3))
THREAD = ThreadId("t1")
PROFILE = Profile(
    company_name="Example",
    legal_url="https://company.example/legal",
    reporter_email="safety@company.example",
    default_incident=IncidentKind.CHAT_IM,
)


def image(number: int = 1) -> ItemRef:
    """Return the name of a file."""
    return ItemRef(id=f"m{number}", type_id="image")


def media(number: int = 1, **given: Any) -> Media:
    """Return a file as a signal names it, uploaded so many hours after the first."""
    known: dict[str, Any] = {"uploaded_at": UPLOADED + timedelta(hours=number - 1), "media_type": "image/png"}
    return Media(ref=image(number), **known | given)


def digest(number: int = 1) -> str:
    """Return the digest of a file's bytes."""
    return f"{number:064x}"


def kept(number: int = 1) -> MediaKept:
    """Return the event of a file that is preserved."""
    evidence = EvidenceId(f"e{number}")
    return MediaKept(media=image(number), evidence=evidence, sha256=digest(number), md5=f"{number:032x}", size=9)


def signal(*files: Media, **given: Any) -> Signal:
    """Return a signal about files."""
    known: dict[str, Any] = {"id": SignalId("s1"), "source": "chat", "at": NOW, "basis": "", "name": "x"}
    return Noticed(media=files, **known | given)


def matched(number: int = 1, **given: Any) -> Signal:
    """Return a match with known material."""
    match = KnownMatch(media=image(number), bank="invented list", algorithm="PDQ", **given)
    return HashMatched(id=SignalId("s2"), source="hashes", at=NOW, basis="", media=(media(number),), matches=(match,))


def case(*events: Event) -> Case:
    """Return the case of a user, by what happened."""
    opened = Opened(organisation="o1", user=USER, environment=Environment.TEST)
    made = fold("case/0123456789abcdef/0001", [(event, NOW) for event in (opened, *events)])
    assert made is not None
    return made


def case_of(*numbers: int, missing: Iterable[int] = ()) -> Case:
    """Return a case with files that are kept, and with some that are missing."""
    gone = tuple(missing)
    files = tuple(media(number) for number in (*numbers, *gone))
    lost = (MediaMissing(media=image(number), reason="its address had expired") for number in gone)
    return case(Joined(signal=signal(*files)), *map(kept, numbers), *lost)


def view(number: int = 1, *, wholly: bool = True, exif: bool = False) -> View:
    """Return the record of a view."""
    return View(sha256=digest(number), reviewer=ReviewerId("ann"), at=NOW, wholly=wholly, exif=exif)


def seen(view: View) -> Viewed:
    """Return the event of a view while the case was open."""
    return Viewed(view=view)


def viewed(number: int = 1) -> Viewed:
    """Return the event of somebody who looked at a file while the case was open."""
    return seen(view(number))


def included(number: int = 1, **said: Any) -> MediaDecision:
    """Return the decision to report a file."""
    return MediaDecision(media=image(number), include=True, **said)


def decision(*media: MediaDecision, **said: Any) -> Decision:
    """Return a decision to report; without files it is about one conversation."""
    if not media and not said:
        said = {"threads": (ThreadDecision(thread=THREAD, messages=(MessageId("1"), MessageId("2"))),)}
    return Decision(**{"incident_type": IncidentType.CHILD_PORNOGRAPHY, "media": media} | said)


def transcript(**given: Any) -> Attachment:
    """Return the transcript of the conversation that `decision()` reports."""
    known: dict[str, Any] = {
        "kind": AttachmentKind.TRANSCRIPT,
        "evidence": EvidenceId("e-t1"),
        "name": "t1.jsonl",
        "media_type": "application/jsonl",
        "size": 9,
        "sha256": digest(77),
        "md5": f"{77:032x}",
        "thread": THREAD,
        "messages": 2,
        "newest_at": UPLOADED,
    }
    return Attachment(**known | given)


def supplemental(**given: Any) -> Attachment:
    """Return a file that the platform added."""
    nothing: dict[str, Any] = dict.fromkeys(("thread", "messages", "newest_at"))
    known = {"kind": AttachmentKind.SUPPLEMENTAL, "name": "evidence.pdf", "media_type": "application/pdf"}
    return transcript(**nothing | known | given)


def answered(decided: Decision, *entries: UserInfo | MediaInfo, users: Iterable[UserRef] = (), **said: Any) -> Enriched:
    """Return the platform's answer about what is reported: that nothing is known, but for some entries."""
    request = AdditionalInfoRequest(users=(USER, *users), media=tuple(one.media for one in decided.included))
    nothing = nothing_known(request)
    known = {entry.ref: entry for entry in entries}
    answer = AdditionalInfo(
        users=[known.get(one.ref, one) for one in nothing.users],
        media=[known.get(one.ref, one) for one in nothing.media],
        **said,
    )
    reconciled = reconcile(request, answer)
    assert isinstance(reconciled, Enriched), reconciled
    return reconciled


def event(hour: int = 0, name: IpCaptureType | None = IpCaptureType.UPLOAD, **given: Any) -> IpCaptureEvent:
    """Return an IP event so many hours after the first upload."""
    known: dict[str, Any] = {
        "ip_address": "192.0.2.1",
        "event_name": name,
        "date_time": UPLOADED + timedelta(hours=hour),
    }
    return IpCaptureEvent(**known | given)


def user(**given: Any) -> UserInfo:
    """Return what is known of the user of the case."""
    return UserInfo(id=USER.id, type_id=USER.type_id, **given)


def info(number: int = 1, **given: Any) -> MediaInfo:
    """Return what is known of a file."""
    return MediaInfo(id=image(number).id, type_id="image", **given)


def assembled(
    of: Case | None = None,
    decided: Decision | None = None,
    enrichment: Enriched | None = None,
    profile: Profile = PROFILE,
    **given: Any,
) -> Assembled:
    """Assemble, with one file that is reported unless something else is given."""
    decided = decided or decision(included())
    numbers = [int(one.media.id[1:]) for one in decided.included]
    of = of or (case_of(*numbers) if numbers else case())
    return assemble(of, decided, enrichment or answered(decided), profile, **{"now": NOW} | given)


def refused(*args: Any, **given: Any) -> dict[str, str]:
    """Assemble what cannot be; return the rules that it breaks, by their paths."""
    with pytest.raises(InvalidReport) as error:
        assembled(*args, **given)
    return {one.path: one.rule for one in error.value.violations}


def described(of: Assembled, index: int = 0) -> FileDescription:
    """Return what is said of a file."""
    said = of.filing.files[index].description
    assert said is not None
    return said


def reported(of: Assembled) -> PersonOrUserReported:
    """Return what is said of the user."""
    (user,) = of.filing.report.persons_or_users_reported
    return user


def rules(of: Assembled) -> dict[str, str]:
    """Return what was found, by its path."""
    return {one.path: one.rule for one in of.findings}


class _Kit(SimpleNamespace):
    """What is above; it says little of itself where a test fails."""

    def __repr__(self) -> str:
        return "kit"


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """Everything above."""
    return _Kit(**{name: value for name, value in globals().items() if name[0] not in "_@"})
