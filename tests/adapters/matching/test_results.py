"""Results cannot say more than is known, and are not mistaken for booleans."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cybertip.ports.matching import (
    MD5,
    Classification,
    ConsultedList,
    EntryId,
    HashMatch,
    ItemId,
    ListName,
    MatchKind,
    MatchResult,
    MediaHash,
    MediaItem,
    NotChecked,
    Outcome,
    Priority,
    Unchecked,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ITEM = MediaItem(id=ItemId("1"), media=b"canary")
HASH = MediaHash(type=MD5, value="1" * 32)
LIST = ConsultedList(name=ListName("a"), as_of=NOW)
MATCH = HashMatch(matcher="m", list=LIST.name, entry=EntryId("e"), query=HASH, kind=MatchKind.EXACT)
GAP = Unchecked(matcher="m", reason=NotChecked.UNAVAILABLE)


@pytest.mark.parametrize(
    "claims",
    [
        {"outcome": Outcome.NO_MATCH},
        {"outcome": Outcome.NO_MATCH, "lists": (ConsultedList(name=ListName("a"), as_of=None),)},
        {"outcome": Outcome.NO_MATCH, "lists": (LIST, ConsultedList(name=ListName("b"), as_of=None))},
        {"outcome": Outcome.NO_MATCH, "lists": (LIST,), "unchecked": (GAP,)},
        {"outcome": Outcome.NO_MATCH, "lists": (LIST,), "matches": (MATCH,)},
        {"outcome": Outcome.NOT_CHECKED},
        {"outcome": Outcome.NOT_CHECKED, "unchecked": (GAP,), "matches": (MATCH,)},
        {"outcome": Outcome.POTENTIAL_MATCH},
        {"outcome": Outcome.POTENTIAL_MATCH, "unchecked": (GAP,)},
    ],
)
def test_a_result_cannot_contradict_itself(claims: dict[str, Any]) -> None:
    """No match without lists of a known age, nothing unchecked without a reason, no match without an entry."""
    with pytest.raises(ValueError, match="match"):
        MatchResult(item=ITEM.id, **claims)


def test_a_result_follows_from_what_was_found() -> None:
    """What was found decides, and what was not looked up stays beside it."""
    assert MatchResult.of(ITEM, lists=[LIST]).outcome is Outcome.NO_MATCH
    assert MatchResult.of(ITEM, unchecked=[GAP]).outcome is Outcome.NOT_CHECKED
    both = MatchResult.of(ITEM, matches=[MATCH], unchecked=[GAP])
    assert (both.outcome, both.reason) == (Outcome.POTENTIAL_MATCH, NotChecked.UNAVAILABLE)


def test_a_result_is_as_old_as_its_oldest_list() -> None:
    """The age of what was looked in is that of the oldest, and unknown if one never was complete."""
    older = ConsultedList(name=ListName("b"), as_of=NOW - timedelta(days=1))
    never = ConsultedList(name=ListName("c"), as_of=None)
    assert MatchResult.of(ITEM, lists=[LIST, older]).list_as_of == older.as_of
    assert MatchResult.of(ITEM, lists=[LIST, never], unchecked=[GAP]).list_as_of is None
    assert MatchResult.of(ITEM, unchecked=[GAP]).list_as_of is None


@pytest.mark.parametrize(
    "result",
    [
        MatchResult.of(ITEM, lists=[LIST]),
        MatchResult.of(ITEM, matches=[MATCH]),
        Classification(item=ITEM.id, classifier="c", priority=Priority.LOW),
    ],
    ids=["no match", "match", "classification"],
)
def test_nothing_passes_for_a_boolean(result: Any) -> None:
    """`if matcher.match(...)` and the like fail loudly instead of being true for whatever was found."""
    with pytest.raises(TypeError, match="neither true nor false"):
        assert not result


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"priority": Priority.LOW, "reason": NotChecked.UNAVAILABLE},
        {"score": 0.5, "reason": NotChecked.UNAVAILABLE},
        {"score": 1.5},
        {"score": float("nan")},
        {"score": -0.1, "priority": Priority.LOW},
    ],
)
def test_a_classification_estimates_or_says_why_not(claims: dict[str, Any]) -> None:
    """It has a priority, a score from 0 to 1, or a reason; never none of them, and never a reason beside an estimate."""
    with pytest.raises(ValueError, match=r"classification|score"):
        Classification(item=ITEM.id, classifier="c", **claims)


def test_priorities_can_be_ordered() -> None:
    """What is more urgent is greater."""
    assert sorted(Priority) == [Priority.VERY_LOW, Priority.LOW, Priority.MEDIUM, Priority.HIGH, Priority.VERY_HIGH]


def test_no_repr_shows_bytes_or_hashes() -> None:
    """Neither an upload's bytes nor a known hash gets into a log by way of a repr."""
    result = MatchResult.of(ITEM, matches=[MATCH], hashes=[HASH])
    assert "canary" not in repr(ITEM)
    assert HASH.value not in repr((ITEM, MATCH, result, HASH))
