"""Coop's scheme, for endpoints that exist: `coop-signature`, RSA with SHA-256 (PKCS#1 v1.5) over the body, in base64.

It has neither a time nor a name, so that whoever recorded a request can send it again: a receiver that must not act twice
remembers the digests of bodies (`cybertip.webhooks.signing.refuse_replay`). New endpoints do better with Standard Webhooks.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn, Self

from cybertip.webhooks.signing import GivenHeaders, Headers, Unverified, Verified, headers_named

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
except ModuleNotFoundError as error:
    raise ImportError(
        "webhooks need the extra [webhooks]: pip install 'cybertip[webhooks]'", name=error.name
    ) from error

__all__ = ["HEADER", "CoopSigner", "CoopVerifier"]

HEADER = "coop-signature"
_LEAST_BITS = 2048


class CoopSigner:
    """Sign as Coop does (see `cybertip.webhooks.signing.Signer`)."""

    #: Coop labels its JSON so, and endpoints that exist may look at it.
    content_type = "text/plain;charset=UTF-8"

    def __init__(self, key: RSAPrivateKey) -> None:
        _check_size(key.key_size)
        self.__key = key

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is not pickled: give its key to the process that needs it")

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
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("the private key is not one of RSA")
        return cls(key)

    def sign(self, body: bytes, *, id: str, at: datetime) -> Headers:
        """Return the one header; name and time are no part of this scheme."""
        signature = self.__key.sign(body, PKCS1v15(), hashes.SHA256())
        return ((HEADER, base64.b64encode(signature).decode("ascii")),)


class CoopVerifier:
    """Verify what Coop signed, or what was signed as Coop does (see `cybertip.webhooks.signing.Verifier`).

    Args:
        keys: public keys, of which any one may have signed: give the old and the new one while keys are rotated.
    """

    def __init__(self, keys: Sequence[RSAPublicKey]) -> None:
        if not keys:
            raise ValueError("give one public key at least: without one nothing can be verified")
        for key in keys:
            _check_size(key.key_size)
        self._keys = tuple(keys)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {len(self._keys)} keys>"

    @classmethod
    def from_pem(cls, *pems: bytes) -> Self:
        """Read public keys; raise `ValueError` where one is another kind."""
        return cls([_public(pem) for pem in pems])

    def verify(self, body: bytes, headers: GivenHeaders, *, now: datetime) -> Verified:
        """Return the digest of a genuine body as the request's name, or raise `Unverified`. The time does not matter."""
        (spelled,) = headers_named(headers, HEADER)
        if not spelled:
            raise Unverified(f"the request is not signed: it has no {HEADER}")
        try:
            signature = base64.b64decode(spelled, validate=True)
        except ValueError:
            raise Unverified(f"the request's {HEADER} is not base64") from None
        if not any(_verifies(key, signature, body) for key in self._keys):
            raise Unverified("no key matches: the request was altered, or signed with a key that is not known")
        return Verified(id=f"sha256-{hashlib.sha256(body).hexdigest()}", sent_at=None, until=None)


def _verifies(key: RSAPublicKey, signature: bytes, body: bytes) -> bool:
    try:
        key.verify(signature, body, PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _public(pem: bytes) -> RSAPublicKey:
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        # Not chained: it may have been the private key.
        raise ValueError("this is no public key in PEM form") from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("the public key is not one of RSA")
    return key


def _check_size(bits: int) -> None:
    if bits < _LEAST_BITS:
        raise ValueError(f"the key has {bits} bits; the scheme has {_LEAST_BITS}")
