"""How fast pictures are hashed and known hashes are found: ratios within one run.

    python benchmarks/hashing.py [--hashes 1000000] [--json] [--environment FOLDER]

The yardsticks are what others use: faiss, ThreatExchange's index and pdqhash. They need compilers and hundreds of megabytes,
so they are installed into an environment of their own, in which this program runs itself again; `--here` leaves that out and
measures with what is there. A yardstick that cannot be had is named, and left out. Contenders take turns, so that a noisy
neighbour disturbs them alike; medians are compared. A ratio above 1 means that we are faster.
"""

import argparse
import gc
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
YARDSTICKS = ("faiss-cpu", "pdqhash", "threatexchange")

#: How far 31 flips at most may be from what is looked for; every other query is nowhere near anything.
QUERIES = 200

Row = dict[str, Any]


def row(what: str, ratio: float | None, goal: float | str | None, note: str) -> Row:
    """Return one line of the table."""
    return {"what": what, "ratio": None if ratio is None else round(ratio, 2), "goal": goal, "note": note}


def timed(call: Callable[[], object]) -> float:
    """Return how long a call takes, in milliseconds."""
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1e3


def in_turn(contenders: dict[str, Callable[[int], object]], rounds: int, batch: int = 1) -> dict[str, list[float]]:
    """Call each contender some times a round, with the call's number; return how long each of its calls took."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for start in range(0, rounds * batch, batch):
        for name, call in contenders.items():
            times[name] += [timed(partial(call, number)) for number in range(start, start + batch)]
    return times


def over(search: Callable[[Any], object], queries: list[Any]) -> Callable[[int], object]:
    """Return a contender that asks one query after the other."""
    return lambda number: search(queries[number % len(queries)])


def resident() -> float:
    """Return how much memory the process has, in MiB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def made_up(count: int) -> Any:
    import numpy as np

    return np.random.default_rng(1).integers(0, 256, (count, 32), np.uint8)


def asked(hashes: Any) -> list[bytes]:
    """Return queries: known hashes with up to 31 flips, and strangers."""
    import numpy as np

    numbers, queries = np.random.default_rng(2), []
    for number in range(QUERIES):
        query = int.from_bytes(
            numbers.bytes(32) if number % 2 else hashes[numbers.integers(len(hashes))].tobytes(), "big"
        )
        if number % 2 == 0:
            for bit in numbers.choice(256, numbers.integers(0, 32), replace=False):
                query ^= 1 << int(bit)
        queries.append(query.to_bytes(32, "big"))
    return queries


