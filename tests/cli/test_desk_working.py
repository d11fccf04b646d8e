"""`worker` with an organisation: it calls the platform's endpoints, says what is left, and ends when it is told to."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cybertip.cli.demo.endpoints import running_platform
from cybertip.cli.demo.platform import Platform
from cybertip.cli.desk_working import side_by_side

ANN = ("--reviewer", "ann")
SECRET = "whsec_" + "A" * 43 + "="


@pytest.fixture
def platform(place: Path, ncmec: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """The demonstration's platform, and settings of an organisation whose endpoints and store are there."""
    (place / "evidence").mkdir()
    (place / "upload.jpg").write_bytes(b"synthetic bytes of no picture")
    with running_platform(place, secret=SECRET) as platform:
        (place / "profile.toml").write_text(
            f"""
            [profile]
            company_name = "Example"
            reporter_email = "safety@example.com"
            additional_info_url = "{platform.url}/additional-info"
            case_event_url = "{platform.url}/case-event"
            preservation_url = "{platform.url}/preserve"

            [[routing]]
            kind = "escalated"
            to = "review"
            queue = "urgent"
            priority = 7
            """
        )
        for name, value in {
            "ORGANISATION": "example",
            "PROFILE": "profile.toml",
            "WEBHOOK_KEY": SECRET,
            "MEDIA_HOSTS": "127.0.0.1",
        }.items():
            monkeypatch.setenv(f"CYBERTIP_{name}", value)
        yield platform


MEDIA = {"id": "upload-1", "type_id": "image"}


def noticed(run: Any, place: Path, platform: Platform) -> str:
    """Take in a signal that names a file of the platform's store, and return its case."""
    url = platform.address_of("upload.jpg")
    data = {
        "id": "signal-1",
        "source": "moderation",
        "at": "2025-06-01T14:00:00+00:00",
        "basis": "invented",
        "creator": {"id": "user-1001", "type_id": "user"},
        "moderator": "mo",
        "media": [{"ref": MEDIA, "url": url, "uploaded_at": "2025-06-01T13:00:00+00:00"}],
    }
    (place / "signal.json").write_text(json.dumps({"kind": "escalated/1", "data": data}))
    return str(json.loads(run("case", "signal", "signal.json").stdout)["case"])


def decided(run: Any, place: Path, platform: Platform) -> str:
    """Have the file of a signal kept, decide the case, and return it."""
    case = noticed(run, place, platform)
    assert run("worker", "--until-idle").exit_code == 0
    decision = {
        "incident_type": "Child Pornography (possession, manufacture, and distribution)",
        "media": [{"media": MEDIA, "include": True, "relevance": "Reported"}],
    }
    (place / "decision.json").write_text(json.dumps(decision))
    done = run("case", "decide", case, "decision.json", *ANN)
    assert done.exit_code == 0, done.output
    return case


def shown(run: Any, case: str) -> Any:
    """Return what `case show` prints."""
    return json.loads(run("case", "show", case, *ANN).stdout)


def test_the_platform_is_asked_and_told(run: Any, place: Path, platform: Platform, ncmec: Any) -> None:
    """Its endpoints get signed requests, its files are fetched, its rules route, and of a test nothing is preserved."""
    case = decided(run, place, platform)
    done = run("worker", "--until-idle")
    assert done.exit_code == 0, done.output
    assert [one.path for one in platform.calls] == ["/additional-info", "/case-event"]
    found = shown(run, case)
    assert (found["status"], found["queue"], found["priority"]) == ("reported", "urgent", 7)
    (report,) = ncmec.ncmec.reports()
    assert [one["filename"] for one in report["files"]] == ["upload-1", "supplemental-1-account.txt"]


def test_a_case_whose_platform_does_not_answer_is_left_for_later(
    run: Any, place: Path, platform: Platform, ncmec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is filed, the case says what it waits for, and exit code 4 that it does."""
    case = decided(run, place, platform)
    monkeypatch.setenv("CYBERTIP_WEBHOOK_KEY", "whsec_" + "B" * 43 + "=")
    done = run("worker", "--until-idle")
    assert done.exit_code == 4
    assert "a decided case waits" in done.stderr
    assert ncmec.ncmec.reports() == []
    found = shown(run, case)
    assert found["status"] == "decided"
    assert "401" in found["delay"]
    assert [one["delayed"] for one in json.loads(run("case", "list", "--all", *ANN).stdout)] == [True]


def test_endpoints_without_a_key_are_not_called(
    run: Any, place: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not signed is not sent: a worker that could not sign says so before it begins."""
    monkeypatch.delenv("CYBERTIP_WEBHOOK_KEY")
    done = run("worker", "--until-idle")
    assert done.exit_code == 2
    assert "there is no key to sign with" in done.stderr


@pytest.mark.usefixtures("platform")
def test_an_unknown_word_of_review_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that nobody understood must not look like none."""
    monkeypatch.setenv("CYBERTIP_REVIEW", "partial, second")
    done = run("case", "list", *ANN)
    assert done.exit_code == 2
    assert "partial and second-approval" in done.stderr


def test_a_worker_with_a_desk_ends_when_it_is_told_to(
    run: Any, place: Path, platform: Platform, start: Callable[..., Any]
) -> None:
    """It works on cases as long as it runs; SIGTERM ends the courier and the desk, with exit code 0."""
    case = noticed(run, place, platform)
    process = start("worker")
    until = time.monotonic() + 60
    while shown(run, case)["media"][0]["standing"] != "kept" and time.monotonic() < until:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    assert shown(run, case)["media"][0]["standing"] == "kept"


def test_when_one_fails_the_other_ends() -> None:
    """A worker that does only half of its work would look well, and is not."""
    stop = threading.Event()

    def fail() -> None:
        raise RuntimeError("the desk failed")

    def wait() -> None:
        stop.wait(60)

    with pytest.raises(RuntimeError, match="the desk failed"):
        side_by_side([wait, fail], stop)
    assert stop.is_set()
