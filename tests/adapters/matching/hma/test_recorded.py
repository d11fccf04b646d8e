"""Each answer that was recorded of HMA means what it says, or that something was not checked; never that all is well."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from cybertip.adapters.matching.hma import PICTURES, VIDEOS, HmaSettings, Signal
from cybertip.ports.matching import (
    MD5,
    PDQ,
    HashType,
    ItemId,
    MatchKind,
    MatchResult,
    MediaHash,
    MediaItem,
    NotChecked,
    Outcome,
    Readiness,
)

URL = "http://127.0.0.1:5100"
KNOWN = "0f" * 32
ITEM = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value=KNOWN),))
FILE = MediaItem(id=ItemId("1"), media=b"synthetic bytes", media_type="image/png")

HTML = (
    "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL...</p>\n"
)
FAILED = '{"message":"The server encountered an internal error and was unable to complete your request."}'
WRONG_MODEL = '[{"type":"missing","loc":["signal"],"msg":"Field required","input":{}}]'


def one(colour: Any, recorded: Any, item: MediaItem = ITEM, **settings: Any) -> MatchResult:
    """Look one item up in what was recorded."""
    http = colour.client(recorded)
    (result,) = colour.match(HmaSettings.at(URL, **settings), [item], http=http, clock=recorded)
    assert isinstance(result, MatchResult)
    return result


def test_nothing_found(colour: Any, recorded: Any) -> None:
    """An empty object means that nothing is known, once all else is well: it was looked up in each bank, as of now."""
    result = one(colour, recorded)
    assert result.outcome is Outcome.NO_MATCH
    # A process may be a minute behind in loading what was built.
    assert [(known.name, known.as_of) for known in result.lists] == [("BANK", recorded.NOW - timedelta(seconds=65))]


def test_found(colour: Any, recorded: Any) -> None:
    """An entry is found with its bank, its number and its distance, which is a text."""
    body = '{"BANK":[{"bank_content_id":5,"distance":"4"},{"bank_content_id":6,"distance":"0"}]}'
    recorded.answers["GET /m/lookup"] = (200, body)
    result = one(colour, recorded)
    assert result.outcome is Outcome.POTENTIAL_MATCH
    assert result.unchecked == ()
    found = [(match.list, match.entry, match.kind, match.distance, match.limit) for match in result.matches]
    assert found == [("BANK", "6", MatchKind.NEAR, 0, 31), ("BANK", "5", MatchKind.NEAR, 4, 31)]
    assert all(match.matcher == "hma" and match.query == ITEM.hashes[0] for match in result.matches)


def test_what_is_asked(colour: Any, recorded: Any) -> None:
    """A hash is asked for in lower case, with a seed, and never is an address sent."""
    item = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value=KNOWN.upper()),))
    one(colour, recorded, item, banks=["BANK"])
    (asked,) = [request for request in recorded.requests if request.url.path == "/m/lookup"]
    assert dict(asked.url.params) == {"signal_type": "pdq", "signal": KNOWN, "seed": KNOWN, "banks": "BANK"}
    assert not [request for request in recorded.requests if "url" in request.url.params]
    assert asked.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("distance", ['"-"', "null", '"30%/40%"', "4"])
def test_other_distances(colour: Any, recorded: Any, distance: str) -> None:
    """What has no distance in bits is found all the same; the documentation's own examples have numbers."""
    recorded.answers["GET /m/lookup"] = (200, f'{{"BANK":[{{"bank_content_id":5,"distance":{distance}}}]}}')
    (match,) = one(colour, recorded).matches
    assert match.distance == (4 if distance == "4" else None)


def test_the_limit_is_ours(colour: Any, recorded: Any) -> None:
    """HMA cannot be told how near is near; what lies further than we want is not found."""
    recorded.answers["GET /m/lookup"] = (200, '{"BANK":[{"bank_content_id":5,"distance":"12"}]}')
    for limit, outcome in ((11, Outcome.NO_MATCH), (12, Outcome.POTENTIAL_MATCH)):
        signal = Signal(type=PDQ, name="pdq", content="photo", limit=limit)
        assert one(colour, recorded, signals=[signal]).outcome is outcome