def lookups(count: int) -> Iterator[Row]:
    """Compare the index with those of others, at one size."""
    import numpy as np

    from cybertip.hashing.index import PdqIndex
    from cybertip.hashing.tables import scan

    hashes = made_up(count)
    queries = asked(hashes)
    before = resident()
    builds = []
    index = PdqIndex()
    for _ in range(3):
        index = PdqIndex()
        begin = time.perf_counter()
        index = PdqIndex(hashes, np.arange(count))
        builds.append(time.perf_counter() - begin)
    # The hashes themselves were there before.
    grown = resident() - before + hashes.nbytes / 2**20
    truth = [[(int(row), int(bits)) for row, bits in zip(*scan(hashes, query, 31), strict=True)] for query in queries]
    found = [sorted((hit.id, hit.distance) for hit in index.search(query)) for query in queries]
    recall = sum(len(one) for one in found) / sum(len(one) for one in truth)
    assert found == truth, "the index must find what a full scan finds, and nothing else"

    contenders = {
        "ours": over(index.search, queries),
        "scan": over(lambda query: scan(hashes, query, 31), queries),
    }
    missing = []
    for name, make in (("faiss", faiss_flat), ("threatexchange", their_index)):
        try:
            contenders[name] = make(hashes, queries, truth)
        except ImportError:
            missing.append(name)
    # Some of each in a row, as the eight variants of a picture are looked up.
    times = in_turn(contenders, QUERIES // 8, batch=8)
    median = {name: statistics.median(some) for name, some in times.items()}
    worst = sorted(times["ours"])[int(len(times["ours"]) * 0.99)]
    ours = f"{median['ours']:.2f} ms, 99th percentile {worst:.2f} ms, recall {recall:.0%}"
    what = f"lookup among {count:,} hashes, distance 31"
    if "faiss" in median:
        yield row(f"{what}, against faiss `IndexBinaryFlat`", median["faiss"] / median["ours"], 4, ours)
    if "threatexchange" in median:
        note = f"theirs {median['threatexchange']:.2f} ms"
        yield row(f"{what}, against `threatexchange`'s `PDQIndex`", median["threatexchange"] / median["ours"], 1, note)
    yield row(
        f"{what}, against our scan of all", median["scan"] / median["ours"], None, f"scan {median['scan']:.2f} ms"
    )
    for name in missing:
        yield row(f"{what}, against {name}", None, None, "not measured: it is not installed")
    yield row("building it", None, "under 2 s", f"{statistics.median(builds):.2f} s")
    yield row("its memory", None, "under 130 MiB", f"{index.size / 2**20:.0f} MiB, of the process {grown:.0f} MiB")
    new = [one.tobytes() for one in made_up(2000)[::-1]]
    adds = in_turn({"ours": over(lambda one: index.add(one, count), new)}, len(new))["ours"]
    yield row(
        "adding one hash", None, "under 1 ms", f"{statistics.median(adds) * 1e3:.0f} µs, at most {max(adds):.2f} ms"
    )


def faiss_flat(hashes: Any, queries: list[bytes], truth: list[list[tuple[int, int]]]) -> Callable[[int], object]:
    """Return a search in faiss's flat index, which finds the same."""
    import faiss  # type: ignore[import-not-found,import-untyped,unused-ignore]
    import numpy as np

    # It divides queries among threads, and one is asked at a time: more threads would only wait for each other.
    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryFlat(256)
    index.add(hashes)
    rows = [np.frombuffer(query, np.uint8).reshape(1, 32) for query in queries]
    for query, expected in zip(rows, truth, strict=True):
        # faiss takes what is nearer than a radius.
        _, _, found = index.range_search(query, 32)
        assert sorted(found.tolist()) == [id for id, _ in expected]
    return over(lambda query: index.range_search(query, 32), rows)


def their_index(hashes: Any, queries: list[bytes], truth: list[list[tuple[int, int]]]) -> Callable[[int], object]:
    """Return a search in ThreatExchange's index, which finds the same."""
    from threatexchange.signal_type.pdq.pdq_index import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        PDQIndex,
    )

    index = PDQIndex.build([(one.tobytes().hex(), number) for number, one in enumerate(hashes)])
    digits = [query.hex() for query in queries]
    for query, expected in zip(digits[:20], truth, strict=False):
        assert sorted(match.metadata for match in index.query(query)) == [id for id, _ in expected]
    return over(index.query, digits)


