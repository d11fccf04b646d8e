"""What durability costs: a filing against the bare commits that its promises need; one worker against two.

    python benchmarks/durable.py [--rounds 15] [--filings 20] [--folder .] [--json]

A filing of n calls has to wait for the disk n + 2 times. The yardstick makes as many commits, each of one small row, in the
same database with the bare driver. Both are measured in turn, in the same process, and their medians are compared; a ratio
of 1 would mean that all else is free. "With the calls" adds to the yardstick what the same calls cost without a memory.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event, make_url
from stage import CALLS, EVIDENCE, WAITS, Row, Wire, courier, databases, filing, row

from cybertip.adapters.storage.sql import SqlStorage
from cybertip.courier import Courier
from cybertip.filing import Filing
from cybertip.protocol import describe, finish, submit, understand, upload

# -- yardsticks ---------------------------------------------------------------------------------------------------------


@contextmanager
def bare_commits(url: str) -> Iterator[Callable[[int], None]]:
    """Return a function that makes some commits of one small row each, with nothing but the database's driver."""
    address = make_url(url)
    values = ("x" * 100,)
    if address.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(address.database), isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("CREATE TABLE bare (number INTEGER PRIMARY KEY, data TEXT)")

            def commit(times: int) -> None:
                for _ in range(times):
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("INSERT INTO bare (data) VALUES (?)", values)
                    connection.execute("COMMIT")

            yield commit
        return
    with psycopg.connect(address.set(drivername="postgresql").render_as_string(hide_password=False)) as server:
        server.execute("CREATE TABLE bare (number BIGSERIAL PRIMARY KEY, data TEXT)")
        server.commit()

        def commit_there(times: int) -> None:
            cursor = server.cursor()
            for _ in range(times):
                cursor.execute("INSERT INTO bare (data) VALUES (%s)", values)
                server.commit()

        yield commit_there


def only_call(filings: list[Filing], wire: Wire) -> None:
    """Make the calls of some filings and remember nothing."""
    for one in filings:
        _only_call(one, wire)


def _only_call(one: Filing, wire: Wire) -> None:

    def call(request: Any, content: Any = None) -> Any:
        answer = wire.exchange(request, content)
        return understand(request, answer.status, answer.headers, answer.body)

    (file,) = one.files
    report_id = call(submit(one.report, edition=one.edition)).report_id
    with EVIDENCE.open(file.evidence) as source:
        sent = call(upload(report_id, name=file.name, size=file.size, md5=file.md5), iter([source.read()]))
    assert file.description is not None
    call(describe(file.description.named(report_id=report_id, file_id=sent.file_id), edition=one.edition))
    call(finish(report_id))


def deliver(to: Courier, filings: list[Filing], prefix: str, *, concurrency: int = 1) -> None:
    """File and deliver."""
    for number, one in enumerate(filings):
        to.file(one, key=f"{prefix}-{number}")
    assert to.run_due(limit=len(filings), concurrency=concurrency) == len(filings)


# -- one worker ---------------------------------------------------------------------------------------------------------


def waits_of(url: str) -> int:
    """Count how often a filing waits for the disk, or fail where that is not n + 2 times."""
    waits: list[bool] = []

    def note(connection: Connection) -> None:
        asked = "PRAGMA synchronous" if connection.dialect.name == "sqlite" else "SHOW synchronous_commit"
        waits.append(connection.exec_driver_sql(asked).scalar() in (2, "on"))

    wire = Wire()
    with SqlStorage(url) as storage:
        event.listen(Engine, "commit", note)
        deliver(courier(storage, wire), [filing(0)], "counted")
        event.remove(Engine, "commit", note)
    assert wire.calls == CALLS, f"the filing took {wire.calls} calls"
    assert sum(waits) == WAITS, f"the filing waited {sum(waits)} times for the disk"
    return sum(waits)


