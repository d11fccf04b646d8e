"""Requests that differ from the usual one and are just as genuine: an endpoint answers each with success."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import attrs

from cybertip.cases.enrichment import AdditionalInfoRequest
from cybertip.cases.notices import CaseEvent, CaseEventKind, Preservation
from cybertip.testing.webhooks.forgeries import is_standard
from cybertip.testing.webhooks.keys import stranger_to
from cybertip.testing.webhooks.promises import Promise
from cybertip.testing.webhooks.samples import ID, Asked, Call, Sample, of_call, of_now, sample, signed
from cybertip.webhooks.signing import Headers, Signer, compact

__all__ = ["variations"]

_UNKNOWN = "xNewInALaterVersion"


def variations(
    asked: Asked | Call,
    signer: Signer,
    *,
    stranger: Signer | None = None,
    id: str = ID,
    at: datetime | None = None,
) -> tuple[Sample, ...]:
    """Return every kind of request that an endpoint may be surprised by.

    The first is the repetition of `sample(asked, signer, id=id, at=at)`, as it is sent where an answer was lost: it has its
    id, and is signed a second later. Whatever it asks for is not done a second time.

    Args:
        asked, signer, id, at: as for `sample`.
        stranger: as for `forgeries`.
    """
    asked, at = of_call(asked), of_now(at)
    return tuple(_varied(asked, signer, stranger or stranger_to(signer), id, at))


def _varied(asked: Asked, signer: Signer, stranger: Signer, id: str, at: datetime) -> Iterator[Sample]:
    def made(promise: Promise, name: str, asked: Asked, body: bytes | None = None) -> Sample:
        body = compact(asked.as_json()) if body is None else body
        # Another request has another id.
        signature = signer.sign(body, id=f"{id}_{promise}", at=at)
        return signed(promise, name, asked, body, signer, signature)

    again = sample(asked, signer, id=id, at=at + timedelta(seconds=1))
    yield attrs.evolve(again, promise=Promise.TAKES_REPETITION, name="sent again")
    yield made(Promise.VERIFIES_BYTES, "its JSON spelled otherwise", asked, _spelled_otherwise(asked.as_json()))
    unknown = compact(_with_unknown_keys(asked.as_json()))
    yield made(Promise.IGNORES_UNKNOWN_KEYS, "with keys that are not known", asked, unknown)
    rotated = _rotated(asked, signer, stranger, id, at)
    if rotated is not None:
        yield rotated
    for promise, name, other in _others(asked):
        yield made(promise, name, other)


def _spelled_otherwise(plain: dict[str, Any]) -> bytes:
    return json.dumps(dict(reversed(plain.items())), indent=2).encode("ascii")


def _with_unknown_keys(plain: Any) -> Any:
    """Add a key to each object, however deep."""
    if isinstance(plain, dict):
        return {**{key: _with_unknown_keys(value) for key, value in plain.items()}, _UNKNOWN: {"nested": [None]}}
    if isinstance(plain, list):
        return [_with_unknown_keys(one) for one in plain]
    return plain


def _rotated(asked: Asked, signer: Signer, stranger: Signer, id: str, at: datetime) -> Sample | None:
    """Return a request with a signature of a key that is not known before the right one, as while keys are rotated."""
    body, id = compact(asked.as_json()), f"{id}_{Promise.TAKES_ROTATED_KEYS}"
    genuine = signer.sign(body, id=id, at=at)
    if not is_standard(genuine):
        return None
    others = dict(stranger.sign(body, id=id, at=at))["webhook-signature"]
    both: Headers = tuple(
        (name, f"{others} {value}" if name == "webhook-signature" else value) for name, value in genuine
    )
    return signed(Promise.TAKES_ROTATED_KEYS, "signed with an unknown key as well", asked, body, signer, both)


def _others(asked: Asked) -> Iterator[tuple[Promise, str, Asked]]:
    """Return other things to ask or tell."""
    match asked:
        case AdditionalInfoRequest():
            yield Promise.TAKES_TEXT_ONLY, "without media", attrs.evolve(asked, media=())
            yield Promise.NOTHING_FOR_NOTHING, "about nothing", AdditionalInfoRequest()
        case Preservation():
            yield Promise.TAKES_TEXT_ONLY, "without media", attrs.evolve(asked, reported_media=())
        case CaseEvent():
            for kind in CaseEventKind:
                if kind is not asked.kind:
                    yield Promise.TAKES_EVERY_KIND, f"of the kind {kind}", attrs.evolve(asked, kind=kind)
