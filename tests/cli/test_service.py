"""`status` and `sandbox`: what talks HTTP."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cybertip.cli.app import app

COMMAND = [sys.executable, "-m", "cybertip"]


@pytest.fixture
def sandbox() -> Iterator[str]:
    """The address of a double that runs as a program of its own."""
    program = [*COMMAND, "sandbox", "--port", "0", "--username", "u", "--password", "p"]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as one:
        try:
            assert one.stdout is not None
            found = re.fullmatch(r"NCMEC double at (http://127\.0\.0\.1:[0-9]+)/ispws\n", one.stdout.readline())
            assert found is not None
            assert one.stdout.readline() == "user u, password as given\n"
            yield found[1]
        finally:
            one.send_signal(signal.SIGTERM)
            one.wait(20)


def test_status_knows_whether_our_credentials_are_known(sandbox: str) -> None:
    """Right ones are well, wrong ones are refused, silence is no answer: each has its exit code."""
    runner = CliRunner()
    settings = {"CYBERTIP_ENVIRONMENT": sandbox, "CYBERTIP_USERNAME": "u", "CYBERTIP_PASSWORD": "p"}
    assert runner.invoke(app, ["status"], env=settings).exit_code == 0
    told = json.loads(runner.invoke(app, ["status", "--json"], env=settings).output)
    assert told["ok"]
    assert told["requestId"]
    refused = runner.invoke(app, ["status"], env=settings | {"CYBERTIP_PASSWORD": "canary"})
    assert refused.exit_code == 3
    assert "canary" not in refused.output
    silent = runner.invoke(app, ["status"], env=settings | {"CYBERTIP_ENVIRONMENT": "http://127.0.0.1:1"})
    assert silent.exit_code == 4


def test_status_reads_the_configuration(run: Any, ncmec: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the workers' configuration says is what is asked with; an option goes before it."""
    for name in ("ENVIRONMENT", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"CYBERTIP_{name}")
    lines = (f'environment = "{ncmec.url}"', f'username = "{ncmec.username}"', f'password = "{ncmec.password}"')
    (place / "cybertip.toml").write_text("\n".join(lines))
    assert run("status").exit_code == 0
    assert run("status", "--password", "canary").exit_code == 3
    (place / "cybertip.toml").write_text("\n".join(lines[:2]))
    done = run("status")
    assert done.exit_code == 2
    assert "password is not set" in done.stderr


@pytest.mark.parametrize("environment", ["https://example.com/ispws", "production.example.com", "prod", ""])
def test_an_unknown_environment_is_refused(environment: str) -> None:
    """Reports go to NCMEC or to loopback, and to neither by default."""
    settings = {"CYBERTIP_ENVIRONMENT": environment, "CYBERTIP_USERNAME": "u", "CYBERTIP_PASSWORD": "p"}
    assert CliRunner().invoke(app, ["status"], env=settings).exit_code == 2


def test_the_environment_has_no_default() -> None:
    """Who does not choose gets a usage error."""
    assert (
        CliRunner()
        .invoke(app, ["status", "--username", "u", "--password", "p"], env={"CYBERTIP_ENVIRONMENT": None})
        .exit_code
        == 2
    )


def test_the_sandbox_serves_any_client(sandbox: str) -> None:
    """Its list of reports is plain JSON, and empty at first."""
    with urllib.request.urlopen(f"{sandbox}/_sandbox/reports") as answer:
        assert json.load(answer) == []


def test_the_sandbox_listens_on_loopback_alone() -> None:
    """A double that anyone could reach would be mistaken for more than it is."""
    done = CliRunner().invoke(app, ["sandbox", "--host", "0.0.0.0"])
    assert done.exit_code == 2


def test_the_sandbox_says_whom_it_lets_in() -> None:
    """Its own password is known to all, and a newcomer needs it."""
    program = [*COMMAND, "sandbox", "--port", "0"]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as one:
        try:
            assert one.stdout is not None
            assert one.stdout.readline().startswith("NCMEC double at ")
            assert one.stdout.readline() == "user sandbox, password sandbox\n"
        finally:
            one.send_signal(signal.SIGTERM)
            one.wait(20)
