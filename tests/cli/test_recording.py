"""`file`: what is printed is durable, and what cannot be filed leaves nothing behind."""

import hashlib
import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cybertip.adapters.storage.sql import SqlStorage
from cybertip.filing import Status
from cybertip.sandbox import Fault


def listed(run: Any, *words: object) -> list[dict[str, Any]]:
    """Return what `list --json` prints."""
    found: list[dict[str, Any]] = json.loads(run("list", "--json", *words).stdout)
    return found


def test_recording_needs_neither_ncmec_nor_credentials(run: Any, place: Path) -> None:
    """A filing is safe as soon as the command returns, though NCMEC is away and nobody has its password here."""
    done = run("file", "filing.json", "--key", "k", CYBERTIP_ENVIRONMENT="http://127.0.0.1:1")
    assert (done.exit_code, done.stdout) == (0, "k: waiting\n")
    (one,) = listed(run)
    assert (one["key"], one["status"], one["reportId"], one["environment"]) == ("k", "waiting", None, "sandbox")


def test_the_evidence_is_a_copy(run: Any, ncmec: Any, place: Path) -> None:
    """What the platform does with its own files afterwards changes nothing: the bytes that were filed are delivered."""
    names = ("noise.png", "shapes.png", "transcript.jsonl")
    sent = {name: hashlib.md5((place / name).read_bytes()).hexdigest() for name in names}
    assert run("file", "filing.json", "--key", "k").exit_code == 0
    (place / "noise.png").write_bytes(b"other bytes")
    (place / "shapes.png").unlink()
    assert run("worker", "--until-idle").exit_code == 0
    (report,) = ncmec.reports()
    assert report["state"] == "finished"
    assert {file["filename"]: file["md5"] for file in report["files"]} == sent
    assert {file["filename"]: file["mediaType"] for file in report["files"]} == {
        "noise.png": "image/png", "shapes.png": "image/png", "transcript.jsonl": "application/jsonl",
    }  # fmt: skip


def test_lost_evidence_comes_back_by_filing_again(run: Any, ncmec: Any, place: Path) -> None:
    """Whoever still has the files mends the evidence by filing them once more under the same key."""
    assert run("file", "filing.json", "--key", "k").exit_code == 0
    for path in (place / "evidence").rglob("*"):
        if path.is_file():
            path.write_bytes(b"rotten")
    assert run("worker", "--until-idle").exit_code == 5
    assert run("file", "filing.json", "--key", "k").stdout == "k: needs human\n"
    assert run("retry", "k", "--reason", "the evidence is back").exit_code == 0
    assert run("worker", "--until-idle").exit_code == 0
    assert [one["state"] for one in ncmec.reports()] == ["finished"], "nothing was sent while the evidence was damaged"


def test_the_same_key_is_the_same_submission(run: Any, ncmec: Any, place: Path) -> None:
    """Whoever is not sure that it was filed files it again; another filing under the key is refused with exit code 6."""
    for _ in range(2):
        assert run("file", "filing.json", "--key", "k").exit_code == 0
    value = json.loads((place / "filing.json").read_text())
    value["report"]["additionalInfo"] = "Something else."
    (place / "other.json").write_text(json.dumps(value))
    done = run("file", "other.json", "--key", "k")
    assert done.exit_code == 6
    assert "stands for another filing" in done.stderr
    assert run("worker", "--until-idle").exit_code == 0
    assert run("file", "filing.json", "--key", "k").stdout.startswith("k: finished, report ")
    assert len(ncmec.reports()) == 1


def test_a_key_that_was_retracted_is_spent(run: Any, ncmec: Any) -> None:
    """Who files under it once more learns that nothing is filed, and how it would be: exit code 6, waiting or not."""
    assert run("file", "filing.json", "--key", "k").exit_code == 0
    assert run("retract", "k", "--reason", "r").exit_code == 0
    for words in ((), ("--wait",)):
        done = run("file", "filing.json", "--key", "k", *words)
        assert (done.exit_code, done.stdout) == (6, "k: retracted\n")
        assert done.stderr == "it was retracted; file it with another key\n"
    assert ncmec.reports() == []


