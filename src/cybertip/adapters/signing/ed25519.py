"""Signatures with Ed25519, by keys in PEM files as OpenSSL reads and writes them.

>>> private, public = generate()
>>> signer, verifier = Ed25519Signer.from_pem(private), Ed25519Verifier.from_pem(public)
>>> verifier.verifies(b"message", signer.sign(b"message"))
True
>>> verifier.verifies(b"another", signer.sign(b"message"))
False
>>> signer.key_id == verifier.key_id
True
"""

import hashlib
from typing import Self

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
except ModuleNotFoundError as error:
    raise ImportError(
        "signatures need the extra [signing]: pip install 'cybertip[signing]'", name=error.name
    ) from error

__all__ = ["ALGORITHM", "Ed25519Signer", "Ed25519Verifier", "generate"]

ALGORITHM = "Ed25519"


class Ed25519Signer:
    """Sign with a private key (see `cybertip.filing.checkpoint.Signer`)."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.algorithm = ALGORITHM
        self.key_id = _key_id(key.public_key())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key_id[:16]}>"

    @classmethod
    def from_pem(cls, pem: bytes, *, password: bytes | None = None) -> Self:
        """Read a private key; raise `ValueError` where it is another kind, or the password is missing or wrong."""
        try:
            key = serialization.load_pem_private_key(pem, password=password)
        except TypeError:
            wanted = "needs its password" if password is None else "has no password, and one was given"
            raise ValueError(f"the private key {wanted}") from None
        except (ValueError, UnsupportedAlgorithm):
            # Not chained: nothing of a private key belongs into an error.
            raise ValueError("this is no private key in PEM form, or its password is another") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the private key is not one of Ed25519")
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        return self._key.sign(message)


class Ed25519Verifier:
    """Check signatures with a public key (see `cybertip.filing.checkpoint.Verifier`)."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.key_id = _key_id(key)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key_id[:16]}>"

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read a public key; raise `ValueError` where it is another kind."""
        try:
            key = serialization.load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm):
            # Not chained: it may have been the private key.
            raise ValueError("this is no public key in PEM form") from None
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("the public key is not one of Ed25519")
        return cls(key)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Tell whether the private key signed just this message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def generate(*, password: bytes | None = None) -> tuple[bytes, bytes]:
    """Make a key; return its private part, encrypted where a password is given, and its public part, as PEM."""
    key = Ed25519PrivateKey.generate()
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    return private, _public(key.public_key(), serialization.Encoding.PEM)


def _key_id(key: Ed25519PublicKey) -> str:
    """Return the SHA-256 of a public key's DER form."""
    return hashlib.sha256(_public(key, serialization.Encoding.DER)).hexdigest()


def _public(key: Ed25519PublicKey, encoding: serialization.Encoding) -> bytes:
    return key.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
