"""`list`, `show`, `receipt`, `retry`, `retract` and `storage`: what stands where, and what a person decides."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cybertip import ReportDoneResponse, read
from cybertip.cli import asking
from cybertip.cli.outcome import Outcome, advised
from cybertip.errors import AdapterError
from cybertip.sandbox import Answer, Fault


@pytest.fixture
def small(place: Path) -> Path:
    """A filing without files."""
    value = json.loads((place / "filing.json").read_text())
    (place / "small.json").write_text(json.dumps({"report": value["report"]}))
    return place / "small.json"


def record(run: Any, filing: Path, *keys: str, words: tuple[object, ...] = ()) -> None:
    """File something under some keys."""
    for key in keys:
        assert run("file", filing, "--key", key, *words).exit_code == 0


def told(run: Any, key: str, *words: str) -> dict[str, Any]:
    """Return what `show --json` prints."""
    found: dict[str, Any] = json.loads(run("show", key, "--json", *words).stdout)
    return found


# -- list -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def five(run: Any, ncmec: Any, small: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of five submissions, of which two are seen at a time."""
    keys = ["a", "b", "c", "d", "e"]
    record(run, small, *keys[:2], words=("--tenant", "acme", "--tag", "x"))
    record(run, small, *keys[2:], words=("--tag", "y"))
    monkeypatch.setattr(asking, "_PAGE", 2)
    return keys


def keys_of(run: Any, *words: object) -> list[str]:
    """Return the keys that `list --json` prints."""
    done = run("list", "--json", *words)
    assert done.exit_code == 0
    return [one["key"] for one in json.loads(done.stdout)]


def test_all_pages_are_listed(run: Any, five: list[str]) -> None:
    """However many pages there are, each submission stands there once, in the order of the keys; for a pipe a line each."""
    assert keys_of(run) == five
    lines = [line.split("\t") for line in run("list").stdout.splitlines()]
    assert lines[0][:3] == ["key", "status", "report"]
    assert [line[0] for line in lines[1:]] == five


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--after", "b"), "cde"),
        (("--limit", 3), "abc"),
        (("--limit", 4), "abcd"),
        (("--after", "a", "--limit", 1), "b"),
        (("--tenant", "acme"), "ab"),
        (("--tag", "y"), "cde"),
        (("--status", "waiting"), "abcde"),
        (("--status", "finished"), ""),
        (("--after", "e"), ""),
    ],
)
def test_the_list_can_be_narrowed(run: Any, five: list[str], words: tuple[object, ...], expected: str) -> None:
    """By status, tenant and tag, from a key on, and up to a number; nothing is an empty array."""
    assert keys_of(run, *words) == list(expected)


def test_an_unknown_status_is_the_usage(run: Any, five: list[str]) -> None:
    """A slip does not look like an empty list."""
    done = run("list", "--status", "lost")
    assert done.exit_code == 2
    assert "needs_human" in done.output


# -- show -----------------------------------------------------------------------------------------------------------------


def test_a_history_is_told_from_the_filing_to_the_receipt(run: Any, ncmec: Any) -> None:
    """Times with their zone, what happened, and NCMEC's Request-IDs; then nobody has to do anything but keep it."""
    record(run, Path("filing.json"), "k")
    assert run("worker", "--until-idle").exit_code == 0
    found = told(run, "k")
    assert [one["event"] for one in found["timeline"]] == [
        "filed", "opened", "uploaded", "described", "uploaded", "described", "uploaded", "described", "finished",
    ]  # fmt: skip
    assert all(datetime.fromisoformat(one["at"]).utcoffset() is not None for one in found["timeline"])
    assert [one["requestId"] is not None for one in found["timeline"]] == [False] + [True] * 8
    (report,) = ncmec.reports()
    assert [one["fileId"] for one in found["timeline"] if one["fileId"]] == [one["fileId"] for one in report["files"]]
    assert found["attempts"][0]["reportId"] == found["reportId"] == report["reportId"]
    assert (found["next"], found["person"], found["deadline"], found["adopted"]) == (None, None, None, False)
    kept_for = datetime.fromisoformat(found["preserveUntil"]) - datetime.fromisoformat(found["timeline"][-1]["at"])
    assert kept_for.days >= 365
    lines = run("show", "k").stdout
    assert f"finished: report {report['reportId']} is filed, with 3 files" in lines
    assert found["timeline"][-1]["requestId"] in lines
    assert "Keep the contents until" in lines


