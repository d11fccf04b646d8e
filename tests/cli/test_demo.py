"""`demo`: what a newcomer sees first has to be true."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import cybertip
from cybertip.cli.demo import crash
from cybertip.cli.demo.crash import DemoFailed
from cybertip.cli.demo.endpoints import running_platform

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


def test_endpoints_of_a_stranger_serve_the_demo(run: Any, place: Path) -> None:
    """Endpoints that were built from Coop's description, with nothing of ours, are asked and told as they are."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (place / "private.pem").write_bytes(private.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    (place / "public.pem").write_bytes(private.public_key().public_bytes(serialization.Encoding.PEM, spki))
    program = Path(__file__).parents[1] / "adapters/webhooks/coop_platform.py"
    with subprocess.Popen([sys.executable, "-P", program, "public.pem"], stdout=subprocess.PIPE, text=True) as stranger:
        try:
            assert stranger.stdout is not None
            url = f"http://127.0.0.1:{stranger.stdout.readline().strip()}"
            done = run("demo", "--json", "--endpoints", url, "--key", "private.pem")
            assert done.exit_code == 0, done.output
            told = json.loads(done.stdout)
            taken = [json.loads(stranger.stdout.readline()) for _ in range(2)]
        finally:
            stranger.kill()
    assert [one["path"] for one in taken] == ["/additional-info", "/preserve"]
    assert json.loads(taken[1]["raw"])["reportId"] == str(told["reportId"])
    assert [one["filename"] for one in told["files"]] == FILES[:-1]


@pytest.mark.parametrize(
    "words",
    [("--endpoints", "http://127.0.0.1:9"), ("--key", "k"), ("--endpoints", "https://platform.example", "--key", "k")],
)
def test_the_demo_calls_this_machine_alone_and_signs(run: Any, words: tuple[str, ...]) -> None:
    """Endpoints elsewhere are refused, and so are those that nothing would be signed for."""
    done = run("demo", *words)
    assert done.exit_code == 2
    assert "--endpoints and --key go together" in done.stderr


def test_without_its_extras_the_demo_says_what_to_install(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is begun, and with exit code 2."""
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
