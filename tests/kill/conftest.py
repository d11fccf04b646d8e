"""Real processes to kill: workers of the command, and a double of NCMEC that runs as a program of its own."""

import contextlib
import importlib.util
import io
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import attrs
import pytest

from cybertip.adapters.evidence import LocalEvidence
from cybertip.adapters.storage.sql import SqlStorage
from cybertip.audit import Auditor
from cybertip.filing import Filing
from cybertip.filing.events import Call, Lost, decode
from cybertip.filing.journal import Journal
from cybertip.model import (
    Email,
    FileDescription,
    IncidentSummary,
    IncidentType,
    Person,
    PersonOrUserReported,
    Report,
    Reporter,
)
from cybertip.ports.evidence import entry_of

#: Until something must have happened that takes a second. Only a test that fails ever waits for so long.
PATIENCE = 120.0

#: A program that has imported all that the command needs, and lets copies of itself run it: each is a process of its own
#: that is at work within moments, as if it had been started long ago. Killed ones stay until they are buried, so that
#: nobody else gets their number meanwhile.
NURSERY = """
import os, sys
import alembic.command, cryptography, psycopg, sqlalchemy.dialects.postgresql.psycopg, sqlalchemy.dialects.sqlite.pysqlite
import cybertip.adapters.storage.sql, cybertip.adapters.storage.upgrading, cybertip.adapters.transport.httpx_transport
import cybertip.audit, cybertip.cli.app, cybertip.courier

def live(output, errors, *words):
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(os.open(errors, os.O_WRONLY), 2)
    os.close(output)
    sys.argv = ["cybertip", *words]
    try:
        cybertip.cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    return 1

for line in sys.stdin:
    order, *words = line.split()
    if order == "bury":
        print(os.waitstatus_to_exitcode(os.waitpid(int(words[0]), 0)[1]), flush=True)
        continue
    # Opened before the birth: a pipe without a writer would look like that of somebody who is dead.
    output = os.open(words[0], os.O_WRONLY)
    born = os.fork()
    if not born:
        code = live(output, *words[1:])
        sys.stdout.flush()
        os._exit(code)
    os.close(output)
    print(born, flush=True)
"""


class Child:
    """A process that runs the command, born in a nursery."""

    def __init__(self, nursery: "Nursery", number: int, pid: int, output: int, errors: Path) -> None:
        self._nursery, self.number, self.pid = nursery, number, pid
        #: A pipe that it writes to; it ends with the process.
        self.output = output
        self.errors = errors
        self.returncode: int | None = None

    def signal(self, number: int) -> None:
        assert self.returncode is None, "it is buried"
        os.kill(self.pid, number)

    def says(self) -> bytes:
        """Wait for something that it says, and return it; nothing, when it came to its end."""
        select.select([self.output], [], [], PATIENCE)
        return os.read(self.output, 65536)

    def bury(self) -> int:
        """Wait for its end, and return its exit code."""
        if self.returncode is None:
            self.returncode = int(self._nursery.order("bury", self.pid))
            os.close(self.output)
        return self.returncode


class Nursery:
    """Starts processes of the command that are at work at once."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self._folder = folder
        self.children: list[Child] = []
        with (folder / "nursery.err").open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", NURSERY],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=variables,
                cwd=folder,
            )

    def bear(self, *words: object) -> Child:
        """Start the command."""
        number = len(self.children)
        pipe, errors = self._folder / f"{number}.out", self._folder / f"{number}.err"
        os.mkfifo(pipe)
        errors.touch()
        output = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        child = Child(self, number, int(self.order("bear", pipe, errors, *words)), output, errors)
        self.children.append(child)
        return child

    def order(self, *words: object) -> str:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        print(*words, file=process.stdin, flush=True)
        answer = process.stdout.readline()
        assert answer, (self._folder / "nursery.err").read_text()
        return answer

    def end(self) -> None:
        for child in self.children:
            if child.returncode is None:
                child.signal(signal.SIGKILL)
                child.bury()
        end(self._process)


@attrs.frozen
class World:
    """One environment to file to: a double, a database and a folder of evidence, each outlived by the next process."""

    folder: Path
    sandbox: "subprocess.Popen[str]"
    address: str
    database: str
    processes: list["subprocess.Popen[str]"] = attrs.Factory(list)
    nurseries: list[Nursery] = attrs.Factory(list)

    @property
    def evidence(self) -> LocalEvidence:
        return LocalEvidence(self.folder / "evidence")

    def storage(self) -> SqlStorage:
        return SqlStorage(self.database)

    def variables(self, **more: str) -> dict[str, str]:
        """Return what the command needs to know, and nothing that the machine says."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("CYBERTIP_")}
        ours = {
            "CYBERTIP_STORAGE": self.database,
            "CYBERTIP_EVIDENCE": str(self.folder / "evidence"),
            "CYBERTIP_ENVIRONMENT": self.address,
            "CYBERTIP_USERNAME": "sandbox",
            "CYBERTIP_PASSWORD": "sandbox",
            "PYTHONUNBUFFERED": "1",
        }
        return plain | ours | more

    def nursery(self, **more: str) -> Nursery:
        """Return a nursery whose children know this world."""
        folder = self.folder / f"nursery-{len(self.nurseries)}"
        folder.mkdir()
        self.nurseries.append(Nursery(folder, self.variables(**more)))
        return self.nurseries[-1]

    def start(self, *words: object) -> "subprocess.Popen[str]":
        """Start the command as anybody does."""
        with (self.folder / f"{len(self.processes)}.err").open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "cybertip", *map(str, words)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=self.variables(),
                cwd=self.folder,
            )
        self.processes.append(process)
        return process

    def complaints(self) -> str:
        """Return what the processes wrote on standard error, for the person who looks into a failure."""
        said = ((path, path.read_text()[-2000:]) for path in sorted(self.folder.rglob("*.err")))
        return "\n".join(f"{path.relative_to(self.folder)}: {text}" for path, text in said if text)

    def reports(self) -> list[dict[str, Any]]:
        """Return what NCMEC holds."""
        with urllib.request.urlopen(f"{self.address}/_sandbox/reports", timeout=PATIENCE) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def end(self) -> None:
        for nursery in self.nurseries:
            nursery.end()
        for process in self.processes:
            end(process)


