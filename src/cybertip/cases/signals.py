"""What makes a platform look at a user: signals, each recorded whole, as versioned JSON.

A signal says what was noticed, by what, when and why; it never says what is to be done (`cybertip.cases.routing` does), and
none of them is a decision: a person decides. Its `id` is the platform's, and the same signal that comes in again is told by
it. A signal whose creator is not known yet is kept as it is, and is shown until the platform has said who that is.
"""

import json
import math
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin

import attrs

from cybertip.cases.checking import aware, checks, fixed, identifier, instance, mark, members, optional, sequence, words
from cybertip.cases.references import EvidenceId, ItemRef, ReviewerId, SignalId, ThreadId, UserRef
from cybertip.errors import InvalidReport, UnknownEvent, Violation
from cybertip.filing.manifest import canonical
from cybertip.model.declaration import is_part
from cybertip.xml import from_json, to_json
from cybertip.xml.lexical import read_time

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = [
    "ClassifierScored",
    "ContentRemoved",
    "Escalated",
    "HashMatched",
    "KnownMatch",
    "Media",
    "Noticed",
    "Signal",
    "UserReported",
    "converter",
    "decode",
    "encode",
    "score",
]


def _score(value: object) -> str | None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1
    return None if sound else "must be a number from 0 to 1"


def _distance(value: object) -> str | None:
    sound = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if sound else "must be a whole number, 0 or more"


#: A classifier's score, from 0 to 1.
score = checks("range", _score)

_named: Any = attrs.field(validator=identifier)


def _many(kind: type) -> Any:
    return attrs.field(default=(), repr=False, converter=sequence, validator=members(kind))


_named_or_none: Any = attrs.field(default=None, repr=False, validator=optional(identifier))


@attrs.frozen(kw_only=True)
class Media:
    """Name a file that belongs to what was noticed, and say how to get at its bytes, which must be kept before they go."""

    #: The file's own: an item of content can have several.
    ref: ItemRef = attrs.field(validator=instance(ItemRef))
    #: Where the host has kept it already.
    evidence: EvidenceId | None = _named_or_none
    #: Where it can be fetched, for as long as that lasts.
    url: str | None = _named_or_none
    file_name: str | None = _named_or_none
    media_type: str | None = attrs.field(default=None, validator=optional(identifier))
    uploaded_at: datetime | None = attrs.field(default=None, converter=fixed, validator=optional(aware))


@attrs.frozen(kw_only=True)
class KnownMatch:
    """Say which file matched which list of known material. A match is no view: nobody has looked at the file by it."""

    media: ItemRef = attrs.field(validator=instance(ItemRef))
    #: The list's name, and the algorithm's.
    bank: str = attrs.field(validator=identifier)
    algorithm: str = attrs.field(validator=identifier)
    #: How far apart the two hashes are, where the algorithm has a distance.
    distance: int | None = attrs.field(default=None, validator=optional(checks("range", _distance)))


@attrs.frozen(kw_only=True)
class _Signal:
    id: SignalId = attrs.field(repr=False, validator=identifier)
    #: The system that noticed it, as the host calls it.
    source: str = attrs.field(validator=identifier)
    at: datetime = attrs.field(converter=fixed, validator=aware)
    #: Why, in words for the reviewer.
    basis: str = attrs.field(repr=False, validator=words)
    item: ItemRef | None = attrs.field(default=None, validator=optional(instance(ItemRef)))
    media: tuple[Media, ...] = _many(Media)
    #: Who made the item. None: the platform has not resolved it yet.
    creator: UserRef | None = attrs.field(default=None, validator=optional(instance(UserRef)))
    #: The conversations it is about.
    threads: tuple[ThreadId, ...] = _many(str)
    #: Whom it was done to, and for whom it was meant, where they can be told.
    victims: tuple[UserRef, ...] = _many(UserRef)
    recipients: tuple[UserRef, ...] = _many(UserRef)

    def __attrs_post_init__(self) -> None:
        refs = [one.ref for one in self.media]
        if len(set(refs)) != len(refs):
            self._refuse("media", "doubled", "names a file twice")

    def _refuse(self, field: str, rule: str, message: str) -> None:
        raise InvalidReport((Violation(path=f"{type(self).__name__}.{field}", rule=rule, message=message),))


@attrs.frozen(kw_only=True)
class HashMatched(_Signal):
    """A file matched a list of known material, which is reportable all the same (18 U.S.C. 2258C)."""

    matches: tuple[KnownMatch, ...] = attrs.field(converter=sequence, validator=members(KnownMatch))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.matches:
            self._refuse("matches", "required", "is empty: what matched?")
        if not {one.media for one in self.matches} <= {one.ref for one in self.media}:
            self._refuse("matches", "unknown-media", "names a file that is not among the signal's media")


