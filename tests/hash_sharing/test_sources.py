"""Where lists are, and what a list remembers of its source."""

from datetime import UTC, datetime

import pytest

from cybertip.hash_sharing import SOURCES, Checkpoint, Source


def test_a_source_is_named_or_is_an_address() -> None:
    """Known lists have names, and their own names for the list; any other has its address and a name that is given."""
    assert Source.named("npo-test").url == "https://hashsharing-test.ncmec.org/npo"
    assert Source.named("npo-test").list != Source.named("npo").list
    assert Source.named("npo", list="theirs").list == "theirs"
    assert Source.named("https://example.com/a/", list="x").url == "https://example.com/a"
    assert not Source.named("industry").is_local
    assert Source.named("http://127.0.0.1:1/x", list="x").is_local
    with pytest.raises(ValueError, match="industry, industry-test"):
        Source.named("industri")
    with pytest.raises(ValueError, match="name for its list"):
        Source.named("https://example.com/a")


def test_lists_of_environments_do_not_mix() -> None:
    """No two sources share a list or an address."""
    assert (
        len({one.list for one in SOURCES.values()}) == len({one.url for one in SOURCES.values()}) == len(SOURCES) == 14
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hashsharing",
        "http://127.0.0.1.example.com/x",
        "https://user:canary@example.com/x",
        "https://example.com/x?canary=1",
        "https://example.com/x#canary",
        "https://example.com/a b",
        "https://example.com/../canary",
        "https://example.com:canary/",
        "ftp://example.com/",
        "https://",
        "canary",
    ],
)
def test_credentials_go_nowhere_else(url: str) -> None:
    """What is no plain https address, but for this machine, is refused in words that do not repeat it."""
    with pytest.raises(ValueError, match="https to a host") as refused:
        Source(list="x", url=url)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"version": 2, "url": "", "until": null, "run": ""}', "x"])
def test_what_no_sync_wrote_is_no_checkpoint(text: str) -> None:
    """A list that was kept in another way is not gone on with."""
    with pytest.raises(ValueError, match="not written by a sync"):
        Checkpoint.read(text)


def test_a_checkpoint_is_kept_in_utc() -> None:
    """Whatever zone a time was given in, and nothing at all before the first window."""
    for until in (None, datetime(2026, 3, 1, 12, tzinfo=UTC)):
        kept = Checkpoint(url="https://example.com/x", until=until, run="r")
        assert Checkpoint.read(kept.written()) == kept
    with pytest.raises(ValueError, match="not written"):
        Checkpoint.read('{"version": 1, "url": "", "until": "2026-03-01T12:00:00", "run": ""}')
