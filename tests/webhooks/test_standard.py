"""Requests are signed by the standard, and nothing passes that was not signed now by somebody who is trusted."""

import base64
import json
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, strategies as st
from standardwebhooks import Webhook

from cybertip.webhooks.signing import GivenHeaders, Unverified, compact
from cybertip.webhooks.standard import StandardSigner, StandardVerifier

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)
BODY = compact({"users": [{"id": "\u00fc1", "typeId": "user"}], "media": []})


def secret(byte: int) -> str:
    """Return a secret of both sides."""
    return "whsec_" + base64.b64encode(bytes([byte]) * 32).decode()


def key_pair(byte: int) -> tuple[str, str]:
    """Return a private and a public key."""
    private = Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32)
    public = private.public_key().public_bytes_raw()
    return "whsk_" + base64.b64encode(bytes([byte]) * 32).decode(), "whpk_" + base64.b64encode(public).decode()


PRIVATE, PUBLIC = key_pair(7)
OTHER_PRIVATE, OTHER_PUBLIC = key_pair(8)
PAIRS = [(secret(1), secret(1)), (PRIVATE, PUBLIC)]


def test_the_standards_own_example() -> None:
    """A known body, name, time and secret have the known signature."""
    signer = StandardSigner(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    headers = dict(
        signer.sign(
            b'{"test": 2432232314}',
            id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            at=datetime.fromtimestamp(1614265330, UTC),
        )
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_standards_library_takes_our_signature() -> None:
    """A receiver who uses the standard's own library, and knows nothing of ours, verifies what we sign."""
    headers = StandardSigner([secret(9), secret(1)]).sign(BODY, id="case_1", at=datetime.now(UTC))
    assert Webhook(secret(1)).verify(BODY, dict(headers)) == json.loads(BODY)


def test_an_asymmetric_signature_is_the_standards() -> None:
    """A receiver with nothing but `cryptography` verifies `v1a` over name, time and body."""
    headers = dict(StandardSigner([PRIVATE]).sign(BODY, id="case_1", at=NOW))
    version, _, signature = headers["webhook-signature"].partition(",")
    assert version == "v1a"
    public = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32).public_key()
    public.verify(base64.b64decode(signature), b"case_1.1735732800." + BODY)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature), b"case_1.1735732801." + BODY)


@pytest.mark.parametrize(("signs", "verifies"), PAIRS)
def test_what_was_signed_is_verified(signs: str, verifies: str) -> None:
    """The receiver learns the request's name and time, whatever its framework makes of headers."""
    headers = StandardSigner([signs]).sign(BODY, id="case_1", at=NOW)
    spellings: list[GivenHeaders] = [
        dict(headers),
        headers,
        {name.title(): value for name, value in headers},
        [(name.upper().encode(), value.encode()) for name, value in headers],
        iter(headers),
    ]
    for one in spellings:
        verified = StandardVerifier([verifies]).verify(BODY, one, now=NOW)
        assert (verified.id, verified.sent_at) == ("case_1", NOW)
        assert verified.until == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("signs", "verifies", "sound"),
    [
        ([secret(1)], [secret(1), secret(2)], True),
        ([secret(1), secret(2)], [secret(2)], True),
        ([PRIVATE, secret(2)], [secret(2)], True),
        ([PRIVATE, secret(2)], [PUBLIC], True),
        ([OTHER_PRIVATE, PRIVATE], [PUBLIC], True),
        ([secret(1)], [secret(2)], False),
        ([PRIVATE], [OTHER_PUBLIC], False),
        ([PRIVATE], [secret(7)], False),
    ],
)
def test_keys_are_rotated_without_a_gap(signs: list[str], verifies: list[str], sound: bool) -> None:
    """One key that both have is enough; none is not."""
    headers = StandardSigner(signs).sign(BODY, id="case_1", at=NOW)
    verifier = StandardVerifier(verifies)
    if sound:
        assert verifier.verify(BODY, headers, now=NOW).id == "case_1"
    else:
        with pytest.raises(Unverified, match="no signature matches"):
            verifier.verify(BODY, headers, now=NOW)


@pytest.mark.parametrize(
    ("apart", "sound"),
    [(0, True), (300, True), (-300, True), (301, False), (-301, False), (86400, False)],
)
@pytest.mark.parametrize(("signs", "verifies"), PAIRS)
def test_a_request_is_good_for_five_minutes(signs: str, verifies: str, apart: int, sound: bool) -> None:
    """What was recorded and is sent again later is refused, and so is what comes from the future."""
    headers = StandardSigner([signs]).sign(BODY, id="case_1", at=NOW)
    now = NOW + timedelta(seconds=apart)
    if sound:
        assert StandardVerifier([verifies]).verify(BODY, headers, now=now).sent_at == NOW
    else:
        with pytest.raises(Unverified, match="long ago" if apart > 0 else "in the future"):
            StandardVerifier([verifies]).verify(BODY, headers, now=now)


