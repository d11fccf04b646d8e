"""Where a signal goes: rules as data, of which the first that fits counts.

| a signal goes to | which means |
|---|---|
| `review` | straight to the queue of those who decide |
| `triage` | to a person who first looks whether it belongs there |
| `noted` | nowhere: it is recorded with what is known of the user, and calls nobody |

There is no rule that files: whatever a classifier's score, a person decides. What no rule fits goes to triage, so that a gap
in the rules costs somebody's time and never a child's safety.
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import attrs

from cybertip.cases.checking import checks, identifier, instance, mark, members, optional, sequence
from cybertip.cases.signals import (
    ClassifierScored,
    ContentRemoved,
    Escalated,
    HashMatched,
    Noticed,
    Signal,
    UserReported,
    score,
)
from cybertip.errors import InvalidReport, Violation

__all__ = ["DEFAULT", "Destination", "Routing", "Rule", "Rules", "SignalKind"]


class Destination(StrEnum):
    """Where a signal goes."""

    REVIEW = "review"
    TRIAGE = "triage"
    NOTED = "noted"


class SignalKind(StrEnum):
    """Name a kind of signal, as a rule does."""

    HASH_MATCHED = "hash_matched"
    CLASSIFIER_SCORED = "classifier_scored"
    USER_REPORTED = "user_reported"
    ESCALATED = "escalated"
    CONTENT_REMOVED = "content_removed"
    NOTICED = "noticed"


_KINDS: dict[type[Any], SignalKind] = {
    HashMatched: SignalKind.HASH_MATCHED,
    ClassifierScored: SignalKind.CLASSIFIER_SCORED,
    UserReported: SignalKind.USER_REPORTED,
    Escalated: SignalKind.ESCALATED,
    ContentRemoved: SignalKind.CONTENT_REMOVED,
    Noticed: SignalKind.NOTICED,
}


@attrs.frozen(kw_only=True)
class Routing:
    """Say where a signal goes, and which rule sent it there."""

    to: Destination
    #: None: the organisation's default queue.
    queue: str | None = None
    #: Higher goes first.
    priority: int = 0
    #: The rule's place among the rules, from 0; None where none fitted.
    rule: int | None = None


def _word(kind: type[StrEnum]) -> Any:
    return checks("word", lambda value: None if isinstance(value, kind) else f"must be one of {', '.join(kind)}")


def _kind(value: Any) -> Any:
    return SignalKind(value) if isinstance(value, str) and value in set(SignalKind) else value


def _destination(value: Any) -> Any:
    return Destination(value) if isinstance(value, str) and value in set(Destination) else value


def _whole(value: object) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) else "must be a whole number"


def _condition(validator: Any = identifier) -> Any:
    return attrs.field(default=None, validator=optional(validator))


#: Which conditions only one kind of signal can meet.
_ONLY: dict[str, SignalKind] = {
    "classifier": SignalKind.CLASSIFIER_SCORED,
    "label": SignalKind.CLASSIFIER_SCORED,
    "at_least": SignalKind.CLASSIFIER_SCORED,
    "bank": SignalKind.HASH_MATCHED,
    "csam": SignalKind.USER_REPORTED,
    "name": SignalKind.NOTICED,
}

_NAME: Any = _condition()
_SCORE: Any = _condition(score)
_MARK: Any = _condition(mark)


@attrs.frozen(kw_only=True)
class Rule:
    """Send the signals that meet every condition somewhere; a condition that is left out is met by all.

    >>> Rule(kind="user_reported", at_least=0.5, to="review")
    Traceback (most recent call last):
    cybertip.errors.InvalidReport: Rule.at_least: only goes with classifier_scored: the rule would never fit [never]
    """

    kind: SignalKind = attrs.field(converter=_kind, validator=_word(SignalKind))
    to: Destination = attrs.field(converter=_destination, validator=_word(Destination))
    queue: str | None = _NAME
    priority: int = attrs.field(default=0, validator=checks("type", _whole))
    #: The system that noticed it.
    source: str | None = _NAME
    classifier: str | None = _NAME
    label: str | None = _NAME
    #: The lowest score that fits.
    at_least: float | None = _SCORE
    #: A list of known material, one of whose hashes was matched.
    bank: str | None = _NAME
    csam: bool | None = _MARK
    name: str | None = _NAME

    def __attrs_post_init__(self) -> None:
        never = tuple(
            Violation(path=f"Rule.{field}", rule="never", message=f"only goes with {kind}: the rule would never fit")
            for field, kind in _ONLY.items()
            if getattr(self, field) is not None and self.kind is not kind
        )
        if never:
            raise InvalidReport(never)

    def fits(self, signal: Signal) -> bool:
        """Tell whether a signal meets every condition."""
        if _KINDS[type(signal)] is not self.kind or self.source not in (None, signal.source):
            return False
        match signal:
            case ClassifierScored():
                named = self.classifier in (None, signal.classifier) and self.label in (None, signal.label)
                return named and (self.at_least is None or signal.score >= self.at_least)
            case HashMatched():
                return self.bank is None or any(one.bank == self.bank for one in signal.matches)
            case UserReported():
                return self.csam in (None, signal.csam)
            case Noticed():
                return self.name in (None, signal.name)
            case Escalated() | ContentRemoved():
                return True


@attrs.frozen(kw_only=True)
class Rules:
    """Send each signal somewhere.

    >>> rules = Rules.from_toml('''
    ... [[routing]]
    ... kind = "classifier_scored"
    ... at_least = 0.9
    ... to = "review"
    ... queue = "urgent"
    ...
    ... [[routing]]
    ... kind = "classifier_scored"
    ... to = "noted"
    ... ''')
    >>> [str(rule.to) for rule in rules.rules]
    ['review', 'noted']
    >>> Rules.from_plain([{"kind": "classifier_scored", "at_least": 90, "to": "review"}])
    Traceback (most recent call last):
    cybertip.errors.InvalidReport: routing[0].at_least: must be a number from 0 to 1 [range]
    """

    rules: tuple[Rule, ...] = attrs.field(default=(), converter=sequence, validator=members(Rule))
    #: Where goes what no rule fits; it cannot be "noted", which would pass over what nobody thought of.
    otherwise: Destination = attrs.field(
        default=Destination.TRIAGE, converter=_destination, validator=instance(Destination)
    )

    def __attrs_post_init__(self) -> None:
        if self.otherwise is Destination.NOTED:
            message = "must be review or triage: what nobody thought of would call nobody"
            raise InvalidReport((Violation(path="Rules.otherwise", rule="unseen", message=message),))

    @classmethod
    def from_plain(cls, plain: object) -> "Rules":
        """Read a list of mappings; raise `InvalidReport` with everything that is wrong, by its place."""
        if not isinstance(plain, list | tuple):
            raise InvalidReport((Violation(path="routing", rule="type", message="must be an array"),))
        rules: list[Rule] = []
        wrong: list[Violation] = []
        for index, one in enumerate(plain):
            try:
                rules.append(_rule(one, f"routing[{index}]"))
            except InvalidReport as error:
                wrong.extend(error.violations)
        if wrong:
            raise InvalidReport(tuple(wrong))
        return cls(rules=tuple(rules))

    @classmethod
    def from_toml(cls, text: str) -> "Rules":
        """Read the tables `[[routing]]`; other tables may stand beside them."""
        try:
            given = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            # Its words can quote what is there; its place is what helps.
            place = str(error).rpartition("(")[2].removesuffix(")")
            raise InvalidReport((Violation(path="routing", rule="toml", message=f"is not TOML ({place})"),)) from None
        return cls.from_plain(given.get("routing", []))

    def route(self, signal: Signal) -> Routing:
        """Return where a signal goes: where the first rule that fits says."""
        for place, rule in enumerate(self.rules):
            if rule.fits(signal):
                return Routing(to=rule.to, queue=rule.queue, priority=rule.priority, rule=place)
        return Routing(to=self.otherwise)


def _rule(plain: object, path: str) -> Rule:
    if not isinstance(plain, Mapping):
        raise InvalidReport((Violation(path=path, rule="type", message="must be a table"),))
    faults = tuple(_misplaced(plain, path))
    if faults:
        raise InvalidReport(faults)
    try:
        return Rule(**plain)
    except InvalidReport as error:
        raise InvalidReport(tuple(_placed(one, path) for one in error.violations)) from None


def _placed(violation: Violation, path: str) -> Violation:
    """Name a fault by the place in the plain values."""
    field = violation.path.partition(".")[2]
    return Violation(path=f"{path}.{field}", rule=violation.rule, message=violation.message)


def _misplaced(plain: Mapping[Any, Any], path: str) -> Iterator[Violation]:
    """Name keys that do not belong there, and those that are missing."""
    known = [field.name for field in attrs.fields(Rule)]
    for key in sorted(set(map(str, plain)) - set(known)):
        near = difflib.get_close_matches(key, known, 1, 0.75) if len(key) < 50 else ()
        said = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        yield Violation(path=path, rule="unknown-key", message=f"has a key that does not belong there: {said}")
    for key in ("kind", "to"):
        if key not in plain:
            yield Violation(path=f"{path}.{key}", rule="required", message="is missing")


#: Where signals go unless an organisation says otherwise. It has no opinion on the scores of classifiers, which mean
#: something else with each: they all go to triage.
DEFAULT = Rules(
    rules=(
        Rule(kind=SignalKind.ESCALATED, to=Destination.REVIEW, priority=2),
        Rule(kind=SignalKind.HASH_MATCHED, to=Destination.REVIEW, priority=1),
        Rule(kind=SignalKind.USER_REPORTED, csam=True, to=Destination.REVIEW, priority=1),
        Rule(kind=SignalKind.USER_REPORTED, csam=False, to=Destination.NOTED),
    )
)
