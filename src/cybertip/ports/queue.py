"""How a worker learns that there is something to do without looking again and again.

Storage is the truth: it knows what is due, and its claims decide who works on what. A queue only wakes somebody. Whatever it
loses, a look at storage finds; whatever it brings twice, a claim refuses. So a message holds a submission's key and nothing
else, and a worker without a queue does the same work a little later.
"""

from datetime import timedelta
from typing import Protocol

import attrs

__all__ = ["AsyncQueue", "Queue", "Wake"]


@attrs.frozen(kw_only=True)
class Wake:
    """One delivery of a key that somebody should look at."""

    key: str
    #: What the queue knows this delivery by. It means nothing to anybody else.
    token: str


class Queue(Protocol):
    """Wake somebody who looks at submissions.

    Only `AdapterError` gets out. There is no order, and the same key may come several times. A queue may be emptied, by an
    operator or a restart. As long as it is not, nothing that was put is forgotten before somebody is done with it.
    """

    def put(self, key: str) -> None:
        """Have somebody look at a submission.

        - The key comes at least once after `put` returned, to whoever takes.
        - A key that came and is not done comes once more for a `put` meanwhile.
        - Puts of a key that has not come yet may become one.
        """
        ...

    def take(self, *, wait_for: timedelta) -> Wake | None:
        """Take a key that somebody should look at.

        - It waits until a key comes, and no longer than `wait_for`; None says that none came.
        - Of many that take at once, each gets deliveries of its own.
        - What is not done after a time of the queue's own comes again.
        """
        ...

    def done(self, wake: Wake) -> None:
        """Say that somebody has looked.

        - This delivery does not come again.
        - It does nothing when the delivery is done already, or when the key has come again since.
        """
        ...


class AsyncQueue(Protocol):
    """Wake somebody, as `Queue` does and with its guarantees."""

    async def put(self, key: str) -> None:
        """As `Queue.put`."""
        ...

    async def take(self, *, wait_for: timedelta) -> Wake | None:
        """As `Queue.take`.

        - The event loop goes on while it waits.
        - What a take that is cancelled might have brought is not lost: it comes to another.
        """
        ...

    async def done(self, wake: Wake) -> None:
        """As `Queue.done`."""
        ...