def test_other_banks_are_not_found(colour: Any, recorded: Any) -> None:
    """Who wants certain banks is told of no other."""
    recorded.answers["GET /m/lookup"] = (200, '{"OTHER":[{"bank_content_id":5,"distance":"0"}]}')
    assert one(colour, recorded, banks=["BANK"]).outcome is Outcome.NO_MATCH


def test_videos(colour: Any, recorded: Any) -> None:
    """Videos are looked up by their MD5, which is the same or is not."""
    recorded.answers["GET /m/lookup"] = (200, '{"BANK":[{"bank_content_id":5,"distance":"-"}]}')
    result = one(colour, recorded, FILE, signals=[VIDEOS])
    (match,) = result.matches
    assert (match.kind, match.distance, match.limit) == (MatchKind.EXACT, None, None)
    assert {known.type for known in result.hashes} == {MD5}


def test_the_nearest_of_several_hashes(colour: Any, recorded: Any) -> None:
    """An entry that several of a picture's hashes find is one match, by the nearest of them."""
    near = MediaHash(type=PDQ, value="0e" * 32)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/m/lookup":
            bits = "3" if request.url.params["signal"] == near.value else "20"
            return httpx.Response(200, text=f'{{"BANK":[{{"bank_content_id":5,"distance":"{bits}"}}]}}')
        response: httpx.Response = recorded(request)
        return response

    item = MediaItem(id=ItemId("1"), hashes=(ITEM.hashes[0], near))
    http = colour.client(answer)
    (result,) = colour.match(URL, [item], http=http, clock=recorded)
    assert [(match.query, match.distance) for match in result.matches] == [(near, 3)]


REFUSED = [
    # What a lookup answers, and what that means.
    ("GET /m/lookup", 400, '{"message":"No such SignalType \'pdq\'"}', NotChecked.NO_LIST),
    ("GET /m/lookup", 400, '{"message":"SignalType \'pdq\' is not enabled"}', NotChecked.NO_LIST),
    ("GET /m/lookup", 400, '{"message":"invalid signal: invalid PDQ hash"}', NotChecked.MISSING_HASH),
    ("GET /m/lookup", 503, '{"message":"index not yet ready"}', NotChecked.NO_LIST),
    ("GET /m/lookup", 403, '{"message":"Hashing is disabled, missing role"}', NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 404, HTML, NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 422, WRONG_MODEL, NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 500, FAILED, NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 502, "<html>", NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 429, "", NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 302, "", NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 200, HTML, NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 200, "", NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 200, "[]", NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 200, "null", NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 201, "{}", NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 204, "", NotChecked.UNAVAILABLE),
    # One level deeper, as the other way to ask answers: there are banks where entries should be.
    ("GET /m/lookup", 200, '{"pdq":{}}', NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 200, '{"BANK":[5]}', NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 200, '{"BANK":[{"distance":"0"}]}', NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 200, '{"BANK":[{"bank_content_id":true,"distance":"0"}]}', NotChecked.UNAVAILABLE),
    ("GET /m/lookup", 200, '{"BANK":[{"bank_content_id":5,"distance":0.5}]}', NotChecked.UNAVAILABLE),
    # How it stands.
    ("GET /status", 503, "INDEX-NOT-LOADED", NotChecked.NO_LIST),
    ("GET /status", 503, "INDEX-STALE", NotChecked.STALE_LIST),
    ("GET /status", 503, "Service Unavailable", NotChecked.UNAVAILABLE),
    ("GET /status", 200, "<html>Please sign in</html>", NotChecked.UNAVAILABLE),
    ("GET /status", 200, "I-AM-ALIVE, they say", NotChecked.UNAVAILABLE),
    ("GET /m/index/status", 404, HTML, NotChecked.UNAVAILABLE),
    ("GET /m/index/status", 200, "{}", NotChecked.NO_LIST),
    ("GET /m/index/status", 200, '{"pdq":{"present":false,"built_to":-1,"size":0}}', NotChecked.NO_LIST),
    ("GET /m/index/status", 200, '{"pdq":{"present":true,"built_to":-1,"size":0}}', NotChecked.NO_LIST),
    ("GET /m/index/status", 200, '{"pdq":{"present":true,"built_to":1795289784,"size":1}}', NotChecked.NO_LIST),
    ("GET /m/index/status", 200, '{"pdq":{"present":"yes","built_to":1795289784,"size":2}}', NotChecked.UNAVAILABLE),
    ("GET /c/banks", 404, HTML, NotChecked.UNAVAILABLE),
    ("GET /c/banks", 200, "[]", NotChecked.NO_LIST),
    ("GET /c/banks", 200, '[{"name":"BANK","matching_enabled_ratio":0.5}]', NotChecked.NO_LIST),
    ("GET /c/banks", 200, '[{"name":"BANK","matching_enabled_ratio":0}]', NotChecked.NO_LIST),
    ("GET /c/banks", 200, '[{"name":"BANK","matching_enabled_ratio":"1"}]', NotChecked.UNAVAILABLE),
    ("GET /c/banks", 200, '[{"name":"BANK","matching_enabled_ratio":NaN}]', NotChecked.UNAVAILABLE),
    ("GET /c/signal_type", 200, '[{"name":"pdq","enabled_ratio":0.0}]', NotChecked.NO_LIST),
    ("GET /c/signal_type/index", 500, FAILED, NotChecked.UNAVAILABLE),
    ("GET /c/signal_type/index", 200, "{}", None),
    ("GET /c/exchanges", 200, '{"BANK":{}}', NotChecked.UNAVAILABLE),
    # An entry that has to be found, and is not: the index was built and not loaded.
    ("GET /m/raw_lookup", 200, '{"matches":[]}', NotChecked.NO_LIST),
    ("GET /m/raw_lookup", 200, '{"matches":[{"bank_content_id":1,"distance":"0"}]}', NotChecked.UNAVAILABLE),
    ("GET /m/raw_lookup", 503, '{"message":"index not yet ready"}', NotChecked.NO_LIST),
    ("GET /c/bank/BANK/content/1", 200, '{"signals":[]}', NotChecked.UNAVAILABLE),
]


