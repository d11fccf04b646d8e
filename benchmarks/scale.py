"""Whether durable filing slows down or grows with what it has done: claims, pages and memory.

    python benchmarks/scale.py [--settled 1000000] [--submissions 10000] [--folder .] [--json]

Two databases of a kind, one with few and one with very many settled submissions, are asked the same in turn, and the medians
are compared. A ratio is the time with many by the time with few: 1 means that the settled cost nothing. Memory is that of a
process of its own that files and delivers one submission after the other, with a double that forgets them.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text
from stage import Row, Wire, courier, databases, filing, resident, row, sqlite

from cybertip.adapters.storage.engines import engine_of
from cybertip.adapters.storage.sql import SqlStorage

FEW = 1000
#: What is due beside the settled: enough for every claim, and few enough to cost little.
DUE = 50
#: And a backlog, such as an outage leaves.
BACKLOG = 10_000
#: They are the beginnings of keys, too: the settled come before what is due.
SETTLED, WAITING, WAITED = "settled", "waiting", "yet waiting"
LANE = "sandbox"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) SELECT i FROM n",
    "postgresql": "SELECT i FROM generate_series(1, :count) AS n(i)",
}


def load(engine: Engine, status: str, count: int) -> None:
    """Fill in heads of one status: the settled had their turn, and the others are due."""
    due, served = ("NULL", "i") if status == SETTLED else ("i", "NULL")
    numbered = "substr('000000000' || i, -9)" if engine.dialect.name == "sqlite" else "lpad(i::text, 9, '0')"
    statement = (
        "INSERT INTO cybertip_heads (key, version, digest, status, due_at, priority, tenant, lane, report_id, tags, "
        f"ready_at, served_at) SELECT '{status}-' || {numbered}, 6, '{'0' * 64}', '{status}', {due}, 0, "
        f"'tenant-' || (i % 10), '{LANE}', i, '[]', {due}, {served} FROM ({_NUMBERS[engine.dialect.name]}) AS numbers"
    )
    with engine.begin() as connection:
        connection.execute(text(statement), {"count": count})
        connection.execute(text("ANALYZE"))


def prepared(url: str, settled: int) -> SqlStorage:
    """Return a storage with so many settled submissions, and some that are due."""
    storage = SqlStorage(url)
    storage.upgrade()
    engine = engine_of(url)
    load(engine, SETTLED, settled)
    load(engine, WAITING, DUE)
    engine.dispose()
    return storage


def claims(storage: SqlStorage) -> float:
    """Return the seconds of a claim, and give it back."""
    before = time.perf_counter()
    ((_, claim),) = storage.claim_due(token="t", now=NOW, until=NOW + timedelta(minutes=5), limit=1, lanes=(LANE,))
    seconds = time.perf_counter() - before
    storage.release(claim)
    return seconds


def looks(storage: SqlStorage) -> float:
    """Return the seconds of a look for when there is something to do."""
    before = time.perf_counter()
    assert storage.next_due(now=NOW, lanes=(LANE,)) == NOW
    return time.perf_counter() - before


def pages(**wanted: str) -> Callable[[SqlStorage], float]:
    """Return a function that returns the seconds of a page of heads, from the middle of those that there are."""

    def page(storage: SqlStorage) -> float:
        after = f"{SETTLED}-{FEW // 2:09}"
        before = time.perf_counter()
        assert len(storage.heads(after=after, limit=100, **wanted)) == 100
        return time.perf_counter() - before

    return page


def growth(name: str, few: SqlStorage, many: SqlStorage, settled: int, rounds: int) -> list[Row]:
    """Compare what is asked of few with the same of many."""
    asked: dict[str, Callable[[SqlStorage], float]] = {
        "a claim of due work": claims,
        "a look for the next": looks,
        "a page of `list`": pages(),
        "a page of one status": pages(status=SETTLED),
        "a page of one environment": pages(lane=LANE),
    }
    rows = []
    for what, ask in asked.items():
        seconds: dict[int, list[float]] = {FEW: [], settled: []}
        for turn in range(-5, rounds):
            # Whoever comes second finds the machine as the first left it: they take turns in that, too.
            for count, storage in ((FEW, few), (settled, many))[:: 1 if turn % 2 else -1]:
                found = ask(storage)
                if turn >= 0:
                    seconds[count].append(found)
        before, after = (statistics.median(seconds[count]) for count in (FEW, settled))
        note = f"{before * 1e3:.2f} ms beside {FEW:,} settled, {after * 1e3:.2f} ms beside {settled:,}"
        rows.append(row(f"{name}: {what}, many settled against few", after / before, 1.3, note))
    return rows


def backlog(name: str, url: str, storage: SqlStorage, rounds: int) -> Row:
    """Compare a claim beside many that are due with one beside few."""
    before = statistics.median(claims(storage) for _ in range(rounds))
    engine = engine_of(url)
    load(engine, WAITED, BACKLOG)
    engine.dispose()
    after = statistics.median(claims(storage) for _ in range(rounds))
    note = f"{before * 1e3:.2f} ms beside {DUE} that are due, {after * 1e3:.2f} ms beside {BACKLOG:,}"
    return row(f"{name}: a claim of due work, many due against few", after / before, None, note)


def run(url: str, submissions: int) -> None:
    """File and deliver, some at a time, and print the memory after a tenth and after all of them."""
    with SqlStorage(url) as storage:
        storage.upgrade()
        to = courier(storage, Wire())
        for done in range(0, submissions, 50):
            if done == submissions // 10:
                print(resident(), flush=True)
            for number in range(done, done + 50):
                to.file(filing(number), key=f"key-{number}")
            assert to.run_due(limit=50) == 50
        print(resident(), flush=True)


def memory(submissions: int, folder: str) -> list[Row]:
    """Compare a worker's memory after many submissions with that after a tenth of them."""
    with sqlite(folder) as url:
        command = [sys.executable, __file__, "--run", url, str(submissions)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    first, last = (int(line) for line in printed.split())
    note = (
        f"{first / 2**20:.1f} MiB after {submissions // 10:,} submissions, {last / 2**20:.1f} MiB after {submissions:,}"
    )
    return [row("memory of a worker, many submissions against a tenth of them", last / first, 1.1, note)]


def measure(settled: int, submissions: int, rounds: int = 200, folder: str | None = None) -> list[Row]:
    """Return the rows of the table."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for name, database in databases().items():
            with ExitStack() as stack:
                urls = [stack.enter_context(database(place)) for _ in range(2)]
                few, many = (
                    stack.enter_context(prepared(url, count)) for url, count in zip(urls, (FEW, settled), strict=True)
                )
                rows += growth(name, few, many, settled, rounds)
                rows.append(backlog(name, urls[0], few, max(rounds // 4, 5)))
        rows += memory(submissions, place)
    return rows


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settled", type=int, default=1_000_000)
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--folder", help="for the files of SQLite")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        run(given.run[0], int(given.run[1]))
        return
    found = measure(given.settled, given.submissions, given.rounds, given.folder)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for one in found:
        print(f"{one['what']}: {one['ratio']} (goal {one['goal']}) {one['note']}")


if __name__ == "__main__":
    main()
