"""What durable filing costs a large file: an upload of the courier's against one of the client's.

    python benchmarks/evidence.py [--size 256] [--runs 5] [--folder .] [--json]

Both send the same file over loopback to one bare server in its own process, with an MD5 that is known, in turn; the medians
are compared, and a ratio of 1 means that the courier costs nothing. Before it opens a report, it reads the evidence once and
compares its SHA-256 with the manifest's: that is measured by itself, against hashing alone.
"""

import argparse
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from stage import Row, filing, row, sqlite
from upload import MIB, NAME, start, timed, with_client

from cybertip import Environment
from cybertip.adapters.evidence import LocalEvidence
from cybertip.adapters.storage.sql import SqlStorage
from cybertip.adapters.transport.httpx_transport import HttpxTransport
from cybertip.courier import Courier
from cybertip.filing import Filing, Status
from cybertip.ports.evidence import entry_of, inspect
from cybertip.protocol import Answer, Endpoint, Request


class _Timed:
    """A transport that notes how long each upload takes."""

    def __init__(self, environment: Environment) -> None:
        self._transport = HttpxTransport(environment)
        self.seconds: list[float] = []

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        before = time.perf_counter()
        answer = self._transport.exchange(request, content)
        if request.endpoint is Endpoint.UPLOAD:
            self.seconds.append(time.perf_counter() - before)
        return answer


def _hash(path: Path) -> None:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(MIB):
            digest.update(block)


def measure(size: int, runs: int, folder: str | None = None) -> list[Row]:
    """Return the rows of the table, for a file of `size` MiB."""
    with tempfile.TemporaryDirectory(dir=folder) as place, sqlite(place) as url, SqlStorage(url) as storage:
        storage.upgrade()
        path = Path(place) / NAME
        with path.open("wb") as file:
            for number in range(size):
                file.write(bytes([number % 251]) * MIB)
        evidence = LocalEvidence(place)
        entry = entry_of(evidence, NAME, name=NAME)
        one = Filing(report=filing(0).report, files=(entry,))
        process, address = start(entry.md5)
        try:
            environment = Environment.sandbox(address)
            transport = _Timed(environment)
            courier = Courier(environment, storage=storage, evidence=evidence, transport=transport)
            times: dict[str, list[float]] = {"client": [], "verified": [], "hashed": [], "delivered": []}
            for turn in range(runs):
                times["client"].append(timed(lambda: with_client(address, path, entry.md5)))
                times["hashed"].append(timed(lambda: _hash(path)))
                times["verified"].append(timed(lambda: inspect(evidence, entry)))
                courier.file(one, key=f"turn-{turn}")
                times["delivered"].append(timed(partial(courier.deliver, f"turn-{turn}")))
                assert courier.status(f"turn-{turn}").status is Status.FINISHED
        finally:
            process.kill()
            process.wait()
    client, verified, hashed, delivered = (statistics.median(times[name]) for name in times)
    sent = statistics.median(transport.seconds)
    whole = f"the delivery takes {delivered:.2f} s: {verified:.2f} to verify, {sent:.2f} to send"
    return [
        row(f"`Courier`: upload of {size} MiB against `Client`, MD5 known", client / sent, 0.95, whole),
        row("`Courier`: to verify it against to hash it with SHA-256", hashed / verified, 0.95, ""),
    ]


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="of the file, in MiB")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", help="for the file and the database")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.size, given.runs, given.folder)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for one in found:
        print(f"{one['what']}: {one['ratio']} (goal {one['goal']}) {one['note']}")


if __name__ == "__main__":
    main()
