"""Examples in docstrings and pages run as tests."""

import os
import tempfile
from typing import Any

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser


def _begin_page(namespace: dict[str, Any]) -> None:
    """Let a page's examples make files, in a folder of their own."""
    namespace["_left"] = os.getcwd()
    namespace["_folder"] = tempfile.TemporaryDirectory(prefix="cybertip-page-")
    os.chdir(namespace["_folder"].name)


def _end_page(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["_left"])
    namespace["_folder"].cleanup()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()],
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
