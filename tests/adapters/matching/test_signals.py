"""A match opens a case and says nothing about who has looked: what is found becomes signals, and hashes find their place."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import assume, given, settings, strategies as st

from cybertip.adapters.matching.descriptions import with_hashes
from cybertip.adapters.matching.local import LocalDigestMatcher
from cybertip.adapters.matching.local_pdq import LocalPdqMatcher
from cybertip.adapters.matching.signals import classifier_scored, hash_matched
from cybertip.adapters.matching.store import HashStore
from cybertip.cases.assembly import assemble
from cybertip.cases.case import Case, fold
from cybertip.cases.decisions import Decision, MediaDecision
from cybertip.cases.enrichment import AdditionalInfoRequest, Enriched, nothing_known, reconcile
from cybertip.cases.events import Environment, Event, Joined, MediaKept, Opened
from cybertip.cases.profile import IncidentKind, Profile
from cybertip.cases.references import EvidenceId, ItemRef, SignalId, ThreadId, UserRef
from cybertip.cases.routing import DEFAULT, Destination, Rule, Rules
from cybertip.cases.signals import HashMatched, Media, Signal, decode, encode
from cybertip.hashing.digests import digest
from cybertip.model import Details, FileDescription, FileRelevance, Hash, IncidentType, MetadataType, NameValue, evolve
from cybertip.ports.clock import Clock
from cybertip.ports.matching import (
    MD5,
    PDQ,
    PHOTODNA,
    SHA256,
    Classification,
    EntryId,
    HashMatch,
    HashType,
    ItemId,
    ListName,
    MatchKind,
    MatchResult,
    MediaHash,
    MediaItem,
    MemberId,
    NotChecked,
    Outcome,
    Priority,
    Unchecked,
    Variant,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
USER = UserRef(id="u1", type_id="user")
PROFILE = Profile(
    company_name="Example",
    legal_url="https://company.example/legal",
    reporter_email="safety@company.example",
    default_incident=IncidentKind.CHAT_IM,
)


def image(number: int = 1) -> Media:
    return Media(ref=ItemRef(id=f"m{number}", type_id="image"))


def found(*matches: HashMatch, unchecked: tuple[Unchecked, ...] = ()) -> MatchResult:
    hashes = [match.query for match in matches]
    return MatchResult.of(MediaItem(id=ItemId("1")), matches=matches, unchecked=unchecked, hashes=hashes)


def signalled(*results: MatchResult) -> HashMatched | None:
    pairs = [(image(number), one) for number, one in enumerate(results)]
    return hash_matched(pairs, id=SignalId("s1"), source="uploads", at=NOW, creator=USER, threads=[ThreadId("t1")])


NEAR = HashMatch(
    matcher="local pdq",
    list=ListName("NCMEC Industry"),
    entry=EntryId("image1"),
    member=MemberId("42"),
    query=MediaHash(type=PDQ, value="0" * 64),
    kind=MatchKind.NEAR,
    distance=4,
    limit=31,
    classification="A1",
    disputed=True,
)
GAP = Unchecked(matcher="m", reason=NotChecked.STALE_LIST)

# -- any result, from any matcher -----------------------------------------------------------------------------------------

#: Half of a pair of surrogates, too: a matcher of somebody else's may bring anything.
names = st.text(st.characters(exclude_categories=()), max_size=8)
kinds = st.sampled_from([MD5, SHA256, PDQ, PHOTODNA]) | names.map(HashType)


@st.composite
def media_hashes(draw: st.DrawFn) -> MediaHash:
    kind = draw(kinds)
    digits = {MD5: 32, SHA256: 64, PDQ: 64}.get(kind)
    value = st.text("0123456789abcdef", min_size=digits, max_size=digits) if digits else names
    return MediaHash(type=kind, value=draw(value), variant=draw(st.sampled_from(Variant)))


matches = st.builds(
    HashMatch,
    matcher=names,
    list=names.map(ListName),
    entry=names.map(EntryId),
    member=st.none() | names.map(MemberId),
    query=media_hashes(),
    kind=st.sampled_from(MatchKind),
    distance=st.none() | st.integers(0, 256),
    classification=st.none() | names,
    disputed=st.booleans(),
)
results = st.builds(
    lambda matches, hashes: MatchResult.of(
        MediaItem(id=ItemId("1")), matches=matches, unchecked=[GAP], hashes=[*hashes, *(one.query for one in matches)]
    ),
    st.lists(matches, max_size=3),
    st.lists(media_hashes(), max_size=4),
)
estimates = st.builds(
    Classification,
    item=st.just(ItemId("1")),
    classifier=names,
    model=st.none() | names,
    priority=st.sampled_from(Priority),
    label=st.none() | names,
) | st.builds(
    Classification, item=st.just(ItemId("1")), classifier=names, score=st.floats(0, 1), label=st.none() | names
)


def case_of(signal: Signal, sha256: str) -> Case:
    """Return the case that a signal opens, with the bytes of all its files kept."""
    opened = Opened(organisation="o1", user=USER, environment=Environment.TEST)
    joined = Joined(signal=signal, to=DEFAULT.route(signal).to)
    kept = [
        MediaKept(media=one.ref, evidence=EvidenceId("e"), sha256=sha256, md5="0" * 32, size=9) for one in signal.media
    ]
    events: list[Event] = [opened, joined, *kept]
    case = fold("case/0123456789abcdef/1", [(event, NOW) for event in events])
    assert case is not None
    return case


@given(st.lists(results, min_size=1, max_size=3))
def test_a_match_is_a_signal_and_never_a_view(several: list[MatchResult]) -> None:
    """Whatever any matcher finds becomes a signal that can be recorded; in the case that it opens nobody has viewed
    anything, even when the very bytes that were matched are kept."""
    signal = signalled(*several)
    assert (signal is None) == all(one.outcome is not Outcome.POTENTIAL_MATCH for one in several)
    if signal is None:
        return
    assert decode(*encode(signal)) == signal
    assert {one.media for one in signal.matches} == {
        image(number).ref for number, one in enumerate(several) if one.matches
    }
    assert [one.ref for one in signal.media] == [image(number).ref for number in range(len(several))]
    sha256 = next((one.value for result in several for one in result.hashes if one.type == SHA256), "0" * 64)
    case = case_of(signal, sha256)
    assert set(case.matches) == set(signal.matches)
    assert case.views == ()
    assert [case.views_of(one.ref) for one in signal.media] == [()] * len(several)


def reported(case: Case) -> tuple[FileDescription | None, ...]:
    """Return what a report says of a case's files, all of which are reported, and of which nobody recorded a view."""
    decision = Decision(
        incident_type=IncidentType.CHILD_PORNOGRAPHY,
        incident_at=NOW - timedelta(days=1),
        media=[MediaDecision(media=one, include=True) for one in case.media],
    )
    request = AdditionalInfoRequest(users=(USER,), media=tuple(case.media))
    answer = reconcile(request, nothing_known(request))
    assert isinstance(answer, Enriched)
    filing = assemble(case, decision, answer, PROFILE, now=NOW).filing
    return tuple(one.description for one in filing.files)


