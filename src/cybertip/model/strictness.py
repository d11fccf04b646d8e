"""How strict a part's constructor is: just as NCMEC's XSD, no less and no more.

Values are made plain on their way in, so that what looks like a text, a number or a time is written as one, and are then
checked. What only the documentation demands is `cybertip.rules`' business.
"""

import math
import re
import types
import typing
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any

from cybertip.errors import InvalidReport, Violation
from cybertip.model.field import Choice, Field, Lexical, Part, Simple, Vocabulary

__all__ = ["check_of", "converter", "is_double", "refuse_what_the_xsd_refuses", "same_number"]


def is_double(field: Field) -> bool:
    return isinstance(field.type, Simple) and field.type.lexical is Lexical.DOUBLE


def same_number(value: float | None) -> float | str | None:
    """Compare "not a number", which NCMEC's XSD allows, equal to itself."""
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def converter(field: Field) -> Callable[[Any], Any] | None:
    """Make equal what the document cannot tell apart: any sequence is a tuple, any zone a fixed offset.

    And make plain what only looks plain: a text, number or time of a subclass may format itself as something else, and
    would then be written as that.
    """
    plain = _PLAIN.get(field.type.lexical) if isinstance(field.type, Simple) else None
    if not field.many:
        return plain
    one = plain or (lambda value: value)
    return lambda value: tuple(map(one, value)) if isinstance(value, list | tuple | types.GeneratorType) else value


def _plain_text(value: Any) -> Any:
    return str.__str__(value) if isinstance(value, str) and type(value) is not str else value


def _plain_whole(value: Any) -> Any:
    is_other = isinstance(value, int) and type(value) is not int and not isinstance(value, bool)
    return int.__int__(value) if is_other else value


def _plain_double(value: Any) -> Any:
    return float.__float__(value) if isinstance(value, float) and type(value) is not float else value


def _plain_time(value: Any) -> Any:
    """Return an exact datetime with a fixed offset, for a document keeps the offset of a time zone alone."""
    if not isinstance(value, datetime) or (type(value) is datetime and isinstance(value.tzinfo, timezone)):
        return value
    offset = value.utcoffset()
    if offset is None:
        return value
    return datetime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond,
        tzinfo=timezone(offset),
    )  # fmt: skip


_PLAIN: dict[Lexical, Callable[[Any], Any]] = {
    Lexical.STRING: _plain_text,
    Lexical.TOKEN: _plain_text,
    Lexical.INT: _plain_whole,
    Lexical.LONG: _plain_whole,
    Lexical.DOUBLE: _plain_double,
    Lexical.DATETIME: _plain_time,
}


_Check = Callable[[Any], "str | None"]


def check_of(field: Field) -> _Check:
    """Return a function that says what is wrong with one member's value, or None; it never quotes the value."""
    kind = field.type
    if isinstance(kind, Simple):
        return _check_of_simple(kind)
    if isinstance(kind, Choice):
        names = ", ".join(one.__name__ for one in kind.parts)
        return lambda value: None if isinstance(value, kind.parts) else f"must be one of {names}"
    if issubclass(kind, Vocabulary):
        words = [f"{kind.__name__}.{member.name}" for member in kind]
        shown = ", ".join(words) if len(words) <= 12 else f"a member of {kind.__name__}, such as {words[1]}"
        return lambda value: (
            None if isinstance(value, kind) else f"must be {'one of ' if len(words) <= 12 else ''}{shown}"
        )
    return lambda value: None if isinstance(value, kind) else f"must be of type {kind.__name__}"


def _check_of_simple(kind: Simple) -> _Check:
    match kind.lexical:
        case Lexical.STRING if kind.pattern is not None:
            whole = re.compile(kind.pattern).fullmatch
            return lambda value: (
                None if isinstance(value, str) and whole(value) else f"must be text that matches {kind.pattern}"
            )
        case Lexical.STRING:
            return lambda value: None if isinstance(value, str) else "must be text"
        case Lexical.TOKEN:
            return lambda value: (
                None if isinstance(value, str) and _is_collapsed(value) else "must be text without stray white space"
            )
        case Lexical.BOOLEAN:
            return lambda value: None if isinstance(value, bool) else "must be True or False"
        case Lexical.INT:
            return lambda value: None if _is_whole(value, 31) else "must be a whole number of 32 bits"
        case Lexical.LONG:
            return lambda value: None if _is_whole(value, 63) else "must be a whole number of 64 bits"
        case Lexical.DOUBLE:
            return lambda value: None if isinstance(value, float) else "must be a float"
        case Lexical.DATE:
            return lambda value: None if type(value) is date else "must be a date"
        case Lexical.DATETIME:
            return _check_time
        case never:
            typing.assert_never(never)


def _is_collapsed(value: str) -> bool:
    return not re.search(r"^ | $|  |[\t\n\r]", value)


def _is_whole(value: object, bits: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(1 << bits) <= value < 1 << bits


def _check_time(value: object) -> str | None:
    if not isinstance(value, datetime):
        return "must be a datetime"
    offset = value.utcoffset()
    if offset is None:
        return "must have an offset from UTC (a time zone)"
    if offset % timedelta(minutes=1) or abs(offset) > timedelta(hours=14):
        return "must have an offset of whole minutes, 14 hours at the most"
    return None


def refuse_what_the_xsd_refuses(self: Any) -> None:
    """Check types, required repetition, choices and flags, and nothing that only the documentation demands."""
    found = tuple(_violations(self))
    if found:
        raise InvalidReport(found)


def _violations(self: Any) -> Iterator[Violation]:
    declared: Part = self.__part__
    chosen: dict[str, str] = {}

    def violation(field: Field, rule: str, message: str, index: int | None = None) -> Violation:
        python, xml = field.path(index)
        return Violation(path=declared.python + python, xpath=declared.name + xml, rule=rule, message=message)

    for field, check in zip(declared.fields, self.__checks__, strict=True):
        value = getattr(self, field.python)
        if field.many:
            if not isinstance(value, tuple):
                yield violation(field, "type", "must be a tuple")
                continue
            if field.required and not value:
                yield violation(field, "required", "must have at least one member")
            for index, member in enumerate(value):
                if (message := check(member)) is not None:
                    yield violation(field, "type", message, index)
        elif value is None and not field.required and not field.flag:
            continue
        elif (message := check(value)) is not None:
            yield violation(field, "type", message)
        if field.one_of is not None:
            if field.one_of in chosen:
                yield violation(field, "choice", f"cannot stand beside {chosen[field.one_of]}")
            chosen[field.one_of] = field.python