def end(process: "subprocess.Popen[str]") -> None:
    """Kill a process, whatever it does, and close what leads to it."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()
    pipes: tuple[IO[str] | None, ...] = (process.stdin, process.stdout)
    for pipe in pipes:
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


@contextlib.contextmanager
def _sandbox(*words: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    program = [sys.executable, "-m", "cybertip", "sandbox", "--port", "0", *words]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout is not None
        found = re.fullmatch(r"NCMEC double at (http://127\.0\.0\.1:[0-9]+)/ispws\n", process.stdout.readline())
        assert found is not None
        yield process, found[1]
        assert process.poll() is None, "the double did not live to the end"
    finally:
        # One that was stopped would not hear of its end.
        process.send_signal(signal.SIGCONT)
        end(process)


@pytest.fixture(scope="session")
def _databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    # The tests of the storages know where servers answer, and how to be alone on them.
    place = Path(__file__).parents[1] / "adapters" / "storage" / "conftest.py"
    spec = importlib.util.spec_from_file_location("databases_of_storage_tests", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    databases = module.Databases(tmp_path_factory.mktemp("databases"))
    yield databases
    databases.close()


@pytest.fixture
def patience() -> float:
    """Seconds to wait for what takes one: only a test that fails ever does."""
    return PATIENCE


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    return str(request.param)


@pytest.fixture
def new_world(tmp_path: Path, kind: str, _databases: Any) -> Iterator[Callable[..., World]]:
    """A function that makes a world, from the options of the double; its database has its tables, and nothing in them."""
    with contextlib.ExitStack() as stack:

        def make(*words: str) -> World:
            process, address = stack.enter_context(_sandbox(*words))
            world = World(tmp_path, process, address, _databases.new(kind))
            stack.callback(world.end)
            (tmp_path / "evidence").mkdir()
            with world.storage() as storage:
                storage.upgrade()
            return world

        yield make
    # It may be a lot, and tells nothing that a journal does not.
    shutil.rmtree(tmp_path / "evidence", ignore_errors=True)


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    """A world whose double forgets the bytes that it receives."""
    return new_world()


@pytest.fixture
def new_database(_databases: Any, kind: str) -> Callable[[], str]:
    """A function that returns the URL of another database, without tables."""
    return lambda: str(_databases.new(kind))


# -- what is filed --------------------------------------------------------------------------------------------------------


def report(user: str) -> Report:
    """Return a report that NCMEC takes, on one user."""
    return Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 1, 1, tzinfo=UTC)
        ),
        reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
        persons_or_users_reported=(PersonOrUserReported(esp_identifier=user),),
    )


def filing(evidence: LocalEvidence, key: str, contents: Iterable[tuple[bytes, bool]]) -> Filing:
    """Return a filing on a user named like its key, with files that no other has; some of them are described."""
    files = []
    for number, (content, is_described) in enumerate(contents):
        reference = evidence.keep(io.BytesIO(f"{key}/{number}\n".encode() + content))
        description = FileDescription(file_viewed_by_esp=False) if is_described else None
        files.append(entry_of(evidence, reference, name=f"{number}.bin", description=description))
    return Filing(report=report(key), files=tuple(files))


def check(world: World, storage: SqlStorage, filed: dict[str, Filing]) -> None:
    """Every submission has one finished report with its files and their details, and every journal says so."""
    assert list(Auditor(storage).verify()) == []
    reports = world.reports()
    assert all(any(f">{key}<" in one["report"] for key in filed) for one in reports), "there is a report of nobody's"
    for key, wanted in filed.items():
        mine = [one for one in reports if f">{key}<" in one["report"]]
        finished = [one for one in mine if one["state"] == "finished"]
        state = Journal.of(key, entries := storage.read(key)).submission
        assert len(finished) == 1, f"{key} is filed {len(finished)} times; its journal says {state.report_id}"
        assert state.receipt is not None, f"{key} is filed, and its journal does not know"
        assert finished[0]["reportId"] == state.report_id, f"{key} is filed under another number"
        arrived = finished[0]["files"]
        assert Counter(file["md5"] for file in arrived) == Counter(file.md5 for file in wanted.files), key
        described = Counter(file["md5"] for file in arrived if file["details"] is not None)
        assert described == Counter(file.md5 for file in wanted.files if file.description is not None), key
        # What is left open deletes itself, and only a lost answer to /submit may leave it.
        orphans = sum(one["state"] == "open" for one in mine)
        events = (decode(entry.kind, entry.data) for entry in entries)
        doubts = sum(isinstance(event, Lost) and event.call is Call.SUBMIT for event in events)
        assert orphans <= doubts, f"{key} left {orphans} reports open after {doubts} lost answers"


class Kit:
    """The functions above, for modules that cannot import this one."""

    report = staticmethod(report)
    filing = staticmethod(filing)
    check = staticmethod(check)


@pytest.fixture
def kit() -> type[Kit]:
    """What is filed, and whether it arrived."""
    return Kit
