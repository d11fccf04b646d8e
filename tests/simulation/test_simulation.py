"""Durable filing under bad luck of every kind: the promises hold in every world that a seed makes."""

import os
from collections import Counter
from pathlib import Path

import pytest

from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.adapters.storage.sql import SqlStorage
from cybertip.filing import Entry, Policy
from cybertip.testing.simulation import Flaw, Luck, Simulation, check_history, simulate

#: Worlds to make. CI makes them all; they are cut into chunks so that several cores share them.
WORLDS = int(os.environ.get("CYBERTIP_SIMULATIONS", "5000"))
CHUNK = 100


@pytest.mark.parametrize("first", range(0, WORLDS, CHUNK))
def test_every_submission_arrives_once_and_whole(first: int) -> None:
    """Losses, crashes, two workers, clock jumps, expiry and withdrawals: none lost, none twice, none in part."""
    for seed in range(first, min(first + CHUNK, WORLDS)):
        simulate(seed)


@pytest.mark.parametrize("seed", range(20))
def test_a_wire_that_mostly_fails_delays_and_does_not_lose(seed: int) -> None:
    """When almost nothing gets through, people are called, and everything arrives all the same."""
    world = simulate(
        seed, luck=Luck(lost_answer=0.4, lost_request=0.2, never_sent=0.2), policy=Policy(failures=3, attempts=2)
    )
    assert world.seen["escalated"]


@pytest.mark.parametrize("seed", range(20))
def test_many_workers_do_not_get_in_each_others_way(seed: int) -> None:
    """Five workers that keep dying deliver each submission once."""
    assert len(simulate(seed, workers=5, luck=Luck(crash=0.1, sleep=0.15)).workers) == 5


def test_a_world_without_bad_luck_takes_the_shortest_way() -> None:
    """Where nothing goes wrong, nothing is lost, refused, retracted or suspected, and nobody is called."""
    for seed in range(5):
        seen = +simulate(seed, luck=Luck.calm()).seen
        assert seen.keys() <= {
            *("filed", "intended", "opened", "uploaded", "described", "finished", "attempt", "report finished")
        }
        assert seen["attempt"] == seen["filed"] == seen["finished"]


def test_the_same_seed_makes_the_same_world() -> None:
    """A flaw that a seed shows can be looked at again."""

    def journals(world: Simulation) -> list[object]:
        return [world.storage.read(key) for key in world.keys]

    assert journals(simulate(7)) == journals(simulate(7))
    assert journals(simulate(7)) != journals(simulate(8))


#: What has to happen in two hundred worlds, and how often at the least. Were it to stop happening, the thousands of worlds
#: above would prove less than they seem to.
EXPECTED = {
    # on the wire
    "never_sent": 50,
    "lost_request": 50,
    "late_request": 20,
    "lost_answer": 50,
    "corrupted": 3,
    "garbled": 50,
    "refused_for_now": 50,
    "refused_credentials": 20,
    # with the workers
    "crash": 500,
    "stop": 30,
    "sleep": 50,
    "clock_jump": 100,
    "conflict": 100,
    # with the people
    "withdrawal": 50,
    "override": 20,
    # what came of it
    "lost": 500,
    "unsent": 50,
    "refused": 100,
    "mismatched": 2,
    "observed": 50,
    "escalated": 50,
    "adopted": 20,
    "retracted": 50,
    "orphan": 100,
    # what NCMEC has in the end: what expired has deleted itself
    "report finished": 200,
    "report retracted": 100,
    "report deleted": 30,
}


def test_everything_that_can_go_wrong_does() -> None:
    """In two hundred worlds every kind of bad luck strikes, often enough to find what it would break."""
    seen: Counter[str] = Counter()
    late_receipts = 0
    for seed in range(200):
        world = simulate(seed)
        seen += world.seen
        late_receipts += sum(entry.kind == "observed/1" and '"call":"finish"' in entry.data for entry in entries(world))
    assert {what for what, least in EXPECTED.items() if seen[what] < least} == set()
    assert late_receipts >= 5
    # Some attempts were given up because they could not make it in time.
    assert seen["attempt"] > seen["filed"] * 2


def entries(world: Simulation) -> list[Entry]:
    return [entry for key in world.keys for entry in world.storage.read(key)]


def test_worlds_can_share_a_database(tmp_path: Path) -> None:
    """A storage of anybody's can be put under the simulation, and hold many worlds one after the other."""
    with SqlStorage(f"sqlite:///{tmp_path / 'worlds.db'}") as storage:
        storage.upgrade()
        for seed in range(8):
            simulate(seed, storage=storage, prefix=f"world-{seed}")
        keys = {head.key.rpartition("-")[0] for head in storage.heads()}
    assert keys == {f"world-{seed}" for seed in range(8)}


class Forgetful(MemoryStorage):
    """A storage that breaks a promise: a claim that was lost counts as if it were held."""

    def _holds(self, claim: object, key: str) -> bool:
        return True


def test_a_storage_that_breaks_its_promises_is_found_out() -> None:
    """Put under the simulation, a storage whose claims protect nothing does not pass."""

    def search() -> None:
        for seed in range(20):
            simulate(seed, storage=Forgetful())

    with pytest.raises(Flaw, match="without the claim"):
        search()


def test_the_history_check_sees_what_is_wrong() -> None:
    """A report that NCMEC lacks, has twice, or has in part; one left open; one that nobody knows: each is a flaw."""
    world = Simulation(3, luck=Luck.calm(), submissions=1)
    filing = world.filing("case-0")
    while not filing.files:
        filing = world.filing("case-0")
    world.filing = lambda key: filing  # type: ignore[method-assign] # one that has files
    world.run()
    (report,) = world.ncmec.reports()

    def judge(*reports: dict[str, object]) -> None:
        check_history(storage=world.storage, reports=reports, filings={"case-0": filing})

    judge(report)
    other = report | {"reportId": 1}
    for what, reports in {
        "was lost": [],
        "filed 2 times": [report, other],
        "other files": [report | {"files": []}],
        "names another report": [other],
        "1 orphans after 0": [report, other | {"state": "deleted"}],
        "which its journal knows": [report, report | {"state": "open"}],
        "has details of": [report | {"files": [file | {"details": "<a/>"} for file in report["files"]]}],
    }.items():
        if what == "has details of" and all(file.description is not None for file in filing.files):
            reports = [report | {"files": [file | {"details": None} for file in report["files"]]}]
        with pytest.raises(Flaw, match=what):
            judge(*reports)
