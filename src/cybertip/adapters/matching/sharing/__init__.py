"""NCMEC's Hash Sharing API: a client, a sync of its lists into the store of this machine, and verdicts on their way back.

It was not tried against NCMEC's live service (see `cybertip.hash_sharing`).
"""

from cybertip.adapters.matching.sharing.client import AsyncHttpxHashSharing, HttpxHashSharing, Provider
from cybertip.adapters.matching.sharing.feedback import HashSharingFeedback
from cybertip.adapters.matching.sharing.syncing import HashSharingSync, Overtaken, Synced, WrongList

__all__ = [
    "AsyncHttpxHashSharing",
    "HashSharingFeedback",
    "HashSharingSync",
    "HttpxHashSharing",
    "Overtaken",
    "Provider",
    "Synced",
    "WrongList",
]
