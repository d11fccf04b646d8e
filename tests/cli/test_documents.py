"""`validate`, `convert` and `schema` on files and pipes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cybertip
from cybertip.cli.app import app
from cybertip.cli.filing import example
from cybertip.cli.synthetic import make_files

GOOD = cybertip.from_json(json.loads(example())["report"], cybertip.Report)


def run(*words: object, given: bytes | None = None) -> Result:
    """Run the command as a pipe would."""
    return CliRunner().invoke(app, [str(word) for word in words], input=given)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A valid report in XML."""
    path = tmp_path / "good.xml"
    path.write_bytes(cybertip.write(GOOD))
    return path


def test_a_valid_document_is_called_valid(good: Path, tmp_path: Path) -> None:
    """XML, JSON and filings are told apart by what is in them, and pass with exit code 0."""
    as_json, filing = tmp_path / "good.txt", tmp_path / "filing.json"
    make_files(tmp_path)
    as_json.write_text(cybertip.to_json(GOOD), encoding="utf-8")
    filing.write_text(example(), encoding="utf-8")
    done = run("validate", good, as_json, filing)
    assert done.exit_code == 0
    assert done.output.splitlines() == [f"{path}: valid" for path in (good, as_json, filing)]


def test_every_violation_of_every_file_is_printed(good: Path, tmp_path: Path) -> None:
    """One run says all that is wrong, names the places, quotes no value, and ends with exit code 1."""
    broken = tmp_path / "broken.json"
    value = json.loads(cybertip.to_json(GOOD))
    value["incidentSummary"]["platform"] = "canary" * 50
    value["personOrUserReported"][0]["ipCaptureEvent"][0]["ipAddress"] = "canary"
    broken.write_text(json.dumps(value), encoding="utf-8")
    done = run("validate", broken, good)
    assert done.exit_code == 1
    assert f"{broken}: 2 violations" in done.output
    assert "report.incident_summary.platform: must have at most 256 characters" in done.output
    assert "report.persons_or_users_reported[0].ip_capture_events[0].ip_address" in done.output
    assert f"{good}: valid" in done.output
    assert "canary" not in done.output


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"<report>", "xml"),
        (b"<!DOCTYPE report><report/>", "doctype"),
        (b"<report/>", "xsd-content"),
        (b"<other/>", "root"),
        (b"{", "json"),
        (b"{}", "root"),
        (b"", "json"),
        (b'{"report": {}, "files": {}, "more": 1}', "unknown-key"),
        (b'{"report": {}, "files": [{"path": 1}]}', "type"),
        (b'{"report": {}, "files": [{"path": "a", "details": {"fileViewedByEsp": "no"}}]}', "type"),
    ],
)
def test_what_cannot_be_read_is_a_violation(data: bytes, rule: str) -> None:
    """Broken input gets a clear finding and exit code 1, never a traceback."""
    done = run("validate", "--json", "-", given=data)
    assert done.exit_code == 1
    (found,) = json.loads(done.output)
    assert found["file"] == "-"
    assert rule in [one["rule"] for one in found["violations"]]


def test_a_newer_field_is_a_violation_under_an_older_edition(tmp_path: Path) -> None:
    """What an edition does not have is found when that edition is asked for, and fine in its own."""
    summary = cybertip.evolve(GOOD.incident_summary, report_annotations=cybertip.ReportAnnotations(informational=True))
    path = tmp_path / "newer.xml"
    path.write_bytes(cybertip.write(cybertip.evolve(GOOD, incident_summary=summary), edition="2026-08"))
    assert run("validate", path).exit_code == 1
    assert run("validate", "--edition", "2026-08", path).exit_code == 0


