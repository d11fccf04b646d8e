"""The calls of hash sharing, in both colours: each is answered with a value, or with an error that says what is known."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import anyio
import httpx
import pytest

from cybertip.adapters.matching.sharing import AsyncHttpxHashSharing, HttpxHashSharing, client
from cybertip.errors import CybertipError, Misunderstanding, NeverSent, Refused
from cybertip.hash_sharing import HashSharingNotAllowed, HashSharingUnanswered, Source, Window
from cybertip.hashing.values import MD5
from cybertip.protocol import Credentials
from cybertip.testing.hash_sharing import REASON, Fault, HashSharingDouble, State

CREDENTIALS = Credentials(username="sandbox", password="sandbox")

#: Makes a client, does something with it, and returns what came of it.
Doing = Callable[..., Any]


@pytest.fixture(params=["sync", "asyncio", "trio"])
def doing(request: pytest.FixtureRequest, source: Source) -> Doing:
    """A function that calls a method of a client of either colour."""

    def sync(name: str, *args: Any, credentials: Any = CREDENTIALS, **kwargs: Any) -> Any:
        with HttpxHashSharing(source, credentials) as sharing:
            return getattr(sharing, name)(*args, **kwargs)

    async def in_loop(name: str, *args: Any, credentials: Any = CREDENTIALS, **kwargs: Any) -> Any:
        async with AsyncHttpxHashSharing(source, credentials) as sharing:
            called: Awaitable[Any] = getattr(sharing, name)(*args, **kwargs)
            return await called

    if request.param == "sync":
        return sync

    def run(*args: Any, **kwargs: Any) -> Any:
        return anyio.run(partial(in_loop, *args, **kwargs), backend=request.param)

    return run


def test_every_call_is_answered(doing: Doing, double: HashSharingDouble) -> None:
    """Who we are, who shares, what changed, which words and which reasons there are."""
    identity = doing("status")
    assert identity.member.name == "Example Member"
    assert identity.date is not None
    assert [one.id for one in doing("members").members] == ["42", "43"]
    at = min(state.at for state in double.states)
    page = doing("entries", Window(after=at - timedelta(seconds=1), until=at))
    assert [one.entry for one in page.entries] == ["image0"]
    assert doing("categories").groups[0].categories[0].guid == "c-1"
    assert doing("reasons", MD5).guid_of("made up") == REASON


def test_feedback_is_sent(doing: Doing, double: HashSharingDouble) -> None:
    """A hash is affirmed, or disputed for a reason."""
    doing("affirm", member="42", entry="a/b", kind=MD5)
    doing("dispute", member="42", entry="c", kind=MD5, reasons=[REASON])
    (first, yes), (second, no) = double.feedback
    assert (first, second) == ("/v2/entries/42/a%2Fb/MD5/feedback", "/v2/entries/42/c/MD5/feedback")
    assert b"<affirmative/>" in yes
    assert REASON.encode() in no


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=401), HashSharingNotAllowed),
        (Fault(status=404), Refused),
        (Fault(status=302, headers={"Location": "https://example.com/canary"}), Misunderstanding),
        (Fault(status=200, headers={"Content-Encoding": "gzip"}, body=b"canary"), Misunderstanding),
        (Fault(status=200, body=b"<canary/>"), Misunderstanding),
        (Fault(cut=0), HashSharingUnanswered),
        (Fault(cut=0.7), HashSharingUnanswered),
    ],
    ids=str,
)
def test_trouble_is_told_as_what_it_is(
    doing: Doing, double: HashSharingDouble, fault: Fault, error: type[CybertipError], caplog: pytest.LogCaptureFixture
) -> None:
    """One call, one request; no error and no log of ours holds the password, or what came."""
    double.password = "canary-1"
    double.faults.append(fault)
    with caplog.at_level(logging.DEBUG), pytest.raises(error) as raised:
        doing("status", credentials=Credentials(username="sandbox", password="canary-1"))
    assert type(raised.value) is error
    assert "canary" not in f"{raised.value} {raised.value!r} {vars(raised.value)}"
    assert not any("canary" in record.getMessage() for record in caplog.records if record.name.startswith("cybertip"))
    assert len(double.requests) <= 1


def test_an_answer_that_never_ends_is_not_read_to_its_end(
    doing: Doing, double: HashSharingDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a page can be is no page: it is not gathered in memory."""
    monkeypatch.setattr(client, "LIMIT", 10_000)
    double.faults.append(Fault(status=200, body=b"<queryResult>" + b" " * 1_000_000 + b"</queryResult>"))
    with pytest.raises(Misunderstanding, match="larger than 10000 bytes"):
        doing("status")


def test_nobody_there_means_that_nothing_was_sent(doing: Doing, double: HashSharingDouble) -> None:
    """It is safe to try again, and the words say so."""
    double.close()
    with pytest.raises(NeverSent, match="safe to try again"):
        doing("status")


def test_a_provider_is_asked_when_needed_and_when_refused(doing: Doing, double: HashSharingDouble) -> None:
    """The second answer of a provider counts where the first is refused; its own error shows nothing."""
    given = [Credentials(username="sandbox", password=password) for password in ("old", "sandbox")]
    assert doing("status", credentials=lambda: given.pop(0)).member.id == "1"
    assert given == []
    same = Credentials(username="sandbox", password="old")
    with pytest.raises(HashSharingNotAllowed):
        doing("status", credentials=lambda: same)

    def fail() -> Credentials:
        raise RuntimeError("canary")

    with pytest.raises(NeverSent) as raised:
        doing("status", credentials=fail)
    assert "canary" not in str(raised.value)


def test_a_client_of_the_hosts_is_used_and_stays_open(source: Source) -> None:
    """With its own authentication where no credentials are given."""
    with httpx.Client(auth=("sandbox", "sandbox")) as http:
        with HttpxHashSharing(source, http=http) as sharing:
            assert sharing.status().member.id == "1"
            assert repr(sharing) == "<HttpxHashSharing of 'synthetic'>"
        assert not http.is_closed


def test_the_double_takes_states_as_they_are(double: HashSharingDouble) -> None:
    """A host's test may say everything about an entry, in any zone; what is latest counts, and tombstones do."""
    at = max(state.at for state in double.states) + timedelta(seconds=9)
    double.change(State(member="42", entry="image0", at=at.astimezone(), deleted=True))
    double.change(State(member="42", entry="image0", at=at - timedelta(days=1), fingerprints={"md5": "0" * 32}))
    assert ("42", "image0") not in double.entries()
