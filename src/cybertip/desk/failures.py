"""What a failed call means for whoever goes on: what to say of it, how long to wait, and whether waiting helps."""

from datetime import timedelta

from cybertip.desk.effects import Failed
from cybertip.webhooks.failures import WebhookDeclined, WebhookError, WebhookNotSent

__all__ = ["asked_for", "is_for_good", "reason_of"]

#: Refusals that pass by themselves: too slow, too early, too many.
_PASSING = frozenset({408, 425, 429})


def reason_of(failure: WebhookError | Failed) -> str:
    """Return what failed, in our own words."""
    return failure.reason if isinstance(failure, Failed) else str(failure)


def asked_for(failure: WebhookError | Failed, *, longest: timedelta) -> timedelta:
    """Return how long the answer asked us to wait, within bounds."""
    asked = failure.retry_after_for if isinstance(failure, WebhookDeclined) else None
    return timedelta(seconds=min(asked or 0, longest.total_seconds()))


def is_for_good(failure: WebhookError | Failed) -> bool:
    """Tell whether the same request would fail again until somebody has mended something."""
    match failure:
        case WebhookDeclined():
            return 300 <= failure.status < 500 and failure.status not in _PASSING
        case WebhookNotSent():
            return failure.for_good
        case _:
            return False