@pytest.mark.parametrize(("call", "status", "body", "reason"), REFUSED)
def test_what_is_no_answer(
    colour: Any, recorded: Any, call: str, status: int, body: str, reason: NotChecked | None
) -> None:
    """Whatever keeps an item from being looked up is a reason, and the right one."""
    recorded.answers[call] = (status, body)
    result = one(colour, recorded)
    if reason is None:
        # Nobody knows how far the index is; its newest entry is of today.
        assert result.list_as_of is not None
        assert result.list_as_of < recorded.NOW
        return
    assert result.outcome is Outcome.NOT_CHECKED
    assert result.reason is reason
    assert result.hashes == ITEM.hashes


@pytest.mark.parametrize(
    ("call", "status", "body"),
    [row[:3] for row in REFUSED if "/m/lookup" not in row[0] and row[3] is not None],
)
def test_what_does_not_stand_well_can_still_find(colour: Any, recorded: Any, call: str, status: int, body: str) -> None:
    """As long as HMA answers at all it is asked, and what it finds is found; `health` says what is wrong."""
    recorded.answers[call] = (status, body)
    recorded.answers["GET /m/lookup"] = (200, '{"BANK":[{"bank_content_id":5,"distance":"0"}]}')
    result = one(colour, recorded)
    assert result.outcome is Outcome.POTENTIAL_MATCH
    assert result.reason is not None
    health = colour.health(URL, http=colour.client(recorded), clock=recorded)
    assert health.readiness in (Readiness.DEGRADED, Readiness.UNAVAILABLE)
    assert health.warnings


def test_unknown_keys(colour: Any, recorded: Any) -> None:
    """A later HMA may say more than we know."""
    for call, (status, body) in recorded.answers.items():
        if call not in ("GET /status", "GET /m/lookup", "POST /h/hash"):
            found = json.loads(body)
            for part in found.values() if isinstance(found, dict) else found:
                if isinstance(part, dict):
                    part["news"] = [1]
            recorded.answers[call] = (status, json.dumps(found))
    assert one(colour, recorded).outcome is Outcome.NO_MATCH
    recorded.answers["GET /m/lookup"] = (200, '{"BANK":[{"bank_content_id":5,"distance":"4","news":{}}]}')
    assert one(colour, recorded).outcome is Outcome.POTENTIAL_MATCH