def overhead(name: str, url: str, rounds: int, filings: int) -> list[Row]:
    """Compare filings with bare commits."""
    with SqlStorage(url) as storage, bare_commits(url) as commit:
        storage.upgrade()
        waits = waits_of(url)
        wire = Wire()
        to = courier(storage, wire)
        some = [filing(number) for number in range(filings)]
        contenders: dict[str, Callable[[int], object]] = {
            "commits": lambda turn: commit(waits * filings),
            "calls": lambda turn: only_call(some, wire),
            "filings": lambda turn: deliver(to, some, f"one-{turn}"),
            "at a time": lambda turn: deliver(to, some, f"four-{turn}", concurrency=4),
        }
        seconds: dict[str, list[float]] = {contender: [] for contender in contenders}
        for turn in range(-1, rounds):
            for contender, run in contenders.items():
                before = time.perf_counter()
                run(turn)
                if turn >= 0:
                    seconds[contender].append((time.perf_counter() - before) / filings)
    commits, calls, whole, together = (statistics.median(seconds[one]) for one in contenders)
    note = f"{1 / whole:.0f} filings a second; a bare commit takes {commits / waits * 1e3:.2f} ms"
    rest = whole - commits
    needed = rest * 0.7 / 0.3 / waits
    bound = f"what is no bare commit takes {rest * 1e3:.1f} ms: 0.7 is met where a commit takes {needed * 1e3:.1f} ms"
    return [
        row(f"{name}: filings of {CALLS} calls against {waits} bare commits each", commits / whole, 0.7, note),
        row("the same, with the calls in the yardstick", (commits + calls) / whole, None, bound),
        row("the same as the first, four at a time", commits / together, None, f"{1 / together:.0f} filings a second"),
    ]


# -- two workers --------------------------------------------------------------------------------------------------------


def work(url: str, latency: float) -> None:
    """Be a worker: say so, wait for a line, and deliver what is due."""
    with SqlStorage(url) as storage:
        to = courier(storage, Wire(latency))
        to.run_due(limit=1)
        print("ready", flush=True)
        sys.stdin.readline()
        while to.run_due(limit=1000):
            pass
    print("done", flush=True)


def timed_workers(url: str, count: int, latency: float) -> float:
    """Return the seconds that some worker processes take for what is due."""
    command = [sys.executable, __file__, "--work", url, str(latency)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    pipes = [(one.stdin, one.stdout) for one in workers if one.stdin is not None and one.stdout is not None]
    for _, out in pipes:
        assert out.readline() == "ready\n"
    before = time.perf_counter()
    for into, _ in pipes:
        into.write("\n")
        into.flush()
    for _, out in pipes:
        assert out.readline() == "done\n"
    seconds = time.perf_counter() - before
    for one in workers:
        one.communicate()
    return seconds


def workers(url: str, rounds: int, filings: int, latency: float) -> list[Row]:
    """Compare two workers with one, in turn."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with SqlStorage(url) as storage:
        storage.upgrade()
        to = courier(storage, Wire())
        for turn in range(rounds):
            for count, found in seconds.items():
                for number in range(filings + count):
                    to.file(filing(number), key=f"{latency}-{turn}-{count}-{number}")
                found.append(timed_workers(url, count, latency))
    one, two = (statistics.median(seconds[count]) for count in (1, 2))
    what = f"PostgreSQL: two workers against one, NCMEC answers after {latency * 1e3:.0f} ms"
    return [row(what, one / two, 1.6, f"{filings / one:.0f} and {filings / two:.0f} filings a second")]


def measure(rounds: int = 15, filings: int = 20, folder: str | None = None) -> list[Row]:
    """Return the rows of the table."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for name, database in databases().items():
            with database(place) as url:
                rows += overhead(name, url, rounds, filings)
        if "PostgreSQL" in databases():
            for latency in (0.01, 0.0):
                with databases()["PostgreSQL"](place) as url:
                    rows += workers(url, max(1, rounds // 5), filings * 10, latency)
    return rows


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--filings", type=int, default=20, help="in each round")
    parser.add_argument("--folder", help="for the files of SQLite: the file system decides what a commit costs")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.work[0], float(given.work[1]))
        return
    found = measure(given.rounds, given.filings, given.folder)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for one in found:
        print(f"{one['what']}: {one['ratio']} (goal {one['goal']}) {one['note']}")


if __name__ == "__main__":
    main()
