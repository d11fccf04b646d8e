"""Requests are signed and verified as Coop does it, and nothing passes unsigned."""

import base64
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from cybertip.webhooks.coop import CoopSigner, CoopVerifier
from cybertip.webhooks.signing import Replayed, Unverified, compact, refuse_replay

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)
BODY = compact({"users": [{"typeId": "user", "id": "u1"}], "media": []})
Pair = tuple[bytes, bytes]


def test_a_receiver_with_nothing_of_ours_verifies(pair: Pair) -> None:
    """What Coop's documentation says a receiver does, done with `cryptography` alone, succeeds with this body only."""
    ((name, value),) = CoopSigner.from_pem(pair[0]).sign(BODY, id="any", at=NOW)
    public = serialization.load_pem_public_key(pair[1])
    assert isinstance(public, rsa.RSAPublicKey)
    assert name == "coop-signature"
    public.verify(base64.b64decode(value), BODY, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(value), BODY + b" ", padding.PKCS1v15(), hashes.SHA256())


def test_the_body_is_spelled_as_coop_spells_it(pair: Pair) -> None:
    """Compact JSON with sorted keys, its letters as they are, under the label that Coop gives it."""
    assert compact({"b": 1, "a": {"d": "\u00e9", "c": []}}) == '{"a":{"c":[],"d":"\u00e9"},"b":1}'.encode()
    assert CoopSigner.from_pem(pair[0]).content_type == "text/plain;charset=UTF-8"


def test_what_was_signed_is_verified(pair: Pair, other_pair: Pair) -> None:
    """Any one of several public keys may have signed, at any time: the scheme has none."""
    headers = CoopSigner.from_pem(pair[0]).sign(BODY, id="any", at=NOW)
    verifier = CoopVerifier.from_pem(other_pair[1], pair[1])
    verified = verifier.verify(BODY, headers, now=NOW + timedelta(days=900))
    assert (verified.sent_at, verified.until) == (None, None)
    assert verifier.verify(BODY, {"Coop-Signature": headers[0][1]}, now=NOW) == verified


def test_what_was_not_signed_is_refused(pair: Pair, other_pair: Pair) -> None:
    """No signature, an empty one, half of one, another body or another's key: none of them passes."""
    verifier = CoopVerifier.from_pem(pair[1])
    ((name, value),) = CoopSigner.from_pem(pair[0]).sign(BODY, id="any", at=NOW)
    foreign = CoopSigner.from_pem(other_pair[0]).sign(BODY, id="any", at=NOW)
    for body, headers in (
        (BODY, ()),
        (BODY, ((name, ""),)),
        (BODY, ((name, "canary!"),)),
        (BODY, ((name, value[:-8]),)),
        (BODY, ((name, value), (name.title(), value))),
        (BODY[:-1], ((name, value),)),
        (b"", ((name, value),)),
        (BODY, foreign),
    ):
        with pytest.raises(Unverified) as refused:
            verifier.verify(body, headers, now=NOW)
        assert "canary" not in str(refused.value)


def test_only_keys_of_the_scheme_are_taken(pair: Pair) -> None:
    """A private key is no public one, other kinds are refused, and weak keys are no keys; nothing of them is repeated."""
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    other = ed25519.Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    for wrong in (
        b"canary",
        pair[1],
        weak.private_bytes(pem, pkcs8, plain),
        other.private_bytes(pem, pkcs8, plain),
    ):
        with pytest.raises(ValueError, match="key"):
            CoopSigner.from_pem(wrong)
    for wrong in (
        b"canary",
        pair[0],
        weak.public_key().public_bytes(pem, info),
        other.public_key().public_bytes(pem, info),
    ):
        with pytest.raises(ValueError, match="key"):
            CoopVerifier.from_pem(wrong)
    with pytest.raises(ValueError, match="one public key at least"):
        CoopVerifier([])


def test_a_key_with_a_password_needs_it(pair: Pair) -> None:
    """A key is read with its password and not without it."""
    key = serialization.load_pem_private_key(pair[0], None)
    assert isinstance(key, rsa.RSAPrivateKey)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"open")
    )
    headers = CoopSigner.from_pem(locked, password=b"open").sign(BODY, id="any", at=NOW)
    assert CoopVerifier.from_pem(pair[1]).verify(BODY, headers, now=NOW).id
    for password, words in ((None, "needs its password"), (b"canary", "another")):
        with pytest.raises(ValueError, match=words) as refused:
            CoopSigner.from_pem(locked, password=password)
        assert "canary" not in str(refused.value)
    with pytest.raises(ValueError, match="has no password"):
        CoopSigner.from_pem(pair[0], password=b"open")


def test_keys_are_shown_to_nobody(pair: Pair) -> None:
    """A signer shows nothing of its key and goes into no queue."""
    signer = CoopSigner.from_pem(pair[0])
    assert repr(signer) == "<CoopSigner>"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(signer)


class Remembered:
    """What a receiver keeps of requests."""

    def __init__(self) -> None:
        self.ids: dict[str, datetime | None] = {}

    def add(self, id: str, *, until: datetime | None) -> bool:
        new = id not in self.ids
        self.ids.setdefault(id, until)
        return new

    def forget(self, id: str) -> None:
        self.ids.pop(id, None)


def test_a_recorded_request_counts_once(pair: Pair) -> None:
    """The digest of a body keeps it from counting twice; another body counts, and so does one that could not be acted on."""
    signer, verifier, seen = CoopSigner.from_pem(pair[0]), CoopVerifier.from_pem(pair[1]), Remembered()
    verified = [
        verifier.verify(body, signer.sign(body, id="any", at=NOW), now=NOW) for body in (BODY, BODY, compact({}))
    ]
    refuse_replay(verified[0], seen)
    with pytest.raises(Replayed):
        refuse_replay(verified[1], seen)
    refuse_replay(verified[2], seen)
    seen.forget(verified[0].id)
    refuse_replay(verified[1], seen)
    assert len(seen.ids) == 2


def test_what_is_not_genuine_is_not_remembered(pair: Pair) -> None:
    """A forged request uses up nobody's id: verifying remembers nothing, and there is nothing to remember without it."""
    seen = Remembered()
    with pytest.raises(Unverified):
        refuse_replay(CoopVerifier.from_pem(pair[1]).verify(BODY, {}, now=NOW), seen)
    assert not seen.ids
