"""A worker of our own that is killed in the middle of an upload, and the next one, which finds the journal it left."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import attrs

from cybertip.cli.settings import Settings
from cybertip.errors import CybertipError

__all__ = ["Killed", "deliver_over_a_dead_worker", "reports_at"]

#: Seconds that the dead worker's claim lasts. It is short so that nobody has to wait.
_LEASE = 2
#: Seconds after which something must be wrong.
_PATIENCE = 60


@attrs.frozen(kw_only=True)
class Killed:
    """The worker that was killed, and the report that it was uploading to."""

    process: int
    report_id: int


class DemoFailed(CybertipError):
    """The demonstration did not come to its end."""


def reports_at(url: str) -> list[dict[str, Any]]:
    """Return the reports that a double holds."""
    with urlopen(f"{url}/_sandbox/reports") as answer:  # noqa: S310 - the address is the double's own
        found: list[dict[str, Any]] = json.load(answer)
    return found


def deliver_over_a_dead_worker(url: str, settings: Settings, folder: Path, say: Callable[[str], None]) -> Killed:
    """Have a worker killed at the worst moment, and what it left be delivered by another."""
    # The double takes the first file, and never answers: whoever sent it cannot know that it arrived.
    order = {"endpoint": "/upload", "when": "after", "answer": "hang"}
    with urlopen(Request(f"{url}/_sandbox/faults", json.dumps(order).encode())):  # noqa: S310 - as above
        pass
    with _worker(settings, folder) as first:
        say(f"Started a worker (process {first.pid}, lease {_LEASE} seconds)")
        report_id = _uploading(url, first)
        say(f"It opened report {report_id} and is uploading: NCMEC has the first file, its answer is on the way")
        first.kill()
        first.wait()
    killed = Killed(process=first.pid, report_id=report_id)
    say("Killed the worker with SIGKILL: the journal says that it meant to upload, and nobody knows what became of it")
    with _worker(settings, folder) as second:
        say(
            f"Started another worker (process {second.pid}); when the dead one's lease is over, it looks into the journal"
        )
        assert second.stdout is not None
        for line in second.stdout:
            key, status, number = line.rstrip("\n").split("\t")
            say(f"  {key} is {status}" + (f", report {number}" if number else ""))
        if second.wait() != 0:
            raise DemoFailed(f"the worker ended with exit code {second.returncode}")
    return killed


@contextmanager
def _worker(settings: Settings, folder: Path) -> "Iterator[subprocess.Popen[str]]":
    """Start a worker in a process of its own, as a service manager would."""
    ours = {f"CYBERTIP_{name.upper()}": getattr(settings, name) for name in _SETTINGS}
    others = {name: value for name, value in os.environ.items() if not name.startswith("CYBERTIP_")}
    # -P: what lies in the folder is no part of the program, and no settings of its own.
    program = [sys.executable, "-P", "-m", "cybertip", "worker", "--until-idle", "--lease-for", str(_LEASE)]
    program += ["--config", os.devnull]
    process = subprocess.Popen(  # noqa: S603 - our own program
        program, stdout=subprocess.PIPE, text=True, cwd=folder, env=others | ours
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


_SETTINGS = ("storage", "evidence", "environment", "username", "password")


def _uploading(url: str, worker: "subprocess.Popen[str]") -> int:
    """Wait until the double has a file whose upload it has not answered, and return the number of its report."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and worker.poll() is None:
        for report in reports_at(url):
            if report["files"]:
                return int(report["reportId"])
        time.sleep(0.02)
    raise DemoFailed("the worker did not come to upload anything")
