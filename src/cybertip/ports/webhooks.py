"""What a case needs of the platform itself: what it knows, that it preserves, that it hears what happened; and its media."""

from typing import Protocol

import attrs

from cybertip.cases.enrichment import AdditionalInfo, AdditionalInfoRequest
from cybertip.cases.notices import CaseEvent, Preservation
from cybertip.cases.references import EvidenceId
from cybertip.ports.evidence import Keeps

__all__ = ["AsyncMedia", "AsyncWebhooks", "Fetched", "Keeps", "Media", "Webhooks"]


class Webhooks(Protocol):
    """Call the platform's endpoints.

    - One call is one request: nothing is retried, and no redirect is followed.
    - A request is signed, or it is not sent.
    - The same `id` names the same request each time that it is sent, so that a receiver can tell a repetition. It has
      letters, digits, `-` and `_` only, 255 at the most.
    - Only a `WebhookError` is raised. `WebhookNotSent` is raised only where the endpoint cannot have acted on the request,
      and `WebhookDeclined` only where it answered so; after `WebhookUnanswered` nobody knows. What was not sent is so
      `for_good` where a person has to mend something on this side first.
    - It ends in bounded time and reads a bounded answer, whatever the endpoint does.
    - Addresses, bodies and keys are in no error, no repr and no log.
    """

    def additional_info(self, request: AdditionalInfoRequest, *, id: str) -> AdditionalInfo:
        """Ask what the platform knows.

        - The answer was read to its end and holds only what the contract documents, each of its right type; whether it
          covers the request is for `cybertip.cases.enrichment.reconcile` to say.
        - `WebhookUnreadable` names every entry that is wrong.
        """
        ...

    def preserve(self, notice: Preservation, *, id: str) -> None:
        """Tell the platform to preserve.

        - It returns once the endpoint answered with any success; the answer's body does not matter.
        """
        ...

    def notify(self, event: CaseEvent, *, id: str) -> None:
        """Tell the host what became of a case.

        - It returns once the endpoint answered with any success; the answer's body does not matter.
        """
        ...


class AsyncWebhooks(Protocol):
    """Call the platform's endpoints, as `Webhooks` does and with its guarantees.

    - A cancelled call raises the cancellation; the endpoint may have acted on it.
    """

    async def additional_info(self, request: AdditionalInfoRequest, *, id: str) -> AdditionalInfo:
        """As `Webhooks.additional_info`."""
        ...

    async def preserve(self, notice: Preservation, *, id: str) -> None:
        """As `Webhooks.preserve`."""
        ...

    async def notify(self, event: CaseEvent, *, id: str) -> None:
        """As `Webhooks.notify`."""
        ...


@attrs.frozen(kw_only=True)
class Fetched:
    """What was fetched and is kept."""

    evidence: EvidenceId = attrs.field(repr=False)
    size: int
    sha256: str
    #: What the server called it; empty where it said nothing.
    media_type: str


class Media(Protocol):
    """Fetch media and other files by their addresses, into evidence.

    - What is kept is whole: its server said how long it is, or where it ends, and it came to there.
    - Nothing is gathered in memory.
    - No page of HTML is kept for media, unless one was asked for; and nothing that is empty.
    - A `WebhookError` is raised for what the server or the wire does wrong, and whatever `into` raises for its own failures.
      Nothing refers then to what was kept so far.
    - No redirect is followed; it ends in bounded time and fetches a bounded number of bytes.
    - Addresses and what was fetched are in no error, no repr and no log.
    """

    def fetch(self, url: str, *, into: Keeps, html: bool = False) -> Fetched:
        """Fetch what is at an address and keep it.

        Args:
            url: the address, which may hold a secret.
            into: where it is kept.
            html: whether a page of HTML is what is wanted, and not what a server says instead.
        """
        ...


class AsyncMedia(Protocol):
    """Fetch media and other files, as `Media` does and with its guarantees.

    - `into` is used from a thread, for evidence has one colour.
    """

    async def fetch(self, url: str, *, into: Keeps, html: bool = False) -> Fetched:
        """As `Media.fetch`."""
        ...