def test_before_anything_was_sent_the_next_step_is_told(run: Any, ncmec: Any, small: Path) -> None:
    """What was only recorded waits for a worker."""
    record(run, small, "k")
    found = told(run, "k")
    assert found["next"] == {"what": "a worker opens a report", "at": None}
    assert (found["status"], found["person"], found["files"]) == ("waiting", None, {"count": 0, "bytes": 0})


def test_who_has_to_do_what_is_told(run: Any, ncmec: Any, small: Path) -> None:
    """Of what NCMEC will never take, a person learns why nothing is sent, and with which commands to decide."""
    ncmec.ncmec.faults.append(Fault(endpoint="/submit", when="before", answer=4100))
    record(run, small, "it's")
    assert run("worker", "--until-idle").exit_code == 5
    found = told(run, "it's")
    assert found["status"] == "needs_human"
    assert "code 4100" in found["person"]
    assert """cybertip retry 'it'"'"'s' --reason""" in found["person"]
    assert "cybertip retract" in found["person"]
    assert found["next"] is None
    assert "A person: nothing is sent" in run("show", "it's").stdout


def test_ncmecs_own_words_are_told_to_who_asks(run: Any, ncmec: Any, small: Path) -> None:
    """They may quote the report, so they are shown only on demand; whoever has to mend a report needs them."""
    ncmec.ncmec.faults.append(Fault(endpoint="/submit", when="before", answer=4100))
    record(run, small, "k")
    assert run("worker", "--until-idle").exit_code == 5
    for words in ((), ("--json",)):
        assert "Ordered by a fault" not in run("show", "k", *words).stdout
        assert "Ordered by a fault" in run("show", "k", "--answers", *words).stdout


def test_a_pause_and_its_end_are_told(run: Any, ncmec: Any, small: Path) -> None:
    """After a failure: when it is tried again, and how."""
    away = Answer(503, (("Retry-After", "3600"),))
    ncmec.ncmec.faults.append(Fault(endpoint="/submit", when="before", answer=away))
    record(run, small, "k")
    assert run("worker", "--until-idle").exit_code == 4
    found = told(run, "k")
    assert found["next"]["what"] == "a worker opens a report"
    wait_for = datetime.fromisoformat(found["next"]["at"]) - datetime.fromisoformat(found["timeline"][-1]["at"])
    assert wait_for.total_seconds() >= 3600
    assert "HTTP 503" in found["timeline"][-1]["text"]
    assert (
        f", at {datetime.fromisoformat(found['next']['at']).replace(microsecond=0).isoformat()}"
        in run("show", "k").stdout
    )


def test_the_deadline_of_an_open_report_is_told(run: Any, ncmec: Any) -> None:
    """NCMEC deletes an open report a day after it was opened: the person on call sees how much time there is."""
    away = Answer(503, (("Retry-After", "7200"),))
    ncmec.ncmec.faults.append(Fault(endpoint="/upload", when="before", answer=away))
    record(run, Path("filing.json"), "k")
    assert run("worker", "--until-idle").exit_code == 4
    found = told(run, "k")
    (report,) = ncmec.reports()
    left = datetime.fromisoformat(found["deadline"]) - datetime.fromisoformat(report["openedAt"])
    assert abs(left.total_seconds() - 24 * 3600) < 60
    assert "NCMEC deletes the open report at" in run("show", "k").stdout


def test_a_journal_that_cannot_be_read_may_have_been_altered(run: Any, ncmec: Any, small: Path, place: Path) -> None:
    """A newer program is one cause, tampering another: whoever looks is told how to find out."""
    record(run, small, "k")
    with closing(sqlite3.connect(place / "cybertip.db")) as database:
        changed = database.execute("UPDATE cybertip_entries SET kind = 'teleported/9'")
        database.commit()
    assert changed.rowcount == 1
    person = told(run, "k")["person"]
    assert "a newer one wrote here" in person
    assert "`cybertip audit verify`" in person
    done = run("audit", "verify")
    assert (done.exit_code, "1 submission with 1 entry" in done.stdout) == (8, True)


