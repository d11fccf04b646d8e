"""What a person found is recorded here and told to NCMEC, or the caller learns what became of it."""

from collections.abc import Iterator

import attrs
import pytest

from cybertip.adapters.matching.local import LocalDigestMatcher
from cybertip.adapters.matching.sharing import HashSharingFeedback, HttpxHashSharing
from cybertip.adapters.matching.store import HashStore
from cybertip.errors import AdapterError
from cybertip.hash_sharing import Source
from cybertip.ports.matching import (
    MD5,
    HashMatch,
    ItemId,
    ListName,
    MatchFeedback,
    MediaHash,
    MediaItem,
    Verdict,
)
from cybertip.protocol import Credentials
from cybertip.testing.hash_sharing import REASON, Fault, HashSharingDouble


@pytest.fixture
def matcher(store: HashStore) -> LocalDigestMatcher:
    return LocalDigestMatcher(store, hash_types=[MD5])


@pytest.fixture
def feedback(source: Source, matcher: LocalDigestMatcher) -> Iterator[HashSharingFeedback]:
    with HttpxHashSharing(source, Credentials(username="sandbox", password="sandbox")) as sharing:
        yield HashSharingFeedback(sharing, matcher)


def found(matcher: LocalDigestMatcher) -> HashMatch:
    hashes = (MediaHash(type=MD5, value="3" * 32),)
    (result,) = matcher.match([MediaItem(id=ItemId("upload"), hashes=hashes)])
    (match,) = result.matches
    return match


@pytest.fixture
def match(sync: object, matcher: LocalDigestMatcher) -> HashMatch:
    """A match in a list that was synced."""
    assert callable(sync)
    sync()
    return found(matcher)


def test_a_verdict_is_told_and_recorded(
    feedback: HashSharingFeedback, matcher: LocalDigestMatcher, match: HashMatch, double: HashSharingDouble
) -> None:
    """NCMEC learns about the entry's hash, by its own words; here the entry is disputed from then on."""
    port: MatchFeedback = feedback
    port.feedback(match, verdict=Verdict.CONFIRMED)
    assert not found(matcher).disputed
    port.feedback(match, verdict=Verdict.FALSE_POSITIVE, reason="Made up")
    assert found(matcher).disputed
    (first, yes), (second, no) = double.feedback
    assert first == second == "/v2/entries/42/image3/MD5/feedback"
    assert b"<affirmative/>" in yes
    assert REASON.encode() in no


@pytest.mark.parametrize("reason", [None, "", "not one of theirs"])
def test_a_reason_has_to_be_one_of_theirs(
    feedback: HashSharingFeedback,
    matcher: LocalDigestMatcher,
    match: HashMatch,
    double: HashSharingDouble,
    reason: str | None,
) -> None:
    """Without one nothing is recorded anywhere."""
    with pytest.raises(ValueError, match="reason"):
        feedback.feedback(match, verdict=Verdict.FALSE_POSITIVE, reason=reason)
    assert double.feedback == []
    assert not found(matcher).disputed


def test_a_match_of_another_list_or_matcher_is_refused(
    feedback: HashSharingFeedback, match: HashMatch, double: HashSharingDouble
) -> None:
    """Nobody else's verdicts reach this list."""
    for other in (
        attrs.evolve(match, list=ListName("ours")),
        attrs.evolve(match, member=None),
        attrs.evolve(match, matcher="another"),
    ):
        with pytest.raises(ValueError, match="another"):
            feedback.feedback(other, verdict=Verdict.CONFIRMED)
    assert double.feedback == []


def test_what_ncmec_did_not_learn_is_said(
    feedback: HashSharingFeedback, matcher: LocalDigestMatcher, match: HashMatch, double: HashSharingDouble
) -> None:
    """Without the reasons nothing is recorded; where only the last call fails, it is recorded here, and both are said."""
    double.faults.append(Fault(status=503))
    with pytest.raises(AdapterError, match="nothing is recorded"):
        feedback.feedback(match, verdict=Verdict.FALSE_POSITIVE, reason="Made up")
    assert not found(matcher).disputed
    double.faults.append(Fault(at=1, cut=0))
    with pytest.raises(AdapterError, match="recorded here, and NCMEC may not have learnt it"):
        feedback.feedback(match, verdict=Verdict.FALSE_POSITIVE, reason="Made up")
    assert found(matcher).disputed
