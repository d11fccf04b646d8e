"""What the values of a case must be, as validators for attrs: a fault is named by its field, never by its value."""

import types
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from attrs import Attribute

from cybertip.errors import InvalidReport, Violation
from cybertip.rules.values import is_ip

__all__ = [
    "UNICODE",
    "aware",
    "checks",
    "fixed",
    "half_a_pair",
    "identifier",
    "instance",
    "ip_address",
    "mark",
    "members",
    "optional",
    "port",
    "sequence",
    "words",
]

#: What is wrong with a text that no encoding of Unicode can hold.
UNICODE = "holds half of a surrogate pair, which is no character: repair what exported it"

Check = Callable[[Any], str | None]
Validator = Callable[[Any, "Attribute[Any]", Any], None]


def checks(rule: str, check: Check) -> Validator:
    """Make a validator of a function that says what is wrong with a value, or None."""

    def validate(instance: Any, attribute: "Attribute[Any]", value: Any) -> None:
        wrong = check(value)
        if wrong is not None:
            path = f"{type(instance).__name__}.{attribute.name}"
            raise InvalidReport((Violation(path=path, rule=rule, message=wrong),))

    return validate


def optional(validator: Validator) -> Validator:
    """Allow None as well."""

    def validate(instance: Any, attribute: "Attribute[Any]", value: Any) -> None:
        if value is not None:
            validator(instance, attribute, value)

    return validate


def members(kind: type) -> Validator:
    """Demand a tuple of members of one type."""

    def check(value: object) -> str | None:
        sound = isinstance(value, tuple) and all(isinstance(member, kind) for member in value)
        return None if sound else f"must be a tuple of {kind.__name__}"

    return checks("type", check)


def instance(kind: type) -> Validator:
    """Demand a value of one type."""
    return checks("type", lambda value: None if isinstance(value, kind) else f"must be of type {kind.__name__}")


def sequence(value: Any) -> Any:
    """Make a tuple of what is a sequence already, and no text."""
    return tuple(value) if isinstance(value, list | types.GeneratorType) else value


def half_a_pair(text: str) -> int | None:
    """Return where a text holds half of a surrogate pair, counted in characters from 0; None if it is sound.

    >>> half_a_pair("a\\ud83d") is None, half_a_pair("a\\U0001f600") is None
    (False, True)
    """
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None


def _identifier(value: object) -> str | None:
    if not isinstance(value, str):
        return "must be text"
    if not value:
        return "is empty"
    return None if half_a_pair(value) is None else UNICODE


def _aware(value: object) -> str | None:
    if not isinstance(value, datetime):
        return "must be a datetime"
    offset = value.utcoffset()
    if offset is None:
        return "must have an offset from UTC (a time zone)"
    return "must have an offset of whole minutes" if offset % timedelta(minutes=1) else None


def fixed(value: Any) -> Any:
    """Return an exact datetime with a fixed offset, for what is written keeps the offset of a time zone alone.

    >>> from zoneinfo import ZoneInfo
    >>> fixed(datetime(2025, 7, 1, tzinfo=ZoneInfo("Europe/Berlin"))).isoformat()
    '2025-07-01T00:00:00+02:00'
    """
    if not isinstance(value, datetime) or (type(value) is datetime and isinstance(value.tzinfo, timezone)):
        return value
    offset = value.utcoffset()
    if offset is None:
        return value
    clock = (value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
    return datetime(*clock, tzinfo=timezone(offset))


def _address(value: object) -> str | None:
    return None if isinstance(value, str) and is_ip(value) else "must be an IP address"


def _port(value: object) -> str | None:
    sound = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535
    return None if sound else "must be a whole number from 1 to 65535"


def _words(value: object) -> str | None:
    return None if isinstance(value, str) else "must be text"


def _mark(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be True or False"


#: Text that names something: it is not empty and is sound Unicode.
identifier = checks("identifier", _identifier)
#: A time with an offset.
aware = checks("time", _aware)
#: An IP address, version 4 or 6.
ip_address = checks("ip", _address)
#: The number of a TCP or UDP port.
port = checks("range", _port)
#: Any text.
words = checks("type", _words)
#: True or False.
mark = checks("type", _mark)