@given(st.lists(results, min_size=1, max_size=2))
@settings(max_examples=25)
def test_what_was_matched_is_not_reported_as_viewed(several: list[MatchResult]) -> None:
    """From any result of any matcher to the report: no file is said to have been viewed, and none not to have been, as long
    as nobody recorded it."""
    signal = signalled(*several)
    assume(signal is not None)
    assert signal is not None
    described = reported(case_of(signal, "0" * 64))
    assert len(described) == len(several)
    for one in described:
        assert one is not None
        assert (one.file_viewed_by_esp, one.exif_viewed_by_esp) == (None, None)


@given(results, st.sampled_from([None, True, False]))
def test_hashes_change_nothing_else_that_is_said_of_a_file(result: MatchResult, viewed: bool | None) -> None:
    """A description with the hashes of a matched file says neither more nor less about who viewed it, and what it shows."""
    description = FileDescription(file_viewed_by_esp=viewed, file_relevance=FileRelevance.REPORTED)
    described = with_hashes(description, result.hashes)
    assert described.file_viewed_by_esp is viewed
    assert evolve(described, original_file_hashes=(), details=()) == description


@given(results)
def test_each_hash_has_one_place(result: MatchResult) -> None:
    """Digests of the bytes are `originalFileHash`, and every other hash of the picture itself is in `details`, once,
    however often it is given."""
    once = with_hashes(FileDescription(), result.hashes)
    assert with_hashes(once, result.hashes) == once
    digests = {(one.hash_type, one.value) for one in once.original_file_hashes}
    pairs = {(pair.name, pair.value) for one in once.details for pair in one.name_value_pairs}
    for one in result.hashes:
        places = [(one.type.upper(), one.value) in digests, (one.type.strip(), one.value.strip()) in pairs]
        of_the_file = one.variant is Variant.ORIGINAL and one.type.strip() and one.value.strip()
        if one.type in (MD5, SHA256):
            assert places[1] is False
        if of_the_file:
            assert any(places)


@given(estimates)
def test_an_estimate_is_a_signal_and_never_a_view(classification: Classification) -> None:
    """Whatever a classifier says becomes a score that calls a person, and nobody has viewed anything by it."""
    signal = classifier_scored(classification, media=image(), id=SignalId("s1"), source="uploads", at=NOW, creator=USER)
    assert signal is not None
    assert decode(*encode(signal)) == signal
    assert case_of(signal, "0" * 64).views == ()


# -- what they say --------------------------------------------------------------------------------------------------------


