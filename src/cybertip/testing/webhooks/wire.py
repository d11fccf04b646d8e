"""One exchange with an endpoint, with any request whatever: the adapters send none that is not signed."""

import ssl

import attrs
import httpx

from cybertip.adapters.webhooks.answers import Answer, failure_of
from cybertip.adapters.webhooks.backend import Resolve
from cybertip.adapters.webhooks.guarded import GuardedTransport, blocks_of
from cybertip.adapters.webhooks.hooks import plain_headers, timeouts
from cybertip.testing.webhooks.promises import Promise
from cybertip.testing.webhooks.samples import Sample
from cybertip.webhooks.addresses import Address, Guard
from cybertip.webhooks.endpoints import Limits
from cybertip.webhooks.failures import WebhookError, WebhookNotSent, WebhookUnreadable

__all__ = ["Fault", "Reply", "Wire"]


@attrs.frozen(kw_only=True)
class Fault:
    """Say what kept an exchange from its end, and which promise that breaks."""

    promise: Promise
    what: str


@attrs.frozen(kw_only=True)
class Reply:
    """Hold what came back, as far as it did."""

    #: None where no answer came.
    status: int | None
    #: The whole body of a success; None where it was not read.
    body: bytes | None = attrs.field(default=None, repr=False)
    fault: Fault | None = None

    @property
    def is_success(self) -> bool:
        """Tell whether the endpoint took the request."""
        return self.status is not None and 200 <= self.status < 300


class Wire:
    """Post samples to one endpoint.

    Args:
        address: where it is.
        guard: where requests may go.
        limits: how long and how much.
        verify, resolve: as for `cybertip.adapters.webhooks.HttpxWebhooks`.
    """

    def __init__(
        self,
        address: Address,
        *,
        guard: Guard,
        limits: Limits,
        verify: ssl.SSLContext | None,
        resolve: Resolve | None,
    ) -> None:
        self._url = address.url
        self._limits = limits
        self._transport = GuardedTransport(guard, deadline_for=limits.deadline_for, verify=verify, resolve=resolve)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def post(self, sample: Sample, *, read: bool) -> Reply:
        """Post a request, and read the body of a success if `read`; raise `WebhookNotSent` where nothing could be sent."""
        request = httpx.Request(
            "POST",
            self._url,
            headers=[*sample.headers.items(), ("Accept", "application/json"), *plain_headers()],
            content=sample.body,
            extensions={"timeout": timeouts(self._limits)},
        )
        try:
            response = self._transport.handle_request(request)
        except Exception as error:
            failure = failure_of(sample.name, error)
            if isinstance(failure, WebhookNotSent):
                raise failure from error
            return Reply(status=None, fault=_fault(failure, error))
        try:
            if not read or not response.is_success:
                return Reply(status=response.status_code)
            return self._read(sample.name, response)
        finally:
            response.close()

    def _read(self, name: str, response: httpx.Response) -> Reply:
        status, size = response.status_code, 0
        try:
            answer = Answer(name, response, limit=self._limits.answer_bytes)
            for block in blocks_of(response):
                size += len(block)
                answer.take(block)
            return Reply(status=status, body=answer.body())
        except WebhookUnreadable as error:
            too_large = size > self._limits.answer_bytes
            promise = Promise.ANSWERS_BOUNDED if too_large else Promise.ANSWERS_JSON
            return Reply(status=status, fault=Fault(promise=promise, what=error.reason))
        except Exception as error:
            return Reply(status=status, fault=_fault(failure_of(name, error), error))


def _fault(failure: WebhookError, error: Exception) -> Fault:
    late = isinstance(error, httpx.TimeoutException)
    return Fault(promise=Promise.ANSWERS_IN_TIME if late else Promise.ANSWERS_WHOLE, what=failure.reason)
