"""Every way in which a command can end has its exit code, and a message for whoever reads it."""

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from cybertip.cli.outcome import Misuse, Outcome, outcomes
from cybertip.errors import (
    AdapterError,
    AlreadyFinished,
    Conflict,
    CybertipError,
    InDoubt,
    InvalidReport,
    NeedsHuman,
    NeverSent,
    Unavailable,
    UnknownEvent,
    UnknownSubmission,
    Violation,
)
from cybertip.sandbox import Fault

_ENDPOINT: dict[str, Any] = {"endpoint": "/finish"}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (InvalidReport((Violation(path="report", rule="required", message="is missing"),)), Outcome.INVALID),
        (Misuse("say what"), Outcome.USAGE),
        (FileNotFoundError(2, "No such file", "a.json"), Outcome.USAGE),
        (ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn"), Outcome.USAGE),
        (AlreadyFinished(**_ENDPOINT, code=5102), Outcome.REFUSED),
        (Unavailable(**_ENDPOINT, code=1000), Outcome.REFUSED),
        (NeverSent(**_ENDPOINT, reason="no connection"), Outcome.NO_ANSWER),
        (InDoubt(**_ENDPOINT, reason="the line broke"), Outcome.NO_ANSWER),
        (NeedsHuman("a person has to decide", key="k"), Outcome.NEEDS_HUMAN),
        (Conflict("the key stands for another filing", key="k"), Outcome.NOT_SO),
        (UnknownSubmission("there is no such submission", key="k"), Outcome.NOT_SO),
        (UnknownEvent("a newer program wrote it", key="k"), Outcome.NOT_SO),
        (AdapterError("the database failed"), Outcome.STORAGE),
        (CybertipError("something else"), Outcome.NO_ANSWER),
        (KeyboardInterrupt(), Outcome.INTERRUPTED),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, BaseException) else "",
)
def test_an_error_is_a_message_and_an_exit_code(
    error: BaseException, outcome: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the library raises on purpose never ends in a traceback."""
    with pytest.raises(typer.Exit) as ended, outcomes():
        raise error
    assert ended.value.exit_code == outcome
    said = capsys.readouterr()
    assert (said.out, bool(said.err.strip())) == ("", True)


def test_a_fault_of_ours_is_not_hidden() -> None:
    """What nobody foresaw keeps its traceback: it is a bug, and is to be found."""
    for error in (ZeroDivisionError(), ModuleNotFoundError("No module named 'cybertip.x'", name="cybertip.x")):
        with pytest.raises(type(error)), outcomes():
            raise error


def test_a_reader_who_has_seen_enough_is_no_error(run: Any, ncmec: Any, place: Path, start: Callable[..., Any]) -> None:
    """`cybertip list | head -1` ends quietly, and not as if the list could not be read."""
    value = json.loads((place / "filing.json").read_text())
    (place / "small.json").write_text(json.dumps({"report": value["report"]}))
    assert run("file", "small.json", "--key", "k").exit_code == 0
    reading, writing = os.pipe()
    os.close(reading)
    process = start("list", stdout=writing, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    os.close(writing)
    _, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, "")


def test_control_c_while_waiting_loses_nothing(run: Any, ncmec: Any, start: Callable[..., Any]) -> None:
    """Who waits no longer is told that the filing is recorded, and a worker goes on with it."""
    ncmec.ncmec.faults.append(Fault(endpoint="/submit", when="before", answer=1000, times=1000))
    process = start("file", "filing.json", "--key", "k", "--wait")
    while not _opened(run):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the filing is recorded" in complaints
    ncmec.ncmec.faults.clear()
    assert run("worker", "--until-idle").exit_code == 0
    assert [one["state"] for one in ncmec.reports()] == ["finished"]


def _opened(run: Any) -> bool:
    """Tell whether the submission was tried already."""
    shown = run("show", "k", "--json")
    return shown.exit_code == 0 and len(json.loads(shown.stdout)["timeline"]) > 1


@pytest.fixture
def postgresql() -> Iterator[str]:
    """The URL of an empty schema of a PostgreSQL on this machine."""
    given = os.environ.get("CYBERTIP_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
    address = make_url(given).set(drivername="postgresql+psycopg")
    server = create_engine(address, isolation_level="AUTOCOMMIT")
    name = f"cybertip_{uuid.uuid4().hex}"
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
    except OperationalError:
        server.dispose()
        pytest.skip(f"PostgreSQL does not answer at {address.host}:{address.port}")
    yield address.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    server.dispose()


def test_another_database_is_upgraded_when_one_says_so(
    run: Any, ncmec: Any, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's server gets tables unasked: until then exit code 7 names the command, and after it all goes its way."""
    monkeypatch.setenv("CYBERTIP_STORAGE", postgresql)
    for words in (("list",), ("file", "filing.json", "--key", "k"), ("show", "k")):
        done = run(*words)
        assert done.exit_code == 7
        assert "cybertip storage upgrade" in done.stderr
    assert run("storage", "upgrade").exit_code == 0
    assert run("file", "filing.json", "--key", "k").exit_code == 0
    assert run("worker", "--until-idle").exit_code == 0
    assert [one["state"] for one in ncmec.reports()] == ["finished"]


def test_two_workers_share_a_database(run: Any, ncmec: Any, postgresql: str, start: Callable[..., Any]) -> None:
    """Each submission is delivered by one of them, and none by both."""
    environment = os.environ | {"CYBERTIP_STORAGE": postgresql}
    assert run("storage", "upgrade", CYBERTIP_STORAGE=postgresql).exit_code == 0
    keys = [f"k{number}" for number in range(6)]
    for key in keys:
        assert run("file", "filing.json", "--key", key, CYBERTIP_STORAGE=postgresql).exit_code == 0
    workers = [start("worker", "--until-idle", "--concurrency", 2, env=environment) for _ in range(2)]
    said = [worker.communicate(timeout=120)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    finished = [line.split("\t")[0] for text in said for line in text.splitlines() if "\tfinished\t" in line]
    assert sorted(finished) == keys
    assert [one["state"] for one in ncmec.reports()] == ["finished"] * len(keys)


def test_the_module_runs_as_the_command_does(place: Path) -> None:
    """`python -m cybertip` is the command, with its exit codes."""
    import sys

    done = subprocess.run([sys.executable, "-m", "cybertip", "list"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no database" in done.stderr
