"""Both auditors find the same."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import anyio
import attrs
import pytest

from cybertip.adapters.bridge import lift
from cybertip.adapters.storage.memory import AsyncMemoryStorage, MemoryStorage
from cybertip.audit import AsyncAuditor, Auditor, Checkpoint, Tally, Tampering
from cybertip.ports.storage import AsyncStorage
from cybertip.testing.simulation import Simulation

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("asynchronous", [AsyncMemoryStorage, lift], ids=["memory", "lifted"])
def test_both_find_the_same(backend: str, asynchronous: Callable[[Any], Any], tmp_path: Path) -> None:
    """On asyncio and on trio, from an async storage and from a lifted one, findings, tallies and checkpoints agree."""
    storage, path = MemoryStorage(), tmp_path / "checkpoint"
    Simulation(7, storage=storage, submissions=3).run()
    whole = b"".join(Auditor(storage).checkpoint(taken_at=NOW))
    path.write_bytes(whole)
    # One journal is altered, and another lost.
    journal = storage._journals["case-0"]
    journal[0] = attrs.evolve(journal[0], kind="withdrawn/1")
    del storage._standings["case-2"]
    storage._keys.remove("case-2")
    checkpoint = Checkpoint(path)
    tallies: list[Tally] = []
    expected = list(Auditor(storage).verify(checkpoint=checkpoint, progress=tallies.append))
    assert [one.key for one in expected] == ["case-0", "case-2"]

    async def audit() -> tuple[list[Tampering], list[Tally], bytes]:
        auditor = AsyncAuditor(cast(AsyncStorage, asynchronous(storage)))
        seen: list[Tally] = []
        found = [one async for one in auditor.verify(checkpoint=checkpoint, progress=seen.append)]
        written = [line async for line in auditor.checkpoint(taken_at=NOW)]
        return found, seen, b"".join(written)

    written = b"".join(Auditor(storage).checkpoint(taken_at=NOW))
    assert anyio.run(functools.partial(audit), backend=backend) == (expected, tallies, written)