def test_waiting_for_a_person_says_where_to_look(run: Any, ncmec: Any) -> None:
    """Exit code 5 comes with the command that tells why."""
    ncmec.ncmec.faults.append(Fault(endpoint="/submit", when="before", answer=4100))
    done = run("file", "filing.json", "--key", "it's", "--wait")
    assert done.exit_code == 5
    assert """`cybertip show 'it'"'"'s'`""" in done.stderr


def test_a_report_alone_is_told_what_a_filing_is(run: Any, ncmec: Any, place: Path) -> None:
    """Whoever gives the report without its wrapping learns how to wrap it: exit code 2, and nothing is recorded."""
    value = json.loads((place / "filing.json").read_text())
    (place / "report.json").write_text(json.dumps(value["report"]))
    done = run("file", "report.json", "--key", "k")
    assert done.exit_code == 2
    assert 'wrap it as {"report": ...}' in done.stderr
    assert not (place / "cybertip.db").exists()


def test_nobody_else_can_read_the_database(run: Any, ncmec: Any, place: Path) -> None:
    """Whole reports stand in it: the file is its owner's alone, and so are those that SQLite lays beside it."""
    before = os.umask(0o022)
    try:
        assert run("file", "filing.json", "--key", "k").exit_code == 0
        with closing(sqlite3.connect(place / "cybertip.db")) as database:
            database.execute("BEGIN IMMEDIATE")
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.glob("cybertip.db*")}
    finally:
        os.umask(before)
    assert found == dict.fromkeys(("cybertip.db", "cybertip.db-shm", "cybertip.db-wal"), 0o600)


def test_priority_tenant_and_tags_are_recorded(run: Any, ncmec: Any) -> None:
    """What work is ordered and found by stands in the list."""
    words = ("--priority", 7, "--tenant", "acme", "--tag", "a", "--tag", "b")
    assert run("file", "filing.json", "--key", "k", *words).exit_code == 0
    (one,) = listed(run)
    assert (one["priority"], one["tenant"], one["tags"]) == (7, "acme", ["a", "b"])


def test_a_filing_comes_through_a_pipe(run: Any, ncmec: Any, place: Path) -> None:
    """Without a file of its own, a filing's paths are relative to the current folder."""
    assert run("file", "-", "--key", "k", given=(place / "filing.json").read_bytes()).exit_code == 0
    assert [one["key"] for one in listed(run)] == ["k"]


def _broken_report(value: dict[str, Any]) -> None:
    del value["report"]["incidentSummary"]


def _missing_file(value: dict[str, Any]) -> None:
    value["files"][1]["path"] = "canary-name.png"


def _future_time(value: dict[str, Any]) -> None:
    value["report"]["incidentSummary"]["incidentDateTime"] = "2999-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_broken_report, "incident_summary"),
        (_missing_file, "files[1].path: is no file"),
        (_future_time, "incident_date_time"),
    ],
)
def test_what_ncmec_would_refuse_leaves_nothing_behind(
    run: Any, ncmec: Any, place: Path, spoil: Any, said: str
) -> None:
    """Exit code 1 names what is wrong; no submission is recorded, and no evidence copied."""
    value = json.loads((place / "filing.json").read_text())
    spoil(value)
    (place / "broken.json").write_text(json.dumps(value))
    done = run("file", "broken.json", "--key", "k")
    assert done.exit_code == 1
    assert said in done.stderr
    assert "canary" not in done.output
    assert not (place / "cybertip.db").exists()
    assert not (place / "evidence").exists()


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "a\x00b"])
def test_a_key_that_no_database_keeps_is_the_usage(run: Any, ncmec: Any, place: Path, key: str) -> None:
    """Exit code 2, before anything is done."""
    done = run("file", "filing.json", "--key", key)
    assert done.exit_code == 2
    assert "--key" in done.stderr
    assert not (place / "cybertip.db").exists()


@pytest.mark.parametrize("text", ["[]", "1", '"x"'])
def test_what_is_no_filing_is_the_usage(run: Any, ncmec: Any, place: Path, text: str) -> None:
    """Another JSON document is told what a filing looks like."""
    (place / "other.json").write_text(text)
    done = run("file", "other.json", "--key", "k")
    assert done.exit_code == 2
    assert '{"report"' in done.stderr


