"""Settings that would look up nothing, or tell others what is looked up, are refused before anything is asked."""

from typing import Any

import pytest

from cybertip.adapters.matching.hma import PICTURES, VIDEOS, HmaSettings, Signal
from cybertip.ports.matching import PDQ

URL = "http://127.0.0.1:5100"


def test_one_address_or_three() -> None:
    """One address stands for all roles; each may have its own, below a path if need be."""
    one = HmaSettings.at(f"{URL}/")
    assert (one.matcher, one.hasher, one.curator) == (URL, URL, URL)
    three = HmaSettings(matcher=URL, hasher="https://hma.example/hasher/", curator="https://curator.example")
    assert three.address("hasher") == "https://hma.example/hasher"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"matcher": "hma:5100"}, "https://"),
        ({"matcher": "http://hma.example:5100"}, "must be https"),
        ({"matcher": URL, "curator": "http://curator.example"}, "must be https"),
        ({"matcher": "https://user:secret@hma.example"}, "without user"),
        ({"matcher": "https://hma.example/?tenant=7"}, "without a query"),
        ({"matcher": "ftp://hma.example", "plain_http": True}, "https://"),
        ({"matcher": "http://user:secret@hma.example", "plain_http": True}, "without user"),
        ({"matcher": URL, "signals": []}, "nothing would ever be checked"),
        ({"matcher": URL, "signals": [PICTURES, Signal(type=PDQ, name="other", content="photo")]}, "one of each"),
        ({"matcher": URL, "send_bytes": True}, "hasher"),
        ({"matcher": URL, "curator": URL, "banks": []}, "at least one"),
        ({"matcher": URL, "curator": URL, "banks": ["A,B"]}, "names of banks"),
        ({"matcher": URL, "banks": ["A"]}, "curator"),
        ({"matcher": URL, "at_once": 0}, "at least 1"),
        ({"matcher": URL, "most_items": 0}, "at least 1"),
    ],
)
def test_what_is_refused(wrong: dict[str, Any], words: str) -> None:
    """The words say what is wrong, and repeat no password."""
    with pytest.raises(ValueError, match=words) as caught:
        HmaSettings(**wrong)
    assert "secret" not in str(caught.value)


def test_one_text_is_no_collection_of_names() -> None:
    """A bank's name is not taken for the names of as many banks as it has letters."""
    with pytest.raises(TypeError, match="collection"):
        HmaSettings.at(URL, banks="BANK")


@pytest.mark.parametrize("limit", [-1, 32])
def test_hma_has_its_own_limit(limit: int) -> None:
    """What lies further than HMA looks would not be found, and nobody would know."""
    with pytest.raises(ValueError, match="31"):
        Signal(type=PDQ, name="pdq", content="photo", limit=limit)
    assert (PICTURES.limit, VIDEOS.limit) == (31, None)
