"""Whether an endpoint keeps the contract: it is called, rightly and wrongly, and each promise gets a verdict.

The endpoint is judged from outside. Whether it did a thing twice, or did what a refused request asked for, nobody can see
from there: its own tests can, with the same requests (`sample`, `forgeries`, `variations`).
"""

import ssl
import uuid
from collections.abc import Iterator, Sequence
from functools import partial

from cybertip.adapters.webhooks.backend import Resolve
from cybertip.cases.enrichment import AdditionalInfoRequest
from cybertip.ports.clock import Clock, SystemClock
from cybertip.testing.webhooks.answers import faults_of
from cybertip.testing.webhooks.forgeries import forgeries
from cybertip.testing.webhooks.keys import stranger_to
from cybertip.testing.webhooks.promises import Promise, Standing, Verdict
from cybertip.testing.webhooks.samples import Asked, Call, Sample, of_call, sample
from cybertip.testing.webhooks.variations import variations
from cybertip.testing.webhooks.wire import Fault, Reply, Wire
from cybertip.webhooks.addresses import LOOPBACK, Address, Guard
from cybertip.webhooks.endpoints import Limits
from cybertip.webhooks.failures import WebhookNotSent
from cybertip.webhooks.signing import Signer

__all__ = ["check_endpoint"]

#: Statuses that say nothing about a request: whoever answers so was too busy to look.
_BUSY = (408, 429, 503)

_OF_ANSWERS = (
    Promise.ANSWERS_BOUNDED,
    Promise.ANSWERS_JSON,
    Promise.RIGHT_TYPES,
    Promise.RIGHT_TIMES,
    Promise.COVERS_USERS,
    Promise.COVERS_MEDIA,
    Promise.NO_STRANGERS,
    Promise.NO_CONTRADICTIONS,
    Promise.NOTHING_FOR_NOTHING,
)
_OF_STANDARD = (Promise.REFUSES_ALTERED_HEAD, Promise.REFUSES_STALE, Promise.TAKES_ROTATED_KEYS)
#: What some calls do not have.
_NOT_OF = {
    Call.ADDITIONAL_INFO: (Promise.TAKES_EVERY_KIND,),
    Call.PRESERVATION: (Promise.TAKES_EVERY_KIND, *_OF_ANSWERS),
    Call.CASE_EVENT: (Promise.TAKES_TEXT_ONLY, *_OF_ANSWERS),
}


def check_endpoint(
    url: str | Address,
    signer: Signer,
    asked: Asked | Call = Call.ADDITIONAL_INFO,
    *,
    stranger: Signer | None = None,
    limits: Limits | None = None,
    clock: Clock | None = None,
    guard: Guard | None = None,
    verify: ssl.SSLContext | None = None,
    resolve: Resolve | None = None,
) -> tuple[Verdict, ...]:
    """Call an endpoint about twenty times, and return a verdict on each promise, in the order of `Promise`.

    Never point it at an endpoint in production: it acts on what it is told, such as to preserve somebody's account.

    Args:
        url: where the endpoint is: https, or http on this machine.
        signer: whom the endpoint trusts.
        asked: the call, with something invented; or what to ask or tell, where the endpoint only knows its own.
        stranger: somebody who signs in the same way and is not trusted, where it is not one of our schemes.
        limits: how long it may take, and how much it may say.
        clock: the time that is signed.
        guard: where requests may go. Without one, to the endpoint's host, at public addresses and on this machine.
        verify, resolve: as for `cybertip.adapters.webhooks.HttpxWebhooks`.

    Raises `WebhookNotSent` where nothing can be sent there, and `ValueError` for an address that is none.
    """
    address = url if isinstance(url, Address) else Address.of(url)
    guard = guard or Guard(hosts=[address.host], networks=LOOPBACK)
    wire = Wire(address, guard=guard, limits=limits or Limits(), verify=verify, resolve=resolve)
    return _Check(wire, signer, stranger or stranger_to(signer), of_call(asked), clock or SystemClock()).verdicts()


