"""Run every benchmark and print the page docs/benchmarks.md.

    python benchmarks/run.py [--write] [--quick] [--folder .]

Ratios are made within this run: against a yardstick in the same process, in turn with it. Absolute numbers depend on the
machine, which the page names. It takes some eight minutes where nothing else runs, and as long as it takes to install what
hashing is compared with; `--quick` leaves that out, shows in a minute or two that everything works, and measures nothing
worth keeping.
"""

import argparse
import os
import platform
from pathlib import Path

import assembly
import attrs
import documents
import durable
import evidence
import scale
import upload
from stage import Row

import desk
import hashing

PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"

HEAD = """# Benchmarks

Ratios within one run, against a yardstick in the same process and in turn with it; where nothing else is said, we are faster
above 1. The machines that run them are shared and noisy: the medians move by a few per cent from run to run.
`python3 -m nox -s benchmarks` measures anew.

"""

DURABLE = """
## What durability costs

A filing of n calls waits for the disk n + 2 times, and none can be spared:

- once when it is accepted, for `file` may return only when the filing cannot be lost any more;
- once before each call, for an intent that is not on the disk when its request leaves could not be told, after a crash, from
  a request that never left. The outcome of the call before goes to the disk in the same commit;
- once after the last, for a report that is finished and not known to be would be looked after for ever.

A claim is committed, too, and waits for nothing: if the power is cut and it is forgotten, whoever held it can record nothing
more with it, and another claims. (MariaDB has such commits only for a whole server; there a filing waits n + 3 times.) Files
are digested when they are filed, and read once more, before a report is opened; while they go up nothing is hashed, and
NCMEC's MD5 is compared with the manifest's. The tests count all this.

The yardstick makes as many commits, of one small row each, in the same database, with the bare driver. The ratio depends on
the disk: what a filing takes beside its commits is the processor's, and hardly changes, while a bare commit takes from a
tenth of a millisecond, where a cache with a battery or a hypervisor takes it, to ten, on a disk that turns.

"""

GROWTH = """
## Growth

The time beside many settled submissions by the time beside few, and a worker's memory after many submissions by that after a
tenth of them: 1 means that what is settled costs nothing. And the time of a signal about a user of whom ten thousand came
before by that of one of whom a hundred did: 1 means that a case takes the next one as quickly, however many it holds.

"""

CASES = """
## Large cases

From the platform's answer as bytes to a filing that keeps every documented rule, with both transcripts written into
evidence. Each run is in a process of its own; what takes longest is the transcripts.

| what | measured | goal | |
|---|---|---|---|
"""

HASHING = """
## Pictures and known hashes

Against what others use, installed into an environment of its own; what could not be had is named. A lookup among hashes that
somebody made to slow it down is compared with a scan of all of them, which nobody can slow down: no single one may take 1.3
times as long as the slowest scan.

"""

NOTES = """
The reference document has one reported user with 20 IP events, 3 emails, 2 phones and 2 associated accounts; 2 victims with
5 IP events each; 2 internet details; a full summary and reporter.

**What does not meet its goal.** `read` is to be a third as fast as `lxml.etree.fromstring` alone and comes to between 0.28
and 0.32. What it costs, in parts of `fromstring`: the same parse 1.0, fetching 290 elements through lxml's proxies 0.8, the
accounts that stand in for a validation 0.2, and 1.1 for making some 80 immutable values with their times and numbers. An
earlier form that validated with libxml2 and then fetched the values came to 0.25. What is left is lxml's cost per element
and CPython's per value; dropping the accounts would meet the goal, and let documents through that NCMEC refuses.

What durability costs misses its goal wherever a commit is quick: a filing has some ten milliseconds of work of its own in
Python, more than six commits take on a disk behind a cache. Beside NCMEC's own answers, which take far longer, it is
little. Where NCMEC answers at once, one worker fills both cores of such a machine, and a second adds nothing. A claim ranks
all that is due, and so gets slower with the backlog; what is settled costs nothing.

An upload with a known MD5 is more than twice as fast as `http.client` as it comes. Against one that was tuned to blocks of
1 MiB, `Client` comes out between 0.9 and 1.03 and `AsyncClient`, which hands each block through a thread so that the event
loop stays free, between 0.8 and 1.15, depending on what else the two cores do.

`import cybertip` is cheap because names are imported when they are used; with `Report`, `write` and `read` asked for it
costs what attrs, the model's forty classes and lxml do.
"""


