"""What is written can be read, and is what it was."""

import contextlib
import json
import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from cybertip import Edition, FileDetails, FileId, InvalidReport, ReportId, from_json, read, to_json, write
from cybertip.model.declaration import Place, is_part, part_of
from cybertip.testing import strategies
from cybertip.xml.layout import parts, walk


def _leaves(document: Any) -> Iterator[tuple[str, str, str]]:
    """Yield every value of a document so exactly that two documents with the same leaves are the same."""
    for part, declared, python, _ in walk(document):
        for field in declared.fields:
            value = getattr(part, field.python)
            for one in value if field.many else (value,):
                if not is_part(type(one)):
                    # Equal times may have different offsets, and zero may have a sign.
                    shown = one.isoformat() if isinstance(one, datetime) else repr(one)
                    yield f"{python}.{field.python}", type(one).__name__, shown


@pytest.mark.parametrize("edition", Edition)
@given(data=st.data())
def test_what_is_written_is_read_back(edition: Edition, data: st.DataObject) -> None:
    """`read(write(x)) == x` for every document of every edition, to the offset of each time and the sign of each zero."""
    document = data.draw(strategies.documents(edition=edition))
    found = read(write(document, edition=edition))
    assert found == document
    assert list(_leaves(found)) == list(_leaves(document))
    assert write(found, edition=edition) == write(document, edition=edition)


@pytest.mark.parametrize("edition", Edition)
@given(data=st.data())
def test_the_json_form_is_read_back(edition: Edition, data: st.DataObject) -> None:
    """`from_json(to_json(x)) == x` for every document, as text, as bytes and as a mapping, to the last digit."""
    document = data.draw(strategies.documents(edition=edition))
    text = to_json(document)
    for form in (text, text.encode(), json.loads(text), to_json(document, indent=2)):
        found = from_json(form)
        assert found == document
        assert list(_leaves(found)) == list(_leaves(document))


@pytest.mark.parametrize("kind", sorted(parts(), key=str), ids=str)
@settings(max_examples=10)
@given(data=st.data())
def test_the_json_form_of_every_part_is_read_back(kind: type[Any], data: st.DataObject) -> None:
    """Any part by itself has a JSON form, which is read back when its kind is said."""
    part = data.draw(strategies.built(kind, edition="2026-08"))
    assert from_json(to_json(part), kind) == part


@pytest.mark.parametrize("edition", Edition)
@pytest.mark.parametrize("kind", sorted(parts(), key=str), ids=str)
def test_every_field_is_reached(kind: type[Any], edition: Edition) -> None:
    """No field of any part, in any edition, is one that the properties never see with a value."""
    reached: set[str] = set()

    @settings(max_examples=150, derandomize=True, database=None)
    @given(part=strategies.built(kind, edition=edition))
    def look(part: Any) -> None:
        reached.update(field.xml for field in fields if getattr(part, field.python) not in (None, (), False))

    fields = [field for field in part_of(kind).known(edition) if field.place is not Place.UNKNOWN]
    look()
    assert {field.xml for field in fields} - reached == set()


@pytest.mark.parametrize(
    ("broken", "path", "rule"),
    [
        ("", "", "json"),
        ("[]", "", "root"),
        ("1", "", "root"),
        ("null", "", "root"),
        ("{}", "", "root"),
        ("{", "", "json"),
        ('{"reportId": 1, "reportId": 2, "fileId": "0a"}', "", "json"),
        ('{"reportId": NaN, "fileId": "0a"}', "", "json"),
        ('{"reportId": 1, "fileId": "0a", "unforeseen": 1}', "fileDetails", "unknown-key"),
        ('{"fileId": "0a", "fileName": "x"}', "fileDetails.report_id", "required"),
        ('{"reportId": "1", "fileId": "0a"}', "fileDetails.report_id", "type"),
        ('{"reportId": 1.0, "fileId": "0a"}', "fileDetails.report_id", "type"),
        ('{"reportId": true, "fileId": "0a"}', "fileDetails.report_id", "type"),
        ('{"reportId": 1, "fileId": 10}', "fileDetails.file_id", "type"),
        ('{"reportId": 1, "fileId": "0a", "publiclyAvailable": "true"}', "fileDetails.publicly_available", "type"),
        ('{"reportId": 1, "fileId": "0a", "fileRelevance": "reported"}', "fileDetails.file_relevance", "type"),
        ('{"reportId": 1, "fileId": "0a", "additionalInfo": "x"}', "fileDetails.additional_infos", "type"),
        ('{"reportId": 1, "fileId": "0a", "additionalInfo": ["x", 1]}', "fileDetails.additional_infos[1]", "type"),
        (
            '{"reportId": 1, "fileId": "0a", "fileAnnotations": {"viral": false}}',
            "fileDetails.file_annotations.viral",
            "type",
        ),
        (
            '{"reportId": 1, "fileId": "0a", "uploadedToEspTimestamp": "2025-01-01T00:00:00"}',
            "fileDetails.uploaded_to_esp_timestamp",
            "type",
        ),
        (
            '{"reportId": 1, "fileId": "0a", "ipCaptureEvent": {"ipAddress": "192.0.2.1", "port": 1e3}}',
            "fileDetails.ip_capture_event.port",
            "type",
        ),
    ],
)  # fmt: skip
def test_what_is_no_json_form_is_refused_by_path(broken: str, path: str, rule: str) -> None:
    """JSON that is none, or not of a document, is refused with the place and the rule."""
    with pytest.raises(InvalidReport) as caught:
        from_json(broken)
    assert [(one.path, one.rule) for one in caught.value.violations] == [(path, rule)]


_KEYS = st.sampled_from(["reportId", "fileId", "files", "incidentSummary", "reporter", "details", "victim", "x"])
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_JSON = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner), max_leaves=8)


@given(value=_JSON)
def test_the_json_reader_refuses_with_its_own_error_only(value: Any) -> None:
    """Whatever is given to the JSON reader, it answers with a document or with its own error."""
    forms: list[Any] = [json.dumps(value), json.dumps(value).encode("utf-16")]
    if isinstance(value, dict):
        forms.append(value)
    for form in forms:
        with contextlib.suppress(InvalidReport):
            from_json(form)


def test_numbers_that_json_does_not_have_are_words() -> None:
    """The JSON form is JSON: what is not finite is written in XSD's words, and read from them."""
    from cybertip import CellPhoneIncident

    part = CellPhoneIncident(latitude=math.inf, longitude=math.nan)
    assert json.loads(to_json(part)) == {"latitude": "INF", "longitude": "NaN"}
    assert from_json(to_json(part), CellPhoneIncident) == part


def test_details_without_a_word_of_the_file_are_told_apart() -> None:
    """File details that hold nothing but their names are recognised by these."""
    details = FileDetails(report_id=ReportId(1), file_id=FileId("0a"))
    assert to_json(details) == '{"reportId": 1, "fileId": "0a"}'
    assert from_json(to_json(details)) == details
