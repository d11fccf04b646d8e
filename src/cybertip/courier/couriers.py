"""The class that most people use, in both colours.

`file` records a filing and returns at once. From then on it is delivered, by this process or another, whatever happens to
either: every intent is on disk before its request leaves, every outcome after it, and a restart is the fold of what is
recorded. The async classes stand beside the sync ones and differ in colour alone; a test compares them.
"""

from datetime import timedelta
from types import TracebackType
from typing import Self

from cybertip.courier.deliveries import AsyncDeliveries, Deliveries
from cybertip.courier.wire import AsyncWire, Provider, Wire
from cybertip.drivers import Progress, Watch
from cybertip.filing import Policy
from cybertip.ports.clock import Clock
from cybertip.ports.evidence import Evidence
from cybertip.ports.queue import AsyncQueue, Queue
from cybertip.ports.storage import AsyncStorage, Storage
from cybertip.ports.transport import AsyncTransport, Transport
from cybertip.protocol import Environment

__all__ = ["AsyncCourier", "Courier"]


class Courier(Deliveries):
    """Deliver filings to one environment of NCMEC's.

    Args:
        environment: where to, by explicit choice; it becomes part of each submission, and a courier delivers no other's.
        credentials: those of that environment, or a function that returns them and is asked again when they are refused.
            They are not needed to record, to ask and to decide.
        storage: where journals are kept. It is the truth; nothing else is.
        evidence: where the files' bytes are kept.
        queue: wakes a worker that sleeps when there is something to do. Without one it looks once a second.
        policy: budgets, pauses and margins.
        clock: the time; tests bring their own.
        transport: how requests are carried; by default httpx with the credentials.
        lease_for: how long a claim lasts. A worker that dies holds its submission for so long.
        worker: its name in the journals; by default one made by chance.
        watch: called with the journal after each record; for progress and metrics.
        progress: called with key, file, bytes sent and bytes in all while a file goes up.

    A hook that fails is noted in the log and harms nothing. Only errors of `cybertip.errors` get out. All methods may be
    called from several threads.
    """

    def __init__(
        self,
        environment: Environment,
        credentials: Provider = None,
        *,
        storage: Storage,
        evidence: Evidence,
        queue: Queue | None = None,
        policy: Policy | None = None,
        clock: Clock | None = None,
        transport: Transport | None = None,
        lease_for: timedelta = timedelta(minutes=5),
        worker: str | None = None,
        watch: Watch | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(
            environment,
            storage=storage,
            wire=Wire(environment, credentials, transport),
            queue=queue,
            evidence=evidence,
            policy=policy,
            clock=clock,
            lease_for=lease_for,
            worker=worker,
            watch=watch,
            progress=progress,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to NCMEC that were made here; storage, queue and a given transport are the host's."""
        self._wire.close()


class AsyncCourier(AsyncDeliveries):
    """Deliver filings from asyncio or trio, as `Courier` does; see there for arguments and promises.

    The event loop is never blocked: evidence is read, and a provider of credentials called, in threads.
    """

    def __init__(
        self,
        environment: Environment,
        credentials: Provider = None,
        *,
        storage: AsyncStorage,
        evidence: Evidence,
        queue: AsyncQueue | None = None,
        policy: Policy | None = None,
        clock: Clock | None = None,
        transport: AsyncTransport | None = None,
        lease_for: timedelta = timedelta(minutes=5),
        worker: str | None = None,
        watch: Watch | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(
            environment,
            storage=storage,
            wire=AsyncWire(environment, credentials, transport),
            queue=queue,
            evidence=evidence,
            policy=policy,
            clock=clock,
            lease_for=lease_for,
            worker=worker,
            watch=watch,
            progress=progress,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections to NCMEC that were made here; storage, queue and a given transport are the host's."""
        await self._wire.aclose()
