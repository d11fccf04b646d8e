"""A worker that is asked to stop in mid-upload does so, and the next one goes on where it stopped."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cybertip.courier import Courier
from cybertip.filing.events import Call, Intended, Lost, Uploaded, decode
from cybertip.protocol import Environment

FILES = 3
SIZE = 24_000_000


def in_mid_upload(received: Path) -> bool:
    """Tell whether some bytes of a file arrived, and not all of them."""
    for path in received.glob(".incoming-*"):
        try:
            if 0 < path.stat().st_size < SIZE / 2:
                return True
        except FileNotFoundError:
            # It is whole by now, and has got its name.
            continue
    return False


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_worker_that_is_stopped_in_mid_upload_is_gone_on_from(
    new_world: Callable[..., Any], kit: Any, patience: float, tmp_path: Path
) -> None:
    """F43: on SIGTERM the upload under way comes to its end and to its record, and no call follows; the exit code is 0. The
    next worker finishes the same report, with each file once."""
    received = tmp_path / "received"
    world = new_world("--keep", str(received))
    with world.storage() as storage:
        noise = random.Random(3).randbytes(SIZE)
        filing = kit.filing(world.evidence, "case-1", [(noise, True)] * FILES)
        courier = Courier(Environment.sandbox(world.address), storage=storage, evidence=world.evidence)
        courier.file(filing, key="case-1")

        worker = world.start("worker", "--until-idle")
        until = time.monotonic() + patience
        while True:
            # The double stands still while we look: what is under way then stays under way.
            world.sandbox.send_signal(signal.SIGSTOP)
            if in_mid_upload(received):
                break
            world.sandbox.send_signal(signal.SIGCONT)
            assert worker.poll() is None, f"no upload was seen\n{world.complaints()}"
            assert time.monotonic() < until, "no upload began"
            time.sleep(0.005)
        worker.send_signal(signal.SIGTERM)
        world.sandbox.send_signal(signal.SIGCONT)
        assert worker.wait(patience) == 0, world.complaints()

        events = [decode(entry.kind, entry.data) for entry in storage.read("case-1")]
        assert isinstance(events[-1], Uploaded), "the call under way was not brought to its record"
        assert not any(isinstance(event, Lost) for event in events)
        assert not any(isinstance(event, Intended) and event.call is Call.FINISH for event in events)

        assert world.start("worker", "--until-idle").wait(patience) == 0, world.complaints()
        kit.check(world, storage, {"case-1": filing})
        assert len(world.reports()) == 1, "another report was opened"
