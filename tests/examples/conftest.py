"""What the tests of the examples share: the examples themselves, and what a platform brings along."""

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cybertip import Credentials, Environment, IncidentKind, LocalEvidence, Profile

EXAMPLES = Path(__file__).parents[2] / "examples"
PROFILE = Profile(
    company_name="Example",
    reporter_email="safety@example.com",
    legal_url="https://example.com/legal",
    default_incident=IncidentKind.CHAT_IM,
)


def _example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def example() -> Callable[[str], Any]:
    """Return a function that imports an example by its name."""
    return _example


@pytest.fixture
def platform(cybertip_sandbox: Any, tmp_path: Path) -> Any:
    """What a platform brings along: where to file, its evidence and its settings, and one synthetic picture."""
    evidence = LocalEvidence(tmp_path / "evidence")
    picture = tmp_path / "noise.png"
    picture.write_bytes(bytes(range(256)) * 40)
    return SimpleNamespace(
        sandbox=cybertip_sandbox,
        environment=Environment.sandbox(cybertip_sandbox.url),
        credentials=Credentials(username=cybertip_sandbox.username, password=cybertip_sandbox.password),
        database=f"sqlite:///{tmp_path / 'platform.db'}",
        evidence=evidence,
        picture=evidence.keep(picture),
        profile=PROFILE,
    )


def _until(holds: Callable[[], Any]) -> Any:
    """Return what a function returns as soon as that is something; workers take their time."""
    end = time.monotonic() + 30
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], Any]], Any]:
    """Return the function that waits."""
    return _until


def _under_120_lines(name: str) -> bool:
    return len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) < 120


@pytest.fixture(scope="session")
def is_short() -> Callable[[str], bool]:
    """Return a function that tells whether an example has under 120 lines."""
    return _under_120_lines