class _Check:
    """What was found out about one endpoint so far."""

    def __init__(self, wire: Wire, signer: Signer, stranger: Signer, asked: Asked, clock: Clock) -> None:
        self._wire = wire
        self._asked = asked
        self._reads = isinstance(asked, AdditionalInfoRequest)
        # Names that no earlier check has used: an endpoint may remember them.
        self._id = f"check_{uuid.uuid4().hex}"
        self._make = partial(sample, asked, signer, id=self._id)
        self._forge = partial(forgeries, asked, signer, stranger=stranger, id=f"{self._id}_forged")
        self._vary = partial(variations, asked, signer, stranger=stranger, id=self._id)
        self._clock = clock
        self._findings: dict[Promise, list[str]] = {}
        self._unchecked: dict[Promise, str] = {}

    def verdicts(self) -> tuple[Verdict, ...]:
        """Make the requests, and judge."""
        first = self._make(at=self._clock.now())
        reply = self._wire.post(first, read=self._reads)
        if self._is_taken(first, reply):
            is_fine = self._judge_answer(first, reply)
            for forged in self._forge(at=self._clock.now()):
                self._judge_refusal(forged, self._post(forged, read=False))
            for varied in self._vary(at=self._clock.now()):
                self._judge_variation(varied, self._post(varied, read=self._reads), is_fine=is_fine)
        return tuple(self._conclusions())

    def _post(self, one: Sample, *, read: bool) -> Reply:
        try:
            return self._wire.post(one, read=read)
        except WebhookNotSent as error:
            # There was a connection before: what came in between may have broken the endpoint.
            return Reply(status=None, fault=Fault(promise=Promise.ANSWERS_WHOLE, what=error.reason))

    # -- requests that are to be taken ----------------------------------------------------------------------------------

    def _is_taken(self, one: Sample, reply: Reply) -> bool:
        """Judge the status of a request that is to be answered with success."""
        if reply.is_success:
            self._note(one.promise)
            self._note(Promise.ANSWERS_IN_TIME)
            self._note(Promise.ANSWERS_WHOLE)
            return True
        if reply.fault is not None:
            is_first = one.promise is Promise.ACCEPTS_SIGNED
            self._note(reply.fault.promise if is_first else one.promise, f"{one.name}: {reply.fault.what}")
        elif reply.status in _BUSY:
            self._leave(one.promise, f"{one.name}: {_answered(reply)}: it was too busy to say")
        else:
            self._note(one.promise, f"{one.name}: {_answered(reply)}{_hint(reply)}")
        return False

    def _judge_answer(self, one: Sample, reply: Reply) -> bool:
        """Judge the answer to the first request, promise by promise; return whether all are kept."""
        if not isinstance(one.asked, AdditionalInfoRequest):
            return True
        if reply.body is None:
            assert reply.fault is not None
            self._note(reply.fault.promise, f"{one.name}: {reply.fault.what}")
            return False
        self._note(Promise.ANSWERS_BOUNDED)
        faults = faults_of(one.asked, reply.body)
        for promise, found in faults.items():
            self._note(promise, *found)
        return not any(faults.values())

    def _judge_variation(self, one: Sample, reply: Reply, *, is_fine: bool) -> None:
        """Judge a request that differs from the first.

        Where the answer to the first was wrong, those to others are so in the same ways, and that was said.
        """
        if not self._is_taken(one, reply) or not isinstance(one.asked, AdditionalInfoRequest):
            return
        if not is_fine:
            if one.promise is Promise.NOTHING_FOR_NOTHING:
                self._leave(one.promise, f"{one.name}: mend the answer to the usual request first")
        elif reply.body is None:
            assert reply.fault is not None
            self._note(one.promise, f"{one.name}: {reply.fault.what}")
        else:
            for found in faults_of(one.asked, reply.body).values():
                self._note(one.promise, *(f"{one.name}: {what}" for what in found))

    # -- requests that are to be refused --------------------------------------------------------------------------------

    def _judge_refusal(self, one: Sample, reply: Reply) -> None:
        if reply.fault is not None:
            self._note(one.promise, f"{one.name}: {reply.fault.what}")
        elif reply.is_success:
            self._note(one.promise, f"{one.name}: {_answered(reply)}, as if it were genuine")
        elif reply.status in _BUSY:
            self._leave(one.promise, f"{one.name}: {_answered(reply)}: it was too busy to say")
        elif reply.status is not None and 400 <= reply.status < 500:
            self._note(one.promise)
        else:
            self._note(one.promise, f"{one.name}: {_answered(reply)}, which is no refusal")

    # -- conclusions ----------------------------------------------------------------------------------------------------

    def _note(self, promise: Promise, *findings: str) -> None:
        """Note that a promise was looked at, and what breaks it."""
        self._findings.setdefault(promise, []).extend(findings)

    def _leave(self, promise: Promise, why: str) -> None:
        self._unchecked[promise] = why

    def _conclusions(self) -> Iterator[Verdict]:
        absent = _NOT_OF[Call.of(self._asked)]
        for promise in Promise:
            findings: Sequence[str] | None = self._findings.get(promise)
            if promise in absent:
                continue
            if findings:
                yield Verdict(promise=promise, standing=Standing.BROKEN, findings=tuple(findings))
            elif findings is None or promise in self._unchecked:
                why = self._unchecked.get(promise) or self._why_not(promise)
                yield Verdict(promise=promise, standing=Standing.NOT_CHECKED, findings=(why,))
            else:
                yield Verdict(promise=promise, standing=Standing.KEPT)

    def _why_not(self, promise: Promise) -> str:
        if Promise.ACCEPTS_SIGNED not in self._findings or self._findings[Promise.ACCEPTS_SIGNED]:
            return "nothing can be told before what is signed rightly is taken"
        if promise in _OF_STANDARD:
            return "the scheme has no ids, no times and one signature"
        return "the answer could not be read"


def _answered(reply: Reply) -> str:
    return f"answered HTTP {reply.status}"


def _hint(reply: Reply) -> str:
    """Say what a status usually comes from."""
    if reply.status is not None and 300 <= reply.status < 400:
        return ", a redirect, which is not followed"
    if reply.status in (401, 403):
        return ": compare the keys, and the clocks"
    if reply.status in (404, 405):
        return ": compare the address; it is posted to"
    return ""
