"""A place to run the command in: a folder with an example, a double of NCMEC, and the settings that lead to both."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cybertip.cli.app import app
from cybertip.cli.filing import example
from cybertip.cli.synthetic import make_files
from cybertip.testing.plugin import RunningSandbox

COMMAND = [sys.executable, "-m", "cybertip"]

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example's files, which take a while to make."""
    folder = tmp_path_factory.mktemp("synthetic")
    make_files(folder)
    return folder


@pytest.fixture
def place(synthetic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with an example to file, and without settings of the machine's."""
    for name in list(os.environ):
        if name.startswith("CYBERTIP_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "place"
    shutil.copytree(synthetic, folder)
    (folder / "filing.json").write_text(example(), encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def ncmec(place: Path, cybertip_sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    """A double of NCMEC, which the settings lead to."""
    monkeypatch.setenv("CYBERTIP_ENVIRONMENT", cybertip_sandbox.url)
    monkeypatch.setenv("CYBERTIP_USERNAME", cybertip_sandbox.username)
    monkeypatch.setenv("CYBERTIP_PASSWORD", cybertip_sandbox.password)
    return cybertip_sandbox


@pytest.fixture
def run(place: Path) -> Run:
    """A function that runs the command as a pipe would."""

    def run(*words: object, given: bytes | None = None, **variables: str | None) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], input=given, env=variables)

    return run


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """A function that starts the command as a process of its own. One that hangs is killed: no test waits for ever."""
    started: list[tuple[subprocess.Popen[str], threading.Timer]] = []

    def start(*words: object, **options: Any) -> "subprocess.Popen[str]":
        told = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        process = subprocess.Popen([*COMMAND, *map(str, words)], text=True, cwd=place, **told)
        started.append((process, threading.Timer(180, process.kill)))
        started[-1][1].start()
        return process

    yield start
    for process, end in started:
        end.cancel()
        process.kill()
        process.communicate()


@pytest.fixture
def on_a_terminal(start: Callable[..., "subprocess.Popen[str]"]) -> Callable[..., tuple[int, str]]:
    """A function that runs the command as a person would, and returns its exit code and what was seen, without colours."""

    def on_a_terminal(*words: object) -> tuple[int, str]:
        ours, theirs = os.openpty()
        variables = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
        process = start(*words, stdin=theirs, stdout=theirs, stderr=theirs, env=variables)
        os.close(theirs)
        seen = b""
        # Linux says that the other end of a terminal is closed by an error.
        with suppress(OSError):
            while block := os.read(ours, 65536):
                seen += block
        os.close(ours)
        return process.wait(60), re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())

    return on_a_terminal
