"""Sample requests are what our adapters send, and the wrong ones are wrong in one way only."""

import hashlib
import hmac
import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from cybertip.adapters.webhooks import HttpxWebhooks
from cybertip.cases.enrichment import AdditionalInfoRequest
from cybertip.cases.notices import CaseEvent, Preservation
from cybertip.testing.clock import VirtualClock
from cybertip.testing.webhooks import (
    Call,
    Promise,
    SampleKeys,
    Scheme,
    forgeries,
    invented,
    make_keys,
    sample,
    variations,
)
from cybertip.testing.webhooks.keys import stranger_to
from cybertip.webhooks.addresses import LOOPBACK, Guard
from cybertip.webhooks.endpoints import Endpoint
from cybertip.webhooks.signing import Unverified, Verified

Keys = Callable[[Scheme], SampleKeys]

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)
EACH = pytest.mark.parametrize(("call", "scheme"), [(call, scheme) for call in Call for scheme in Scheme])


def verified(keys: SampleKeys, one: Any) -> Verified:
    """Verify a sample as an endpoint does."""
    return keys.verifier.verify(one.body, one.headers, now=NOW)


@EACH
def test_a_sample_is_genuine(keys_of: Keys, call: Call, scheme: Scheme) -> None:
    """What verifies our requests verifies a sample, and its body can be read as what it asks."""
    keys, asked = keys_of(scheme), invented(call)
    one = sample(call, keys.signer, at=NOW)
    if scheme is not Scheme.COOP:
        assert verified(keys, one) == Verified(id="sample_1", sent_at=NOW, until=NOW + timedelta(minutes=5))
    else:
        assert verified(keys, one).id == f"sha256-{hashlib.sha256(one.body).hexdigest()}"
    assert type(asked).from_json(json.loads(one.body)) == asked
    assert (one.promise, one.asked) == (Promise.ACCEPTS_SIGNED, asked)


@EACH
def test_no_forgery_is_genuine(keys_of: Keys, call: Call, scheme: Scheme) -> None:
    """What verifies our requests believes none of the forged ones."""
    keys = keys_of(scheme)
    forged = forgeries(call, keys.signer, at=NOW)
    for one in forged:
        with pytest.raises(Unverified):
            verified(keys, one)
    names = [one.name for one in forged]
    assert len(set(names)) == len(names)
    wanted = {one for one in Promise if one.startswith("refuses-")}
    if scheme is Scheme.COOP:
        wanted -= {Promise.REFUSES_ALTERED_HEAD, Promise.REFUSES_STALE}
    assert {one.promise for one in forged} == wanted


@EACH
def test_a_forgery_is_wrong_in_one_way_only(keys_of: Keys, call: Call, scheme: Scheme) -> None:
    """An endpoint that does not look would answer each: the body can be read, and but for what is wrong it is a sample."""
    keys = keys_of(scheme)
    genuine = sample(call, keys.signer, at=NOW)
    for one in forgeries(call, keys.signer, at=NOW):
        plain = json.loads(one.body)
        assert {key: plain[key] for key in json.loads(genuine.body)} == json.loads(genuine.body)
        different = {name for name in genuine.headers if one.headers.get(name) != genuine.headers[name]}
        assert (one.body != genuine.body) == (one.promise is Promise.REFUSES_ALTERED_BODY)
        if one.promise is Promise.REFUSES_UNSIGNED:
            assert one.headers.keys() == {"Content-Type"}
        elif one.promise is Promise.REFUSES_ALTERED_BODY:
            assert not different
        elif one.promise is Promise.REFUSES_STALE:
            assert different == {"webhook-timestamp", "webhook-signature"}
            then = datetime.fromtimestamp(int(one.headers["webhook-timestamp"]), UTC)
            assert keys.verifier.verify(one.body, one.headers, now=then).sent_at == then
        elif one.promise in (Promise.REFUSES_NONSENSE, Promise.REFUSES_ALTERED_HEAD, Promise.REFUSES_WRONG_KEY):
            assert len(different) == 1


@EACH
def test_variations_are_genuine(keys_of: Keys, call: Call, scheme: Scheme) -> None:
    """What verifies our requests verifies each, and what is asked is in each, whatever else is."""
    keys = keys_of(scheme)
    first = sample(call, keys.signer, at=NOW)
    again, *others = variations(call, keys.signer, at=NOW)
    assert (again.promise, again.body) == (Promise.TAKES_REPETITION, first.body)
    assert verified(keys, again).id == verified(keys, first).id
    assert (again.headers != first.headers) == (scheme is not Scheme.COOP)
    for one in others:
        assert scheme is Scheme.COOP or verified(keys, one).id != verified(keys, first).id
        assert verified(keys, one).id
        assert type(one.asked).from_json(json.loads(one.body)) == one.asked


def test_each_call_has_its_variations(keys_of: Keys) -> None:
    """Text alone, nothing at all and each kind of event are asked where the call has them."""
    names = {call: {one.name for one in variations(call, keys_of(Scheme.HMAC).signer)} for call in Call}
    common = set.intersection(*names.values())
    assert {call: names[call] - common for call in Call} == {
        Call.ADDITIONAL_INFO: {"without media", "about nothing"},
        Call.PRESERVATION: {"without media"},
        Call.CASE_EVENT: {"of the kind case.needs_human", "of the kind case.preserved"},
    }
    assert len(common) == 4