HASHED = [
    (200, '{"pdq":""}', NotChecked.LOW_QUALITY, 1),
    (200, "{}", NotChecked.MISSING_HASH, 1),
    (200, '{"pdq":"not a hash"}', NotChecked.UNAVAILABLE, 1),
    (200, '{"pdq":7}', NotChecked.UNAVAILABLE, 1),
    (200, HTML, NotChecked.UNAVAILABLE, 1),
    # For good, whatever its number says; but it may have failed on something else, so it is asked twice.
    (500, FAILED, NotChecked.UNDECODABLE, 2),
    (500, "<html>", NotChecked.UNAVAILABLE, 2),
    (502, "<html>", NotChecked.UNAVAILABLE, 1),
    (413, "<html>", NotChecked.TOO_LARGE, 1),
    (404, HTML, NotChecked.UNAVAILABLE, 1),
    (400, '{"message":"no such content_type: \'photo\'"}', NotChecked.UNSUPPORTED_TYPE, 1),
    (400, '{"message":"content_type photo is disabled"}', NotChecked.UNSUPPORTED_TYPE, 1),
    (400, '{"message":"signal type \'pdq\' doesn\'t exist or is disabled"}', NotChecked.NO_LIST, 1),
    (400, '{"message":"Only one file allowed per request"}', NotChecked.UNAVAILABLE, 1),
]


@pytest.mark.parametrize(("status", "body", "reason", "times"), HASHED)
def test_what_hashing_answers(
    colour: Any, recorded: Any, status: int, body: str, reason: NotChecked, times: int
) -> None:
    """A file that HMA does not hash is not checked, and the reason says why."""
    recorded.answers["POST /h/hash"] = (status, body)
    result = one(colour, recorded, FILE, send_bytes=True)
    assert result.outcome is Outcome.NOT_CHECKED
    assert result.reason is reason
    assert len([request for request in recorded.requests if request.method == "POST"]) == times
    assert not [request for request in recorded.requests if request.url.path == "/m/lookup"]


def test_a_kind_that_nobody_here_can_make(colour: Any, recorded: Any) -> None:
    """Kinds of an extension of HMA's are looked up where items bring them, or HMA makes them."""
    strange = Signal(type=HashType("strange"), name="strange", content="photo")
    for call in ("GET /m/index/status", "GET /c/signal_type/index"):
        recorded.answers[call] = (200, recorded.answers[call][1].replace("pdq", "strange"))
    recorded.answers["POST /h/hash"] = (200, '{"strange":"value","pdq":"ignored"}')
    item = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=HashType("strange"), value="Value"),))
    assert one(colour, recorded, item, signals=[strange]).outcome is Outcome.NO_MATCH
    assert one(colour, recorded, FILE, signals=[strange]).reason is NotChecked.MISSING_HASH
    result = one(colour, recorded, FILE, signals=[strange], send_bytes=True)
    # HMA made it of a file that it may have misread.
    assert result.reason is NotChecked.UNSUPPORTED_TYPE
    assert [(known.type, known.value) for known in result.hashes] == [("strange", "value")]


def test_both_kinds(colour: Any, recorded: Any) -> None:
    """Where two kinds are promised, both are looked up, and a file that has but one of them is not checked."""
    both = MediaItem(id=ItemId("1"), hashes=(*ITEM.hashes, MediaHash(type=MD5, value="0" * 32)))
    assert one(colour, recorded, both, signals=[PICTURES, VIDEOS]).outcome is Outcome.NO_MATCH
    (lacking,) = one(colour, recorded, ITEM, signals=[PICTURES, VIDEOS]).unchecked
    assert (lacking.hash_type, lacking.reason) == (MD5, NotChecked.MISSING_HASH)


def test_poor_hashes_are_not_looked_up(colour: Any, recorded: Any) -> None:
    """A hash of little quality matches what has nothing to do with it."""
    item = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value=KNOWN, quality=49),))
    assert one(colour, recorded, item).reason is NotChecked.LOW_QUALITY
    assert not [request for request in recorded.requests if request.url.path == "/m/lookup"]
