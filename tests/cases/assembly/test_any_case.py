"""Whatever a case, a decision and an answer are, the filing keeps NCMEC's rules or the violations say why there is none."""

import re
from datetime import timedelta
from typing import Any, NamedTuple

import attrs
from hypothesis import event, given, settings, strategies as st

from cybertip.cases.assembly import Assembled, assemble
from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision, MediaDecision, ThreadDecision, View
from cybertip.cases.enrichment import Enriched, MediaHash, MediaInfo, UserInfo
from cybertip.cases.references import MessageId, ReviewerId, UserRef
from cybertip.cases.signals import HashMatched, KnownMatch
from cybertip.errors import InvalidReport, Violation
from cybertip.model import (
    BatchedReportReason,
    Edition,
    FileAnnotations,
    FileClassification,
    FileId,
    FileRelevance,
    IncidentType,
    IpCaptureEvent,
    IpCaptureType,
    ReportId,
)
from cybertip.rules import check
from cybertip.testing.strategies import (
    emails,
    file_annotations,
    intended_recipients,
    report_annotations,
    texts,
    victims,
)
from cybertip.xml import write
from cybertip.xml.schema import validate

#: Where a reviewer looks: nothing else is named by a violation.
PLACES = re.compile(r"(report|case\.user|decision|profile|attachments\[\d+\]|files)\b.*")


class Given(NamedTuple):
    """What a filing is assembled from."""

    case: Case
    decision: Decision
    enrichment: Enriched
    given: dict[str, Any]

    def assembled(self, kit: Any, **other: Any) -> Assembled:
        """Assemble it."""
        given = {"now": kit.NOW} | self.given | other
        return assemble(self.case, self.decision, self.enrichment, kit.PROFILE, **given)


@st.composite
def any_case(draw: st.DrawFn, kit: Any, *, acceptable: bool) -> Given:
    """Draw a case that is decided and answered; where it is `acceptable`, nothing in it breaks a rule of NCMEC's."""
    edition = draw(st.sampled_from(Edition))
    wish: dict[str, Any] = {"edition": edition, "acceptable": acceptable}
    text = texts(min_size=1, max_size=20 if acceptable else 400)
    prose = text.filter(str.strip)
    hours = st.integers(-48, 0 if acceptable else 48)
    batched = draw(st.integers(0, 4)) == 0

    numbers = range(1, draw(st.integers(1 if batched else 0, 2 if batched else 4)) + 1)
    files = {
        number: kit.media(
            number,
            file_name=draw(st.none() | text),
            uploaded_at=kit.UPLOADED + timedelta(hours=draw(hours)),
            media_type=draw(st.none() | st.sampled_from(["image/png", "video/mp4", "no media type"])),
        )
        for number in numbers
    }
    views = st.builds(
        View,
        sha256=st.sampled_from([kit.digest(number) for number in (*numbers, 9)]),
        reviewer=st.just(ReviewerId("ann")),
        at=st.just(kit.NOW),
        wholly=st.booleans(),
        exif=st.booleans(),
    )

    def decided(number: int) -> MediaDecision:
        if (number > 1) if batched else draw(st.booleans()):
            return MediaDecision(media=kit.image(number), include=False)
        classification = draw(st.none() | st.sampled_from(FileClassification))
        tags = FileAnnotations(viral=True) if batched and acceptable else draw(st.none() | file_annotations(**wish))
        relevance = draw(st.none() | st.sampled_from(FileRelevance))
        if acceptable and (classification or (tags is not None and tags.potential_meme)):
            relevance = FileRelevance.REPORTED
        return MediaDecision(
            media=kit.image(number),
            include=True,
            classification=classification,
            annotations=tags,
            relevance=relevance,
            views=tuple(attrs.evolve(view, sha256=kit.digest(number)) for view in draw(st.lists(views, max_size=2))),
        )

    messages = draw(st.integers(0, 3)) if not batched else 0
    named = tuple(MessageId(str(number)) for number in range(messages))
    people = not batched
    decision = Decision(
        incident_type=draw(st.sampled_from(IncidentType)),
        incident_at=kit.UPLOADED + timedelta(hours=draw(hours)),
        escalation=draw(st.none() | prose) if people else None,
        annotations=draw(st.none() | report_annotations(**wish)),
        media=tuple(decided(number) for number in numbers),
        threads=(ThreadDecision(thread=kit.THREAD, messages=named),) if named else (),
        victims=tuple(draw(st.lists(victims(**wish), max_size=2))) if people else (),
        recipients=tuple(draw(st.lists(intended_recipients(**wish), max_size=2))) if people else (),
        additional_info=draw(prose) if people else None,
        batched=BatchedReportReason.VIRAL_POTENTIAL_MEME if batched else None,
        batched_users=tuple(UserRef(id=one, type_id="other") for one in draw(st.sets(text, max_size=3)))
        if batched
        else (),
    )

    events: st.SearchStrategy[Any] = st.lists(
        st.builds(
            IpCaptureEvent,
            ip_address=st.sampled_from(["192.0.2.1", "198.51.100.7", "2001:db8::1", "::ffff:192.0.2.1"]),
            event_name=st.none() | st.sampled_from(IpCaptureType),
            date_time=st.none() | hours.map(lambda hour: kit.UPLOADED + timedelta(hours=hour)),
            port=st.none() | st.sampled_from([50_000, 50_001]),
        ),
        max_size=3,
    )
    matches = tuple(
        KnownMatch(media=kit.image(number), bank=draw(text), algorithm="PDQ")
        for number in numbers
        if draw(st.booleans())
    )
    signal = kit.signal(*files.values())
    joined = [kit.Joined(signal=signal)]
    if matches:
        fields = {name: getattr(signal, name) for name in ("source", "at", "basis", "media")}
        joined.append(kit.Joined(signal=HashMatched(id="s2", matches=matches, **fields)))  # type: ignore[arg-type]
    case = kit.case(*joined, *map(kit.kept, numbers), *(kit.seen(view) for view in draw(st.lists(views, max_size=3))))

    gone = draw(st.sampled_from(sorted(numbers))) if len(decision.included) > 1 and draw(st.booleans()) else None
    hashes = st.builds(MediaHash, value=text, type=st.sampled_from(["MD5", "PDQ", "SHA-256"]))
    entries = [
        MediaInfo(
            id=one.media.id,
            type_id=one.media.type_id,
            missing=one.media == (gone and kit.image(gone)),
            publicly_available=draw(st.none() | st.booleans()),
            file_name=draw(st.none() | texts()),
            additional_infos=tuple(draw(st.lists(texts(), max_size=2))),
            ip_capture_events=draw(events),
            hash=draw(st.none() | hashes),
        )
        for one in decision.included
    ]
    user = UserInfo(
        id=kit.USER.id,
        type_id=kit.USER.type_id,
        screen_name=draw(st.none() | text),
        emails=draw(st.lists(emails(**wish), max_size=2)),
        ip_capture_events=draw(events),
        data={"displayName": draw(st.none() | text | st.lists(text, max_size=2))},
    )
    enrichment = kit.answered(decision, user, *entries, additional_info=draw(st.none() | texts()))
    attachments = [kit.transcript(messages=messages)] if messages else []
    if not batched:
        attachments += [kit.supplemental(additional_infos=[draw(texts())]) for _ in range(draw(st.integers(0, 2)))]
    prior = draw(st.lists(st.integers(1 if acceptable else -1, 9).map(ReportId), max_size=3))
    return Given(case, decision, enrichment, {"attachments": attachments, "prior_reports": prior, "edition": edition})


