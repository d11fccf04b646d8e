"""What a reply's headers say."""

from datetime import UTC, datetime

import pytest

from cybertip.protocol.headers import ReplyHeaders

NOW = "Wed, 05 Nov 2025 12:00:00 GMT"


def test_names_have_no_case() -> None:
    """Headers are found in any case, in pairs or in a mapping."""
    assert ReplyHeaders({"REQUEST-ID": " 7 "}).request_id == "7"
    assert ReplyHeaders([("request-id", "7"), ("Request-Id", "8")]).request_id == "7"
    assert ReplyHeaders([]).request_id is None
    assert ReplyHeaders({"Request-ID": "  "}).request_id is None


def test_a_request_id_cannot_forge_a_log_line() -> None:
    """Whatever the wire brings, a Request-ID is one short printable line."""
    hostile = "7\r\nERROR forged \x1b[31m \u202e" + "x" * 10_000
    found = ReplyHeaders({"Request-ID": hostile}).request_id
    assert found is not None
    assert found.isascii()
    assert found.isprintable()
    assert len(found) == 200


@pytest.mark.parametrize(
    ("text", "date"),
    [
        (NOW, datetime(2025, 11, 5, 12, tzinfo=UTC)),
        ("Sat, 31 Dec 2016 23:59:60 GMT", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Wed, 31 Feb 2025 12:00:00 GMT", None),
        ("Wed, 05 Foo 2025 12:00:00 GMT", None),
        ("Wed, 05 Nov 2025 12:00:00 +0100", None),
        ("2025-11-05T12:00:00Z", None),
        ("", None),
    ],
)
def test_the_date_is_ncmecs_clock(text: str, date: datetime | None) -> None:
    """The Date header is understood as HTTP spells it, and anything else is no date."""
    assert ReplyHeaders({"Date": text}).date == date


@pytest.mark.parametrize(
    ("after", "now", "seconds"),
    [
        ("120", "", 120.0),
        ("0", "", 0.0),
        ("Wed, 05 Nov 2025 12:01:30 GMT", NOW, 90.0),
        ("Wed, 05 Nov 2025 11:00:00 GMT", NOW, 0.0),
        ("Wed, 05 Nov 2025 12:01:30 GMT", "", None),
        ("-1", "", None),
        ("1.5", "", None),
        ("9" * 400, "", None),
        ("\u0661", "", None),
        ("soon", NOW, None),
        ("", NOW, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(after: str, now: str, seconds: float | None) -> None:
    """Both spellings are honoured; a date is measured by NCMEC's own clock, never by ours."""
    assert ReplyHeaders({"Retry-After": after, "Date": now}).retry_after_for == seconds
