"""Credentials show themselves to nobody."""

import copy
import json
import pickle
import pprint

import pytest

from cybertip.protocol import Credentials

USER, PASSWORD = "canary-user", "canary-p\u00e4ssword:with colon"


def test_they_are_sent_as_http_basic() -> None:
    """The header is that of RFC 7617, in UTF-8, and a password may hold a colon."""
    assert (
        Credentials(username="Aladdin", password="open sesame").authorization() == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    )
    assert Credentials(username="test", password="123\u00a3").authorization() == "Basic dGVzdDoxMjPCow=="
    Credentials(username=USER, password=PASSWORD).authorization()


def test_they_are_in_no_text() -> None:
    """No way of turning them into text gives either part away."""
    one = Credentials(username=USER, password=PASSWORD)
    texts = [repr(one), str(one), f"{one}", f"{one!a:>40}", pprint.pformat({"auth": one}), repr([one]), "%s" % (one,)]  # noqa: UP031 - what is tested
    assert "canary" not in "".join(texts)
    assert not hasattr(one, "__dict__")
    with pytest.raises(TypeError):
        json.dumps(one)


def test_they_are_not_pickled() -> None:
    """They refuse to be stored, whatever the protocol, and say so without showing themselves; copies are themselves."""
    one = Credentials(username=USER, password=PASSWORD)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled") as raised:
            pickle.dumps([one], protocol)
        assert "canary" not in str(raised.value)
    assert copy.copy(one) is copy.deepcopy(one) is one


def test_they_are_equal_by_value() -> None:
    """Rotated credentials can be told from the old ones."""
    one = Credentials(username=USER, password=PASSWORD)
    assert one == Credentials(username=USER, password=PASSWORD)
    assert hash(one) == hash(Credentials(username=USER, password=PASSWORD))
    assert one != Credentials(username=USER, password="other")
    assert one != (USER, PASSWORD)


@pytest.mark.parametrize(
    ("username", "password"),
    [("", "x"), ("x", ""), ("canary:x", "x"), ("x", "canary\n"), ("canary\r\nHost: example.com", "x"), ("x", "\ud800")],
)
def test_what_no_header_can_carry_is_refused(username: str, password: str) -> None:
    """A value that would break the header is refused when it is made, unquoted."""
    with pytest.raises(ValueError) as raised:
        Credentials(username=username, password=password)
    assert "canary" not in str(raised.value)


def test_only_text_will_do() -> None:
    """A secret of a wrapper type is refused rather than sent as its mask."""
    with pytest.raises(TypeError, match="password must be text"):
        Credentials(username="x", password=b"canary")  # type: ignore[arg-type] # what is tested
