"""Requests that an endpoint refuses, each wrong in one way only: answer 401, and do nothing that they ask for."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cybertip.testing.webhooks.keys import stranger_to
from cybertip.testing.webhooks.promises import Promise
from cybertip.testing.webhooks.samples import ID, Asked, Call, Sample, of_call, of_now, signed
from cybertip.webhooks.signing import Headers, Signer, compact
from cybertip.webhooks.standard import TOLERANCE

__all__ = ["forgeries", "is_standard"]

_NONSENSE = "v1,not-a-signature!"
#: Beyond the tolerance by as much again, so that clocks that differ a little change nothing.
_TOO_LONG = 2 * TOLERANCE


def forgeries(
    asked: Asked | Call,
    signer: Signer,
    *,
    stranger: Signer | None = None,
    id: str = ID,
    at: datetime | None = None,
) -> tuple[Sample, ...]:
    """Return every kind of request that must not be believed.

    They all have valid bodies and, but for what is wrong, genuine headers: an endpoint that does not look answers them. What
    was recorded and is sent again is among them as what was signed long ago; within the tolerance it is a repetition, which
    is answered (`cybertip.testing.webhooks.variations`). Coop's scheme has neither ids nor times to alter.

    Args:
        asked, signer, id, at: as for `sample`.
        stranger: somebody who signs in the same way and is not trusted, where it is not one of our schemes.
    """
    asked, at = of_call(asked), of_now(at)
    return tuple(_forged(asked, signer, stranger or stranger_to(signer), id, at))


def _forged(asked: Asked, signer: Signer, stranger: Signer, id: str, at: datetime) -> Iterator[Sample]:
    plain = asked.as_json()
    body = compact(plain)
    genuine = signer.sign(body, id=id, at=at)

    def made(promise: Promise, name: str, signature: Headers, body: bytes = body) -> Sample:
        return signed(promise, name, asked, body, signer, signature)

    yield made(Promise.REFUSES_UNSIGNED, "not signed", ())
    yield made(Promise.REFUSES_WRONG_KEY, "signed with another key", stranger.sign(body, id=id, at=at))
    altered = compact(plain | {"altered": True})
    yield made(Promise.REFUSES_ALTERED_BODY, "its body was changed", genuine, altered)
    for header in _signatures(genuine):
        nonsense = _with(genuine, header, _NONSENSE)
        yield made(Promise.REFUSES_NONSENSE, f"its {header} is none", nonsense)
        yield made(Promise.REFUSES_NONSENSE, f"its {header} is empty", _with(genuine, header, ""))
    if is_standard(genuine):
        changed = _with(genuine, "webhook-id", f"{id}x")
        yield made(Promise.REFUSES_ALTERED_HEAD, "its webhook-id was changed", changed)
        later = str(int((at + timedelta(seconds=1)).timestamp()))
        changed = _with(genuine, "webhook-timestamp", later)
        yield made(Promise.REFUSES_ALTERED_HEAD, "its webhook-timestamp was changed", changed)
        nonsense = _with(genuine, "webhook-timestamp", "soon")
        yield made(Promise.REFUSES_NONSENSE, "its webhook-timestamp is none", nonsense)
        for name, by in (("signed too long ago", -_TOO_LONG), ("signed in the future", _TOO_LONG)):
            yield made(Promise.REFUSES_STALE, name, signer.sign(body, id=id, at=at + by))


def is_standard(signature: Headers) -> bool:
    """Tell whether something is signed by Standard Webhooks."""
    return "webhook-signature" in dict(signature)


def _signatures(headers: Headers) -> list[str]:
    return [name for name, _ in headers if name.endswith("signature")]


def _with(headers: Headers, name: str, value: str) -> Headers:
    return tuple((key, value if key == name else given) for key, given in headers)
