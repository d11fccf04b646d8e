"""What can go wrong with a request to a platform's endpoint, and what is then known of the world.

```
AdapterError
└── WebhookError
    ├── WebhookNotSent       nothing happened
    ├── WebhookDeclined      they answered, and not with success
    ├── WebhookUnanswered    sent, no whole answer: they may have acted on it
    └── WebhookUnreadable    they answered with something that the contract does not have
```

No message holds an address, a body or anything else that was sent or answered: it names the endpoint by what it is for.
"""

from functools import partial
from typing import Any

from cybertip.errors import AdapterError, Violation

__all__ = ["WebhookDeclined", "WebhookError", "WebhookNotSent", "WebhookUnanswered", "WebhookUnreadable"]


class WebhookError(AdapterError):
    """A request to one of the platform's own endpoints failed. The subclasses say what is known.

    Args:
        endpoint: what the endpoint is for, such as `preservation`.
        reason: what happened.
    """

    #: What to do next.
    advice = "Look at the endpoint and try again."

    def __init__(self, *, endpoint: str, reason: str, **more: Any) -> None:
        super().__init__(endpoint, reason)
        self.endpoint = endpoint
        self.reason = reason
        self.__more = more

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.reason}. {self.advice}"

    def __reduce__(self) -> tuple[object, ...]:
        return partial(type(self), endpoint=self.endpoint, reason=self.reason, **self.__more), ()


class WebhookNotSent(WebhookError):
    """Nothing left this machine for the endpoint, or nothing that it could act on."""

    advice = "Nothing was sent: mend what is named, or wait until the endpoint can be reached, and try again."

    def __init__(self, *, endpoint: str, reason: str, for_good: bool = False) -> None:
        super().__init__(endpoint=endpoint, reason=reason, for_good=for_good)
        #: Whether nothing will be sent until a person has mended something on this side.
        self.for_good = for_good


class WebhookDeclined(WebhookError):
    """The endpoint answered with a status that is no success."""

    advice = "The endpoint did not take it: look there, and try again."

    def __init__(self, *, endpoint: str, reason: str, status: int, retry_after_for: float | None = None) -> None:
        super().__init__(endpoint=endpoint, reason=reason, status=status, retry_after_for=retry_after_for)
        self.status = status
        #: Seconds that the answer asked us to wait; None where it named none.
        self.retry_after_for = retry_after_for


class WebhookUnanswered(WebhookError):
    """The request left, and no whole answer came back."""

    advice = "The endpoint may have acted on it; it tells a repetition by the request's id, so try again."


class WebhookUnreadable(WebhookError):
    """The endpoint answered, and the answer is not what the contract says.

    `violations` names what is wrong, entry by entry, where it could be read so far.
    """

    advice = "Mend the endpoint's answer; nothing of it was used."

    def __init__(self, *, endpoint: str, reason: str, violations: tuple[Violation, ...] = ()) -> None:
        super().__init__(endpoint=endpoint, reason=reason, violations=violations)
        self.violations = violations

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {one}" for one in self.violations)])
