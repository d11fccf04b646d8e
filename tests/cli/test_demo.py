"""`demo`: what a newcomer sees first has to be true."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cybertip
from cybertip.cli.demo import crash
from cybertip.cli.demo.crash import DemoFailed

Terminal = Callable[..., tuple[int, str]]


FILES = ["upload-1.jpg", "upload-2.png", "thread-1.jsonl", "thread-1.csv", "supplemental-1-account.txt"]


def test_the_demo_goes_from_signals_to_a_receipt(run: Any, place: Path, start: Callable[..., Any]) -> None:
    """One command takes three signals all the way to a report, and keeps what a newcomer wants to look at."""
    process = start("demo", "--keep", "kept")
    said, complaints = process.communicate(timeout=120)
    assert (process.returncode, complaints) == (0, "")
    receipt = cybertip.read((place / "kept/receipt.xml").read_bytes())
    assert isinstance(receipt, cybertip.ReportDoneResponse)
    assert len(receipt.files.file_ids) == len(FILES)
    private = ("receipt.xml", "cybertip.db", "hashes.db")
    assert [(place / "kept" / name).stat().st_mode & 0o777 for name in private] == [0o600] * 3
    assert f"NCMEC has report {receipt.report_id}" in said
    assert "Took in a hash match, a user report and an escalation: all three are in case/" in said
    assert "of production reports alone" in said
    assert "<reportDoneResponse" in said
    assert {path.name for path in (place / "kept").iterdir()} == {
        "cybertip.db", "cybertip.toml", "evidence", "filed", "hashes.db", "original.png", "profile.toml", "receipt.xml",
        "shapes.png", "upload.jpg",
    }  # fmt: skip
    assert {path.name for path in (place / "kept/filed").iterdir()} == {"filing.json", *FILES}


def test_what_the_demo_keeps_can_be_looked_at(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands work in the folder that was kept; a second run there opens a case that follows the first."""
    for number in (1, 2):
        told = json.loads(run("demo", "--keep", "kept", "--json").stdout)
        monkeypatch.chdir(place / "kept")
        cases = json.loads(run("case", "list", "--all").stdout)
        assert [(one["case"].rpartition("/")[2], one["status"]) for one in cases] == [
            (f"{one + 1:06}", "reported") for one in range(number)
        ]
        assert cases[-1]["case"] == told["case"]
        assert json.loads(run("case", "show", told["case"]).stdout)["reportId"] == told["reportId"]
        assert [one["key"] for one in json.loads(run("list", "--json").stdout)] == [
            f"{one['case']}/report" for one in cases
        ]
        assert run("receipt", told["key"]).stdout_bytes == (place / "kept/receipt.xml").read_bytes()
        assert run("show", told["case"]).exit_code == 6
        assert run("audit", "verify").exit_code == 0
        assert run("validate", "filed/filing.json").exit_code == 0
        monkeypatch.chdir(place)


def test_the_demo_speaks_json(run: Any) -> None:
    """A script gets one JSON object, and nothing else on standard output."""
    told = json.loads(run("demo", "--json").stdout)
    assert (told["state"], told["killed"], len(told["reports"])) == ("finished", None, 1)
    assert told["signals"] == ["HashMatched", "UserReported", "Escalated"]
    assert told["calls"] == ["/additional-info", "/case-event", "/preserve"]
    assert [one["filename"] for one in told["files"]] == FILES
    assert all(one["described"] for one in told["files"])


def test_the_match_of_the_demo_is_a_real_one(run: Any) -> None:
    """The picture was turned, mirrored, made smaller and recompressed, so that no digest could find it; PDQ does."""
    match = json.loads(run("demo", "--json").stdout)["match"]
    assert (match["hashType"], match["kind"]) == ("pdq", "near")
    assert 0 < match["distance"] <= 31


def test_the_platform_of_the_demo_answers_only_what_is_signed(place: Path) -> None:
    """A request without its signature gets 401, and is not among those that the demonstration tells of."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    from cybertip.cli.demo.endpoints import running_platform

    with running_platform(place) as platform:
        for path in ("/additional-info", "/preserve", "/case-event"):
            with pytest.raises(HTTPError) as refused, urlopen(Request(platform.url + path, b"{}")):
                pass
            assert refused.value.code == 401
            refused.value.close()
        with pytest.raises(HTTPError) as refused, urlopen(platform.url + "/store/filing.json"):
            pass
        assert refused.value.code == 404
        refused.value.close()
        assert platform.calls == []


def test_without_its_extras_the_demo_says_what_to_install(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is begun, and with exit code 2."""
    import sys

    monkeypatch.setitem(sys.modules, "cybertip.hashing.pictures", None)
    done = run("demo", "--keep", "kept")
    assert done.exit_code == 2
    assert "cybertip[pdq,webhooks]" in done.stderr


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
    assert [one["filename"] for one in told["files"]] == FILES
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
    assert re.search(r"^[0-9]{9}\tfinished\t5\tfiled: once", said, re.MULTILINE)
    assert (place / "kept/receipt.xml").exists()


def test_the_demo_is_a_sight(on_a_terminal: Terminal) -> None:
    """A terminal gets ticks and tables, and the story of the crash among them."""
    code, shown = on_a_terminal("demo", "--crash")
    assert code == 0
    assert "✓ Verified the journals" in shown
    assert "What NCMEC holds: report" in shown
    assert "Killed the worker" in shown


def test_a_demonstration_that_failed_does_not_look_like_success(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the double holds is compared with what was to be filed: a report too many ends with an exit code of its own."""
    real = crash.reports_at

    def one_too_many(url: str) -> list[dict[str, Any]]:
        found = real(url)
        return [*found, *found]

    monkeypatch.setattr("cybertip.cli.demo.story.reports_at", one_too_many)
    done = run("demo", "--json")
    assert done.exit_code == 4
    assert done.stderr == f"{DemoFailed('the report was filed 2 times; it should have been once')}\n"
    assert done.stdout == ""