@attrs.frozen(kw_only=True)
class ClassifierScored(_Signal):
    """A classifier gave a score. That can send a case to a person, and nothing more."""

    classifier: str = _named
    label: str = _named
    score: float = attrs.field(validator=score)


@attrs.frozen(kw_only=True)
class UserReported(_Signal):
    """A user reported an item."""

    #: Whether the reason given is sexual abuse of a child.
    csam: bool = attrs.field(validator=mark)
    reporter: UserRef | None = attrs.field(default=None, validator=optional(instance(UserRef)))


@attrs.frozen(kw_only=True)
class Escalated(_Signal):
    """A moderator escalated an item."""

    moderator: ReviewerId = attrs.field(repr=False, validator=identifier)


@attrs.frozen(kw_only=True)
class ContentRemoved(_Signal):
    """Content was removed. What is reported must be preserved before it is gone (18 U.S.C. 2258A(h))."""

    removed_at: datetime = attrs.field(converter=fixed, validator=aware)
    moderator: ReviewerId | None = _named_or_none


@attrs.frozen(kw_only=True)
class Noticed(_Signal):
    """Something else was noticed, in a way of the platform's own; rules know it by its name."""

    name: str = _named


Signal = HashMatched | ClassifierScored | UserReported | Escalated | ContentRemoved | Noticed

#: Each kind of signal by the name it is recorded under, with the version of its form; old forms stay readable.
_KINDS: dict[str, type[Any]] = {f"{kind.__name__.lower()}/1": kind for kind in Signal.__args__}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(signal: Signal) -> tuple[str, str]:
    """Return a signal as the name of its kind and canonical JSON.

    >>> from datetime import UTC
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> signal = Noticed(id=SignalId("s1"), source="chat", at=at, basis="invented", name="grooming")
    >>> decode(*encode(signal)) == signal
    True
    """
    return _NAMES[type(signal)], canonical(converter().unstructure(signal))


def decode(kind: str, data: str, *, key: str = "") -> Signal:
    """Read a signal; raise `UnknownEvent` for a kind, a version or a field that this program does not know."""
    known = _KINDS.get(kind)
    if known is None:
        raise UnknownEvent(f"it has a signal of kind {kind!r}, which a newer program wrote; it is held", key=key)
    try:
        return cast(Signal, converter().structure(json.loads(data), known))
    except Exception:
        # Without the cause, which would quote what could not be read.
        raise UnknownEvent(f"its signal of kind {kind!r} cannot be read; it is held", key=key) from None


# -- how values are recorded ----------------------------------------------------------------------------------------------

T = TypeVar("T")


@cache
def converter() -> "Converter":
    """Return what writes and reads all that is recorded of cases. It bends nothing: a number is no text, 1 is not true."""
    from cattrs import Converter

    made = Converter(forbid_extra_keys=True)
    made.register_structure_hook(str, _text)
    made.register_structure_hook(bool, _exactly(bool))
    made.register_structure_hook(int, _exactly(int))
    made.register_structure_hook(float, _number)
    made.register_structure_hook_factory(_is_tuple, lambda kind: _tuple(made, get_args(kind)[0]))
    made.register_unstructure_hook(datetime, datetime.isoformat)
    made.register_structure_hook(datetime, lambda value, _: read_time(_text(value, str)))
    # What goes into a report has a JSON form of its own.
    made.register_unstructure_hook_func(_is_section, lambda value: json.loads(to_json(value)))
    made.register_structure_hook_func(_is_section, lambda value, kind: from_json(value, kind))
    made.register_unstructure_hook_func(_is(Signal), _unstructured)
    made.register_structure_hook_func(_is(Signal), _structured)
    return made


def _unstructured(signal: Signal) -> dict[str, Any]:
    kind, data = encode(signal)
    return {"kind": kind, "data": json.loads(data)}


def _structured(value: Any, _: Any) -> Signal:
    if value.keys() != {"kind", "data"}:
        raise ValueError("a signal has a kind and data")
    return decode(value["kind"], canonical(value["data"]))


def _is(wanted: object) -> Callable[[Any], bool]:
    return lambda kind: kind is wanted or kind == wanted


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and is_part(kind)


def _exactly(kind: type[T]) -> Callable[[Any, Any], T]:
    def read(value: Any, _: Any) -> T:
        if type(value) is not kind:
            raise ValueError(f"must be of type {kind.__name__}")
        return value

    return read


def _text(value: Any, kind: Any) -> Any:
    """Read text, or one of the words of an enumeration, which are text, too."""
    text = _exactly(str)(value, kind)
    return kind(text) if isinstance(kind, type) and issubclass(kind, Enum) else text


def _tuple(converter: "Converter", kind: Any) -> Callable[[Any, Any], tuple[Any, ...]]:
    return lambda values, _: tuple(converter.structure(value, kind) for value in _exactly(list)(values, list))


def _number(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError("must be a number")
    return float(value)
