"""Closing: a courier closes what it made, and leaves alone what is the host's."""

from typing import Any

import anyio
import pytest

from cybertip.adapters.transport import httpx_transport
from cybertip.courier import AsyncCourier, Courier
from cybertip.filing import Status
from cybertip.protocol import Credentials


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every transport of ours that is closed, in order."""
    found: list[object] = []
    close, aclose = httpx_transport.HttpxTransport.close, httpx_transport.AsyncHttpxTransport.aclose

    def noted(self: httpx_transport.HttpxTransport) -> None:
        found.append(self)
        close(self)

    async def anoted(self: httpx_transport.AsyncHttpxTransport) -> None:
        found.append(self)
        await aclose(self)

    monkeypatch.setattr(httpx_transport.HttpxTransport, "close", noted)
    monkeypatch.setattr(httpx_transport.AsyncHttpxTransport, "aclose", anoted)
    return found


def online(world: Any, sandbox: Any, kit: Any, **settings: Any) -> Any:
    """Return a courier that makes its own connections, to a double on loopback."""
    world.ncmec, world.clock = sandbox.ncmec, kit.VirtualClock(sandbox.clock.now())
    return world.courier(kit.Environment.sandbox(sandbox.url), transport=None, **settings)


def test_what_was_made_is_closed(world: Any, cybertip_sandbox: Any, kit: Any, closed: list[object]) -> None:
    """The connections that deliveries needed are closed, those of credentials that were refused meanwhile included; and a
    courier that is used again makes new ones."""
    passwords = ["wrong", "sandbox", "sandbox"]
    courier = online(
        world,
        cybertip_sandbox,
        kit,
        credentials=lambda: Credentials(username="sandbox", password=passwords.pop(0)),
    )
    courier.file(world.filing(True), key="case-1")
    courier.run_due()
    world.pass_time(7200)
    assert courier.run_due() == 1
    assert courier.status("case-1").status is Status.FINISHED
    courier.close()
    assert len(closed) == 2
    courier.file(world.filing(True, user="user-2"), key="case-2")
    assert courier.deliver("case-2").status is Status.FINISHED
    courier.close()
    assert len(closed) == len(set(map(id, closed))) == 3
    courier.close()
    assert len(closed) == 3


def test_a_courier_that_never_called_has_nothing_to_close(world: Any, closed: list[object]) -> None:
    """A process that only records makes no connection."""
    courier = world.courier(credentials=Credentials(username="sandbox", password="sandbox"), transport=None)
    courier.file(world.filing(), key="case-1")
    courier.close()
    assert closed == []


def test_the_hosts_transport_stays_open(world: Any) -> None:
    """A transport that was given is the host's: after one courier is closed, another goes on with it."""
    closings: list[str] = []
    world.wire.close = lambda: closings.append("close")
    world.wire.aclose = lambda: closings.append("aclose")
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    courier.close()
    assert world.courier().deliver("case-1").status is Status.FINISHED
    assert closings == []


def test_with(kit: Any, cybertip_sandbox: Any, closed: list[object]) -> None:
    """Leaving the `with` block of a courier closes its connections, however it is left."""
    world = kit.World(None)
    parts: dict[str, Any] = {"evidence": world.evidence, "clock": kit.VirtualClock(cybertip_sandbox.clock.now())}
    environment = kit.Environment.sandbox(cybertip_sandbox.url)
    credentials = Credentials(username="sandbox", password="sandbox")

    def sync() -> None:
        with Courier(environment, credentials, storage=world.storage, **parts) as courier:
            courier.file(world.filing(), key="case-1")
            courier.deliver("case-1")
            raise KeyError

    async def tasks() -> None:
        storage = kit.AsyncMemoryStorage(world.storage)
        async with AsyncCourier(environment, credentials, storage=storage, **parts) as courier:
            await courier.file(world.filing(), key="case-2")
            await courier.deliver("case-2")
            raise KeyError

    for number, backend in enumerate((None, "asyncio", "trio"), start=1):
        with pytest.raises(KeyError):
            sync() if backend is None else anyio.run(tasks, backend=backend)
        assert len(closed) == number
        world.storage = kit.MemoryStorage()