def test_a_filing_needs_its_files(tmp_path: Path) -> None:
    """What is valid can be filed: files that are not there, or are empty, are named by their place."""
    make_files(tmp_path)
    (tmp_path / "noise.png").unlink()
    (tmp_path / "shapes.png").write_bytes(b"")
    filing = tmp_path / "filing.json"
    filing.write_text(example(), encoding="utf-8")
    done = run("validate", filing)
    assert done.exit_code == 1
    assert "files[0].path: is no file" in done.output
    assert "files[1].path: has no bytes" in done.output
    assert "files[2]" not in done.output


def test_a_filing_with_a_key_twice_is_refused() -> None:
    """The last of two reports must not win in silence."""
    done = run("validate", "-", given=b'{"report": 1, "report": {}}')
    assert done.exit_code == 1
    assert "a key stands twice" in done.output


def test_a_fault_in_a_description_is_found_at_its_place() -> None:
    """The path leads to the key as it stands in the filing."""
    value = json.loads(example())
    value["files"][0]["details"]["reportId"] = 1
    done = run("validate", "-", given=json.dumps(value).encode())
    assert "files[0].details: has a key that does not belong there: reportId [unknown-key]" in done.output


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The person at the keyboard learns which file, and exit code 2 says that it is the usage."""
    done = run("validate", tmp_path / "nothing.xml")
    assert done.exit_code == 2
    assert "nothing.xml: 1 violation\n  document: No such file" in done.output


def test_a_document_survives_conversion_there_and_back(good: Path, tmp_path: Path) -> None:
    """XML to JSON to XML gives the same bytes."""
    middle, end = tmp_path / "a.json", tmp_path / "b.xml"
    assert run("convert", good, middle).exit_code == 0
    assert run("convert", middle, end).exit_code == 0
    assert end.read_bytes() == good.read_bytes()
    assert json.loads(middle.read_text())["incidentSummary"]["platform"] == "Example Chat"


def test_a_pipe_gets_the_other_format(good: Path) -> None:
    """Without a name to go by, XML becomes JSON and JSON becomes XML."""
    as_json = run("convert", good, "-").stdout_bytes
    assert cybertip.from_json(as_json) == GOOD
    assert run("convert", "-", "-", given=as_json).stdout_bytes == good.read_bytes()


def test_conversion_into_an_unknown_format_is_refused(good: Path, tmp_path: Path) -> None:
    """Nothing is written under a name that says nothing."""
    done = run("convert", good, tmp_path / "out.yaml")
    assert done.exit_code == 2
    assert not (tmp_path / "out.yaml").exists()


def test_conversion_of_a_broken_document_writes_nothing(tmp_path: Path) -> None:
    """Bad input loses nothing: the target stays as it was."""
    source, target = tmp_path / "a.xml", tmp_path / "b.json"
    source.write_bytes(b"<report/>")
    target.write_text("before")
    assert run("convert", source, target).exit_code == 1
    assert target.read_text() == "before"


@pytest.mark.parametrize("edition", list(cybertip.Edition))
def test_the_exported_schema_is_the_editions(edition: str, tmp_path: Path) -> None:
    """What is printed is what validates."""
    assert run("schema", "export", "--edition", edition).stdout_bytes == cybertip.schema.exported(edition)
    assert run("schema", "export", tmp_path / "out.xsd", "--edition", edition).exit_code == 0
    assert (tmp_path / "out.xsd").read_bytes() == cybertip.schema.exported(edition)


def test_a_schema_that_moved_is_noticed(tmp_path: Path) -> None:
    """The same schema compares equal; a newer one is described, with exit code 1."""
    path = tmp_path / "theirs.xsd"
    path.write_bytes(cybertip.schema.exported("2026-08"))
    assert run("schema", "compare", path, "--edition", "2026-08").output == "no differences\n"
    done = run("schema", "compare", path, "--json")
    assert done.exit_code == 1
    assert "informational" in json.dumps(json.loads(done.output))


def fields(*words: str) -> list[dict[str, Any]]:
    """Return the rows that the command prints as JSON."""
    found: list[dict[str, Any]] = json.loads(run("schema", "fields", "--json", *words).output)
    return found


def test_the_question_which_fields_are_required_has_an_answer() -> None:
    """Required by the XSD, or by the documentation, for the document that is asked about."""
    names = {(row["owner"], row["name"]) for row in fields("--required", "--for", "report")}
    assert {("report", "incidentSummary"), ("incidentSummary", "incidentDateTime"), ("email", "text()")} <= names
    assert ("reporter", "reportingPerson") in names
    assert ("fileDetails", "fileId") not in names
    assert {"fileDetails", "hash"} <= {row["owner"] for row in fields("--for", "files")}


def test_an_edition_lists_its_own_fields() -> None:
    """A field that came later is left out of an older edition's list."""
    assert {row["name"] for row in fields("--edition", "2026-08")} - {row["name"] for row in fields()} == {
        "informational",
        "potentialAggravatingFactors",
        "instrumentalUse",
        "ageAssertionDiscrepancy",
    }