@attrs.frozen
class Amounts:
    """How much is measured."""

    documents: int = 60
    size: int = 1024
    runs: int = 5
    rounds: int = 25
    filings: int = 20
    settled: int = 1_000_000
    submissions: int = 10_000
    claims: int = 200
    media: int = 500
    messages: int = 20_000
    signals: int = 10_000
    hashes: int = 1_000_000
    pictures: int = 15
    #: Whether what hashing is compared with is installed first.
    yardsticks: bool = True


_QUICK = Amounts(
    documents=3,
    signals=500,
    size=16,
    runs=1,
    rounds=2,
    filings=5,
    settled=20_000,
    submissions=500,
    claims=20,
    media=20,
    messages=500,
    hashes=20_000,
    pictures=3,
    yardsticks=False,
)


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="measure little")
    parser.add_argument("--folder", help="for files and databases: its file system decides what a commit costs")
    given = parser.parse_args()
    if given.write and given.quick:
        parser.error("what was measured in a hurry is not written")
    text = measured(_QUICK if given.quick else Amounts(), given.folder)
    print(text)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")


def measured(amounts: Amounts, folder: str | None) -> str:
    """Measure everything, and return the page."""
    uploads = upload.measure(amounts.size, amounts.runs)
    large = evidence.measure(max(amounts.size // 4, 16), amounts.runs, folder)
    lasting = durable.measure(amounts.rounds, amounts.filings, folder)
    growing = scale.measure(amounts.settled, amounts.submissions, amounts.claims, folder)
    growing += desk.measure(amounts.signals, amounts.claims, folder)
    cases = assembly.measure(amounts.media, amounts.messages, amounts.runs)
    pictures = (hashing.compared if amounts.yardsticks else hashing.measure)(amounts.hashes, amounts.pictures)
    machine = (
        f"Measured on {platform.machine()}, {os.cpu_count()} cores ({_processor()}), {platform.system()}, "
        f"CPython {platform.python_version()}.\n\n## Documents and uploads\n\n"
    )
    first = _table(documents.measure(amounts.documents)) + "".join(_uploads(uploads, amounts.size)) + _lines(large)
    last = GROWTH + _table(growing) + CASES + _lines(cases) + HASHING + _table(pictures)
    return HEAD + machine + first + DURABLE + _table(lasting) + last + NOTES


def _table(rows: list[Row]) -> str:
    return "| what | ratio | goal | |\n|---|---|---|---|\n" + _lines(rows)


def _lines(rows: list[Row]) -> str:
    return "".join(
        f"| {one['what']} | {'' if one['ratio'] is None else one['ratio']} | {one['goal'] or ''} | {one['note']} |\n"
        for one in rows
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )


def _uploads(found: dict[str, float], size: int) -> list[str]:
    lines = []
    for name, value in found.items():
        if "ratio to in turn" in name:
            lines.append(
                _line(
                    name.partition(",")[0],
                    f"upload of {size} MiB, MD5 computed",
                    value,
                    "1",
                    "http.client that hashes and sends in turn, in blocks of 1 MiB",
                )
            )
        elif "ratio to only send" in name:
            lines.append(
                _line(
                    name.partition(",")[0],
                    f"upload of {size} MiB, MD5 known",
                    value,
                    "0.95",
                    "http.client that only sends, in blocks of 1 MiB",
                )
            )
        elif "ratio to its default" in name:
            default = "http.client that only sends, in the 8 KiB blocks of its default"
            lines.append(_line(name.partition(",")[0], f"upload of {size} MiB, MD5 known", value, "0.95", default))
        elif "memory" in name:
            lines.append(f"| {name.partition(' (')[0]} while uploading | {value:.1f} MiB | under 16 MiB | |\n")
        elif "blocked" in name:
            lines.append(f"| {name.partition(' (')[0]} | {value:.1f} ms | under 20 ms | |\n")
    return lines


def _line(client: str, what: str, value: float, goal: str, yardstick: str) -> str:
    return f"| `{client}`: {what} | {value:.2f} | {goal} | against {yardstick} |\n"


if __name__ == "__main__":
    main()
