"""The headers of a reply that matter: Request-ID, Date and Retry-After. They come from the wire: expect anything."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

__all__ = ["Headers", "ReplyHeaders"]

#: Names and values, as pairs or as a mapping; names in any case.
Headers = Mapping[str, str] | Iterable[tuple[str, str]]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_LONGEST_REQUEST_ID = 200


class ReplyHeaders:
    """Read what a reply's headers say of the exchange.

    >>> headers = ReplyHeaders({"request-id": "abc", "Retry-After": "120"})
    >>> headers.request_id, headers.retry_after_for
    ('abc', 120.0)
    """

    __slots__ = ("_values",)

    def __init__(self, headers: Headers) -> None:
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        self._values: dict[str, str] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), value.strip())

    @property
    def request_id(self) -> str | None:
        """NCMEC's name for the exchange, fit for a log line; None where it named none."""
        text = self._values.get("request-id", "")[:_LONGEST_REQUEST_ID]
        return re.sub(r"[^\x20-\x7e]", "?", text) or None

    @property
    def date(self) -> datetime | None:
        """NCMEC's clock when it answered; None where the header is absent or not an HTTP date."""
        return _date(self._values.get("date", ""))

    @property
    def retry_after_for(self) -> float | None:
        """Seconds to wait, from a number or from a date measured by the reply's own Date; None where neither is there."""
        text = self._values.get("retry-after", "")
        if re.fullmatch(r"[0-9]{1,9}", text):
            return float(text)
        until, now = _date(text), self.date
        if until is None or now is None:
            return None
        return max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    """Parse an HTTP date (RFC 9110, IMF-fixdate); written out, as the standard parsers depend on the locale or the clock."""
    found = _DATE.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 6))
    try:
        # A leap second is read as the second before it.
        return datetime(year, _MONTHS.index(found[2]) + 1, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