def skewed(count: int) -> Iterator[Row]:
    """Show that no hashes make a lookup much slower than a scan of all of them."""
    import numpy as np

    from cybertip.hashing.index import PdqIndex
    from cybertip.hashing.tables import scan

    numbers = np.random.default_rng(3)
    clusters = numbers.integers(0, 256, (count // 100, 32), np.uint8).repeat(100, axis=0)
    clusters ^= np.packbits(numbers.random((len(clusters), 256), np.float32) < 0.04, axis=1)
    runs = np.packbits(np.cumsum(numbers.random((count, 256), np.float32) < 0.2, axis=1, dtype=np.uint8) & 1, axis=1)
    alike = np.zeros((count, 32), np.uint8)
    alike[:, 0] = numbers.integers(0, 256, count)
    for kind, hashes in (
        ("clusters of 100", clusters),
        ("neighbouring bits agree", runs),
        ("all within 8 bits", alike),
    ):
        index = PdqIndex(hashes, np.arange(len(hashes)))
        queries = [hashes[row].tobytes() for row in numbers.integers(0, len(hashes), 40)]
        tables = index.snapshot()[0]
        # The rows that are found, and not what is made of them: where everything is near, that would be measured.
        contenders = {
            "ours": over(partial(tables.near, limit=31), queries),
            "scan": over(partial(scan, hashes, limit=31), queries),
        }
        times = in_turn(contenders, len(queries) // 8, batch=8)
        found = statistics.median(times["ours"])
        ratio = statistics.median(times["scan"]) / found
        slowest = max(times["ours"]) / max(times["scan"])
        note = f"{found:.2f} ms; the slowest took {slowest:.2f} times as long as the slowest scan"
        yield row(f"lookup among skewed hashes ({kind}), against our scan of all", ratio, "slowest ≤ 1.3 scans", note)


def pictures(rounds: int) -> Iterator[Row]:
    """Compare hashing decoded pictures with pdqhash."""
    import numpy as np

    from cybertip.hashing.pdq import pdq
    from cybertip.testing.pictures import picture

    try:
        import pdqhash  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        yield row(
            "PDQ of a decoded picture, against `pdqhash.compute_dihedral`",
            None,
            None,
            "not measured: it is not installed",
        )
        return
    same = 0
    for seed in range(120):
        pixels = picture(seed, 150 + seed * 5, 700 - seed * 4)
        theirs, quality = pdqhash.compute_dihedral(pixels)
        found = pdq(pixels)
        equal = [np.packbits(bits.astype(np.uint8)).tobytes() for bits in theirs] == list(found.variants)
        same += equal and quality == found.quality
    for size in (512, 1024, 2048):
        pixels = picture(size, size, size)
        contenders = {"ours": over(pdq, [pixels]), "theirs": over(pdqhash.compute_dihedral, [pixels])}
        times = in_turn(contenders, rounds)
        ours, theirs = statistics.median(times["ours"]), statistics.median(times["theirs"])
        note = f"{ours:.2f} ms" + (f"; the same bits and quality for {same} of 120 pictures" if size == 512 else "")
        yield row(
            f"PDQ of a decoded picture of {size} by {size}, against `pdqhash.compute_dihedral`", theirs / ours, 5, note
        )


def threads(rounds: int) -> Iterator[Row]:
    """Compare hashing files in two threads with one."""
    from PIL import Image

    from cybertip.hashing.digests import digest_many
    from cybertip.hashing.pictures import hash_pictures
    from cybertip.testing.pictures import picture

    files = []
    for seed in range(16):
        file = io.BytesIO()
        Image.fromarray(picture(seed, 1024, 1024)).save(file, "JPEG", quality=85)
        files.append(file.getvalue())
    # What two threads can gain on this machine just now: digests hold nothing that another thread needs.
    block = bytes(8 * 2**20)
    times = in_turn(
        {
            "one": lambda _: list(hash_pictures(files, threads=1)),
            "two": lambda _: list(hash_pictures(files, threads=2)),
            "one digest": lambda _: list(digest_many([block] * 4, threads=1)),
            "two digests": lambda _: list(digest_many([block] * 4, threads=2)),
        },
        rounds,
    )
    one, two = statistics.median(times["one"]), statistics.median(times["two"])
    possible = statistics.median(times["one digest"]) / statistics.median(times["two digests"])
    note = f"{len(files) / two * 1e3:.0f} JPEGs of 1024 by 1024 in a second; digests alone gain {possible:.2f}"
    yield row("hashing files in two threads, against one", one / two, 1.5, note)


def measure(count: int, rounds: int) -> list[Row]:
    """Return the rows of the table."""
    return [*lookups(count), *skewed(count), *pictures(rounds), *threads(max(3, rounds // 3))]


def compared(count: int, rounds: int, environment: Path | None = None) -> list[Row]:
    """Measure beside the yardsticks; where their environment cannot be made, say so, and measure with what is there."""
    with tempfile.TemporaryDirectory() as temporary:
        try:
            python = installed(environment or Path(temporary) / "environment")
        except (OSError, subprocess.CalledProcessError) as error:
            note = f"not measured: an environment for them could not be made ({type(error).__name__})"
            return [row("hashing and lookups, against what others use", None, None, note), *measure(count, rounds)]
        return elsewhere(python, ["--hashes", str(count), "--rounds", str(rounds)])


def installed(folder: Path) -> Path:
    """Install the yardsticks into an environment of their own, and return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    # Whoever wants the table alone on the standard output gets that.
    install = partial(subprocess.run, stdout=sys.stderr)
    words = [str(python), "-m", "pip", "install", "--quiet"]
    install([*words, f"{ROOT}[pdq]"], check=True)
    for name in YARDSTICKS:
        # Some need a compiler; whatever cannot be had is named in the table.
        install([*words, name], check=False)
    return python


def elsewhere(python: Path, arguments: list[str]) -> list[Row]:
    """Measure with another Python."""
    done = subprocess.run(
        [str(python), str(Path(__file__)), "--here", "--json", *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: list[Row] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hashes", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--here", action="store_true", help="measure in this environment, with what is installed in it")
    parser.add_argument(
        "--environment", type=Path, help="where the yardsticks are installed; a temporary folder if not said"
    )
    options = parser.parse_args()
    if options.here:
        found = measure(options.hashes, options.rounds)
    else:
        found = compared(options.hashes, options.rounds, options.environment)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for one in found:
        print(f"{one['what']}: {one['ratio']} (goal {one['goal']}) {one['note']}")


if __name__ == "__main__":
    main()
