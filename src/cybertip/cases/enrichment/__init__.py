"""What a platform adds to a case before it is filed: asked for, read, compared with what was asked, and put in its place.

A platform may answer over HTTP (`cybertip.ports.webhooks`) or with a function of its own, a `Source`: both give an
`AdditionalInfo`, and `reconcile` says whether that is enough to file.
"""

from cybertip.cases.enrichment.answer import (
    AdditionalFile,
    AdditionalInfo,
    MediaHash,
    MediaInfo,
    MessageInfo,
    UserInfo,
)
from cybertip.cases.enrichment.coverage import AllMissing, Enriched, Uncovered, reconcile
from cybertip.cases.enrichment.events import Placed, place_events, unique_events
from cybertip.cases.enrichment.findings import Finding
from cybertip.cases.enrichment.hashes import PlacedHash, place_hash
from cybertip.cases.enrichment.messages import with_addresses
from cybertip.cases.enrichment.question import AdditionalInfoRequest, AsyncSource, Source, nothing_known

__all__ = [
    "AdditionalFile",
    "AdditionalInfo",
    "AdditionalInfoRequest",
    "AllMissing",
    "AsyncSource",
    "Enriched",
    "Finding",
    "MediaHash",
    "MediaInfo",
    "MessageInfo",
    "Placed",
    "PlacedHash",
    "Source",
    "Uncovered",
    "UserInfo",
    "nothing_known",
    "place_events",
    "place_hash",
    "reconcile",
    "unique_events",
    "with_addresses",
]