@pytest.mark.parametrize(("signs", "verifies"), PAIRS)
@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "case_2"},
        {"webhook-id": ""},
        {"webhook-id": "a.b"},
        {"webhook-timestamp": "1735732801"},
        {"webhook-timestamp": "1735732800.0"},
        {"webhook-timestamp": "\u0661\u0667\u0663\u0665\u0667\u0663\u0662\u0668\u0660\u0660"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "canary"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1a,"},
        {"webhook-signature": "v1,canary!"},
        {"webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()},
        {"webhook-signature": "v1a," + base64.b64encode(bytes(64)).decode()},
    ],
)
def test_what_was_altered_is_refused(signs: str, verifies: str, change: dict[str, str]) -> None:
    """No header can be changed, nor left out, nor spelled another way; and what was in it is not repeated."""
    headers = dict(StandardSigner([signs]).sign(BODY, id="case_1", at=NOW)) | change
    with pytest.raises(Unverified) as refused:
        StandardVerifier([verifies]).verify(BODY, headers, now=NOW)
    assert "canary" not in str(refused.value)


@given(st.binary(max_size=200), st.sampled_from(PAIRS))
def test_another_body_is_refused(body: bytes, pair: tuple[str, str]) -> None:
    """A signature vouches for its body alone."""
    headers = StandardSigner([pair[0]]).sign(BODY, id="case_1", at=NOW)
    with pytest.raises(Unverified):
        StandardVerifier([pair[1]]).verify(body, headers, now=NOW)


@given(st.text(), st.sampled_from(PAIRS))
def test_any_text_is_signed_and_verified(text: str, pair: tuple[str, str]) -> None:
    """Whatever characters a body is made of, its bytes are vouched for."""
    body = text.encode()
    headers = StandardSigner([pair[0]]).sign(body, id="case_1", at=NOW)
    assert StandardVerifier([pair[1]]).verify(body, headers, now=NOW).id == "case_1"


def test_one_scheme_does_not_pass_for_the_other() -> None:
    """A signature counts only under the version that it was made for."""
    headers = dict(StandardSigner([secret(1)]).sign(BODY, id="case_1", at=NOW))
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v1a,")
    with pytest.raises(Unverified):
        StandardVerifier([secret(1), PUBLIC]).verify(BODY, headers, now=NOW)


def test_a_header_that_comes_twice_is_refused() -> None:
    """Two answers to one question are none."""
    headers = StandardSigner([secret(1)]).sign(BODY, id="case_1", at=NOW)
    with pytest.raises(Unverified, match="several webhook-id"):
        StandardVerifier([secret(1)]).verify(BODY, [*headers, ("Webhook-Id", "case_1")], now=NOW)


def test_unsigned_is_refused() -> None:
    """A request without headers is nobody's."""
    with pytest.raises(Unverified, match="not signed"):
        StandardVerifier([secret(1)]).verify(BODY, {}, now=NOW)


@pytest.mark.parametrize(
    "keys",
    [
        [],
        "whsec_" + "A" * 43 + "=",
        ["canary"],
        ["whsec_canary!"],
        ["whsec_" + base64.b64encode(bytes(23)).decode()],
        ["whsec_" + base64.b64encode(bytes(65)).decode()],
        ["whsk_" + base64.b64encode(bytes(31)).decode()],
        ["whsk_" + base64.b64encode(bytes(64)).decode()],
        [PUBLIC],
        [secret(1), "canary"],
    ],
)
def test_a_signer_without_sound_keys_is_never_made(keys: list[str]) -> None:
    """Nothing is ever sent unsigned for want of a key: without sound keys there is no signer, and no key is repeated."""
    with pytest.raises(ValueError, match=r"key|base64") as refused:
        StandardSigner(keys)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("keys", [[], [PRIVATE], ["whpk_" + base64.b64encode(bytes(31)).decode()]])
def test_a_verifier_without_sound_keys_is_never_made(keys: list[str]) -> None:
    """A verifier that would believe nobody, or that was given what only the sender may have, is refused when it is made."""
    with pytest.raises(ValueError, match="key"):
        StandardVerifier(keys)


def test_a_private_key_may_come_with_its_public_half() -> None:
    """Some programs keep both halves in one; they sign the same."""
    both = base64.b64decode(PRIVATE.removeprefix("whsk_")) + base64.b64decode(PUBLIC.removeprefix("whpk_"))
    signer = StandardSigner(["whsk_" + base64.b64encode(both).decode()])
    assert signer.sign(BODY, id="a", at=NOW) == StandardSigner([PRIVATE]).sign(BODY, id="a", at=NOW)


@pytest.mark.parametrize("id", ["", "a.b", "a b", "a\r\nx: y", "\u00e9", "x" * 256])
def test_a_name_that_could_be_taken_apart_is_not_signed(id: str) -> None:
    """A full stop, a space or a line end in a name could move its end: it is refused before anything is sent."""
    with pytest.raises(ValueError, match="id of a webhook"):
        StandardSigner([secret(1)]).sign(BODY, id=id, at=NOW)


def test_what_is_no_text_is_not_signed() -> None:
    """The standard signs texts: other bytes are refused, not changed."""
    with pytest.raises(ValueError, match="utf-8"):
        StandardSigner([secret(1)]).sign(b"\xff", id="a", at=NOW)


def test_keys_are_shown_to_nobody() -> None:
    """Neither a signer nor a verifier shows its keys, or goes into a queue."""
    for one in (StandardSigner([secret(1), PRIVATE]), StandardVerifier([secret(1), PUBLIC])):
        assert repr(one) == f"<{type(one).__name__} with 2 keys>"
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(one)