def test_a_match_says_what_a_reviewer_needs() -> None:
    """Which list knows it, as what, how near, whether that is disputed, what was not looked up, and that nobody looked."""
    signal = signalled(found(NEAR, unchecked=(GAP,)))
    assert signal is not None
    assert signal.basis == (
        "near match by pdq with entry image1 of 42 of NCMEC Industry, there called A1, 4 of at most 31 bits apart, "
        "which somebody disputes, and not all of it was looked up (stale list). Nobody has looked at it by this."
    )
    (match,) = signal.matches
    assert (match.bank, match.algorithm, match.distance) == ("NCMEC Industry", "pdq", 4)
    assert (signal.creator, signal.threads) == (USER, ("t1",))
    assert DEFAULT.route(signal).to is Destination.REVIEW


def test_files_of_an_item_go_together() -> None:
    """A signal names all files of an item, says of each what was found, and names equal matches once."""
    nothing = MatchResult.of(MediaItem(id=ItemId("2")), unchecked=[GAP])
    signal = signalled(nothing, found(NEAR, attrs.evolve(NEAR, entry=EntryId("image2"))))
    assert signal is not None
    assert signal.basis.startswith("file 1: not all of it was looked up (stale list); file 2: near match by pdq")
    assert len(signal.matches) == 1
    assert len(signal.media) == 2


def test_nothing_known_is_no_signal() -> None:
    """Neither what no list knows nor what was not checked is called a match."""
    assert signalled(MatchResult.of(MediaItem(id=ItemId("1")), unchecked=[GAP])) is None
    assert hash_matched([], id=SignalId("s1"), source="uploads", at=NOW) is None


def test_priorities_keep_their_order_as_scores() -> None:
    """The five priorities are five scores from 0 to 1, and a rule can tell them apart."""
    scores = []
    for priority in Priority:
        estimate = Classification(item=ItemId("1"), classifier="invented", priority=priority)
        signal = classifier_scored(estimate, media=image(), id=SignalId("s"), source="uploads", at=NOW)
        assert signal is not None
        scores.append(signal.score)
        rules = Rules(rules=(Rule(kind="classifier_scored", classifier="invented", at_least=0.75, to="review"),))
        expected = Destination.REVIEW if priority >= Priority.HIGH else Destination.TRIAGE
        assert rules.route(signal).to is expected
    assert scores == [0, 0.25, 0.5, 0.75, 1]


def test_a_number_stays_that_number() -> None:
    """The score of a classifier that has numbers is its own, beside whatever label it gave."""
    estimate = Classification(item=ItemId("1"), classifier="invented", score=1 / 3, priority=Priority.HIGH, label="x")
    signal = classifier_scored(estimate, media=image(), id=SignalId("s"), source="uploads", at=NOW)
    assert signal is not None
    assert math.isclose(signal.score, 1 / 3)
    assert signal.label == "x"


def test_without_an_estimate_there_is_no_signal() -> None:
    """What a classifier could not estimate has no score."""
    unchecked = Classification(item=ItemId("1"), classifier="invented", reason=NotChecked.UNAVAILABLE)
    assert classifier_scored(unchecked, media=image(), id=SignalId("s"), source="uploads", at=NOW) is None


def test_hashes_stand_beside_those_that_are_there() -> None:
    """What a description has already stays first, and is not said twice."""
    md5, pdq = MediaHash(type=MD5, value="1" * 32), MediaHash(type=PDQ, value="2" * 64)
    details = Details(type=MetadataType.HASH, name_value_pairs=(NameValue(name="pdq", value="2" * 64),))
    before = FileDescription(original_file_hashes=(Hash(value="3" * 32, hash_type="MD5"),), details=(details,))
    after = with_hashes(before, [md5, pdq, attrs.evolve(pdq, variant=Variant.MIRRORED, value="4" * 64)])
    assert [one.value for one in after.original_file_hashes] == ["3" * 32, "1" * 32]
    assert after.details == (details,)


@pytest.mark.parametrize("matcher", [LocalDigestMatcher, LocalPdqMatcher])
def test_a_real_match_opens_a_case(
    matcher: type[LocalDigestMatcher] | type[LocalPdqMatcher],
    store: HashStore,
    clock: Clock,
    picture_file: Callable[..., bytes],
) -> None:
    """A known picture goes from the local lists to review, with its hashes in their places."""
    data = picture_file(1)
    (result,) = matcher(store, clock=clock, oldest=timedelta(days=1)).match([MediaItem(id=ItemId("1"), media=data)])
    signal = signalled(result)
    assert signal is not None
    case = case_of(signal, digest(data).sha256)
    assert case.status == "review"
    described = with_hashes(FileDescription(), (*digest(data).hashes, *result.hashes))
    assert [one.hash_type for one in described.original_file_hashes] == ["MD5", "SHA1", "SHA256"]
    assert [pair.name for one in described.details for pair in one.name_value_pairs] == (
        ["pdq"] if matcher is LocalPdqMatcher else []
    )
