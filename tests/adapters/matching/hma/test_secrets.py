"""What is looked up is in no log, repr, warning or error: hashes of known material are not for logs, and bytes even less."""

import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest

from cybertip.adapters.matching.hma import Bounds, HmaMatcher, HmaSettings
from cybertip.adapters.matching.hma.effects import Ask, Reply
from cybertip.adapters.matching.hma.exchanges import outgoing
from cybertip.ports.matching import PDQ, ItemId, MediaHash, MediaItem
from cybertip.sandbox.answers import Answer
from cybertip.testing.hma import Fault, Hma

HASH = "c0ffee" * 10 + "c0de"
DATA = b"canary bytes of a file"
ITEMS = [
    MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value=HASH),)),
    MediaItem(id=ItemId("2"), media=DATA),
]


def spilt(*texts: object) -> list[str]:
    """Return the texts that hold what they must not."""
    return [text for one in texts if any(canary in (text := repr(one) + str(one)) for canary in ("c0ffee", "canary"))]


@pytest.mark.parametrize("fault", [None, "drop", "truncate", "hang", Answer(400, (), b'{"message": "c0ffee"}')])
def test_no_log_has_it(colour: Any, hma: Hma, url: str, caplog: pytest.LogCaptureFixture, fault: Any) -> None:
    """httpx logs each address that it asks: those of lookups are without what is looked up."""
    caplog.set_level(logging.DEBUG)
    if fault is not None:
        hma.faults.append(Fault(path="/m/lookup", answer=fault, times=None))
    settings = HmaSettings.at(url, send_bytes=True, bounds=Bounds(silence_for=timedelta(seconds=0.1)))
    results = colour.match(settings, ITEMS)
    assert [request for request in hma.requests if request.query.get("signal") == HASH]
    assert any("/m/lookup" in record.getMessage() for record in caplog.records) or fault in ("drop", "hang")
    assert spilt(*(record.getMessage() for record in caplog.records)) == []
    assert spilt(*results, *(one.unchecked for one in results)) == []


def test_no_warning_has_it(colour: Any, hma: Hma, url: str) -> None:
    """HMA's own words are not quoted: it repeats what it refuses."""
    for path in ("/m/index/status", "/c/banks"):
        hma.faults.append(
            Fault(path=path, answer=Answer(400, (), b'{"message": "invalid signal: c0ffee"}'), times=None)
        )
    health = colour.health(url)
    assert health.warnings
    assert spilt(health) == []


def test_no_repr_has_it() -> None:
    """Requests, answers and matchers say what they are about, and no more."""
    settings = HmaSettings.at("http://127.0.0.1:5100")
    lookup = Ask(role="matcher", path="/m/lookup", query=(("signal", HASH),))
    upload = Ask(role="hasher", path="/h/hash", method="POST", file=("photo", DATA))
    with httpx.Client() as http, HmaMatcher(settings, http=http) as matcher:
        requests = [outgoing(http, settings, one) for one in (lookup, upload)]
        assert (
            spilt(lookup, upload, Reply(status=200, body=DATA), matcher, *requests, *(one.url for one in requests))
            == []
        )
    # And yet it is sent.
    assert HASH in requests[0].url.raw_path.decode()
    assert DATA in requests[1].read()
