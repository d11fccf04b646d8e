"""The platform's endpoints and its media, over httpx, guarded against being sent to where only we can reach."""

from cybertip.adapters.webhooks.guarded import AsyncGuardedTransport, GuardedTransport
from cybertip.adapters.webhooks.hooks import AsyncHttpxWebhooks, HttpxWebhooks
from cybertip.adapters.webhooks.media import AsyncHttpxMedia, HttpxMedia
from cybertip.adapters.webhooks.seen import MemorySeen

__all__ = [
    "AsyncGuardedTransport",
    "AsyncHttpxMedia",
    "AsyncHttpxWebhooks",
    "GuardedTransport",
    "HttpxMedia",
    "HttpxWebhooks",
    "MemorySeen",
]
