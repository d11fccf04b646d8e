"""What matchers and classifiers find, as the signals of a case: the way to a person's review, and to nothing else.

A match is no view. A signal says which list knows a file; whether anybody has looked at the file is recorded when somebody
does, and nothing here can say so. Nor does a classifier's estimate say what a file shows: it says how soon to look.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from cybertip.cases.references import ItemRef, SignalId, ThreadId, UserRef
from cybertip.cases.signals import ClassifierScored, HashMatched, KnownMatch, Media
from cybertip.ports.matching import Classification, HashMatch, MatchResult, Priority

__all__ = ["classifier_scored", "hash_matched"]

#: How far apart two neighbouring priorities are as scores: the lowest is 0, the highest 1.
_STEP: Final = 1 / (len(Priority) - 1)

#: Controls, halves of surrogate pairs, and what no XML can hold.
_UNSOUND: Final = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_UNNAMED: Final = "unnamed"
_NOBODY_LOOKED: Final = "Nobody has looked at it by this."


def hash_matched(
    found: Sequence[tuple[Media, MatchResult]],
    *,
    id: SignalId,
    source: str,
    at: datetime,
    item: ItemRef | None = None,
    creator: UserRef | None = None,
    threads: Sequence[ThreadId] = (),
) -> HashMatched | None:
    """Return the signal of what was looked up, or None where no list knows any of it.

    None does not mean that all is well: of what is not checked, nothing is known. Ask again, or have a person look.

    Args:
        found: each file of the item and what was found of it. All files are named in the signal, for whoever reviews one
            of an item's files has to see the others.
        id: the signal's own; the same id is the same signal, however often it comes in.
        source: the system that noticed it, as the platform calls it.
        at: when it was noticed.
        item: what the files belong to.
        creator: who made it.
        threads: the conversations that it is about.
    """
    known = [
        KnownMatch(
            media=media.ref,
            bank=_sound(match.list) or _UNNAMED,
            algorithm=_sound(match.query.type) or _UNNAMED,
            distance=match.distance,
        )
        for media, result in found
        for match in result.matches
    ]
    if not known:
        return None
    return HashMatched(
        id=id,
        source=source,
        at=at,
        basis=_sound(f"{'; '.join(_said(found))}. {_NOBODY_LOOKED}"),
        item=item,
        media=tuple(media for media, _ in found),
        creator=creator,
        threads=tuple(threads),
        # Several entries of a list can be equally far away.
        matches=tuple(dict.fromkeys(known)),
    )


def classifier_scored(
    classification: Classification,
    *,
    media: Media,
    id: SignalId,
    source: str,
    at: datetime,
    item: ItemRef | None = None,
    creator: UserRef | None = None,
    threads: Sequence[ThreadId] = (),
) -> ClassifierScored | None:
    """Return the signal of an estimate, or None where there is none.

    A priority becomes the score 0, 0.25, 0.5, 0.75 or 1, which keeps the order and means nothing else: a rule of the routing
    that wants HIGH and more says `at_least = 0.75`, and names the classifier.

    >>> from datetime import UTC
    >>> from cybertip.ports.matching import ItemId
    >>> high = Classification(item=ItemId("1"), classifier="invented", priority=Priority.HIGH)
    >>> media = Media(ref=ItemRef(id="1", type_id="image"))
    >>> signal = classifier_scored(high, media=media, id=SignalId("s"), source="uploads", at=datetime.now(UTC))
    >>> signal.score, signal.label
    (0.75, 'HIGH')
    """
    score, label = classification.score, classification.label
    if classification.priority is not None:
        score = (classification.priority - 1) * _STEP if score is None else score
        label = label or classification.priority.name
    if score is None:
        return None
    model = f" (model {classification.model})" if classification.model else ""
    said = f"{classification.classifier}{model} says {label or score}, which is about how soon to look"
    return ClassifierScored(
        id=id,
        source=source,
        at=at,
        basis=_sound(f"{said}. {_NOBODY_LOOKED}"),
        item=item,
        media=(media,),
        creator=creator,
        threads=tuple(threads),
        classifier=_sound(classification.classifier) or _UNNAMED,
        label=_sound(label or "score"),
        score=score,
    )


def _said(found: Sequence[tuple[Media, MatchResult]]) -> Iterator[str]:
    """Say, file by file, what was found for whoever is to look."""
    for number, (_, result) in enumerate(found, start=1):
        which = f"file {number}: " if len(found) > 1 else ""
        said = [*dict.fromkeys(map(_of_match, result.matches)), *_of_the_rest(result)]
        yield which + ", and ".join(said or ["no list knows it"])


def _of_match(match: HashMatch) -> str:
    member = f" of {match.member}" if match.member else ""
    word = f", there called {match.classification}" if match.classification else ""
    limit = f" of at most {match.limit}" if match.limit is not None else ""
    apart = f", {match.distance}{limit} bits apart" if match.distance is not None else ""
    disputed = ", which somebody disputes" if match.disputed else ""
    entry = f"entry {match.entry}{member} of {match.list}"
    return f"{match.kind} match by {match.query.type} with {entry}{word}{apart}{disputed}"


def _of_the_rest(result: MatchResult) -> Iterator[str]:
    reasons = sorted({one.reason.replace("_", " ") for one in result.unchecked})
    if reasons:
        yield f"not all of it was looked up ({', '.join(reasons)})"


def _sound(text: str) -> str:
    """Return text that a signal and a report can bear: a match is not lost because its list is called something odd."""
    return _UNSOUND.sub("\ufffd", text)
