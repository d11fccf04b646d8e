"""Whether a platform's media resemble what lists of known material hold, and what classifiers think of them.

A match is a lead and not a verdict: it opens a case, which a person decides. So nothing here answers yes or no, and nothing
here can file. What could not be looked up is *not checked*, which is neither: a service that was away, a list that is too
old and a file that could not be decoded must never look like an upload that is fine.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import NewType, NoReturn, Protocol

import attrs

from cybertip.hashing.values import MD5, PDQ, PHOTODNA, SHA1, SHA256, HashType, MediaHash, NotChecked, Variant, worst

__all__ = [
    "MD5",
    "PDQ",
    "PHOTODNA",
    "SHA1",
    "SHA256",
    "AsyncClassifier",
    "AsyncHashMatcher",
    "AsyncMatchFeedback",
    "Classification",
    "Classifier",
    "ConsultedList",
    "EntryId",
    "HashMatch",
    "HashMatcher",
    "HashType",
    "ItemId",
    "ListName",
    "MatchFeedback",
    "MatchKind",
    "MatchResult",
    "MatcherHealth",
    "MediaHash",
    "MediaItem",
    "MemberId",
    "NotChecked",
    "Outcome",
    "Priority",
    "Readiness",
    "Unchecked",
    "Variant",
    "Verdict",
]

#: What the platform calls an upload.
ItemId = NewType("ItemId", str)

#: What a list is called, such as "NCMEC Industry".
ListName = NewType("ListName", str)

#: What a list calls an entry.
EntryId = NewType("EntryId", str)

#: Who put an entry on its list, where several do: entries are the same only if their members are.
MemberId = NewType("MemberId", str)


class Outcome(StrEnum):
    """What is known about an item."""

    #: Something known resembles it: a person has to look.
    POTENTIAL_MATCH = "potential_match"
    #: It was looked up, all of it, and nothing known resembles it.
    NO_MATCH = "no_match"
    #: It was not looked up, or not all of it: nothing is known about the rest.
    NOT_CHECKED = "not_checked"


class MatchKind(StrEnum):
    """How sure a match is."""

    #: The same bytes, as far as a digest can tell.
    EXACT = "exact"
    #: It looks like it.
    NEAR = "near"


class Verdict(StrEnum):
    """What a person found who looked at a match."""

    CONFIRMED = "confirmed"
    FALSE_POSITIVE = "false_positive"


class Readiness(StrEnum):
    """What can be expected of a matcher."""

    #: It can say `no_match`.
    READY = "ready"
    #: It answers, and can find something, but has to call everything else `not_checked`: its lists are too old, or missing.
    DEGRADED = "degraded"
    #: It cannot be asked.
    UNAVAILABLE = "unavailable"


class Priority(IntEnum):
    """How soon a person should look at something, as a classifier estimates it. It says nothing about what it is."""

    VERY_LOW = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    VERY_HIGH = 5


@attrs.frozen(kw_only=True)
class MediaItem:
    """An upload to look up: its hashes, its bytes, or both.

    Hashes that are given are not computed again. Bytes are needed for what is not given; a matcher that runs elsewhere may
    have to send them there, if it is set up to. A picture has eight PDQ hashes, one for each `Variant`: an item that brings
    the first alone, and no bytes, is looked up as it is, and `no_match` says nothing of it mirrored or turned.
    """

    id: ItemId
    hashes: tuple[MediaHash, ...] = ()
    #: The bytes, or where they are.
    media: bytes | Path | None = attrs.field(default=None, repr=False)
    #: What the platform takes it for, such as "image/jpeg". The bytes decide.
    media_type: str | None = None


@attrs.frozen(kw_only=True)
class ConsultedList:
    """A list that something was looked up in."""

    name: ListName
    #: The time up to which the list is known to be complete; None if it never was. A service that is asked each time is as
    #: old as its answer.
    as_of: datetime | None
    #: How many entries it has, where that is known.
    entries: int | None = None


@attrs.frozen(kw_only=True)
class HashMatch:
    """An entry of a list that resembles an item."""

    #: The name of the matcher that found it.
    matcher: str
    list: ListName
    entry: EntryId
    member: MemberId | None = None
    #: The hash of the item by which it was found.
    query: MediaHash
    kind: MatchKind
    #: In how many bits the hashes differ, and up to how many count as a match; None where the list has no such thing.
    distance: int | None = None
    limit: int | None = None
    #: The list's own word for what the entry shows, as it is: "A1", or whatever a service says.
    classification: str | None = None
    #: Somebody says that the entry does not belong on its list.
    disputed: bool = False
    #: Where in a video it was found, in seconds from its beginning.
    at_seconds: float | None = None
    #: What the service calls its answer, for its support.
    reference: str | None = None


@attrs.frozen(kw_only=True)
class Unchecked:
    """What was not looked up, by which matcher, and why."""

    matcher: str
    reason: NotChecked
    #: The kind of hash; None if it is none in particular.
    hash_type: HashType | None = None


@attrs.frozen(kw_only=True)
class MatchResult:
    """What is known about one item. It is neither true nor false: compare its `outcome`."""

    item: ItemId
    outcome: Outcome
    matches: tuple[HashMatch, ...] = ()
    #: What was not looked up; there can be some although something else was found.
    unchecked: tuple[Unchecked, ...] = ()
    #: The hashes that were given or computed.
    hashes: tuple[MediaHash, ...] = ()
    lists: tuple[ConsultedList, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.outcome is not _outcome(self.matches, self.unchecked):
            raise ValueError(
                f"{self.outcome} does not go with {len(self.matches)} matches and {len(self.unchecked)} unchecked"
            )
        if self.outcome is Outcome.NO_MATCH and not (self.lists and all(one.as_of for one in self.lists)):
            raise ValueError("no_match has to name the lists that were consulted, and how old they are")

    @classmethod
    def of(
        cls,
        item: MediaItem,
        *,
        matches: Sequence[HashMatch] = (),
        unchecked: Sequence[Unchecked] = (),
        hashes: Sequence[MediaHash] = (),
        lists: Sequence[ConsultedList] = (),
    ) -> "MatchResult":
        """Return the result that follows from what was found and what was not looked up.

        `hashes` are those that were computed; those that the item came with are added.
        """
        return cls(
            item=item.id,
            outcome=_outcome(matches, unchecked),
            matches=tuple(matches),
            unchecked=tuple(unchecked),
            hashes=tuple(dict.fromkeys((*item.hashes, *hashes))),
            lists=tuple(lists),
        )

    @property
    def reason(self) -> NotChecked | None:
        """The worst of the reasons why something was not looked up; None if everything was."""
        return worst(*(one.reason for one in self.unchecked)) if self.unchecked else None

    @property
    def list_as_of(self) -> datetime | None:
        """How old the oldest of the lists is; None if there is none, or one that never was complete."""
        times = [one.as_of for one in self.lists]
        return None if None in times else min((one for one in times if one is not None), default=None)

    def __bool__(self) -> NoReturn:
        raise TypeError("a result is neither true nor false: compare its outcome")


def _outcome(matches: Sequence[HashMatch], unchecked: Sequence[Unchecked]) -> Outcome:
    if matches:
        return Outcome.POTENTIAL_MATCH
    return Outcome.NOT_CHECKED if unchecked else Outcome.NO_MATCH


@attrs.frozen(kw_only=True)
class MatcherHealth:
    """Whether a matcher can answer, and from what."""

    readiness: Readiness
    lists: tuple[ConsultedList, ...] = ()
    #: How many hashes of each kind it looks in, where that is known.
    hashes: Mapping[HashType, int] = attrs.field(factory=dict)
    #: What somebody should know or do, in words.
    warnings: tuple[str, ...] = ()


class HashMatcher(Protocol):
    """Look up media in lists of hashes of known material.

    It may be called from several threads at once.
    """

    @property
    def name(self) -> str:
        """What the matcher is called in its results."""
        ...

    @property
    def hash_types(self) -> frozenset[HashType]:
        """The kinds of hashes that each item is looked up by: all of them, or the item is not checked."""
        ...

    @property
    def most_items(self) -> int:
        """How many items may be asked about at once."""
        ...

    def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        """Look up items.

        - There is one result for each item, in the order of the items, and it bears the item's id.
        - `potential_match` names each entry that was found, who found it, and the item's hash that found it.
        - `no_match` means that a hash of each of `hash_types` was given or computed and is among the result's hashes, and
          that all of them were looked up in every list that is named, none of which is older than allowed.
        - Whatever keeps an item from being looked up is a reason in its result: nothing is raised for it, and the other
          items have theirs.
        - The hashes that an item was given are among those of its result.
        - With more than `most_items` it raises `ValueError`, and nothing is looked up.
        - When lists or services cannot be reached, every item is `not_checked`.
        """
        ...

    def health(self) -> MatcherHealth:
        """Say whether it can answer.

        - It is `ready` only if `match` can say `no_match`, and names the lists and their age.
        - When lists or services cannot be reached, it is `unavailable`; nothing is raised.
        """
        ...


class AsyncHashMatcher(Protocol):
    """Look up media in lists of hashes of known material, as `HashMatcher` does and with its guarantees."""

    @property
    def name(self) -> str:
        """As `HashMatcher.name`."""
        ...

    @property
    def hash_types(self) -> frozenset[HashType]:
        """As `HashMatcher.hash_types`."""
        ...

    @property
    def most_items(self) -> int:
        """As `HashMatcher.most_items`."""
        ...

    async def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        """As `HashMatcher.match`."""
        ...

    async def health(self) -> MatcherHealth:
        """As `HashMatcher.health`."""
        ...


class MatchFeedback(Protocol):
    """Tell whoever keeps a list what a person found. A matcher may offer it; nothing depends on it."""

    def feedback(self, match: HashMatch, *, verdict: Verdict, reason: str | None = None) -> None:
        """Record what a person found who looked at a match.

        - When it returns, the verdict is recorded; a later one takes its place.
        - It raises `AdapterError` when it may not be recorded, and `ValueError` for a match of another matcher.
        - An entry that was called a false positive is `disputed` in later matches, or is not found any more.

        Args:
            match: what the matcher had found.
            verdict: what the person found.
            reason: in the words that the list knows, where it wants one.
        """
        ...


class AsyncMatchFeedback(Protocol):
    """Tell whoever keeps a list what a person found, as `MatchFeedback` does."""

    async def feedback(self, match: HashMatch, *, verdict: Verdict, reason: str | None = None) -> None:
        """As `MatchFeedback.feedback`."""
        ...


@attrs.frozen(kw_only=True)
class Classification:
    """What a classifier thinks of one item: how soon to look at it, or why it cannot say. It never says what it is."""

    item: ItemId
    #: Who says it, and which version of its model.
    classifier: str
    model: str | None = None
    priority: Priority | None = None
    #: From 0 to 1, for classifiers that have numbers. They compare with numbers of the same model only.
    score: float | None = None
    #: The service's own word for it.
    label: str | None = None
    reason: NotChecked | None = None

    def __attrs_post_init__(self) -> None:
        if (self.reason is None) == (self.priority is None and self.score is None):
            raise ValueError("a classification has a priority or a score, or else a reason why not")
        if self.score is not None and not 0 <= self.score <= 1:
            raise ValueError("a score is a number from 0 to 1")

    def __bool__(self) -> NoReturn:
        raise TypeError("a classification is neither true nor false: look at its priority, score and reason")


class Classifier(Protocol):
    """Estimate how soon a person should look at media that no list knows.

    It may be called from several threads at once.
    """

    @property
    def name(self) -> str:
        """What the classifier is called in its answers."""
        ...

    @property
    def most_items(self) -> int:
        """How many items may be asked about at once."""
        ...

    def classify(self, items: Sequence[MediaItem]) -> tuple[Classification, ...]:
        """Estimate items.

        - There is one answer for each item, in the order of the items, and it bears the item's id and the classifier's name.
        - An item that cannot be estimated has a reason: nothing is raised for it, and the other items have their answers.
        - With more than `most_items` it raises `ValueError`, and nothing is sent.
        - When the service cannot be reached, every item has a reason.
        """
        ...


class AsyncClassifier(Protocol):
    """Estimate how soon a person should look at media, as `Classifier` does and with its guarantees."""

    @property
    def name(self) -> str:
        """As `Classifier.name`."""
        ...

    @property
    def most_items(self) -> int:
        """As `Classifier.most_items`."""
        ...

    async def classify(self, items: Sequence[MediaItem]) -> tuple[Classification, ...]:
        """As `Classifier.classify`."""
        ...
