"""Standard Webhooks (standardwebhooks.com), for new endpoints: a name, a time and signatures of `name.time.body`.

| a key | is | signs and verifies |
|---|---|---|
| `whsec_...` | 24 to 64 random bytes in base64, known to both | HMAC-SHA256, `v1` |
| `whsk_...` | an Ed25519 private key in base64 | `v1a` |
| `whpk_...` | its public key | verifies `v1a` |

To rotate keys, give the sender the old and the new one: it signs with each, and a receiver is content with either. The
library of the standard signs `v1`; it cannot verify at another time than now, nor with several keys, so that is done here.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NoReturn, Protocol

from cybertip.webhooks.signing import GivenHeaders, Headers, Unverified, Verified, headers_named

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from standardwebhooks import Webhook
except ModuleNotFoundError as error:
    raise ImportError(
        "webhooks need the extra [webhooks]: pip install 'cybertip[webhooks]'", name=error.name
    ) from error

__all__ = ["TOLERANCE", "StandardSigner", "StandardVerifier"]

#: How far the sender's clock and the receiver's may be apart, the way between them included.
TOLERANCE = timedelta(minutes=5)

#: A name must not hold a full stop, which parts it from the time; the standard's own have letters, digits and underscores.
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_NAME = re.compile(r"[^.\s]{1,255}")
_TIME = re.compile(r"[0-9]{1,11}")
#: More signatures than anybody rotates keys; each costs some work.
_MOST = 20


class _Key(Protocol):
    version: str

    def sign(self, id: str, at: datetime, body: str) -> bytes: ...

    def verifies(self, signature: bytes, id: str, at: datetime, body: str) -> bool: ...


class StandardSigner:
    """Sign with one key or with several (see `cybertip.webhooks.signing.Signer`).

    >>> signer = StandardSigner(["whsec_" + base64.b64encode(bytes(32)).decode()])
    >>> headers = signer.sign(b"{}", id="case-1_2", at=datetime(2025, 1, 1, tzinfo=UTC))
    >>> [name for name, _ in headers]
    ['webhook-id', 'webhook-timestamp', 'webhook-signature']
    """

    content_type = "application/json"

    def __init__(self, keys: Sequence[str]) -> None:
        self.__keys = _keys(keys, _SIGNING)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {len(self.__keys)} keys>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is not pickled: give its keys to the process that needs them")

    def sign(self, body: bytes, *, id: str, at: datetime) -> Headers:
        """Return the three headers; raise `ValueError` where the name or the body cannot be signed."""
        if not _ID.fullmatch(id):
            raise ValueError("the id of a webhook must have letters, digits, - and _ only, 255 at the most")
        text, at = body.decode(), at.astimezone(UTC).replace(microsecond=0)
        signatures = (f"{key.version},{base64.b64encode(key.sign(id, at, text)).decode()}" for key in self.__keys)
        return (
            ("webhook-id", id),
            ("webhook-timestamp", str(int(at.timestamp()))),
            ("webhook-signature", " ".join(signatures)),
        )


class StandardVerifier:
    """Verify with one key or with several (see `cybertip.webhooks.signing.Verifier`)."""

    def __init__(self, keys: Sequence[str], *, tolerance: timedelta = TOLERANCE) -> None:
        self.__keys = _keys(keys, _VERIFYING)
        self._tolerance = tolerance

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {len(self.__keys)} keys>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a verifier is not pickled: give its keys to the process that needs them")

    def verify(self, body: bytes, headers: GivenHeaders, *, now: datetime) -> Verified:
        """Return the request's name and time, or raise `Unverified`."""
        id, time, signatures = headers_named(headers, "webhook-id", "webhook-timestamp", "webhook-signature")
        if not (id and time and signatures):
            raise Unverified("the request is not signed: it lacks webhook-id, webhook-timestamp or webhook-signature")
        if not _NAME.fullmatch(id) or not _TIME.fullmatch(time):
            raise Unverified("the request's webhook-id or webhook-timestamp is none")
        at = datetime.fromtimestamp(int(time), UTC)
        if abs(now - at) > self._tolerance:
            raise Unverified(
                f"the request was signed {'long ago' if at < now else 'in the future'}: compare the clocks"
            )
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise Unverified("the request's body is not in UTF-8") from None
        if not any(self._verifies(one, id, at, text) for one in signatures.split(" ")[:_MOST]):
            raise Unverified("no signature matches: the request was altered, or signed with a key that is not known")
        return Verified(id=id, sent_at=at, until=at + self._tolerance)

    def _verifies(self, given: str, id: str, at: datetime, body: str) -> bool:
        version, _, spelled = given.partition(",")
        try:
            signature = base64.b64decode(spelled, validate=True)
        except ValueError:
            return False
        return any(key.version == version and key.verifies(signature, id, at, body) for key in self.__keys)


