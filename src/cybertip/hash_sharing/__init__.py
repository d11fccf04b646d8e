"""NCMEC's Hash Sharing API, version 2, as values: what to ask, what an answer means, and in which order lists are drained.

Nothing here sends, waits or looks at the clock; `cybertip.adapters.matching.sharing` does. Written from descriptions and
from other programs' examples of the API: **it was not tried against NCMEC's live service.** What is not known of the service
is said where it matters, and read with forgiveness.
"""

from cybertip.hash_sharing.checkpoint import Checkpoint
from cybertip.hash_sharing.draining import Ask, Keep, Pace, drain
from cybertip.hash_sharing.failures import HashSharingNotAllowed, HashSharingUnanswered
from cybertip.hash_sharing.replies import (
    Accepted,
    Categories,
    Category,
    CategoryGroup,
    Identity,
    Member,
    Members,
    Page,
    Reason,
    Reasons,
    SharedEntry,
)
from cybertip.hash_sharing.requests import (
    Request,
    Window,
    affirm,
    categories,
    dispute,
    entries,
    following,
    members,
    reasons,
    status,
)
from cybertip.hash_sharing.sources import SOURCES, Source
from cybertip.hash_sharing.understanding import understand

__all__ = [
    "SOURCES",
    "Accepted",
    "Ask",
    "Categories",
    "Category",
    "CategoryGroup",
    "Checkpoint",
    "HashSharingNotAllowed",
    "HashSharingUnanswered",
    "Identity",
    "Keep",
    "Member",
    "Members",
    "Pace",
    "Page",
    "Reason",
    "Reasons",
    "Request",
    "SharedEntry",
    "Source",
    "Window",
    "affirm",
    "categories",
    "dispute",
    "drain",
    "entries",
    "following",
    "members",
    "reasons",
    "status",
    "understand",
]