def test_a_pipe_gets_a_line_a_field() -> None:
    """Plain lines, one field each, that `cut` and `grep` understand."""
    lines = run("schema", "fields").output.splitlines()
    assert lines[0].split("\t")[:2] == ["in", "field"]
    assert len(lines) == len(fields()) + 1


def test_a_filing_cannot_be_converted_and_is_told_so(tmp_path: Path) -> None:
    """Who converts the wrong thing learns what it is."""
    filing = tmp_path / "filing.json"
    filing.write_text(example(), encoding="utf-8")
    done = run("convert", filing, tmp_path / "out.xml")
    assert done.exit_code == 1
    assert "is a filing" in done.output


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n", b"<html/>", b"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:x/></xs:schema>"]
)
def test_a_file_that_is_no_schema_is_not_a_schema_that_moved(data: bytes, tmp_path: Path) -> None:
    """A broken download must not look like a change at NCMEC: its exit code is another."""
    path = tmp_path / "theirs.xsd"
    path.write_bytes(data)
    assert run("schema", "compare", path).exit_code == 2


def test_one_file_that_is_missing_does_not_hide_the_others(good: Path, tmp_path: Path) -> None:
    """Every file has its entry, in the order of the command line."""
    done = run("validate", "--json", good, tmp_path / "nothing.xml", good)
    assert done.exit_code == 2
    assert [[one["rule"] for one in entry["violations"]] for entry in json.loads(done.output)] == [
        [],
        ["unreadable"],
        [],
    ]


def test_a_reply_is_judged_by_the_schema(tmp_path: Path) -> None:
    """The reader forgives NCMEC's replies; a check by the schema does not."""
    path = tmp_path / "reply.xml"
    path.write_bytes(b"<reportDoneResponse><reportId>1</reportId><responseCode>0</responseCode></reportDoneResponse>")
    done = run("validate", path)
    assert done.exit_code == 1
    assert "xsd-content" in done.output


def test_a_picture_is_neither(tmp_path: Path) -> None:
    """Bytes that are no document are called what they are."""
    assert "neither XML nor JSON" in run("validate", "-", given=b"\x89PNG").output
    assert "is empty" in run("validate", "-", given=b" ").output


def test_a_slip_in_a_key_is_named_and_a_strange_key_is_not(tmp_path: Path) -> None:
    """A key that resembles one of NCMEC's helps; any other could be a person's name."""
    value = json.loads(cybertip.to_json(GOOD))
    value["incidentSumary"] = {}
    value["Jane Roe"] = 1
    done = run("validate", "-", given=json.dumps(value).encode())
    assert "incidentSumary (did you mean incidentSummary?)" in done.output
    assert "Jane" not in done.output


def test_the_version_is_the_packages() -> None:
    """A bug report can say which version it is about."""
    import importlib.metadata

    assert run("--version").output == f"{importlib.metadata.version('cybertip')}\n"
