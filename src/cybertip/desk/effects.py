"""What the flows of a desk ask for, besides the time and a journal."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from cybertip.cases.attachments import Attachment
from cybertip.cases.decisions import ThreadDecision
from cybertip.cases.enrichment import AdditionalInfo, AdditionalInfoRequest
from cybertip.cases.notices import CaseEvent, Preservation
from cybertip.cases.references import EvidenceId, ItemRef, UserRef
from cybertip.cases.signals import Signal
from cybertip.filing import Filing
from cybertip.filing.chain import Entry
from cybertip.filing.effects import Effect, Now, Read
from cybertip.filing.journal import Journal
from cybertip.ports.storage import Head, Letter
from cybertip.ports.webhooks import Fetched
from cybertip.webhooks.failures import WebhookError

__all__ = [
    "AnyEffect",
    "Append",
    "Ask",
    "Failed",
    "Fetch",
    "File",
    "Find",
    "Look",
    "Notify",
    "Now",
    "Preserve",
    "Read",
    "Resolve",
    "Settle",
    "Submitted",
    "Transcribe",
    "Weigh",
    "Weighed",
]


@attrs.frozen
class Failed:
    """Something of the host's failed: a function, a file, an endpoint. The reason is in our own words and quotes nothing."""

    reason: str


@attrs.frozen
class Look(Effect[Head | None]):
    """Look where a journal stands."""

    key: str


@attrs.frozen(kw_only=True)
class Find(Effect[tuple[Head, ...]]):
    """Find heads; fewer than `limit` mean that there are no more."""

    lane: str
    tenant: str
    tag: str | None = None
    status: str | None = None
    after: str | None = None
    limit: int = 100


@attrs.frozen(kw_only=True)
class Append(Effect[None]):
    """Record entries with their head, and post letters; raises `Conflict` if the journal went on."""

    entries: tuple[Entry, ...]
    head: Head
    expected: int
    letters: tuple[Letter, ...] = ()
    #: Only who holds the claim may record.
    claimed: bool = False


@attrs.frozen
class Resolve(Effect[UserRef | Failed | None]):
    """Ask the host who made what a signal is about; None: it does not know yet."""

    signal: Signal


@attrs.frozen(kw_only=True)
class Weighed:
    """The size and the digests of what is kept under a reference."""

    evidence: EvidenceId = attrs.field(repr=False)
    size: int
    sha256: str
    md5: str


@attrs.frozen
class Weigh(Effect[Weighed | Failed]):
    """Digest what is kept under a reference."""

    evidence: EvidenceId


@attrs.frozen(kw_only=True)
class Fetch(Effect[Fetched | WebhookError | Failed]):
    """Fetch what is at an address, and keep it."""

    url: str = attrs.field(repr=False)
    html: bool = False


@attrs.frozen(kw_only=True)
class Ask(Effect[AdditionalInfo | WebhookError | Failed]):
    """Ask the platform what it knows."""

    request: AdditionalInfoRequest
    id: str
    #: Whether the organisation names an endpoint that is to be asked.
    is_named: bool = False


@attrs.frozen(kw_only=True)
class Transcribe(Effect[tuple[Attachment, ...] | Failed]):
    """Write the messages that were decided on into evidence, as transcripts."""

    thread: ThreadDecision
    #: Which of the decision's it is.
    index: int
    addresses: Mapping[ItemRef, str] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class File(Effect[None]):
    """Hand a filing over for delivery; raises `InvalidReport` and `Conflict` as a courier does."""

    filing: Filing
    key: str
    priority: int = 0
    tenant: str = ""
    tags: tuple[str, ...] = ()


@attrs.frozen
class Submitted(Effect[Journal | Failed | None]):
    """Read a submission; None if there is none."""

    key: str


@attrs.frozen(kw_only=True)
class Preserve(Effect[WebhookError | Failed | None]):
    """Tell the platform to preserve; None: it will."""

    notice: Preservation
    id: str


@attrs.frozen(kw_only=True)
class Notify(Effect[WebhookError | Failed | None]):
    """Tell the host what became of a case; None: it was told."""

    event: CaseEvent
    id: str


@attrs.frozen(kw_only=True)
class Settle(Effect[None]):
    """Say when a letter is to be delivered again; None: it was delivered."""

    id: str
    due_at: datetime | None


#: Every effect there is.
AnyEffect = (
    Now
    | Read
    | Look
    | Find
    | Append
    | Resolve
    | Weigh
    | Fetch
    | Ask
    | Transcribe
    | File
    | Submitted
    | Preserve
    | Notify
    | Settle
)
