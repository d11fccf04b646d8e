"""`worker`: it delivers, says how, survives, and stops when it is told to."""

import json
import re
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cybertip.courier import Courier
from cybertip.errors import AdapterError
from cybertip.sandbox import Answer, Fault


class Gate:
    """Makes the double hold its answer to one upload back, so that a worker is surely in the middle of it."""

    def __init__(self, ncmec: Any) -> None:
        self.reached, self._open = threading.Event(), threading.Event()
        ncmec.ncmec.faults.append(Fault(endpoint="/upload", when="after", answer=self._hold))

    def _hold(self, answer: Answer) -> Answer:
        self.reached.set()
        self._open.wait(60)
        return answer

    def open(self) -> None:
        """Let the answer go."""
        self._open.set()


@pytest.fixture
def gate(ncmec: Any) -> Iterator[Gate]:
    """A gate that is open when the test ends."""
    gate = Gate(ncmec)
    yield gate
    gate.open()


def record(run: Any, *keys: str) -> None:
    """File the example under some keys."""
    for key in keys:
        assert run("file", "filing.json", "--key", key).exit_code == 0


def show(run: Any, key: str) -> dict[str, Any]:
    """Return what is known of a submission."""
    found: dict[str, Any] = json.loads(run("show", key, "--json").stdout)
    return found


def test_a_pipe_gets_a_line_a_change(run: Any, ncmec: Any) -> None:
    """Key, status and report number, separated by tabs: enough to watch, and nothing that must not be in a log."""
    record(run, "k")
    done = run("worker", "--until-idle")
    assert done.exit_code == 0
    (report,) = ncmec.reports()
    number = str(report["reportId"])
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        ["k", "delivering", ""], ["k", "delivering", number], ["k", "finished", number],
    ]  # fmt: skip
    assert done.stderr == ""


def test_several_are_delivered_at_a_time(run: Any, ncmec: Any) -> None:
    """With --concurrency each submission still has exactly one finished report."""
    keys = [f"k{number}" for number in range(5)]
    record(run, *keys)
    done = run("worker", "--until-idle", "--concurrency", 3, "--lease-for", 20)
    assert done.exit_code == 0
    assert [one["state"] for one in ncmec.reports()] == ["finished"] * 5
    numbers = {one["reportId"] for one in ncmec.reports()}
    assert {show(run, key)["reportId"] for key in keys} == numbers


def test_nothing_to_do_is_done_at_once(run: Any, ncmec: Any) -> None:
    """A worker that comes before the first filing makes the database, and finds it idle."""
    Path("evidence").mkdir()
    done = run("worker", "--until-idle")
    assert (done.exit_code, done.output) == (0, "")


def test_a_person_who_has_to_decide_is_told_by_the_exit_code(run: Any, ncmec: Any) -> None:
    """Exit code 5 of a worker that is idle means: look, for nothing but a person's decision is left."""
    record(run, "a", "b")
    ncmec.ncmec.faults.append(Fault(endpoint="/submit", when="before", answer=4110))
    done = run("worker", "--until-idle")
    assert done.exit_code == 5
    assert "cybertip list --status needs_human" in done.stderr
    assert [one["state"] for one in ncmec.reports()] == ["finished"], "one that waits for a person holds up nobody else"


def test_what_has_to_wait_for_long_is_told_by_the_exit_code(run: Any, ncmec: Any) -> None:
    """When NCMEC asks to be left alone for an hour, a worker that is to end ends with exit code 4, and says so."""
    record(run, "k")
    away = Answer(503, (("Retry-After", "3600"),))
    ncmec.ncmec.faults.append(Fault(endpoint="/submit", when="before", answer=away))
    done = run("worker", "--until-idle")
    assert done.exit_code == 4
    assert "left for later" in done.stderr


def test_refused_credentials_are_told_by_the_exit_code(run: Any, ncmec: Any) -> None:
    """Exit code 3: nothing is lost, no report's budget is spent, and with the right ones the same reports are filed."""
    record(run, "a", "b")
    done = run("worker", "--until-idle", CYBERTIP_PASSWORD="canary")
    assert done.exit_code == 3
    assert "NCMEC refuses our credentials" in done.stderr
    assert "canary" not in done.output
    assert run("worker", "--until-idle").exit_code == 0
    assert [one["state"] for one in ncmec.reports()] == ["finished"] * 2


