"""Keys that are nobody's, for tests; and strangers, who sign as well as anybody and are trusted by nobody."""

import base64
import secrets
from datetime import UTC, datetime
from enum import StrEnum

import attrs
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cybertip.webhooks.coop import HEADER, CoopSigner, CoopVerifier
from cybertip.webhooks.signing import Signer, Verifier
from cybertip.webhooks.standard import StandardSigner, StandardVerifier

__all__ = ["SampleKeys", "Scheme", "make_keys", "stranger_to"]


class Scheme(StrEnum):
    """Name a way of signing."""

    #: Standard Webhooks with a secret of both sides (`v1`).
    HMAC = "hmac"
    #: Standard Webhooks with a key pair (`v1a`).
    ED25519 = "ed25519"
    COOP = "coop"


_VERSIONS = {"v1": Scheme.HMAC, "v1a": Scheme.ED25519}


@attrs.frozen(kw_only=True)
class SampleKeys:
    """Hold what signs, and what an endpoint under test is to trust.

    >>> keys = make_keys(Scheme.ED25519)
    >>> keys.trusted[:5]
    'whpk_'
    """

    scheme: Scheme
    signer: Signer
    #: A secret (`whsec_...`), a public key (`whpk_...`), or a public key in PEM form.
    trusted: str = attrs.field(repr=False)

    @property
    def verifier(self) -> Verifier:
        """Return what verifies with the trusted key."""
        if self.scheme is Scheme.COOP:
            return CoopVerifier.from_pem(self.trusted.encode())
        return StandardVerifier([self.trusted])


def make_keys(scheme: Scheme = Scheme.HMAC) -> SampleKeys:
    """Make keys that nobody has used before. Those of Coop's scheme take a moment: make them once for many tests."""
    if scheme is Scheme.COOP:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return SampleKeys(scheme=scheme, signer=CoopSigner(key), trusted=public.decode("ascii"))
    signing, trusted = _standard(scheme)
    return SampleKeys(scheme=scheme, signer=StandardSigner([signing]), trusted=trusted)


def _standard(scheme: Scheme) -> tuple[str, str]:
    """Return a new key that signs, and the one that is trusted."""
    if scheme is Scheme.HMAC:
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        return secret, secret
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return (
        f"whsk_{base64.b64encode(private.private_bytes_raw()).decode()}",
        f"whpk_{base64.b64encode(public).decode()}",
    )


def stranger_to(signer: Signer) -> Signer:
    """Return a signer of the same scheme, with keys of its own.

    Raises `ValueError` for a scheme that is none of ours: whoever has another one brings the stranger along.
    """
    headers = dict(signer.sign(b"{}", id="stranger", at=datetime.now(UTC)))
    if HEADER in headers:
        return make_keys(Scheme.COOP).signer
    versions = dict.fromkeys(one.partition(",")[0] for one in headers.get("webhook-signature", "").split())
    if not versions or not versions.keys() <= _VERSIONS.keys():
        raise ValueError("this signer's scheme is not known here: give another signer of it as `stranger`")
    return StandardSigner([_standard(_VERSIONS[one])[0] for one in versions])
