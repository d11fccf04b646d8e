"""HMA's answers, read strictly: what is not as it was recorded is not understood, and keys that nobody knows are let be.

Nothing of an answer is quoted in an error: HMA repeats the hashes that it refuses.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs

from cybertip.adapters.matching.hma.effects import Reply
from cybertip.ports.matching import NotChecked

__all__ = [
    "Fetching",
    "Hit",
    "IndexState",
    "Lag",
    "Unanswered",
    "banks_of",
    "changed_of",
    "exchanges_of",
    "fetching_of",
    "hashes_of",
    "hits_of",
    "ids_of",
    "indexes_of",
    "lags_of",
    "readiness_of",
    "routes_of",
    "signal_of",
    "signal_types_of",
]

T = TypeVar("T")


class Unanswered(Exception):
    """HMA did not answer the question; `reason` says what that means for an item, and the text what happened."""

    def __init__(self, reason: NotChecked, words: str) -> None:
        super().__init__(words)
        self.reason = reason


@attrs.frozen(kw_only=True)
class Hit:
    """An entry of a bank that is near a hash."""

    bank: str
    content: int
    #: In bits, where HMA says so: for some kinds it has no distance, and writes "-".
    distance: int | None


@attrs.frozen(kw_only=True)
class IndexState:
    """An index as the matcher knows it."""

    present: bool
    #: The time of its newest entry.
    built_to: datetime | None
    size: int


@attrs.frozen(kw_only=True)
class Lag:
    """How an index stands to the banks that it was made of, as the curator knows it."""

    out_of_date: bool
    built_to: datetime | None


@attrs.frozen(kw_only=True)
class Fetching:
    """How an exchange stands that fills a bank."""

    #: How far into the exchange's history it has come.
    reached: datetime | None
    completed: datetime | None
    succeeded: bool
    up_to_date: bool


#: What HMA says in answers with the status 400 and 503, and what it means for an item.
_REFUSALS = (
    ("No such SignalType", NotChecked.NO_LIST),
    ("index not yet ready", NotChecked.NO_LIST),
    ("no such content_type", NotChecked.UNSUPPORTED_TYPE),
    ("content_type ", NotChecked.UNSUPPORTED_TYPE),
    ("signal type ", NotChecked.NO_LIST),
    ("invalid signal", NotChecked.MISSING_HASH),
)
_NOT_ENABLED = "is not enabled"

#: HMA keeps whatever number it is given, and anything from 1 is always; what is no number is larger than any.
_LARGEST_RATIO = 1e9


def readiness_of(reply: Reply) -> None:
    """Return if `/status` says that the indexes are loaded; else raise `Unanswered`."""
    _whole(reply)
    match reply.status, reply.body.strip():
        case 200, b"I-AM-ALIVE":
            return
        case 503, b"INDEX-NOT-LOADED":
            raise Unanswered(NotChecked.NO_LIST, "HMA has not loaded its index yet")
        case 503, b"INDEX-STALE":
            raise Unanswered(NotChecked.STALE_LIST, "HMA has not looked for a newer index for too long")
    raise Unanswered(NotChecked.UNAVAILABLE, f"/status answered HTTP {reply.status}, and not in HMA's words")


def hits_of(reply: Reply) -> tuple[Hit, ...]:
    """Read what a lookup of one hash found."""
    hits = []
    for bank, entries in _object(reply).items():
        for entry in _is(list, entries):
            content = _is(int, _is(dict, entry).get("bank_content_id"))
            hits.append(Hit(bank=bank, content=content, distance=_distance(entry.get("distance"))))
    return tuple(hits)


def hashes_of(reply: Reply) -> Mapping[str, str]:
    """Read the hashes of a file by the names that HMA has for them; those that it could not make are empty."""
    if reply.status == 500 and _message(reply):
        # That is how it says that it cannot decode a file; a gateway's 500 has another shape.
        raise Unanswered(NotChecked.UNDECODABLE, "HMA failed to hash the file")
    return {name: _is(str, value) for name, value in _object(reply).items()}


def indexes_of(reply: Reply) -> Mapping[str, IndexState]:
    """Read the states of the indexes."""
    return {
        name: IndexState(
            present=_is(bool, _is(dict, one).get("present")),
            built_to=_time(one.get("built_to")),
            size=_is(int, one.get("size")),
        )
        for name, one in _object(reply).items()
    }


def lags_of(reply: Reply) -> Mapping[str, Lag]:
    """Read how the indexes stand to the banks."""
    return {
        name: Lag(
            out_of_date=_is(bool, _is(dict, one).get("index_out_of_date")), built_to=_time(one.get("index_built_to"))
        )
        for name, one in _object(reply).items()
    }


def banks_of(reply: Reply) -> Mapping[str, float]:
    """Read the banks and how often each is looked in."""
    return {_is(str, _is(dict, one).get("name")): _ratio(one.get("matching_enabled_ratio")) for one in _array(reply)}


def signal_types_of(reply: Reply) -> Mapping[str, float]:
    """Read the kinds of hashes and whether each is looked up: it is not at 0."""
    return {_is(str, _is(dict, one).get("name")): _ratio(one.get("enabled_ratio")) for one in _array(reply)}


def routes_of(reply: Reply) -> tuple[str, ...]:
    """Read which routes there are: those of a role that is switched off are not."""
    return tuple(_is(str, one) for one in _array(reply))


def signal_of(reply: Reply, name: str) -> str | None:
    """Read one of the hashes of an entry, by the name that HMA has for it."""
    value = _is(dict, _object(reply).get("signals", {})).get(name)
    return None if value is None else _is(str, value)


def ids_of(reply: Reply) -> tuple[int, ...]:
    """Read the numbers of the entries that a raw lookup found."""
    return tuple(_is(int, one) for one in _is(list, _object(reply).get("matches")))


def exchanges_of(reply: Reply) -> tuple[str, ...]:
    """Read the names of the exchanges, which are those of the banks that they fill."""
    return tuple(_is(str, one) for one in _array(reply))


def fetching_of(reply: Reply) -> Fetching:
    """Read how an exchange stands."""
    found = _object(reply)
    succeeded = found.get("last_fetch_succeeded")
    return Fetching(
        reached=_optional_time(found.get("checkpoint_ts")),
        completed=_optional_time(found.get("last_fetch_complete_ts")),
        succeeded=False if succeeded is None else _is(bool, succeeded),
        up_to_date=_is(bool, found.get("up_to_date")),
    )


def changed_of(reply: Reply, *, until: int) -> None:
    """Return if HMA says that an entry is disabled until a time; else raise `Unanswered`."""
    if _is(int, _object(reply).get("disable_until_ts")) != until:
        raise Unanswered(NotChecked.UNAVAILABLE, "HMA answered with another state of the entry")


def _whole(reply: Reply) -> None:
    if reply.status is None:
        raise Unanswered(NotChecked.UNAVAILABLE, reply.fault)


def _object(reply: Reply) -> dict[str, Any]:
    return _is(dict, _json(reply))


def _array(reply: Reply) -> list[Any]:
    return _is(list, _json(reply))


def _json(reply: Reply) -> Any:
    _whole(reply)
    if reply.status != 200:
        raise Unanswered(_refusal(reply), f"HMA answered HTTP {reply.status}")
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        raise Unanswered(NotChecked.UNAVAILABLE, "HMA answered with what is no JSON") from None


def _message(reply: Reply) -> str:
    """Return what an error says, where it has HMA's own shape."""
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return ""
    words = found.get("message") if isinstance(found, dict) else None
    return words if isinstance(words, str) else ""