@pytest.mark.parametrize("call", Call)
@pytest.mark.parametrize("scheme", Scheme)
def test_a_sample_is_what_the_adapter_sends(keys_of: Keys, somebody: Any, call: Call, scheme: Scheme) -> None:
    """The body, the label and the signature are those of the request that leaves in production."""
    keys, asked, seen = keys_of(scheme), invented(call), list[tuple[Any, bytes]]()

    class Watching(somebody.Platform):  # type: ignore[misc] # the class comes out of a file
        def handle(self, headers: Any, body: bytes) -> Any:
            seen.append((headers, body))
            return self.take("", json.loads(body))

    with somebody.serving(Watching("whsec_")) as url:
        endpoint = Endpoint(address=url, signer=keys.signer)
        hooks = HttpxWebhooks(
            additional_info=endpoint,
            preservation=endpoint,
            case_event=endpoint,
            guard=Guard(hosts=["127.0.0.1"], networks=LOOPBACK),
            clock=VirtualClock(NOW),
        )
        match asked:
            case AdditionalInfoRequest():
                hooks.additional_info(asked, id="sample_1")
            case Preservation():
                hooks.preserve(asked, id="sample_1")
            case CaseEvent():
                hooks.notify(asked, id="sample_1")
    one = sample(call, keys.signer, at=NOW)
    ((headers, body),) = seen
    assert body == one.body
    assert {name: headers[name.lower()] for name in one.headers} == one.headers


def test_a_sample_satisfies_the_standards_own_library() -> None:
    """The library of Standard Webhooks, which many endpoints verify with, takes a sample and refuses each forgery of now."""
    keys = make_keys(Scheme.HMAC)
    theirs = Webhook(keys.trusted)
    one = sample(Call.PRESERVATION, keys.signer)
    theirs.verify(one.body, dict(one.headers))
    for forged in forgeries(Call.PRESERVATION, keys.signer):
        with pytest.raises(Exception, match=r"."):
            theirs.verify(forged.body, dict(forged.headers))


def test_a_sample_by_hand() -> None:
    """The signature is that of the standard, computed here from its text: HMAC-SHA256 of `id.time.body`."""
    keys = make_keys(Scheme.HMAC)
    one = sample(Call.CASE_EVENT, keys.signer, at=NOW)
    content = f"sample_1.{int(NOW.timestamp())}.".encode() + one.body
    expected = hmac.new(b64decode(keys.trusted.removeprefix("whsec_")), content, hashlib.sha256).digest()
    assert one.headers["webhook-signature"].partition(",")[0] == "v1"
    assert b64decode(one.headers["webhook-signature"].partition(",")[2]) == expected


def test_samples_go_into_a_test_client(keys_of: Keys, somebody: Any) -> None:
    """Headers and body are what a test client takes; a genuine request is answered and a forged one refused."""
    keys = keys_of(Scheme.ED25519)
    platform = somebody.Platform(keys.trusted)

    def app(environ: Any, start: Any) -> list[bytes]:
        headers = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name[:5] == "HTTP_"}
        status, body, _ = platform.handle(headers, environ["wsgi.input"].read())
        start(f"{status} X", [])
        return [body]

    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://testserver") as client:
        genuine = sample(Call.PRESERVATION, keys.signer)
        assert client.post("/", content=genuine.body, headers=genuine.headers).status_code == 204
        again = variations(Call.PRESERVATION, keys.signer)[0]
        assert client.post("/", content=again.body, headers=again.headers).status_code == 204
        assert platform.done == ["sample_1"]
        for one in forgeries(Call.PRESERVATION, keys.signer):
            assert client.post("/", content=one.body, headers=one.headers).status_code == 401, one.name
        assert platform.done == ["sample_1"]


def test_nothing_is_shown(keys_of: Keys) -> None:
    """Neither keys nor bodies nor identifiers are in a repr."""
    for scheme in Scheme:
        keys = keys_of(scheme)
        one = sample(Call.ADDITIONAL_INFO, keys.signer)
        shown = f"{keys!r} {one!r}"
        assert "invented" not in shown
        assert keys.trusted[10:40] not in shown


class Fishy:
    """A signer of a scheme of its own."""

    content_type = "application/json"

    def __init__(self, key: str) -> None:
        self._key = key

    def sign(self, body: bytes, *, id: str, at: datetime) -> tuple[tuple[str, str], ...]:
        """Sign as nobody else does."""
        return (("x-signature", hashlib.sha256(self._key.encode() + body).hexdigest()),)


def test_another_scheme_brings_its_stranger() -> None:
    """Whoever signs in a way of their own can be helped, but for a stranger, whom only they can make."""
    with pytest.raises(ValueError, match="`stranger`"):
        forgeries(Call.CASE_EVENT, Fishy("ours"))
    forged = forgeries(Call.CASE_EVENT, Fishy("ours"), stranger=Fishy("theirs"))
    assert [one.promise for one in forged][:3] == [
        Promise.REFUSES_UNSIGNED,
        Promise.REFUSES_WRONG_KEY,
        Promise.REFUSES_ALTERED_BODY,
    ]
    assert variations(Call.CASE_EVENT, Fishy("ours"), stranger=Fishy("theirs"))


@pytest.mark.parametrize("scheme", Scheme)
def test_a_stranger_signs_in_the_same_way(keys_of: Keys, scheme: Scheme) -> None:
    """A stranger's headers are those of the scheme, and its keys are its own, new each time."""
    keys = keys_of(scheme)
    strangers = [stranger_to(keys.signer) for _ in range(2)]
    signatures = [dict(one.sign(b"{}", id="a", at=NOW)) for one in (keys.signer, *strangers)]
    assert len({frozenset(one) for one in signatures}) == 1
    assert len({one for signature in signatures for name, one in signature.items() if name.endswith("signature")}) == 3