def cases(test: Any) -> Any:
    """Try a test with some cases, which take long to draw."""
    usual = settings.default
    assert usual is not None
    return settings(max_examples=max(10, usual.max_examples // 2))(given(data=st.data())(test))


@cases
def test_what_keeps_the_rules_is_assembled(kit: Any, data: Any) -> None:
    """Where nothing breaks a rule, there is a filing, and it keeps them all: no reviewer is stopped without need."""
    drawn = data.draw(any_case(kit, acceptable=True))
    made = drawn.assembled(kit)
    _keeps_the_rules(kit, made)
    event(f"{len(made.filing.files)} files, {'batched' if drawn.decision.batched else 'about one'}")
    _is_whole(drawn, made)
    # A time decides what is refused, and never what is filed.
    later = drawn.assembled(kit, now=kit.NOW + timedelta(days=9))
    assert later.filing.digest == made.filing.digest


@cases
def test_what_does_not_is_refused_by_its_place(kit: Any, data: Any) -> None:
    """Anything at all gives a filing that keeps the rules, or violations that a reviewer can find; nothing made to fit."""
    drawn = data.draw(any_case(kit, acceptable=False))
    refused: tuple[Violation, ...] = ()
    try:
        made = drawn.assembled(kit)
    except InvalidReport as error:
        refused = error.violations
    else:
        _keeps_the_rules(kit, made)
        _is_whole(drawn, made)
    event(f"refused: {refused[0].rule}" if refused else "assembled")
    assert [one.path for one in refused if not PLACES.fullmatch(one.path)] == []


def _keeps_the_rules(kit: Any, made: Assembled) -> None:
    described = [file.description for file in made.filing.files]
    assert check(made.filing.report, now=kit.NOW, files=described, edition=made.filing.edition) == ()


def _is_whole(drawn: Given, made: Assembled) -> None:
    """Demand that it can be written, claims no view without its record, and has lost nothing."""
    filing, decision = made.filing, drawn.decision
    assert validate(write(filing.report, edition=filing.edition), edition=filing.edition) == ()
    for file in filing.files:
        assert file.description is not None
        details = file.description.named(report_id=ReportId(1), file_id=FileId("0a"))
        assert validate(write(details, edition=filing.edition), edition=filing.edition) == ()
        views = [view for view in (*drawn.case.views, *decision.views) if view.sha256 == file.sha256]
        assert file.description.file_viewed_by_esp in ({any(one.wholly for one in views)} if views else {None})
        if file.description.exif_viewed_by_esp:
            assert any(one.exif for one in views)
    gone = set(drawn.enrichment.missing)
    wanted = [drawn.case.kept[one.media].sha256 for one in decision.included if one.media not in gone]
    assert [file.sha256 for file in filing.files] == [*wanted, *(one.sha256 for one in drawn.given["attachments"])]
    for ref in gone:
        assert f"{ref.type_id} {ref.id}" in (filing.report.additional_info or "")
    if decision.batched is None:
        _says_every_event(drawn, made)


def _says_every_event(drawn: Given, made: Assembled) -> None:
    entries: list[UserInfo | MediaInfo] = [*drawn.enrichment.users.values(), *drawn.enrichment.media.values()]
    (user,) = made.filing.report.persons_or_users_reported
    said = [
        *user.ip_capture_events,
        *(file.description.ip_capture_event for file in made.filing.files if file.description),
    ]
    known = {(_address(one), one.event_name, one.date_time) for one in said if one is not None}
    for entry in entries:
        for one in entry.ip_capture_events:
            assert (_address(one), one.event_name, one.date_time) in known


def _address(one: IpCaptureEvent) -> str:
    return one.ip_address.removeprefix("::ffff:")
