"""No answer, however long, slow or broken, keeps a caller waiting, fills the memory, or passes for one."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest

from cybertip.adapters.matching.hma import AsyncHmaMatcher, Bounds, HmaMatcher, HmaSettings
from cybertip.ports.matching import PDQ, ItemId, MediaHash, MediaItem, NotChecked, Outcome
from cybertip.sandbox.answers import Answer
from cybertip.testing.hma import Fault, Hma

ITEM = MediaItem(id=ItemId("1"), hashes=(MediaHash(type=PDQ, value="f0" * 32),))
SHORT = Bounds(
    connect_for=timedelta(seconds=1),
    silence_for=timedelta(seconds=0.15),
    answer_for=timedelta(seconds=0.2),
    batch_for=timedelta(seconds=2),
    answer_bytes=10_000,
)
LOOKUP = "/m/lookup"


@pytest.fixture
def ask(colour: Any, url: str) -> Callable[..., Any]:
    """Return a function that asks about an item within short bounds, and returns its result before long."""

    def asked(item: MediaItem = ITEM, **settings: Any) -> Any:
        began = time.monotonic()
        (result,) = colour.match(HmaSettings.at(url, bounds=SHORT, **settings), [item])
        # Whoever waited for what never comes would wait for ever; a busy machine takes its time.
        assert time.monotonic() - began < 30
        return result

    return asked


@pytest.mark.parametrize(
    ("path", "word"),
    [
        (LOOKUP, "drop"),
        (LOOKUP, "truncate"),
        (LOOKUP, "hang"),
        (LOOKUP, "trickle"),
        ("/status", "hang"),
        ("/m/index/status", "truncate"),
        ("/c/banks", "trickle"),
        ("/c/exchanges", "drop"),
    ],
)
def test_connections_that_break(hma: Hma, ask: Any, path: str, word: Any) -> None:
    """Half an answer is none; neither is one that takes too long, as a whole or between two bytes."""
    hma.faults.append(Fault(path=path, answer=word, times=None))
    result = ask()
    assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, NotChecked.UNAVAILABLE)


def test_a_connection_that_breaks_once(hma: Hma, ask: Any) -> None:
    """Servers close idle connections just when they are used again: one more is tried."""
    hma.faults += [Fault(path=LOOKUP, answer="drop"), Fault(path="/c/banks", answer="truncate")]
    assert ask().outcome is Outcome.NO_MATCH


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, (), b'{"SYNTHETIC":[' + b" " * 20_000 + b"]}"),
        Answer(200, (("Content-Length", "100"),), b"{}"),
        Answer(200, (("Content-Encoding", "gzip"),), b"{}"),
        Answer(302, (("Location", "/m/elsewhere"),), b""),
        Answer(302, (("Location", "http://[bad"),), b""),
        Answer(200, (), b"[" * 9_000),
        Answer(200, (), b'{"SYNTHETIC": [{"bank_content_id": ' + b"9" * 5_000 + b', "distance": "0"}]}'),
        Answer(200, (), b"\xff\xfe{}"),
    ],
    ids=["large", "short", "encoded", "redirect", "nowhere", "deep", "huge number", "no text"],
)
def test_answers_that_are_none(hma: Hma, ask: Any, answer: Answer) -> None:
    """An answer that is too large, encoded, elsewhere, or too much for whoever reads it, is none."""
    hma.faults.append(Fault(path=LOOKUP, answer=answer, times=None))
    result = ask()
    assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, NotChecked.UNAVAILABLE)
    assert not [request for request in hma.requests if request.path == "/m/elsewhere"]


def test_many_items_share_one_bound(colour: Any, hma: Hma, url: str) -> None:
    """What was not looked up when the time for all is over is not checked, and the rest have their answers."""
    hma.faults += [
        Fault(path=LOOKUP, answer=Answer(200, (), b"{}"), times=3),
        Fault(path=LOOKUP, answer="hang", times=None),
    ]
    bounds = Bounds(silence_for=timedelta(seconds=0.5), batch_for=timedelta(seconds=2))
    began = time.monotonic()
    results = colour.match(HmaSettings.at(url, bounds=bounds, at_once=1), [ITEM] * 50)
    # One after the other, they would be 47 times half a second.
    assert len([request for request in hma.requests if request.path == LOOKUP]) < 15
    assert time.monotonic() - began < 30
    assert len(results) == 50
    assert [one.outcome for one in results[:3]] == [Outcome.NO_MATCH] * 3
    assert {one.reason for one in results[3:]} == {NotChecked.UNAVAILABLE}


def test_some_fail_and_others_do_not(colour: Any, hma: Hma, url: str) -> None:
    """Each item has its own result, in its place."""
    known = MediaItem(id=ItemId("known"), hashes=(MediaHash(type=PDQ, value=hma.store.content[1].signals["pdq"]),))
    nothing, rubbish = MediaItem(id=ItemId("nothing")), MediaItem(id=ItemId("rubbish"), media=b"\xff\xd8 no picture")
    items = [nothing, known, rubbish, ITEM] * 5
    results = colour.match(url, items)
    assert [one.item for one in results] == [one.id for one in items]
    assert [one.outcome for one in results] == [
        Outcome.NOT_CHECKED,
        Outcome.POTENTIAL_MATCH,
        Outcome.NOT_CHECKED,
        Outcome.NO_MATCH,
    ] * 5


def test_it_does_not_ask_more_at_once_than_it_was_told(colour: Any, recorded: Any) -> None:
    """HMA locks up when it is asked too much at a time."""
    counting, busy, most = threading.Lock(), 0, 0

    def begin() -> None:
        nonlocal busy, most
        with counting:
            busy += 1
            most = max(most, busy)

    def end(request: httpx.Request) -> httpx.Response:
        nonlocal busy
        with counting:
            busy -= 1
            response: httpx.Response = recorded(request)
            return response

    def counted(request: httpx.Request) -> httpx.Response:
        begin()
        time.sleep(0.02)
        return end(request)

    async def async_counted(request: httpx.Request) -> httpx.Response:
        begin()
        await anyio.sleep(0.02)
        return end(request)

    settings = HmaSettings.at("http://127.0.0.1:5100", at_once=3)
    client = colour.client(async_counted if colour.asynchronous else counted)
    results = colour.match(settings, [ITEM] * 20, http=client, clock=recorded)
    assert {one.outcome for one in results} == {Outcome.NO_MATCH}
    assert most == 3


def test_a_client_of_the_callers(colour: Any, recorded: Any) -> None:
    """Headers, authentication and hooks of the caller's go along; whatever a hook raises, nothing is raised here."""

    def well(request: httpx.Request) -> httpx.Response:
        response: httpx.Response = recorded(request)
        return response if request.headers.get("authorization") == "Basic dXNlcjpwYXNz" else httpx.Response(401)

    url = "http://127.0.0.1:5100"
    (let,) = colour.match(url, [ITEM], http=colour.client(well, auth=("user", "pass")), clock=recorded)
    assert let.outcome is Outcome.NO_MATCH
    (kept_out,) = colour.match(url, [ITEM], http=colour.client(well), clock=recorded)
    assert kept_out.reason is NotChecked.UNAVAILABLE

    def hook(response: httpx.Response) -> None:
        raise RuntimeError("synthetic")

    async def async_hook(response: httpx.Response) -> None:
        hook(response)

    hooks = {"response": [async_hook if colour.asynchronous else hook]}
    (hooked,) = colour.match(url, [ITEM], http=colour.client(recorded, event_hooks=hooks), clock=recorded)
    assert hooked.reason is NotChecked.UNAVAILABLE


