"""The house keeps its own rules: layers, public names, imports and version."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import cybertip

ROOT = Path(__file__).parents[1]


def test_the_layers_hold() -> None:
    """Data flows one way: no layer imports one above it, and the pure ones neither wait nor send."""
    # In a process of its own: the linter configures logging, and silences every logger that it does not know.
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    words = [sys.executable, "-c", program, "--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_public_names_are_exactly_the_documented_ones() -> None:
    """Whatever `cybertip` offers is described in the reference, and nothing else is."""
    page = (ROOT / "docs/reference/names.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert documented == list(cybertip.__all__)


def test_every_public_name_can_be_imported() -> None:
    """A name that is offered is there when it is asked for, and says what it is."""
    for name in cybertip.__all__:
        assert getattr(cybertip, name) is not None
    assert set(cybertip.__all__) <= set(dir(cybertip))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = cybertip.Nothing


def test_the_type_checker_sees_the_same_names() -> None:
    """The imports for the type checker and the table that serves the names at run time agree."""
    source = (ROOT / "src/cybertip/__init__.py").read_text(encoding="utf-8")
    static = re.findall(r"^        (\w+) as (\w+),$", source, re.MULTILINE)
    assert all(name == alias for name, alias in static)
    assert sorted(name for name, _ in static) == list(cybertip.__all__)


@pytest.mark.parametrize("name", ["httpx", "xmlschema", "typer", "rich", "hypothesis", "uvicorn", "cattrs"])
def test_what_is_not_used_is_not_imported(name: str) -> None:
    """A program that only writes XML pays for no HTTP client, no command and no test kit."""
    program = f"import sys, cybertip; cybertip.Report; cybertip.write; cybertip.read; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_no_source_is_left_undone() -> None:
    """No stub is called done."""
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    assert not [path.name for path in (ROOT / "src").rglob("*.py") if marks.search(path.read_text(encoding="utf-8"))]
