"""The platform's endpoints, over httpx."""

import ssl
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import httpx

from cybertip.adapters.webhooks.answers import Answer, declined, failure_of
from cybertip.adapters.webhooks.backend import AsyncResolve, Resolve
from cybertip.adapters.webhooks.guarded import AsyncGuardedTransport, GuardedTransport, async_blocks_of, blocks_of
from cybertip.cases.enrichment import AdditionalInfo, AdditionalInfoRequest
from cybertip.cases.notices import CaseEvent, Preservation
from cybertip.errors import InvalidReport
from cybertip.ports.clock import Clock, SystemClock
from cybertip.webhooks.addresses import Guard
from cybertip.webhooks.endpoints import Endpoint, Limits
from cybertip.webhooks.failures import WebhookError, WebhookNotSent
from cybertip.webhooks.signing import compact

__all__ = ["AsyncHttpxWebhooks", "HttpxWebhooks", "plain_headers", "timeouts"]

_INFO = "additional info"
_PRESERVATION = "preservation"
_EVENT = "case event"


class HttpxWebhooks:
    """Call the platform's endpoints (see `cybertip.ports.webhooks.Webhooks` for what is guaranteed).

    Args:
        additional_info, preservation, case_event: the endpoints there are, each with its signer.
        guard: where requests may go. Without one, to the hosts of these endpoints, at public addresses only.
        limits: how long and how much.
        clock: the time that is signed.
        verify: another judgement of certificates than that of httpx.
        resolve: how hosts are looked up, where not by the system.
    """

    def __init__(
        self,
        *,
        additional_info: Endpoint | None = None,
        preservation: Endpoint | None = None,
        case_event: Endpoint | None = None,
        guard: Guard | None = None,
        limits: Limits | None = None,
        clock: Clock | None = None,
        verify: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._endpoints = {_INFO: additional_info, _PRESERVATION: preservation, _EVENT: case_event}
        self._limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._transport = GuardedTransport(
            guard or _guard(self._endpoints.values()),
            deadline_for=self._limits.deadline_for,
            verify=verify,
            resolve=resolve,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def additional_info(self, request: AdditionalInfoRequest, *, id: str) -> AdditionalInfo:
        """Ask what the platform knows; raise a `WebhookError` where it does not say."""
        response = self._send(_INFO, request.as_json(), id)
        try:
            answer = Answer(_INFO, response, limit=self._limits.answer_bytes)
            for block in blocks_of(response):
                answer.take(block)
        except WebhookError:
            raise
        except Exception as error:
            raise failure_of(_INFO, error) from error
        finally:
            response.close()
        return _read(answer)

    def preserve(self, notice: Preservation, *, id: str) -> None:
        """Tell the platform to preserve; raise a `WebhookError` where it does not say that it heard."""
        response = self._send(_PRESERVATION, notice.as_json(), id)
        response.close()

    def notify(self, event: CaseEvent, *, id: str) -> None:
        """Tell the host what became of a case; raise a `WebhookError` where it does not say that it heard."""
        response = self._send(_EVENT, event.as_json(), id)
        response.close()

    def _send(self, name: str, body: dict[str, Any], id: str) -> httpx.Response:
        """Send a request and return the head of a success."""
        request = _signed(name, self._endpoints[name], body, id, self._clock, self._limits)
        try:
            response = self._transport.handle_request(request)
        except Exception as error:
            raise failure_of(name, error) from error
        if not response.is_success:
            response.close()
            raise declined(name, response)
        return response


class AsyncHttpxWebhooks:
    """Call the platform's endpoints on asyncio or trio, as `HttpxWebhooks` does."""

    def __init__(
        self,
        *,
        additional_info: Endpoint | None = None,
        preservation: Endpoint | None = None,
        case_event: Endpoint | None = None,
        guard: Guard | None = None,
        limits: Limits | None = None,
        clock: Clock | None = None,
        verify: ssl.SSLContext | None = None,
        resolve: AsyncResolve | None = None,
    ) -> None:
        self._endpoints = {_INFO: additional_info, _PRESERVATION: preservation, _EVENT: case_event}
        self._limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._transport = AsyncGuardedTransport(
            guard or _guard(self._endpoints.values()),
            deadline_for=self._limits.deadline_for,
            verify=verify,
            resolve=resolve,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    async def additional_info(self, request: AdditionalInfoRequest, *, id: str) -> AdditionalInfo:
        """Ask what the platform knows; raise a `WebhookError` where it does not say."""
        response = await self._send(_INFO, request.as_json(), id)
        try:
            answer = Answer(_INFO, response, limit=self._limits.answer_bytes)
            async for block in async_blocks_of(response):
                answer.take(block)
        except WebhookError:
            raise
        except Exception as error:
            raise failure_of(_INFO, error) from error
        finally:
            await response.aclose()
        return _read(answer)

    async def preserve(self, notice: Preservation, *, id: str) -> None:
        """Tell the platform to preserve; raise a `WebhookError` where it does not say that it heard."""
        response = await self._send(_PRESERVATION, notice.as_json(), id)
        await response.aclose()

    async def notify(self, event: CaseEvent, *, id: str) -> None:
        """Tell the host what became of a case; raise a `WebhookError` where it does not say that it heard."""
        response = await self._send(_EVENT, event.as_json(), id)
        await response.aclose()

    async def _send(self, name: str, body: dict[str, Any], id: str) -> httpx.Response:
        """Send a request and return the head of a success."""
        request = _signed(name, self._endpoints[name], body, id, self._clock, self._limits)
        try:
            response = await self._transport.handle_async_request(request)
        except Exception as error:
            raise failure_of(name, error) from error
        if not response.is_success:
            await response.aclose()
            raise declined(name, response)
        return response


def _guard(endpoints: Iterable[Endpoint | None]) -> Guard:
    return Guard(hosts=[one.address.host for one in endpoints if one is not None])


def _signed(
    name: str, endpoint: Endpoint | None, body: dict[str, Any], id: str, clock: Clock, limits: Limits
) -> httpx.Request:
    """Return a request with its signature; without one there is no request."""
    if endpoint is None:
        raise WebhookNotSent(endpoint=name, reason="no such endpoint is set", for_good=True)
    content = compact(body)
    try:
        signature = endpoint.signer.sign(content, id=id, at=clock.now())
    except Exception as error:
        # Nothing of a key belongs into an error: the original is not quoted.
        reason = f"it could not be signed ({type(error).__name__})"
        raise WebhookNotSent(endpoint=name, reason=reason, for_good=True) from error
    if not signature:
        raise WebhookNotSent(endpoint=name, reason="its signer gave no signature", for_good=True)
    headers = [
        ("Content-Type", endpoint.signer.content_type),
        ("Accept", "application/json"),
        *plain_headers(),
        *signature,
    ]
    return httpx.Request(
        "POST", endpoint.address.url, headers=headers, content=content, extensions={"timeout": timeouts(limits)}
    )


def plain_headers() -> list[tuple[str, str]]:
    """Return the headers that every request has."""
    return [("Accept-Encoding", "identity"), ("User-Agent", f"cybertip/{version('cybertip')}")]


def timeouts(limits: Limits) -> dict[str, float]:
    """Return the limits of each step, in the form that httpx has."""
    silence = limits.silence_for.total_seconds()
    return {"connect": limits.connect_for.total_seconds(), "read": silence, "write": silence, "pool": silence}


def _read(answer: Answer) -> AdditionalInfo:
    body = answer.body()
    try:
        return AdditionalInfo.from_json(body)
    except InvalidReport as error:
        raise answer.wrong(error) from None
