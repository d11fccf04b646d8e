"""One item: hash it, look each of its hashes up, and say what was found and what was not looked up."""

from collections.abc import Iterable
from functools import partial

from cybertip.adapters.matching.hma.answers import Hit, Unanswered, hashes_of, hits_of
from cybertip.adapters.matching.hma.effects import Ask, Here, Plan
from cybertip.adapters.matching.hma.hashes import (
    Hashed,
    can_hash_pictures,
    given,
    hashed_here,
    is_poor,
    lacks_flips,
    read,
)
from cybertip.adapters.matching.hma.plain import is_plain
from cybertip.adapters.matching.hma.settings import HmaSettings, Signal
from cybertip.adapters.matching.hma.standing import Standing
from cybertip.ports.matching import (
    PDQ,
    EntryId,
    HashMatch,
    HashType,
    ListName,
    MatchKind,
    MatchResult,
    MediaHash,
    MediaItem,
    NotChecked,
    Unchecked,
)

__all__ = ["looked_up"]


def looked_up(item: MediaItem, *, settings: HmaSettings, standing: Standing) -> Plan[MatchResult]:
    """Look one item up."""
    if not standing.reachable:
        return MatchResult.of(item, unchecked=standing.unchecked)
    kinds = frozenset(one.type for one in settings.signals)
    known = given(item, kinds)
    lacking = kinds - {one.type for one in known.hashes}
    if lacking:
        known += yield from _hashed(item, lacking, settings)
    if PDQ in kinds and lacks_flips(item):
        known += yield from Here(partial(_flips, item, settings))
    unchecked = [*standing.unchecked, *(_unchecked(settings, reason, kind) for kind, reason in known.missing.items())]
    nearest: dict[tuple[str, int], HashMatch] = {}
    for signal in settings.signals:
        reasons = yield from _sought(signal, known.hashes, settings, nearest)
        unchecked += [_unchecked(settings, reason, signal.type) for reason in reasons]
    return MatchResult.of(
        item,
        matches=sorted(nearest.values(), key=_distance),
        unchecked=tuple(dict.fromkeys(unchecked)),
        hashes=known.hashes,
        lists=standing.lists,
    )


def _sought(
    signal: Signal,
    hashes: Iterable[MediaHash],
    settings: HmaSettings,
    nearest: dict[tuple[str, int], HashMatch],
) -> Plan[list[NotChecked]]:
    """Look up the hashes of one kind, keep the nearest of what is found, and return what kept any from being looked up."""
    reasons = []
    # An item may bring one of the hashes that were made of its bytes.
    for query in {one.value: one for one in hashes if one.type == signal.type and not is_poor(one)}.values():
        reply = yield from Ask(role="matcher", path="/m/lookup", query=_query(signal, query, settings))
        try:
            hits = hits_of(reply)
        except Unanswered as error:
            reasons.append(error.reason)
            if reply.status is None:
                # Whoever does not answer one question will not answer seven more, and others wait.
                break
            continue
        for hit in hits:
            if _is_wanted(hit, signal, settings):
                match = _match(hit, signal, query, settings)
                known = nearest.setdefault((hit.bank, hit.content), match)
                nearest[hit.bank, hit.content] = min(known, match, key=_distance)
    return reasons


def _query(signal: Signal, query: MediaHash, settings: HmaSettings) -> tuple[tuple[str, str], ...]:
    # Whether a bank is looked in that is looked in now and then hangs on the seed: of one hash, it is always the same.
    asked = (("signal_type", signal.name), ("signal", query.value), ("seed", query.value))
    return (*asked, ("banks", ",".join(sorted(settings.banks)))) if settings.banks is not None else asked


def _is_wanted(hit: Hit, signal: Signal, settings: HmaSettings) -> bool:
    near = signal.limit is None or hit.distance is None or hit.distance <= signal.limit
    return near and (settings.banks is None or hit.bank in settings.banks)


def _distance(match: HashMatch) -> int:
    """Return by what matches are ordered: one without a distance is taken to be the same."""
    return match.distance or 0


def _match(hit: Hit, signal: Signal, query: MediaHash, settings: HmaSettings) -> HashMatch:
    exact = signal.limit is None
    return HashMatch(
        matcher=settings.name,
        list=ListName(hit.bank),
        entry=EntryId(str(hit.content)),
        query=query,
        kind=MatchKind.EXACT if exact else MatchKind.NEAR,
        distance=None if exact else hit.distance,
        limit=signal.limit,
    )


def _hashed(item: MediaItem, kinds: frozenset[HashType], settings: HmaSettings) -> Plan[Hashed]:
    if not settings.send_bytes or item.media is None:
        return (yield from Here(partial(hashed_here, item, kinds)))
    data = yield from Here(partial(read, item.media, settings.bounds.file_bytes))
    if isinstance(data, NotChecked):
        return Hashed(missing=dict.fromkeys(kinds, data))
    found = Hashed()
    for content in ("photo", "video"):
        signals = [one for one in settings.signals if one.type in kinds and one.content == content]
        if signals:
            found += yield from _hashed_there(data, content, signals)
    return found


def _flips(item: MediaItem, settings: HmaSettings) -> Hashed:
    """Make what an item does not bring of its picture's flips and turns; HMA makes none."""
    if settings.send_bytes:
        return Hashed(missing={PDQ: NotChecked.MISSING_HASH})
    return hashed_here(item, frozenset({PDQ})) if can_hash_pictures() else Hashed()


def _hashed_there(data: bytes, content: str, signals: list[Signal]) -> Plan[Hashed]:
    """Have HMA hash a file. It could look the file up at once, but would not say by which hash, nor that it has none."""
    types = (("types", ",".join(one.name for one in signals)),)
    reply = yield from Ask(role="hasher", path="/h/hash", method="POST", query=types, file=(content, data))
    try:
        values = hashes_of(reply)
    except Unanswered as error:
        return Hashed(missing={one.type: error.reason for one in signals})
    found = Hashed()
    plain = content != "photo" or (yield from Here(partial(is_plain, data)))
    for signal in signals:
        found += _hash(signal, values.get(signal.name))
        if signal.type in found.missing:
            continue
        if not plain:
            found += Hashed(missing={signal.type: NotChecked.UNSUPPORTED_TYPE})
        elif signal.type == PDQ:
            # It is looked up as it lies in the file; of a picture that was mirrored or turned, nothing is known.
            found += Hashed(missing={PDQ: NotChecked.MISSING_HASH})
    return found


def _hash(signal: Signal, value: str | None) -> Hashed:
    if not value:
        # Empty: there is too little in it. Not there: this HMA makes no such hash.
        reason = NotChecked.MISSING_HASH if value is None else NotChecked.LOW_QUALITY
        return Hashed(missing={signal.type: reason})
    try:
        return Hashed(hashes=(MediaHash(type=signal.type, value=value),))
    except ValueError:
        return Hashed(missing={signal.type: NotChecked.UNAVAILABLE})


def _unchecked(settings: HmaSettings, reason: NotChecked, kind: HashType) -> Unchecked:
    return Unchecked(matcher=settings.name, reason=reason, hash_type=kind)
