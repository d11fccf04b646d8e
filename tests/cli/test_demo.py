"""`demo`: what a newcomer sees first has to be true."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cybertip
from cybertip.cli import crash
from cybertip.cli.crash import DemoFailed

Terminal = Callable[..., tuple[int, str]]


def test_the_demo_files_three_files_durably(run: Any, place: Path, start: Callable[..., Any]) -> None:
    """One command takes a report all the way through a database, and keeps what a newcomer wants to look at."""
    process = start("demo", "--keep", "kept")
    said, complaints = process.communicate(timeout=120)
    assert (process.returncode, complaints) == (0, "")
    receipt = cybertip.read((place / "kept/receipt.xml").read_bytes())
    assert isinstance(receipt, cybertip.ReportDoneResponse)
    assert len(receipt.files.file_ids) == 3
    assert [(place / "kept" / name).stat().st_mode & 0o777 for name in ("receipt.xml", "cybertip.db")] == [0o600] * 2
    assert f"Finished report {receipt.report_id}" in said
    assert "<reportDoneResponse" in said
    assert {path.name for path in (place / "kept").iterdir()} == {
        "cybertip.db", "evidence", "filing.json", "noise.png", "receipt.xml", "shapes.png", "transcript.jsonl",
    }  # fmt: skip


def test_what_the_demo_keeps_can_be_looked_at(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of durable filing work in the folder that was kept, and a second run there files another submission."""
    for number in (1, 2):
        assert run("demo", "--keep", "kept").exit_code == 0
        monkeypatch.chdir(place / "kept")
        listed = json.loads(run("list", "--json").stdout)
        assert [(one["key"], one["status"]) for one in listed] == [
            (f"demo-{one + 1}", "finished") for one in range(number)
        ]
        assert run("receipt", f"demo-{number}").stdout_bytes == (place / "kept/receipt.xml").read_bytes()
        assert run("audit", "verify").exit_code == 0
        monkeypatch.chdir(place)


def test_the_demo_speaks_json(run: Any) -> None:
    """A script gets one JSON object, and nothing else on standard output."""
    told = json.loads(run("demo", "--json").stdout)
    assert (told["state"], told["killed"], len(told["reports"])) == ("finished", None, 1)
    assert [one["filename"] for one in told["files"]] == ["noise.png", "shapes.png", "transcript.jsonl"]
    assert all(one["described"] for one in told["files"])


@pytest.fixture
def real_settings(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that lead to NCMEC's real system, in a file and in variables."""
    (place / "cybertip.toml").write_text('storage = "sqlite:///real.db"\nenvironment = "production"\n')
    real = {"storage": "sqlite:///real.db", "environment": "production", "username": "u", "password": "p"}
    for name, value in real.items():
        monkeypatch.setenv(f"CYBERTIP_{name.upper()}", value)


@pytest.mark.usefixtures("real_settings")
def test_a_worker_that_is_killed_while_it_uploads_harms_nothing(run: Any, place: Path) -> None:
    """The report that was in doubt is retracted, and one report is filed, with exactly its files.

    Whoever has settings for NCMEC's real system can look at it without fear: it uses none of them.
    """
    told = json.loads(run("demo", "--crash", "--json").stdout)
    first, second = told["reports"]
    assert first == {"reportId": told["killed"]["reportId"], "state": "retracted"}
    assert second == {"reportId": told["reportId"], "state": "finished"}
    assert [one["filename"] for one in told["files"]] == ["noise.png", "shapes.png", "transcript.jsonl"]
    assert not list(place.glob("*.db"))
    assert not (place / "evidence").exists()


def test_the_crash_is_told_through_a_pipe(start: Callable[..., Any], place: Path) -> None:
    """The story has the kill, the next worker, what the journal knew, and why each report stands as it does."""
    process = start("demo", "--crash", "--keep", "kept")
    said, complaints = process.communicate(timeout=120)
    assert (process.returncode, complaints) == (0, "")
    assert "Killed the worker with SIGKILL" in said
    assert "the worker stopped before the outcome was recorded" in said
    assert re.search(r"^[0-9]{9}\tretracted\t1\ttaken back", said, re.MULTILINE)
    assert re.search(r"^[0-9]{9}\tfinished\t3\tfiled: once", said, re.MULTILINE)
    assert (place / "kept/receipt.xml").exists()


def test_the_demo_is_a_sight(on_a_terminal: Terminal) -> None:
    """A terminal gets ticks and tables, and the story of the crash among them."""
    code, shown = on_a_terminal("demo", "--crash")
    assert code == 0
    assert "✓ Verified the journal" in shown
    assert "What NCMEC holds: report" in shown
    assert "Killed the worker" in shown


def test_a_demonstration_that_failed_does_not_look_like_success(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the double holds is compared with what was to be filed: a report too many ends with an exit code of its own."""
    real = crash.reports_at

    def one_too_many(url: str) -> list[dict[str, Any]]:
        found = real(url)
        return [*found, *found]

    monkeypatch.setattr("cybertip.cli.demo.reports_at", one_too_many)
    done = run("demo", "--json")
    assert done.exit_code == 4
    assert done.stderr == f"{DemoFailed('the report was filed 2 times; it should have been once')}\n"
    assert done.stdout == ""
