"""How fast documents are written, read and validated, and what an import costs: ratios within one run.

    python benchmarks/documents.py [--rounds 60] [--json]

Each round measures every contender once, in turn, so that a noisy neighbour disturbs them alike; medians are compared. A
ratio above 1 means that we are faster than the yardstick.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from lxml import etree
from reference import by_hand, report

from cybertip import read, schema, write
from cybertip.xml.schema import NEWEST, is_valid

BATCH = 40


def medians(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median time of one call of each contender, in microseconds."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            start = time.perf_counter()
            for _ in range(BATCH):
                call()
            times[name].append((time.perf_counter() - start) / BATCH * 1e6)
    return {name: statistics.median(found) for name, found in times.items()}


def imports(rounds: int) -> dict[str, float]:
    """Return the median time of each import in a fresh interpreter, in milliseconds."""
    programs = {
        "import lxml.etree": "import lxml.etree",
        "import cybertip": "import cybertip",
        "import cybertip, Report, write, read": "import cybertip; cybertip.Report; cybertip.write; cybertip.read",
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            timed = f"import time; t = time.perf_counter(); {program}; print(time.perf_counter() - t)"
            done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
            times[name].append(float(done.stdout) * 1e3)
    return {name: statistics.median(found) for name, found in times.items()}


def measure(rounds: int) -> list[dict[str, object]]:
    """Return the rows of the table."""
    document = report()
    data = write(document)
    canonical = [etree.tostring(etree.fromstring(one), method="c14n") for one in (data, by_hand(document))]
    assert canonical[0] == canonical[1], "both ways must write the same document"
    assert read(data) == document
    assert schema.validate(data) == ()
    found = medians(
        {
            "by hand": lambda: by_hand(document),
            "write": lambda: write(document),
            "write and validate": lambda: is_valid(etree.fromstring(write(document)), NEWEST),
            "fromstring": lambda: etree.fromstring(data),
            "read": lambda: read(data),
        },
        rounds,
    )
    loaded = imports(max(5, rounds // 6))
    elements = sum(1 for _ in etree.fromstring(data).iter())
    size = f"{elements} elements, {len(data) / 1000:.1f} kB"
    return [
        row("`write` against the tree built by hand", found["by hand"] / found["write"], 4, size),
        row(
            "`write` and XSD validation against that tree alone", found["by hand"] / found["write and validate"], 1, ""
        ),
        row("`read` against `lxml.etree.fromstring`", found["fromstring"] / found["read"], 1 / 3, ""),
        row(
            "`import cybertip` against `import lxml.etree`",
            loaded["import lxml.etree"] / loaded["import cybertip"],
            60 / 150,
            f"{loaded['import cybertip']:.0f} ms",
        ),
        row(
            "the same, with `Report`, `write` and `read` asked for",
            loaded["import lxml.etree"] / loaded["import cybertip, Report, write, read"],
            None,
            f"{loaded['import cybertip, Report, write, read']:.0f} ms",
        ),
    ]


def row(what: str, ratio: float, goal: float | None, note: str) -> dict[str, object]:
    """Return one line of the table."""
    return {"what": what, "ratio": round(ratio, 2), "goal": goal and round(goal, 2), "note": note}


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.rounds)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for one in found:
        print(f"{one['what']}: {one['ratio']} (goal {one['goal']}) {one['note']}")


if __name__ == "__main__":
    main()
