"""The seven requests."""

from datetime import UTC, datetime

import pytest

from cybertip import (
    Email,
    FileDetails,
    FileId,
    IncidentSummary,
    IncidentType,
    InvalidReport,
    Person,
    PersonOrUserReported,
    Report,
    ReportAnnotations,
    Reporter,
    ReportId,
    read,
)
from cybertip.model import evolve
from cybertip.protocol import (
    Described,
    Endpoint,
    Finished,
    Opened,
    Retracted,
    SchemaReply,
    StatusReply,
    Uploaded,
    describe,
    finish,
    retract,
    schema,
    status,
    submit,
    upload,
)

NOON = datetime(2025, 1, 31, 12, tzinfo=UTC)
REPORT = Report(
    incident_summary=IncidentSummary(incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=NOON),
    reporter=Reporter(reporting_person=Person(emails=(Email(value="canary@example.com"),))),
)
FILE = FileId("00000000000000000000000000000001")
DETAILS = FileDetails(report_id=ReportId(7), file_id=FILE, original_file_name="canary.jpg")


def test_status_and_schema_send_nothing() -> None:
    """The two questions are GET requests without a body."""
    for made, endpoint, reply in ((status(), Endpoint.STATUS, StatusReply), (schema(), Endpoint.SCHEMA, SchemaReply)):
        assert (made.endpoint, made.reply, made.body, made.content_type, made.report_id) == (
            endpoint,
            reply,
            b"",
            None,
            None,
        )
        assert made.endpoint.method == "GET"


def test_documents_go_as_xml() -> None:
    """Reports and file details are sent as they are written, in UTF-8, and say so."""
    made, described = submit(REPORT), describe(DETAILS)
    assert (made.endpoint, made.reply, made.content_type) == (Endpoint.SUBMIT, Opened, "text/xml; charset=utf-8")
    assert read(made.body) == REPORT
    assert (described.endpoint, described.reply, described.content_type) == (
        Endpoint.FILE_INFO,
        Described,
        made.content_type,
    )
    assert (described.report_id, described.file_id) == (7, FILE)
    assert read(described.body) == DETAILS


def test_the_edition_is_the_callers() -> None:
    """A field of a newer edition is refused in an older one, before anything is sent, and written in its own."""
    newer = evolve(
        REPORT,
        incident_summary=evolve(REPORT.incident_summary, report_annotations=ReportAnnotations(informational=True)),
    )
    with pytest.raises(InvalidReport):
        submit(newer)
    assert b"<informational/>" in submit(newer, edition="2026-08").body


def test_ids_go_as_forms() -> None:
    """Finishing and retracting send the report's id as a form."""
    for made, endpoint, reply in (
        (finish(ReportId(7)), Endpoint.FINISH, Finished),
        (retract(ReportId(7)), Endpoint.RETRACT, Retracted),
    ):
        assert (made.endpoint, made.reply, made.report_id) == (endpoint, reply, 7)
        assert (made.content_type, made.body) == ("application/x-www-form-urlencoded", b"id=7")


def test_an_upload_describes_its_file() -> None:
    """An upload's request says all that is known of the file, and holds none of its bytes."""
    made = upload(ReportId(7), name="a.jpg", media_type="image/jpeg", size=3, md5="0" * 32)
    assert made.file is not None
    assert (made.endpoint, made.reply, made.report_id, made.body) == (Endpoint.UPLOAD, Uploaded, 7, b"")
    assert (made.file.name, made.file.media_type, made.file.size, made.file.md5) == ("a.jpg", "image/jpeg", 3, "0" * 32)


@pytest.mark.parametrize("number", [0, -1, True, "7", "7&x=1", 7.0, None, 1 << 63])
def test_a_report_id_is_a_number(number: object) -> None:
    """What is no report's number is refused before it can be sent."""
    calls = (finish, retract, lambda number: upload(number, name="a"))
    for call in calls:
        with pytest.raises(InvalidReport) as raised:
            call(number)  # type: ignore[arg-type] # what is tested
        assert raised.value.violations[0].path == "report_id"


def test_a_document_is_of_its_kind() -> None:
    """A report where file details belong, or the reverse, is refused before it can be sent."""
    with pytest.raises(InvalidReport, match="must be of type Report"):
        submit(DETAILS)  # type: ignore[arg-type] # what is tested
    with pytest.raises(InvalidReport, match="must be of type FileDetails"):
        describe(REPORT)  # type: ignore[arg-type] # what is tested


def test_reprs_hide_bodies() -> None:
    """No request's repr shows what is reported."""
    person = PersonOrUserReported(person_or_user_reported_person=Person(first_name="canary"))
    report = evolve(REPORT, persons_or_users_reported=(person,))
    for made in (submit(report), describe(DETAILS), upload(ReportId(7), name="canary.jpg"), finish(ReportId(7))):
        assert "canary" not in repr(made)
        assert "<report" not in repr(made)
