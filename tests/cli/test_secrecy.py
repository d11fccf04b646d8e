"""Canaries: what nobody may read is planted in filing, settings and NCMEC's answers, and looked for in what is shown."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cybertip.sandbox import Answer, Fault

CANARY = "canary7f3a"
pytestmark = pytest.mark.cybertip_sandbox(username=CANARY, password=CANARY)
IP = "198.51.100.73"


def planted(value: Any) -> Any:
    """Put a canary into every free text of a document, and an address of its own into every IP address."""
    if isinstance(value, list):
        return [planted(one) for one in value]
    if isinstance(value, dict):
        return {name: _planted(name, one) for name, one in value.items()}
    return value


def _planted(name: str, value: Any) -> Any:
    if name == "ipAddress":
        return IP
    if name in ("firstName", "lastName", "displayName", "screenName", "espIdentifier", "additionalInfo", "content"):
        return [CANARY] if isinstance(value, list) else CANARY
    if name == "originalFileName":
        return f"{CANARY}.png"
    if name == "email":
        return [{"value": f"{CANARY}@example.com"}]
    return planted(value)


@pytest.fixture
def filing(place: Path) -> Path:
    """A filing full of canaries, under a name and in files that have one, too."""
    value = planted(json.loads((place / "filing.json").read_text()))
    for index, file in enumerate(value["files"]):
        shutil.copy(place / file["path"], place / f"{CANARY}-{index}.png")
        file["path"] = f"{CANARY}-{index}.png"
    (place / "planted.json").write_text(json.dumps(value))
    return place / "planted.json"


@pytest.fixture
def shown(run: Any, ncmec: Any) -> Iterator[Callable[..., int]]:
    """A function that runs the command and returns its exit code; at the end, all that was shown is looked through."""
    seen: list[str] = []

    def call(*words: object, **variables: str | None) -> int:
        done = run(*words, **variables)
        seen.append(done.output + done.stderr)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            seen.append(repr(done.exception))
        return int(done.exit_code)

    yield call
    text = "\n".join(seen)
    assert CANARY not in text
    assert IP not in text


def look_at(shown: Callable[..., int], key: str) -> None:
    """Look at a submission in every way there is."""
    for words in (("list",), ("list", "--json"), ("show", key), ("show", key, "--json"), ("audit", "verify")):
        assert shown(*words) == 0


def quoting(code: int) -> Answer:
    """Return an answer of NCMEC's that quotes what it was sent."""
    text = (
        f"<reportResponse><responseCode>{code}</responseCode>"
        f"<responseDescription>{CANARY} at {IP} is wrong</responseDescription></reportResponse>"
    )
    return Answer(200, (("Content-Type", "application/xml"), ("Request-ID", "7")), text.encode())


def test_a_delivery_shows_nothing(shown: Callable[..., int], filing: Path) -> None:
    """From the filing to its receipt, no name, address, text, file name or password is shown."""
    assert shown("file", filing.name, "--key", "k") == 0
    look_at(shown, "k")
    assert shown("worker", "--until-idle") == 0
    assert shown("file", filing.name, "--key", "k", "--wait") == 0
    assert shown("receipt", "k") == 0
    look_at(shown, "k")


@pytest.mark.parametrize(
    ("endpoint", "answer", "code"),
    [
        ("/submit", quoting(4100), 5),
        ("/upload", quoting(4200), 5),
        ("/fileinfo", quoting(4100), 5),
        ("/finish", quoting(4100), 5),
        ("/submit", quoting(3000), 3),
        ("/upload", Answer(200, (), f"<html>{CANARY} {IP}</html>".encode()), 0),
        ("/upload", "drop", 0),
    ],
)
def test_a_failure_shows_nothing(
    shown: Callable[..., int], ncmec: Any, filing: Path, endpoint: str, answer: Any, code: int
) -> None:
    """Though NCMEC's answer quotes it: the answer is kept for a person, and what is shown is its code and Request-ID."""
    assert shown("file", filing.name, "--key", "k") == 0
    ncmec.ncmec.faults.append(Fault(endpoint=endpoint, when="before", answer=answer))
    assert shown("worker", "--until-idle") == code
    look_at(shown, "k")
    ncmec.ncmec.faults.clear()
    assert shown("retry", "k", "--reason", CANARY) == (0 if code else 6), "what is finished is not retried"
    assert shown("file", filing.name, "--key", "k", "--wait") == 0
    look_at(shown, "k")


def test_lost_evidence_shows_nothing(shown: Callable[..., int], filing: Path, place: Path) -> None:
    """What a person learns of damaged evidence is which file of how many, and how it is damaged."""
    assert shown("file", filing.name, "--key", "k") == 0
    shutil.rmtree(place / "evidence")
    (place / "evidence").mkdir()
    assert shown("worker", "--until-idle") == 5
    look_at(shown, "k")
    assert shown("retract", "k", "--reason", CANARY) == 0
    assert shown("worker", "--until-idle") == 0
    look_at(shown, "k")


def test_what_is_wrong_with_a_filing_shows_nothing(shown: Callable[..., int], filing: Path, place: Path) -> None:
    """A filing that is refused is told by its places, not by its values."""
    value = json.loads(filing.read_text())
    value["report"]["personOrUserReported"][0]["ipCaptureEvent"][0]["ipAddress"] = f"{IP}.{CANARY}"
    value["report"]["reporter"][CANARY] = CANARY
    (place / "broken.json").write_text(json.dumps(value))
    assert shown("file", "broken.json", "--key", "k") == 1
    (place / f"{CANARY}-1.png").unlink()
    assert shown("file", filing.name, "--key", "k") == 1


def test_a_journal_that_cannot_be_read_shows_nothing(shown: Callable[..., int], filing: Path, place: Path) -> None:
    """An entry that a newer program wrote, or that somebody altered, is named by its kind and not quoted."""
    assert shown("file", filing.name, "--key", "k") == 0
    with sqlite3.connect(place / "cybertip.db") as database:
        changed = database.execute("UPDATE cybertip_entries SET data = ?", (json.dumps({CANARY: IP}),))
        assert changed.rowcount == 1
    database.close()
    assert shown("show", "k") == 0
    assert shown("show", "k", "--json") == 0
    assert shown("worker", "--until-idle") == 5
    assert shown("list", "--status", "held") == 0
    assert shown("receipt", "k") == 6