# -- keys -----------------------------------------------------------------------------------------------------------------


class _Secret:
    """A secret of both sides."""

    version = "v1"

    def __init__(self, secret: bytes) -> None:
        if not 24 <= len(secret) <= 64:
            raise ValueError("a whsec_ key must have 24 to 64 bytes")
        self._webhook = Webhook(secret)

    def sign(self, id: str, at: datetime, body: str) -> bytes:
        return base64.b64decode(self._webhook.sign(id, at, body).partition(",")[2])

    def verifies(self, signature: bytes, id: str, at: datetime, body: str) -> bool:
        return hmac.compare_digest(signature, self.sign(id, at, body))


class _Public:
    """The public half of a key pair."""

    version = "v1a"

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("a whpk_ key must have 32 bytes")
        self._public = Ed25519PublicKey.from_public_bytes(key)

    def sign(self, id: str, at: datetime, body: str) -> bytes:
        raise TypeError("a public key signs nothing")

    def verifies(self, signature: bytes, id: str, at: datetime, body: str) -> bool:
        try:
            self._public.verify(signature, _signed(id, at, body))
        except InvalidSignature:
            return False
        return True


class _Private(_Public):
    """The private half of a key pair, which some programs keep together with the public one."""

    def __init__(self, key: bytes) -> None:
        if len(key) not in (32, 64):
            raise ValueError("a whsk_ key must have 32 bytes, or 64 with its public key")
        self._private = Ed25519PrivateKey.from_private_bytes(key[:32])
        public = self._private.public_key().public_bytes_raw()
        if key[32:] not in (b"", public):
            raise ValueError("the two halves of the whsk_ key are not of one pair")
        super().__init__(public)

    def sign(self, id: str, at: datetime, body: str) -> bytes:
        return self._private.sign(_signed(id, at, body))


def _signed(id: str, at: datetime, body: str) -> bytes:
    return f"{id}.{int(at.timestamp())}.{body}".encode()


_SIGNING: dict[str, type[_Secret] | type[_Public]] = {"whsec_": _Secret, "whsk_": _Private}
_VERIFYING: dict[str, type[_Secret] | type[_Public]] = {"whsec_": _Secret, "whpk_": _Public}


def _keys(given: Sequence[str], kinds: dict[str, type[_Secret] | type[_Public]]) -> tuple[_Key, ...]:
    if isinstance(given, str) or not given:
        raise ValueError("give one key at least, in a list")
    return tuple(_key(one, kinds) for one in given)


def _key(given: str, kinds: dict[str, type[_Secret] | type[_Public]]) -> _Key:
    prefix = next((one for one in kinds if given.startswith(one)), None)
    if prefix is None:
        raise ValueError(f"a key for this begins with {' or '.join(kinds)}")
    spelled = given.removeprefix(prefix)
    try:
        plain = base64.b64decode(spelled + "=" * (-len(spelled) % 4), validate=True)
    except ValueError:
        # Not chained: nothing of a key belongs into an error.
        raise ValueError(f"what follows {prefix} must be base64") from None
    return kinds[prefix](plain)