def _refusal(reply: Reply) -> NotChecked:
    """Return what an error means for an item."""
    if reply.status == 413:
        return NotChecked.TOO_LARGE
    words = _message(reply) if reply.status in (400, 503) else ""
    if words.endswith(_NOT_ENABLED):
        return NotChecked.NO_LIST
    return next((reason for begin, reason in _REFUSALS if words.startswith(begin)), NotChecked.UNAVAILABLE)


def _is(kind: type[T], value: Any) -> T:
    # In Python, True is an int.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Unanswered(NotChecked.UNAVAILABLE, "HMA answered with something that its interface does not have")
    return value


def _distance(value: Any) -> int | None:
    """Read a distance: digits in a text, as HMA writes them, or a number, as its documentation does; or none."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    return None if value is None else _is(int, value)


def _ratio(value: Any) -> float:
    ratio = _is(int, value) if isinstance(value, int) else _is(float, value)
    if not abs(ratio) < _LARGEST_RATIO:
        raise Unanswered(NotChecked.UNAVAILABLE, "HMA answered with a ratio that is none")
    return float(ratio)


def _time(value: Any) -> datetime | None:
    """Read seconds since 1970; there are none below one: HMA writes -1 for never."""
    seconds = _is(int, value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (OverflowError, OSError, ValueError):
        raise Unanswered(NotChecked.UNAVAILABLE, "HMA answered with a time that is none") from None


def _optional_time(value: Any) -> datetime | None:
    return None if value is None else _time(value)
