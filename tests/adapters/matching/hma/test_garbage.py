"""Whatever HMA, or something in its place, answers: nothing is raised, and only its own words are taken for *no match*."""

import copy
import json
from typing import Any

import httpx
from hypothesis import given, strategies as st

from cybertip.adapters.matching.hma import HmaMatcher, HmaSettings
from cybertip.ports.matching import PDQ, ItemId, MediaHash, MediaItem, Outcome, Readiness

URL = "http://127.0.0.1:5100"
ITEM = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value="0f" * 32),))

#: What has to be well for *no match*, and in which of its parts.
CALLS: dict[str, list[tuple[Any, ...]]] = {
    "GET /m/lookup": [],
    "GET /m/index/status": [("pdq",), ("pdq", "present"), ("pdq", "size"), ("pdq", "built_to")],
    "GET /c/signal_type": [(0, "name"), (0, "enabled_ratio")],
    "GET /c/signal_type/index": [("pdq", "index_out_of_date")],
    "GET /c/banks": [(0,), (0, "name"), (0, "matching_enabled_ratio")],
    "GET /c/exchanges": [],
}

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
bodies = st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode())
statuses = st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 413, 422, 429, 500, 502, 503])


def outcome(recorded: Any) -> Outcome:
    """Look an item up, and ask for the health, which agrees."""
    with httpx.Client(transport=httpx.MockTransport(recorded)) as http:
        matcher = HmaMatcher(HmaSettings.at(URL), http=http, clock=recorded)
        (result,) = matcher.match([ITEM])
        health = matcher.health()
    assert result.item == ITEM.id
    assert result.outcome is not Outcome.NO_MATCH or health.readiness is Readiness.READY
    return result.outcome


@given(call=st.sampled_from(["GET /status", *CALLS]), status=statuses, body=bodies)
def test_any_body(new_recorded: Any, call: str, status: int, body: bytes) -> None:
    """A status and a body that nobody foresaw are not checked, unless they happen to say what HMA says."""
    recorded = new_recorded()
    recorded.answers[call] = (status, body)
    found = outcome(recorded)
    if found is Outcome.NO_MATCH:
        assert status == 200
        answer = json.loads(body)
        if call == "GET /m/lookup":
            assert isinstance(answer, dict)
            assert all(entries == [] for entries in answer.values())
        else:
            # No index, no bank: those have to be there. What need not be there can be empty.
            assert answer in ([], {})
            assert call in ("GET /c/exchanges", "GET /c/signal_type", "GET /c/signal_type/index")


@given(where=st.sampled_from([(call, place) for call, places in CALLS.items() for place in places]), value=leaves)
def test_any_part(new_recorded: Any, where: tuple[str, tuple[Any, ...]], value: Any) -> None:
    """One wrong part of a sound answer is enough: what should be a number or a text is that, or is not understood."""
    call, place = where
    recorded = new_recorded()
    sound = json.loads(recorded.answers[call][1])
    spoilt = copy.deepcopy(sound)
    part = spoilt
    for step in place[:-1]:
        part = part[step]
    before, part[place[-1]] = part[place[-1]], value
    recorded.answers[call] = (200, json.dumps(spoilt))
    if type(value) is not type(before) and not (type(before) is float and type(value) is int):
        assert outcome(recorded) is Outcome.NOT_CHECKED


@given(value=values, body=bodies)
def test_any_body_of_hashing(new_recorded: Any, value: Any, body: bytes) -> None:
    """What HMA makes of a file is a hash, or the file is not checked."""
    recorded = new_recorded()
    item = MediaItem(id=ItemId("1"), media=b"synthetic bytes")
    for answer in (body, json.dumps({"pdq": value}).encode()):
        recorded.answers["POST /h/hash"] = (200, answer)
        with httpx.Client(transport=httpx.MockTransport(recorded)) as http:
            matcher = HmaMatcher(HmaSettings.at(URL, send_bytes=True), http=http, clock=recorded)
            (result,) = matcher.match([item])
        assert result.outcome is Outcome.NOT_CHECKED