# -- decisions ------------------------------------------------------------------------------------------------------------


def test_a_retry_goes_on_with_who_and_why_on_record(run: Any, ncmec: Any, small: Path) -> None:
    """A person's decision is part of the history; the reason is shown to who asks for it."""
    ncmec.ncmec.faults.append(Fault(endpoint="/submit", when="before", answer=4100))
    record(run, small, "k")
    assert run("worker", "--until-idle").exit_code == 5
    done = run("retry", "k", "--reason", "NCMEC mended it", "--actor", "robin")
    assert (done.exit_code, done.stdout) == (0, "k: waiting\n")
    assert "NCMEC mended it" not in run("show", "k").stdout
    assert "robin decided that it goes on: NCMEC mended it" in run("show", "k", "--reasons").stdout
    assert run("worker", "--until-idle").exit_code == 0
    assert told(run, "k")["status"] == "finished"


def test_whoever_is_logged_in_decides(run: Any, ncmec: Any, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --actor it is the user of this machine, and where it has no name, it must be given."""
    record(run, small, "k")
    monkeypatch.setattr("getpass.getuser", lambda: "toni")
    assert run("retry", "k", "--reason", "r").exit_code == 0
    assert "toni decided" in run("show", "k").stdout

    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    done = run("retract", "k", "--reason", "r")
    assert done.exit_code == 2
    assert "--actor" in done.stderr


def test_a_retraction_is_final(run: Any, ncmec: Any, small: Path) -> None:
    """What was not opened is retracted at once; a retry of it cannot bring it back, and says so with exit code 6."""
    record(run, small, "k")
    assert (run("retract", "k", "--reason", "r").stdout, told(run, "k")["status"]) == ("k: retracted\n", "retracted")
    done = run("retry", "k", "--reason", "r")
    assert done.exit_code == 6
    assert "file it with another key" in done.stderr
    assert run("worker", "--until-idle").exit_code == 0
    assert ncmec.reports() == []


def test_an_open_report_is_retracted_by_a_worker(run: Any, ncmec: Any) -> None:
    """A retraction that comes while a report is open is carried out at NCMEC, and told as what comes next until then."""
    ncmec.ncmec.faults.append(Fault(endpoint="/upload", when="before", answer=Answer(503, (("Retry-After", "7200"),))))
    record(run, Path("filing.json"), "k")
    assert run("worker", "--until-idle").exit_code == 4
    done = run("retract", "k", "--reason", "r")
    assert (done.exit_code, done.stdout.startswith("k: delivering, report ")) == (0, True)
    assert "workers retract the open report" in done.stderr
    assert told(run, "k")["next"]["what"] == "a worker retracts the open report"
    assert run("worker", "--until-idle").exit_code == 0
    assert told(run, "k")["status"] == "retracted"
    assert [one["state"] for one in ncmec.reports()] == ["retracted"]


def test_what_is_filed_stays_filed(run: Any, ncmec: Any, small: Path) -> None:
    """A retraction that comes too late changes nothing: exit code 6."""
    record(run, small, "k")
    assert run("worker", "--until-idle").exit_code == 0
    done = run("retract", "k", "--reason", "r")
    assert done.exit_code == 6
    assert "nothing takes it back" in done.stderr
    assert told(run, "k")["status"] == "finished"
    done = run("retry", "k", "--reason", "r")
    assert (done.exit_code, done.stderr) == (6, "it is finished: nothing to do\n")


def test_a_second_retraction_is_no_mistake(run: Any, ncmec: Any, small: Path) -> None:
    """What is retracted is what was wanted: exit code 0, and whoever reads it learns that it was so before."""
    record(run, small, "k")
    first, second = (run("retract", "k", "--reason", "r") for _ in range(2))
    assert (first.exit_code, first.stderr) == (0, "")
    assert (second.exit_code, second.stderr) == (0, "it was retracted before: nothing to do\n")
    assert "Next: nothing" in run("show", "k").stdout


def test_a_decision_needs_a_reason(run: Any, ncmec: Any, small: Path) -> None:
    """Neither none nor an empty one: exit code 2, and nothing is recorded."""
    record(run, small, "k")
    for words in ((), ("--reason", " ")):
        assert run("retract", "k", *words).exit_code == 2
    assert told(run, "k")["status"] == "waiting"


def test_a_decision_is_for_one_environment(run: Any, ncmec: Any, small: Path) -> None:
    """Who works with NCMEC's test system decides nothing about a report for another: exit code 6."""
    record(run, small, "k")
    done = run("retract", "k", "--reason", "r", CYBERTIP_ENVIRONMENT="test")
    assert done.exit_code == 6
    assert "belongs to sandbox" in done.stderr
    assert told(run, "k")["status"] == "waiting"


def test_an_unknown_key_is_told_so(run: Any, ncmec: Any, small: Path) -> None:
    """Exit code 6, from every command that takes a key."""
    record(run, small, "k")
    for words in (("show",), ("receipt",), ("retry", "--reason", "r"), ("retract", "--reason", "r")):
        done = run(words[0], "other", *words[1:])
        assert done.exit_code == 6
        assert "there is no such submission" in done.stderr


# -- receipt --------------------------------------------------------------------------------------------------------------


def test_the_receipt_is_ncmecs_bytes(run: Any, ncmec: Any, small: Path) -> None:
    """Not one byte of the legal notice is changed; before there is one, exit code 6 and nothing on standard output."""
    record(run, small, "k")
    before = run("receipt", "k")
    assert (before.exit_code, before.stdout_bytes) == (6, b"")
    assert "not finished" in before.stderr
    seen: list[Answer] = []

    def look(answer: Answer) -> Answer:
        seen.append(answer)
        return answer

    ncmec.ncmec.faults.append(Fault(endpoint="/finish", when="after", answer=look))
    assert run("worker", "--until-idle").exit_code == 0
    done = run("receipt", "k")
    assert (done.exit_code, done.stdout_bytes, done.stderr) == (0, seen[0].body, "")
    receipt = read(done.stdout_bytes)
    assert isinstance(receipt, ReportDoneResponse)
    assert receipt.report_id == ncmec.reports()[0]["reportId"]


def test_a_receipt_that_was_lost_is_told_so(run: Any, ncmec: Any, small: Path) -> None:
    """Where all there is is NCMEC's word that the report is finished, that word is written, with a note beside it."""
    ncmec.ncmec.faults.append(Fault(endpoint="/finish", when="after", answer="drop"))
    record(run, small, "k")
    assert run("worker", "--until-idle").exit_code == 0
    done = run("receipt", "k")
    assert done.exit_code == 0
    assert b"5102" in done.stdout_bytes
    assert "receipt was lost" in done.stderr
    assert told(run, "k")["adopted"] is True
    assert "the list of its files was lost" in run("show", "k").stdout


# -- storage --------------------------------------------------------------------------------------------------------------


def test_the_tables_are_made_by_one_command(run: Any, place: Path) -> None:
    """It may be said as often as one likes, before anything is filed and after."""
    for _ in range(2):
        done = run("storage", "upgrade")
        assert (done.exit_code, done.stdout) == (0, "the tables are up to date\n")
    assert run("list", "--json").stdout == "[]\n"


def test_missing_tables_are_answered_with_the_command_that_makes_them() -> None:
    """Whoever runs a newer program on older tables learns what to do, and other failures are left as they are."""
    missing = AdapterError("the tables are not there, or older than this program: run upgrade() first (UndefinedTable)")
    assert "cybertip storage upgrade" in advised(missing)
    assert advised(AdapterError("the database failed")) == "the database failed"


def test_the_documented_exit_codes_are_those_that_are_used(run: Any) -> None:
    """The help of the command and the page of the docs name every exit code."""
    page = (Path(__file__).parents[2] / "docs/reference/command.md").read_text(encoding="utf-8")
    told = " ".join(run("--help").output.split())
    for outcome in Outcome:
        assert f"| {outcome.value} |" in page
        if outcome is not Outcome.INTERRUPTED:
            assert f"{outcome.value} " in told