def test_a_client_of_the_callers_stays_open(recorded: Any) -> None:
    """Whoever made a client closes it; one that was made here is closed with the matcher."""
    client = httpx.Client(transport=httpx.MockTransport(recorded))
    with HmaMatcher("http://127.0.0.1:5100", http=client):
        pass
    assert not client.is_closed
    with HmaMatcher("http://127.0.0.1:5100") as matcher:
        ours = matcher._http
    assert ours.is_closed


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_event_loops_go_on(backend: str, hma: Hma, url: str) -> None:
    """While HMA takes its time, other tasks run; a cancelled match ends, and what was begun leaves nothing behind."""
    hma.faults.append(Fault(path=LOOKUP, answer="hang", times=None))

    async def both() -> int:
        turns = 0
        async with AsyncHmaMatcher(url) as matcher:
            with anyio.move_on_after(0.2):
                async with anyio.create_task_group() as group:
                    group.start_soon(matcher.match, [ITEM] * 3)
                    while True:
                        await anyio.sleep(0.01)
                        turns += 1
        return turns

    assert anyio.run(both, backend=backend) > 5


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_answers_that_are_left_half_way(backend: str, hma: Hma, url: str) -> None:
    """An answer that is too large is left where it is, on every event loop, without a warning."""
    hma.faults.append(Fault(path=LOOKUP, answer=Answer(200, (), b" " * 1_000_000), times=None))

    async def match() -> Any:
        async with AsyncHmaMatcher(HmaSettings.at(url, bounds=SHORT)) as matcher:
            return await matcher.match([ITEM] * 3)

    assert {one.reason for one in anyio.run(match, backend=backend)} == {NotChecked.UNAVAILABLE}
