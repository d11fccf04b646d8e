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
    from cybertip.cli.app import app
    from cybertip.cli.schemas import schemas

    page = (ROOT / "docs/reference/command.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `((?:schema )?\w+)", page, re.MULTILINE)
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    known |= {f"schema {command.callback.__name__}" for command in schemas.registered_commands if command.callback}
    assert known == set(rows)
