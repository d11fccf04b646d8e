"""Keys are read from PEM, tell one another apart, and are quoted by no error."""

import hashlib
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from cybertip.adapters.signing.ed25519 import Ed25519Signer, Ed25519Verifier, generate


def test_only_the_same_message_under_the_same_key_verifies() -> None:
    """A signature holds for one message and one key."""
    (private, public), (_, other) = generate(), generate()
    signature = Ed25519Signer.from_pem(private).sign(b"a message")
    assert Ed25519Verifier.from_pem(public).verifies(b"a message", signature)
    assert not Ed25519Verifier.from_pem(public).verifies(b"another", signature)
    assert not Ed25519Verifier.from_pem(public).verifies(b"a message", signature[:-1])
    assert not Ed25519Verifier.from_pem(public).verifies(b"a message", b"")
    assert not Ed25519Verifier.from_pem(other).verifies(b"a message", signature)


def test_a_key_is_named_by_its_public_part() -> None:
    """The name is the SHA-256 of the key's DER form, which other programs can compute as well."""
    private, public = generate()
    der = serialization.load_pem_public_key(public).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert Ed25519Signer.from_pem(private).key_id == hashlib.sha256(der).hexdigest()
    assert Ed25519Verifier.from_pem(public).key_id == hashlib.sha256(der).hexdigest()


def test_a_private_key_may_have_a_password() -> None:
    """With it the key signs; without it, or with another, the error says what is wrong."""
    private, public = generate(password=b"correct horse")
    signature = Ed25519Signer.from_pem(private, password=b"correct horse").sign(b"a message")
    assert Ed25519Verifier.from_pem(public).verifies(b"a message", signature)
    with pytest.raises(ValueError, match="needs its password"):
        Ed25519Signer.from_pem(private)
    with pytest.raises(ValueError, match="its password is another"):
        Ed25519Signer.from_pem(private, password=b"battery staple")
    with pytest.raises(ValueError, match="has no password"):
        Ed25519Signer.from_pem(generate()[0], password=b"correct horse")


def test_other_things_are_no_keys() -> None:
    """Another kind of key, the other half of one, or something else is refused, and not quoted."""
    private, public = generate()
    exchange = X25519PrivateKey.generate()
    of_another_kind = exchange.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    also = exchange.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for pem in (public, of_another_kind, b"", b"canary"):
        with pytest.raises(ValueError, match="private key") as refused:
            Ed25519Signer.from_pem(pem)
        assert refused.value.__cause__ is None
        assert "canary" not in str(refused.value)
    for pem in (private, also, b"", b"canary"):
        with pytest.raises(ValueError, match="public key") as refused:
            Ed25519Verifier.from_pem(pem)
        assert refused.value.__cause__ is None
        assert "canary" not in str(refused.value)


def test_a_key_shows_nothing_of_itself() -> None:
    """A repr has the name of a key, and no more."""
    private, public = generate()
    for key in (Ed25519Signer.from_pem(private), Ed25519Verifier.from_pem(public)):
        assert repr(key) == f"<{type(key).__name__} {key.key_id[:16]}>"


def test_whoever_signs_nothing_needs_no_library() -> None:
    """The audit and the command run without `cryptography`; signing without it names the extra."""
    program = (
        "import sys; sys.modules['cryptography'] = None\n"
        "import cybertip.audit, cybertip.cli.app\n"
        "try:\n    import cybertip.adapters.signing.ed25519\n"
        "except ImportError as error:\n    sys.exit('[signing]' not in str(error))\n"
        "sys.exit('it was imported')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