def test_evidence_that_cannot_be_preserved_is_not_filed(run: Any, ncmec: Any, place: Path) -> None:
    """Where the bytes cannot be kept, nothing is recorded, and exit code 7 says that the storage failed."""
    (place / "evidence").mkdir()
    digest = hashlib.sha256((place / "noise.png").read_bytes()).hexdigest()
    (place / "evidence" / digest[:2]).write_bytes(b"in the way")
    done = run("file", "filing.json", "--key", "k")
    assert done.exit_code == 7
    assert "nothing was recorded" in done.stderr
    assert "noise" not in done.output
    assert listed(run) == []
    done = run("file", "filing.json", "--key", "k", CYBERTIP_EVIDENCE="filing.json")
    assert (done.exit_code, done.stderr) == (2, "filing.json: File exists\n")


def test_waiting_ends_with_the_receipt(run: Any, ncmec: Any) -> None:
    """With --wait the report is filed when the command returns, and exit code 0 says so."""
    done = run("file", "filing.json", "--key", "k", "--wait", "--json")
    assert done.exit_code == 0
    (report,) = ncmec.reports()
    assert json.loads(done.stdout) == {"key": "k", "status": "finished", "reportId": report["reportId"]}
    assert report["state"] == "finished"


def test_waiting_outlasts_bad_luck(run: Any, ncmec: Any) -> None:
    """A lost answer and an outage are waited out; there is one finished report all the same."""
    ncmec.ncmec.faults += [
        Fault(endpoint="/upload", when="after", answer="drop"),
        Fault(endpoint="/finish", when="before", answer=1000),
    ]
    assert run("file", "filing.json", "--key", "k", "--wait").exit_code == 0
    assert sorted(one["state"] for one in ncmec.reports()) == ["finished", "retracted"]


def test_waiting_ends_when_a_person_has_to_decide(run: Any, ncmec: Any) -> None:
    """What NCMEC will never take is no reason to wait: exit code 5."""
    ncmec.ncmec.faults.append(Fault(endpoint="/submit", when="before", answer=4100))
    done = run("file", "filing.json", "--key", "k", "--wait")
    assert (done.exit_code, done.stdout) == (5, "k: needs human\n")


def test_waiting_ends_when_it_was_retracted(run: Any, ncmec: Any) -> None:
    """A submission that somebody retracted is not filed: exit code 6."""
    assert run("file", "filing.json", "--key", "k").exit_code == 0
    assert run("retract", "k", "--reason", "filed by mistake").exit_code == 0
    done = run("file", "filing.json", "--key", "k", "--wait")
    assert (done.exit_code, done.stdout) == (6, "k: retracted\n")
    assert ncmec.reports() == []


def test_waiting_ends_when_our_credentials_are_refused(run: Any, ncmec: Any) -> None:
    """The filing is recorded, a worker with the right ones delivers it, and exit code 3 says that NCMEC refused."""
    done = run("file", "filing.json", "--key", "k", "--wait", CYBERTIP_PASSWORD="canary")
    assert done.exit_code == 3
    assert "refuses our credentials; the filing is recorded" in done.stderr
    assert "canary" not in done.output
    assert run("worker", "--until-idle").exit_code == 0
    assert [one["state"] for one in ncmec.reports()] == ["finished"]


def test_waiting_is_watching_when_a_worker_has_it(run: Any, ncmec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two deliver nothing twice: while another worker has the submission, the command looks on, and ends with it."""
    assert run("file", "filing.json", "--key", "k").exit_code == 0
    real, looked = SqlStorage.claim, []

    def claim(storage: SqlStorage, key: str, **about: Any) -> Any:
        # Another worker has it at the first two looks, and has finished it by the third.
        looked.append(key)
        if len(looked) < 3:
            return None
        if len(looked) == 3:
            assert run("worker", "--until-idle").exit_code == 0
        return real(storage, key, **about)

    monkeypatch.setattr(SqlStorage, "claim", claim)
    done = run("file", "filing.json", "--key", "k", "--wait")
    assert done.exit_code == 0
    assert done.stdout.startswith("k: finished")
    assert len(ncmec.reports()) == 1


def test_the_status_of_every_end_has_an_exit_code() -> None:
    """A delivery that has ended in some way ends the wait; what may still go on does not."""
    from cybertip.cli.recording import _ENDS

    assert set(Status) - _ENDS.keys() == {Status.WAITING, Status.DELIVERING}
