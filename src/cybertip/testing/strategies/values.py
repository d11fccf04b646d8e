"""Strategies for what stands in a field: text, numbers, times and words."""

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any, NamedTuple, assert_never

from hypothesis import strategies as st

from cybertip.model import Country, State
from cybertip.model.declaration import Field, Lexical, Simple, Vocabulary
from cybertip.model.edition import Edition
from cybertip.model.identifiers import ReportId
from cybertip.xml.lexical import collapse

__all__ = ["BEFORE", "Wish", "texts", "times", "value"]

#: Acceptable documents speak of times before this one, unless they are told another.
BEFORE = datetime(2025, 1, 1, tzinfo=UTC)

#: Codes of NCMEC's XSD that ISO 3166-1 does not list, or not today; and none.
_NOT_ISO = frozenset(("", "A1", "A2", "AN", "AP", "EU", "FX", "O1", "XK"))

#: Text that breaks careless programs and is legal all the same.
_HOSTILE = (
    "<b>&amp;</b>",
    "]]>",
    "<![CDATA[x]]>",
    "<!-- x -->",
    "<?x y?>",
    "\"'",
    "&#0;",
    "%s {0} ${x}",
    "a\rb\r\nc\nd\te",
    " leading and trailing ",
    "two  spaces",
    "\u0085next\u2028line\u00a0",
    "\u202eright to left\u202c",
    "\u200d\ufeff\u00ad",
    "\U0001f9d2\U0001f3fd\u200d\U0001f9d1",
    "\U0010ffff\ufffd",
    "e\u0301 \u00e9",
    "'; DROP TABLE reports; --",
    "=1+1",
    "../../example",
    "true",
    "NaN",
    "-1",
    "None",
)

_CHARACTERS = st.characters(
    min_codepoint=0x20,
    max_codepoint=sys.maxunicode,
    exclude_categories=["Cs"],
    exclude_characters="\ufffe\uffff",
    include_characters="\t\n\r",
)
#: UTC, places that people live in, both ends of what XSD allows, and anything between.
_OFFSETS = st.one_of(
    st.just(0), st.sampled_from([60, -300, 330, -210, 765, 840, -840]), st.integers(-14 * 60, 14 * 60)
).map(lambda minutes: timezone(timedelta(minutes=minutes)))


_DECADES = datetime(1995, 1, 1)  # noqa: DTZ001 - Hypothesis wants the bounds without the offset


class Wish(NamedTuple):
    """What somebody wants of a document: its edition, and whether the documented rules are to be kept as well."""

    edition: Edition
    acceptable: bool
    before: datetime


def texts(*, min_size: int = 0, max_size: int = 20) -> st.SearchStrategy[str]:
    """Generate any text that XML can hold, hostile text among it: markup, line ends, bidi marks, white space.

    `max_size` bounds the length in characters. Shrinks towards few and plain characters.
    """
    hostile = [text for text in _HOSTILE if min_size <= len(text) <= max_size]
    plain = st.text(_CHARACTERS, min_size=min_size, max_size=min(20, max_size))
    return st.one_of(plain, st.sampled_from(hostile)) if hostile else plain


def times(*, before: datetime | None = None) -> st.SearchStrategy[datetime]:
    """Generate times with an offset of whole minutes, up to 14 hours: any, or those of the decades before another.

    Microseconds are common. Shrinks towards whole numbers and UTC.
    """
    if before is None:
        return st.datetimes(timezones=_OFFSETS)
    # No offset can lift these over the bound, and repairs that put them in order have a day to spare.
    last = before.astimezone(UTC).replace(tzinfo=None) - timedelta(days=3)
    return st.datetimes(min_value=min(_DECADES, last), max_value=last, timezones=_OFFSETS)


def value(field: Field, wish: Wish) -> st.SearchStrategy[Any]:
    """Generate one value of a field that holds no part."""
    kind = field.type
    if field.flag:
        return st.just(True)
    if isinstance(kind, Simple):
        return _acceptable(field, kind, wish.before) if wish.acceptable else _valid(kind)
    assert isinstance(kind, type)
    assert issubclass(kind, Vocabulary)
    return st.sampled_from([word for word in kind if not wish.acceptable or _is_acceptable(word)])


def _is_acceptable(word: Vocabulary) -> bool:
    return word not in _NOT_ISO if isinstance(word, Country) else word != ""


