"""The way back from an old backup, as docs/howto/run_a_worker.md describes it: nothing is filed twice."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cybertip.sandbox import Answer, Fault


@pytest.fixture
def backup(run: Any, ncmec: Any, place: Path) -> Path:
    """A copy of the database from before two submissions were filed: one has no open report in it yet, the other has."""
    assert run("file", "filing.json", "--key", "open").exit_code == 0
    busy = Answer(503, (("Retry-After", "3600"),))
    ncmec.ncmec.faults.append(Fault(endpoint="/upload", when="before", answer=busy))
    assert run("worker", "--until-idle").exit_code == 4
    assert run("file", "filing.json", "--key", "recorded").exit_code == 0
    shutil.copy(place / "cybertip.db", place / "backup.db")
    assert run("retry", "open", "--reason", "NCMEC is well again").exit_code == 0
    assert run("worker", "--until-idle").exit_code == 0
    assert run("file", "filing.json", "--key", "later").exit_code == 0
    assert run("worker", "--until-idle").exit_code == 0
    assert [one["state"] for one in ncmec.reports()] == ["finished"] * 3
    return place / "backup.db"


def test_the_way_back_files_nothing_twice(run: Any, ncmec: Any, place: Path, backup: Path) -> None:
    """A checkpoint names what the backup does not know; a person retracts what was filed, and what is missing is known."""
    checkpoint = run("audit", "checkpoint")
    (place / "newest").write_bytes(checkpoint.stdout_bytes)
    shutil.copy(backup, place / "cybertip.db")
    found = run("audit", "verify", "--checkpoint", "newest", "--json")
    assert found.exit_code == 8
    assert {one["key"] for one in json.loads(found.stdout)["tampering"]} == {"open", "recorded", "later"}
    assert run("retract", "recorded", "--reason", "filed before the database was restored").exit_code == 0
    assert run("retract", "open", "--reason", "filed before the database was restored").exit_code == 0
    assert run("worker", "--until-idle").exit_code == 0
    standing = {one["key"]: one["status"] for one in json.loads(run("list", "--json").stdout)}
    assert standing == {"open": "finished", "recorded": "retracted"}
    assert [one["state"] for one in ncmec.reports()] == ["finished"] * 3


def test_an_open_report_of_the_backup_is_found_to_be_filed(run: Any, ncmec: Any, place: Path, backup: Path) -> None:
    """Even where nobody looked: the next call about it tells, and it is neither filed again nor taken for lost."""
    shutil.copy(backup, place / "cybertip.db")
    assert run("retract", "recorded", "--reason", "filed before the database was restored").exit_code == 0
    assert run("retry", "open", "--reason", "the database was restored").exit_code == 0
    assert run("worker", "--until-idle").exit_code == 0
    told = json.loads(run("show", "open", "--json").stdout)
    assert (told["status"], told["adopted"]) == ("finished", True)
    assert [one["state"] for one in ncmec.reports()] == ["finished"] * 3


def test_what_a_checkpoint_knows_better_is_suspended(run: Any, ncmec: Any, place: Path, backup: Path) -> None:
    """Workers that start after a restore file none of it again; what is missing is named, and what is whole goes on."""
    checkpoint = run("audit", "checkpoint")
    (place / "newest").write_bytes(checkpoint.stdout_bytes)
    shutil.copy(backup, place / "cybertip.db")
    assert run("file", "filing.json", "--key", "unharmed").exit_code == 0
    told = run("audit", "suspend", "newest", "--json")
    assert told.exit_code == 5, told.output
    assert json.loads(told.stdout) == {"suspended": ["open", "recorded"], "missing": ["later"]}
    assert run("worker", "--until-idle").exit_code == 5
    standing = {one["key"]: one["status"] for one in json.loads(run("list", "--json").stdout)}
    assert standing == {"open": "needs_human", "recorded": "needs_human", "unharmed": "finished"}
    assert [one["state"] for one in ncmec.reports()] == ["finished"] * 4
    again = run("audit", "suspend", "newest")
    assert again.exit_code == 5
    assert "0 suspended" not in again.stdout
    assert "recorded: suspended" in again.stdout


def test_where_a_checkpoint_knows_no_better_nothing_is_suspended(run: Any, ncmec: Any, place: Path) -> None:
    """Exit code 0 tells a script that nobody has to look at anything."""
    assert run("file", "filing.json", "--key", "k").exit_code == 0
    (place / "newest").write_bytes(run("audit", "checkpoint").stdout_bytes)
    told = run("audit", "suspend", "newest")
    assert (told.exit_code, told.stdout) == (0, "0 suspended, 0 missing\n")


def test_a_suspended_one_is_looked_up_before_it_is_retried(run: Any, ncmec: Any, place: Path, backup: Path) -> None:
    """Whoever reads why nothing is sent reads first that a retry of what was filed files it twice."""
    (place / "newest").write_bytes(run("audit", "checkpoint").stdout_bytes)
    shutil.copy(backup, place / "cybertip.db")
    assert run("audit", "suspend", "newest").exit_code == 5
    person = json.loads(run("show", "recorded", "--json").stdout)["person"]
    assert "backup? Find out first whether it was filed" in person
    assert person.index("cybertip retract recorded") < person.index("cybertip retry recorded")
    assert "files it twice" in person
