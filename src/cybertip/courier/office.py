"""What both couriers are made of, and what neither waits for."""

import logging
import secrets
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from cybertip.courier.lane import Lane
from cybertip.drivers import Progress, Watch
from cybertip.filing import Filing, Journal, Policy
from cybertip.filing.effects import Flow
from cybertip.filing.flows import accept
from cybertip.ports.clock import Clock, SystemClock
from cybertip.ports.evidence import Evidence
from cybertip.ports.policing import policed
from cybertip.protocol import Environment

__all__ = ["LOOK_FOR", "Office", "log"]

#: How long a worker that has nothing to do sleeps before it looks for what others filed or left behind.
LOOK_FOR = timedelta(seconds=1)
#: The shortest sleep, so that a clock that stands still does not make a worker spin.
_BREATH = timedelta(milliseconds=10)
#: How long a lane is paused before NCMEC is asked again, unless it asks for more.
_LONGEST_LANE_PAUSE = timedelta(minutes=1)

log = logging.getLogger("cybertip")

S = TypeVar("S")
W = TypeVar("W")
Q = TypeVar("Q")


class Office(Generic[S, W, Q]):
    """Hold a courier's parts: its storage, wire and queue in one colour, and everything that has none."""

    def __init__(
        self,
        environment: Environment,
        *,
        storage: S,
        wire: W,
        queue: Q | None,
        evidence: Evidence,
        policy: Policy | None,
        clock: Clock | None,
        lease_for: timedelta,
        worker: str | None,
        watch: Watch | None,
        progress: Progress | None,
    ) -> None:
        self._environment = environment
        self._storage = policed(storage)
        self._wire = wire
        self._queue = None if queue is None else policed(queue)
        self._evidence = evidence
        self._policy = policy or Policy()
        self._clock = clock or SystemClock()
        self._lease_for = lease_for
        self._worker = worker or f"worker-{secrets.token_hex(4)}"
        self._watch = watch
        self._progress = progress
        self._lane = Lane(self._lane_pause)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._environment}>"

    @property
    def environment(self) -> Environment:
        """Where it delivers to."""
        return self._environment

    @property
    def storage(self) -> S:
        """Where journals are kept; whatever goes on in it, only `AdapterError` and `Conflict` get out."""
        return self._storage

    @property
    def clock(self) -> Clock:
        """The time it goes by."""
        return self._clock

    @property
    def lease_for(self) -> timedelta:
        """How long its claims last."""
        return self._lease_for

    @property
    def _lanes(self) -> tuple[str, ...]:
        """What is ours to deliver: the submissions of one environment."""
        return (self._environment.name,)

    def _token(self) -> str:
        """Return a token that no other claim has."""
        return f"{self._worker}/{secrets.token_hex(8)}"

    def _acceptance(
        self, filing: Filing, *, key: str, priority: int, tenant: str, tags: tuple[str, ...]
    ) -> Flow[Journal]:
        """Return the flow that records a filing."""
        return accept(key, filing, environment=self._environment.name, priority=priority, tenant=tenant, tags=tags)

    def _lane_pause(self, times: int, asked_for: float | None) -> timedelta:
        """Return how long the n-th pause of the lane in a row is: not so long that new credentials would be waited for."""
        ours = min(self._policy.pause(times, seed=self._worker), _LONGEST_LANE_PAUSE)
        return max(ours, min(timedelta(seconds=asked_for or 0), self._policy.longest_retry_after_for))

    def _pause_until(self, due_at: datetime | None) -> timedelta:
        """Return how long to sleep when the next thing to do is due then."""
        now = self._clock.now()
        times = [at for at in (due_at, self._lane.paused_until) if at is not None]
        return min(max(max(times) - now, _BREATH), LOOK_FOR) if times else LOOK_FOR

    def _is_idle(self, due_at: datetime | None) -> bool:
        """Tell whether nothing can be done for so long that only what waits for a person is left, or credentials are."""
        if not self._lane.is_open or due_at is None:
            return True
        return due_at > self._clock.now() + self._policy.longest_pause_for
