"""Examples in docstrings and pages run as tests."""

import doctest
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser


def _begin_page(namespace: dict[str, Any]) -> None:
    """Let a page's examples make files, in a folder of their own."""
    namespace["_left"] = os.getcwd()
    namespace["_folder"] = tempfile.TemporaryDirectory(prefix="cybertip-page-")
    os.chdir(namespace["_folder"].name)


def _end_page(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["_left"])
    namespace["_folder"].cleanup()


def _run_session(example: Example) -> str | None:
    """Type the commands of a block, one after the other in one shell, and compare what a person would see with what follows
    each of them; `...` stands for anything."""
    typed: list[tuple[str, str]] = re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n?)*)", example.parsed, re.MULTILINE)
    assert typed, "there is no command in it"
    script = "".join(f"{command}\nended=$?; printf '\\036'; (exit $ended)\n" for command, _ in typed)
    # The command takes its reader for a person, whose terminal can do little.
    surroundings = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "FORCE_COLOR": "1",
        "TERM": "dumb",
    }
    done = subprocess.run(  # noqa: S603 - the project's own pages
        ["bash", "-c", script],  # noqa: S607 - the reader's own shell
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=surroundings,
    )
    seen = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout).split("\x1e")
    for (command, expected), found in zip(typed, seen, strict=False):
        if not doctest.OutputChecker().check_output(expected, found, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE):
            return f"$ {command}\n{found}\nwhere the page says:\n{expected}"
    return None


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), CodeBlockParser("console", _run_session)],
    patterns=["*.md"],
    path=".",
    excludes=[".nox/*"],
    setup=_begin_page,
    teardown=_end_page,
).pytest()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that skipped tests, where none may be: in CI a promise that was not checked is not kept."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and os.environ.get("CYBERTIP_FORBID_SKIPS"):
        reporter.write_line(f"{len(skipped)} tests were skipped, and CYBERTIP_FORBID_SKIPS is set", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
