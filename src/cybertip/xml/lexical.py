"""The lexical forms of XSD's simple types: text to value and back.

Readers raise `ValueError` with a sentence that describes the fault and never quotes the text.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

from cybertip.model.declaration import Lexical, Simple

__all__ = ["WHITE", "collapse", "read_simple", "write_double", "write_simple", "write_time"]

#: What XML takes for white space.
WHITE = " \t\r\n"
_DATE = r"(-?(?:[1-9][0-9]{4,}|[0-9]{4}))-([0-9]{2})-([0-9]{2})"
_ZONE = r"(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"
_TIME = re.compile(rf"{_DATE}T([0-9]{{2}}):([0-9]{{2}}):([0-9]{{2}})(?:\.([0-9]+))?{_ZONE}")
_DAY = re.compile(_DATE + _ZONE)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = {"INF": math.inf, "-INF": -math.inf, "NaN": math.nan}
_BOOLEAN = {"true": True, "1": True, "false": False, "0": False}


def collapse(text: str) -> str:
    """Apply XSD's `whiteSpace="collapse"`."""
    return " ".join(re.split("[ \t\r\n]+", text.strip(WHITE)))


def read_boolean(text: str) -> bool:
    found = _BOOLEAN.get(text.strip(WHITE))
    if found is None:
        raise ValueError("must be true or false")
    return found


def read_whole(text: str) -> int:
    text = text.strip(WHITE)
    if not _WHOLE.fullmatch(text) or len(text.lstrip("+-0")) > 19:
        raise ValueError("must be a whole number of at most 64 bits")
    return int(text)


def read_double(text: str) -> float:
    text = text.strip(WHITE)
    if text in _NOT_FINITE:
        return _NOT_FINITE[text]
    if not _DOUBLE.fullmatch(text):
        raise ValueError("must be a number")
    return float(text)


def read_date(text: str) -> date:
    """Read `xs:date`. An offset, which the XSD allows and a birthday does not have, is left out."""
    match = _DAY.fullmatch(text.strip(WHITE))
    if match is None:
        raise ValueError("must be a date such as 2009-12-31")
    year, month, day, _ = match.groups()
    try:
        return date(int(year), int(month), int(day))
    except (ValueError, OverflowError):
        raise ValueError("is a date that does not exist or that Python cannot hold") from None


def read_time(text: str) -> datetime:
    """Read `xs:dateTime`, which must have an offset; what Python cannot hold exactly is refused, never rounded."""
    match = _TIME.fullmatch(text.strip(WHITE))
    if match is None:
        raise ValueError("must be a time such as 2025-01-31T13:00:00Z")
    *numbers, fraction, zone = match.groups()
    if zone is None:
        raise ValueError("must have an offset from UTC, such as Z or +01:00")
    digits = (fraction or "").rstrip("0")
    if len(digits) > 6:
        raise ValueError("is finer than a microsecond, which Python cannot hold")
    try:
        year, month, day, hour, minute, second = map(int, numbers)
        # XSD writes the last midnight of a day as 24:00:00.
        midnight = (hour, minute, second, digits) == (24, 0, 0, "")
        found = datetime(
            year, month, day, 0 if midnight else hour, minute, second, int(digits.ljust(6, "0")), tzinfo=_zone(zone)
        )
        return found + timedelta(days=1) if midnight else found
    except (ValueError, OverflowError):
        raise ValueError("is a time that does not exist or that Python cannot hold") from None


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    size = timedelta(hours=int(text[1:3]), minutes=int(text[4:]))
    return timezone(-size if text[0] == "-" else size)


def write_double(value: float) -> str:
    """Write `xs:double`, whose words for what is not finite are not Python's."""
    if math.isfinite(value):
        # Not `repr(value)`: the floats of other libraries have words of their own for it.
        return float.__repr__(value)
    return "NaN" if math.isnan(value) else "INF" if value > 0 else "-INF"


class _Offsets(dict[tzinfo | None, str]):
    """The text of each offset, worked out once."""

    def __missing__(self, zone: tzinfo | None) -> str:
        text = self[zone] = datetime(2000, 1, 1, tzinfo=zone).isoformat()[19:]
        return text


_OFFSETS = _Offsets()
_TWO = tuple(f"{number:02}" for number in range(100))


def write_time(value: datetime) -> str:
    """Write what `datetime.isoformat` does, at less than half its cost; zones are fixed offsets here."""
    if value.microsecond or value.year < 1000:
        return value.isoformat()
    return (
        f"{value.year}-{_TWO[value.month]}-{_TWO[value.day]}T"
        f"{_TWO[value.hour]}:{_TWO[value.minute]}:{_TWO[value.second]}{_OFFSETS[value.tzinfo]}"
    )


_READERS: dict[Lexical, Callable[[str], Any]] = {
    Lexical.STRING: str,
    Lexical.TOKEN: collapse,
    Lexical.BOOLEAN: read_boolean,
    Lexical.INT: read_whole,
    Lexical.LONG: read_whole,
    Lexical.DOUBLE: read_double,
    Lexical.DATE: read_date,
    Lexical.DATETIME: read_time,
}
_WRITERS: dict[Lexical, Callable[[Any], str]] = {
    Lexical.STRING: str,
    Lexical.TOKEN: str,
    Lexical.BOOLEAN: lambda value: "true" if value else "false",
    Lexical.INT: str,
    Lexical.LONG: str,
    Lexical.DOUBLE: write_double,
    Lexical.DATE: date.isoformat,
    Lexical.DATETIME: write_time,
}


def read_simple(kind: Simple) -> Callable[[str], Any]:
    """Return the function that reads the text of a simple type."""
    return _READERS[kind.lexical]


def write_simple(kind: Simple) -> Callable[[Any], str]:
    """Return the function that writes a value of a simple type."""
    return _WRITERS[kind.lexical]
