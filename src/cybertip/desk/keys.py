"""How cases and signals are called in storage: by digests, so that no key says who somebody is."""

from cybertip.cases.references import CaseId, ReviewerId, UserRef
from cybertip.cases.signals import Signal
from cybertip.filing.manifest import canonical, digest_of

__all__ = ["case_key", "lane", "number_of", "reviewer_tag", "signal_key", "submission_key", "user_tag"]

#: How much of a digest stands in a key: enough for it to be nobody else's.
_LENGTH = 32


def lane(kind: str, organisation: str, environment: str) -> str:
    """Return the lane, or the topic, of what belongs to one desk: what is another's is nobody's business here."""
    return f"{kind}:{environment}:{_digest(organisation)}"


def _digest(*parts: str) -> str:
    return digest_of(canonical(list(parts)))[:_LENGTH]


def user_tag(organisation: str, environment: str, user: UserRef) -> str:
    """Return what the cases of a user are found by."""
    return f"user:{_digest(organisation, environment, user.type_id, user.id)}"


def reviewer_tag(organisation: str, reviewer: ReviewerId) -> str:
    """Return what the cases that somebody decided are found by."""
    return f"by:{_digest(organisation, reviewer)}"


def case_key(tag: str, number: int) -> CaseId:
    """Return the key of a user's n-th case, from 1. Keys of one user sort by number.

    >>> case_key("user:0123", 2)
    'case/0123/000002'
    """
    return CaseId(f"case/{tag.removeprefix('user:')}/{number:06d}")


def number_of(case: str) -> int:
    """Return which of a user's cases it is."""
    return int(case.rpartition("/")[2])


def signal_key(organisation: str, environment: str, signal: Signal) -> str:
    """Return the key of a signal's journal: the same signal has the same one, however often it comes in."""
    return f"signal/{_digest(organisation, environment, signal.id)}"


def submission_key(case: str) -> str:
    """Return the key under which a case is filed: a case has one filing at most."""
    return f"{case}/report"
