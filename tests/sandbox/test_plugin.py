"""The pytest plugin, as a project has it that only installs this library."""

import subprocess
import sys
from pathlib import Path
from typing import Any

#: The tests of somebody's platform.
TESTS = '''
import base64
import urllib.request

import pytest

REPORT = b"""%s"""


def submit(sandbox):
    token = base64.b64encode(f"{sandbox.username}:{sandbox.password}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "text/xml"}
    request = urllib.request.Request(f"{sandbox.url}/ispws/submit", REPORT, headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as reply:
        return reply.read()


def test_one(cybertip_sandbox):
    submit(cybertip_sandbox)
    submit(cybertip_sandbox)
    assert [one["state"] for one in cybertip_sandbox.reports()] == ["open", "open"]


@pytest.mark.cybertip_sandbox(username="platform", check_rules=False)
def test_another(cybertip_sandbox):
    assert cybertip_sandbox.reports() == []
    submit(cybertip_sandbox)
    assert cybertip_sandbox.ncmec.behaviour.username == cybertip_sandbox.username == "platform"
    before = cybertip_sandbox.clock.now()
    assert cybertip_sandbox.clock.now() > before
'''


def test_each_test_has_a_double_of_its_own(tmp_path: Path, caller: Any) -> None:
    """What one test files, no other sees; no warning is given, even where warnings are errors."""
    report = caller.report_xml().decode()
    (tmp_path / "test_platform.py").write_text(TESTS % report, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--strict-markers", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 passed" in run.stdout, run.stdout + run.stderr
    assert "warning" not in run.stdout


def test_sessions_that_do_not_use_the_fixture_pay_nothing() -> None:
    """Installing this library slows no other project's tests: the plugin alone imports no server, client or parser."""
    program = (
        "import sys, cybertip.testing.plugin\n"
        "print([name for name in ('uvicorn', 'httpx', 'lxml', 'hypothesis', 'cybertip.model') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_fixture_and_its_marker_introduce_themselves(tmp_path: Path) -> None:
    """`pytest --fixtures` and `pytest --markers` tell what there is."""
    for option, text in (
        ("--fixtures", "cybertip_sandbox -- "),
        ("--markers", "@pytest.mark.cybertip_sandbox(**behaviour)"),
    ):
        command = [sys.executable, "-m", "pytest", option, "-p", "no:cacheprovider"]
        assert text in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
