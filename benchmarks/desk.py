"""Whether a case slows down with what it holds: the time of a signal that joins ten thousand others.

    python benchmarks/desk.py [--signals 10000] [--rounds 200] [--folder .] [--json]

Two storages of a kind, one with a user of few signals and one with a user of very many, get more of them in turn, and the
medians are compared: 1 means that what came in before costs nothing. Each user must be one case in the end, and hold every
signal.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from stage import ENVIRONMENT, EVIDENCE, Row, databases, row

from cybertip import (
    CaseDesk,
    Courier,
    Escalated,
    ItemRef,
    Media,
    MemoryStorage,
    Profile,
    ReviewerId,
    SignalId,
    SqlStorage,
    UserRef,
    Viewer,
)
from cybertip.ports.storage import Storage

FEW = 100
#: What is thrown away before it is measured.
WARM = 10
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_VIEWER = Viewer(reviewer=ReviewerId("r1"), child_safety=True)


def desk_over(storage: Storage) -> CaseDesk:
    """Return a desk that needs nothing but a storage."""
    courier = Courier(ENVIRONMENT, storage=storage, evidence=EVIDENCE)
    profile = Profile(company_name="Example", reporter_email="safety@example.com", default_queue="q1")
    return CaseDesk("organisation-1", courier=courier, evidence=EVIDENCE, profile=profile)


def signal(user: str, number: int) -> Escalated:
    """Return a user's n-th signal, with a file of its own."""
    return Escalated(
        id=SignalId(f"{user}-{number}"),
        source="moderators",
        at=_AT,
        basis="synthetic",
        creator=UserRef(id=user, type_id="user"),
        media=(Media(ref=ItemRef(id=f"{user}-{number}", type_id="image")),),
        moderator=ReviewerId("r1"),
    )


class Joining:
    """A user whose signals come in one after the other."""

    def __init__(self, desk: CaseDesk, user: str) -> None:
        self._desk, self._user = desk, user
        self.count = 0
        self.case: str | None = None

    def join(self) -> float:
        """Take one more signal in, and return the seconds."""
        self.count += 1
        coming = signal(self._user, self.count)
        before = time.perf_counter()
        placement = self._desk.signal(coming)
        seconds = time.perf_counter() - before
        assert placement.case is not None
        assert self.case in (None, placement.case), "one user, undecided, is one case"
        self.case = placement.case
        return seconds

    def check(self) -> None:
        """See that nothing was lost."""
        assert self.case is not None
        assert len(self._desk.case(self.case, viewer=_VIEWER).signals) == self.count


def joining(name: str, storages: Sequence[Storage], signals: int, rounds: int) -> Row:
    """Compare a signal that joins many with one that joins few, in turn."""
    few, many = (Joining(desk_over(storage), "u1") for storage in storages)
    for one, size in ((many, signals), (few, FEW)):
        while one.count < size:
            one.join()
    seconds: dict[Joining, list[float]] = {few: [], many: []}
    for turn in range(-WARM, rounds):
        # Whoever comes second finds the machine as the first left it: they take turns in that, too.
        for one in (few, many)[:: 1 if turn % 2 else -1]:
            found = one.join()
            if turn >= 0:
                seconds[one].append(found)
    few.check()
    many.check()
    before, after = statistics.median(seconds[few]), statistics.median(seconds[many])
    note = f"{before * 1e3:.2f} ms beside {FEW:,} signals, {after * 1e3:.2f} ms beside {signals:,}"
    return row(f"{name}: a signal that joins a case of many against one of few", after / before, 1.3, note)


def measure(signals: int, rounds: int, folder: str | None) -> list[Row]:
    """Measure in memory and in every kind of database that there is."""
    rows = [joining("memory", [MemoryStorage(), MemoryStorage()], signals, rounds)]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for name, database in databases().items():
            with ExitStack() as stack:
                storages = [_made(stack.enter_context(database(place))) for _ in range(2)]
                rows.append(joining(name, storages, signals, rounds))
                for storage in storages:
                    storage.close()
    return rows


def _made(url: str) -> SqlStorage:
    storage = SqlStorage(url)
    storage.upgrade()
    return storage


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--folder", help="for the files of SQLite")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.signals, given.rounds, given.folder)
    if given.json:
        json.dump(found, sys.stdout, indent=2)
        return
    for one in found:
        print(f"{one['what']}: {one['ratio']} (goal {one['goal']}) {one['note']}")


if __name__ == "__main__":
    main()