def _valid(kind: Simple) -> st.SearchStrategy[Any]:
    match kind.lexical:
        case Lexical.STRING if kind.pattern is not None:
            return st.from_regex(kind.pattern, fullmatch=True)
        case Lexical.STRING:
            return texts()
        case Lexical.TOKEN:
            return texts().map(collapse)
        case Lexical.BOOLEAN:
            return st.booleans()
        case Lexical.INT:
            return st.integers(-(1 << 31), (1 << 31) - 1)
        case Lexical.LONG:
            return st.integers(-(1 << 63), (1 << 63) - 1)
        case Lexical.DOUBLE:
            return st.floats()
        case Lexical.DATE:
            return st.dates()
        case Lexical.DATETIME:
            return times()
        case never:
            assert_never(never)


# -- what the documentation demands -----------------------------------------------------------------------------------


def _acceptable(field: Field, kind: Simple, before: datetime) -> st.SearchStrategy[Any]:
    for limit in field.limits:
        if (made := _KEPT_BY.get(limit.rule)) is not None:
            return made()
    operands = {limit.rule: limit.operand for limit in field.limits}
    match kind.lexical:
        case Lexical.STRING:
            longest = operands.get("max-length")
            size = longest if isinstance(longest, int) else None
            if kind.pattern is not None:
                matching = st.from_regex(kind.pattern, fullmatch=True)
                return matching.map(lambda text: text[:size])
            return _stated(size)
        case Lexical.TOKEN:
            return st.text("0123456789abcdef", min_size=32, max_size=32)
        case Lexical.INT if isinstance(bounds := operands.get("range"), tuple):
            return st.integers(*bounds)
        case Lexical.DATE:
            return st.dates(min_value=date(1925, 1, 1), max_value=before.date() - timedelta(days=3))
        case Lexical.DATETIME:
            return times(before=before)
        case Lexical.DOUBLE:
            return st.floats(-90, 90)
        case _:
            return _valid(kind)


def _stated(longest: int | None) -> st.SearchStrategy[str]:
    """Generate text that says something and is not too long, and sometimes is just not too long."""
    short = texts(min_size=1, max_size=longest or 20).map(lambda text: text if text.strip() else "x")
    if longest is None:
        return short
    return st.one_of(short, st.sampled_from("x\u00e9\U0001f9d2").map(lambda character: character * longest))


def _addresses_of_mail() -> st.SearchStrategy[str]:
    name = st.from_regex(r"[a-z0-9]([a-z0-9_+-]{0,8}[a-z0-9])?", fullmatch=True)
    return st.one_of(
        st.builds("{}@{}".format, name, st.sampled_from(["example.com", "mail.example.org", "example.net"])),
        # The longest name before the sign that there may be.
        st.just("a" * 64 + "@example.com"),
    )


def _addresses_of_the_internet() -> st.SearchStrategy[str]:
    """Generate addresses that are set aside for documentation, so that they are nobody's."""
    fourth = st.sampled_from([f"{net}.{{}}" for net in ("192.0.2", "198.51.100", "203.0.113")])
    v4 = st.builds(str.format, fourth, st.integers(0, 255)).map(IPv4Address)
    net = IPv6Network("2001:db8::/32")
    v6 = st.integers(int(net.network_address), int(net.broadcast_address)).map(IPv6Address)
    return st.one_of(v4.map(str), v6.map(str), v6.map(lambda one: one.exploded.upper()), v4.map("::ffff:{}".format))


def _addresses_of_pages() -> st.SearchStrategy[str]:
    paths = st.from_regex(
        r"(/([a-z0-9_.~-]|%20){1,8}){0,3}/?(\?[a-z]=[0-9]{0,5}(&[a-z]=)?)?(#[a-z]{1,3})?", fullmatch=True
    )
    hosts = st.sampled_from(["https://example.com", "http://www.example.org:8080", "https://example.net"])
    return st.builds("{}{}".format, hosts, paths)


#: Values that keep a documented rule, where the type alone would not. A phone number with neither `+` nor `00` in front
#: repeats no calling code.
_KEPT_BY: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
    "email": _addresses_of_mail,
    "ip": _addresses_of_the_internet,
    "url": _addresses_of_pages,
    "report-id": lambda: st.integers(1, 999_999_999).map(ReportId),
    "calling-code-once": lambda: st.from_regex(r"555[ -]?01[0-9]{2}", fullmatch=True),
    "us-state": lambda: st.sampled_from([state for state in State if state != ""]),
}