def test_a_storage_that_keeps_failing_is_told_by_the_exit_code(
    run: Any, ncmec: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 7, whether it fails at the start or all the time."""
    record(run, "k")

    def fail(courier: Courier, stop: threading.Event, **how: Any) -> None:
        raise AdapterError("the database failed")

    with monkeypatch.context() as patch:
        patch.setattr(Courier, "run_until_stopped", fail)
        done = run("worker", "--until-idle")
    assert (done.exit_code, done.stderr) == (7, "the database failed\n")
    (place / "cybertip.db").write_bytes(b"no database " * 1000)
    assert run("worker", "--until-idle").exit_code == 7


def test_a_storage_that_fails_for_a_while_is_outlived(run: Any, ncmec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker says on standard error that nothing is sent, waits, and goes on."""
    from cybertip.adapters.storage.sql import SqlStorage

    record(run, "k")
    real, failures = SqlStorage.claim_due, [AdapterError("the database is away")]

    def claim_due(storage: SqlStorage, **about: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(storage, **about)

    monkeypatch.setattr(SqlStorage, "claim_due", claim_due)
    done = run("worker", "--until-idle")
    assert done.exit_code == 0
    assert "the database is away" in done.stderr
    assert [one["state"] for one in ncmec.reports()] == ["finished"]


def test_another_environments_work_is_left_alone(run: Any, ncmec: Any) -> None:
    """A worker for a sandbox neither delivers nor counts what was filed for NCMEC's test system."""
    assert run("file", "filing.json", "--key", "t", CYBERTIP_ENVIRONMENT="test").exit_code == 0
    done = run("worker", "--until-idle")
    assert (done.exit_code, done.stdout) == (0, "")
    assert show(run, "t")["status"] == "waiting"


def test_a_worker_without_evidence_does_not_start(run: Any, ncmec: Any) -> None:
    """A folder that is not mounted would make every submission wait for a person: the worker says so instead."""
    record(run, "k")
    done = run("worker", "--until-idle", CYBERTIP_EVIDENCE="elsewhere")
    assert done.exit_code == 2
    assert "CYBERTIP_EVIDENCE" in done.stderr
    assert show(run, "k")["status"] == "waiting"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_call_that_is_under_way(
    run: Any, ncmec: Any, gate: Gate, start: Callable[..., Any], number: signal.Signals
) -> None:
    """The upload under way is recorded, nothing is begun after it, the exit code is 0, and the same report goes on later."""
    record(run, "k")
    worker = start("worker")
    assert gate.reached.wait(60)
    worker.send_signal(number)
    assert "ending after the call" in worker.stderr.readline()
    gate.open()
    assert worker.wait(60) == 0
    (report,) = ncmec.reports()
    assert (report["state"], len(report["files"])) == ("open", 1)
    told = show(run, "k")
    assert (told["status"], told["reportId"]) == ("delivering", report["reportId"])
    assert told["timeline"][-1]["event"] == "uploaded"
    assert told["next"]["what"] == "a worker describes file 1 of 3"
    assert run("worker", "--until-idle").exit_code == 0
    assert [(one["reportId"], one["state"]) for one in ncmec.reports()] == [(report["reportId"], "finished")]


def test_a_second_signal_ends_it_at_once(run: Any, ncmec: Any, gate: Gate, start: Callable[..., Any]) -> None:
    """Who cannot wait loses nothing: the next worker retracts the report that is in doubt, and files another one."""
    record(run, "k")
    worker = start("worker", "--lease-for", 2)
    assert gate.reached.wait(60)
    worker.terminate()
    assert "a second signal ends it at once" in worker.stderr.readline()
    worker.terminate()
    assert worker.wait(60) == -signal.SIGTERM
    assert "another takes over after the lease" in show(run, "k")["next"]["what"]
    gate.open()
    assert run("worker", "--until-idle").exit_code == 0
    assert sorted(one["state"] for one in ncmec.reports()) == ["finished", "retracted"]


def test_credentials_that_were_mended_need_no_restart(
    run: Any, ncmec: Any, place: Path, start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker whose credentials are refused reads them again from the file, and goes on by itself when they are right."""
    record(run, "k")
    monkeypatch.delenv("CYBERTIP_PASSWORD")
    (place / "cybertip.toml").write_text('password = "wrong"\n')
    worker = start("worker")
    assert any("refused our credentials" in line for line in iter(worker.stderr.readline, ""))
    (place / "cybertip.toml").write_text(f'password = "{ncmec.password}"\n')
    lines = iter(worker.stdout.readline, "")
    assert next(line for line in lines if "finished" in line).startswith("k\tfinished\t")
    worker.terminate()
    assert worker.wait(60) == 0


def test_a_terminal_shows_what_is_under_way(
    run: Any, ncmec: Any, on_a_terminal: Callable[..., tuple[int, str]]
) -> None:
    """A person sees bars, a line that lives and each change; a file's name is not among it."""
    record(run, "k")
    code, shown = on_a_terminal("worker", "--until-idle")
    assert code == 0
    assert re.search(r"k  finished  [0-9]{9}", shown)
    assert "since the start:" in shown
    assert "noise" not in shown


def test_a_database_is_left_in_order(run: Any, ncmec: Any, place: Path) -> None:
    """After a worker ended, the database is whole, and every journal is as it was written."""
    record(run, "k")
    assert run("worker", "--until-idle").exit_code == 0
    with sqlite3.connect(place / "cybertip.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    assert run("audit", "verify").exit_code == 0
