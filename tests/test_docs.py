"""What the docs say is true: examples run, generated pages are up to date, links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_the_generated_pages_are_up_to_date() -> None:
    """The reference says what the code does today."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs/make_reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run nox -s reference: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A reader who follows a link within the project arrives."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_pages_name_every_command() -> None:
    """The reference of the command and the command agree."""
    from typer.main import get_command

    from cybertip.cli.app import app

    page = (ROOT / "docs/reference/command.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z]+(?: [a-z]+)?)", page.partition("| exit code |")[0], re.MULTILINE)
    known: set[str] = set()
    for name, command in vars(get_command(app))["commands"].items():
        known |= {f"{name} {part}" for part in vars(command).get("commands", ())} or {name}
    assert known == set(rows)
