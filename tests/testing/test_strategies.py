"""The strategies: every part has one, what they make is valid or acceptable, and what they find is small."""

import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings, strategies as st

import cybertip
from cybertip import (
    AssociatedAccount,
    Edition,
    Email,
    EmailIncident,
    FileDetails,
    IncidentType,
    NewsgroupIncident,
    Person,
    Report,
    Reporter,
    check,
    model,
)
from cybertip.model.declaration import Place, is_part, part_of
from cybertip.model.limits import Limit
from cybertip.testing import strategies
from cybertip.xml.layout import parts, walk

NOW = strategies.BEFORE
#: How long to look for an example, and not to explain it.
SEARCH = settings(
    max_examples=3000, database=None, deadline=None, derandomize=True, phases=[Phase.generate, Phase.shrink]
)
KINDS = sorted({*parts(), *(one for one in vars(model).values() if is_part(one))}, key=str)
FUNCTIONS = {
    name: getattr(strategies, name)
    for name in strategies.__all__
    if inspect.isfunction(getattr(strategies, name)) and name not in ("built", "texts", "times", "unknown_elements")
}


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_part_has_a_strategy_with_a_name(kind: type[Any]) -> None:
    """For each part there is one function that makes it, and its documentation names it."""
    (name,) = [name for name, function in FUNCTIONS.items() if f"(`{kind.__name__}`)" in (function.__doc__ or "")]
    function = FUNCTIONS[name]
    assert (function.__name__, function.__module__) == (name, "cybertip.testing.strategies")
    assert list(inspect.signature(function).parameters) == ["edition", "acceptable", "before"]
    assert type(find(function(), lambda _: True, settings=SEARCH)) is kind


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_strategy_is_documented(name: str) -> None:
    """Each function says what it makes, and takes an edition by its name."""
    assert (FUNCTIONS[name].__doc__ or "").startswith("Generate ")
    assert find(FUNCTIONS[name](edition="2026-08"), lambda _: True, settings=SEARCH) is not None


@pytest.mark.parametrize("name", ["reports", "file_details", "file_descriptions"])
@pytest.mark.parametrize("edition", Edition)
@given(data=st.data())
def test_what_is_acceptable_keeps_every_documented_rule(name: str, edition: Edition, data: st.DataObject) -> None:
    """`cybertip.check` has nothing to say against an acceptable document, from the time on that it was made for."""
    document = data.draw(FUNCTIONS[name](edition=edition, acceptable=True))
    assert check(document, now=NOW, edition=edition) == ()
    assert check(document, now=NOW + timedelta(days=9999), edition=edition) == ()


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(max_examples=15)
@given(data=st.data())
def test_every_acceptable_part_keeps_every_documented_rule(kind: type[Any], data: st.DataObject) -> None:
    """A part that is acceptable is so by itself, whatever report it is put into."""
    assert check(data.draw(strategies.built(kind, acceptable=True)), now=NOW) == ()


@settings(max_examples=60)
@given(days=st.integers(-20_000, 20_000), data=st.data())
def test_acceptable_documents_speak_of_the_past_of_any_time(days: int, data: st.DataObject) -> None:
    """Times lie before the one that is given, so that documents can be made for any clock."""
    before = NOW + timedelta(days=days)
    document = data.draw(strategies.file_details(acceptable=True, before=before))
    assert check(document, now=before) == ()


def test_a_time_without_an_offset_bounds_nothing() -> None:
    """The bound of times must be aware, as all times are."""
    with pytest.raises(ValueError, match="offset"):
        strategies.reports(before=datetime(2025, 1, 1))  # noqa: DTZ001 - the fault under test


#: What reports with the rules' hardest parts have.
SHAPES: dict[str, Callable[[Report], object]] = {
    "a batch of users": lambda report: report.batched_report and len(report.persons_or_users_reported) > 1,
    "an email of a person": lambda report: any(
        isinstance(incident, EmailIncident | NewsgroupIncident) and incident.email_addresses
        for incident in report.internet_details
    ),
    "two victims": lambda report: len(report.victims) > 1,
    "an associated account": lambda report: any(user.associated_accounts for user in report.persons_or_users_reported),
    "a law enforcement agency": lambda report: report.law_enforcement,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_acceptable_reports_come_in_every_shape(shape: str) -> None:
    """What is repaired is not thereby avoided: reports with the rules' hardest parts come, too."""
    found = find(strategies.reports(acceptable=True), lambda report: bool(SHAPES[shape](report)), settings=SEARCH)
    assert SHAPES[shape](found)


def _limits() -> list[Any]:
    return [
        pytest.param(kind, field.python, limit, id=f"{kind.__name__}.{field.python}-{limit.rule}")
        for kind in (Email, AssociatedAccount)
        for field in part_of(kind).fields
        for limit in field.limits
        if limit.rule in ("email", "past", "range", "verified-if-dated", "url", "not-with")
    ]


@pytest.mark.parametrize(("kind", "field", "limit"), _limits())
def test_without_asking_the_rules_are_broken(kind: type[Any], field: str, limit: Limit) -> None:
    """A strategy that was not asked for acceptable parts makes such as break the documented rules, if the XSD allows it."""
    found = find(
        strategies.built(kind),
        lambda part: any(one.rule == limit.rule and f".{field}" in one.path for one in check(part, now=NOW)),
        settings=SEARCH,
    )
    assert type(found) is kind


def test_examples_are_small() -> None:
    """What shrinking leaves is the least that shows the fault: absent fields, first words, empty text."""
    assert find(strategies.reports(), lambda _: True, settings=SEARCH) == Report(
        incident_summary=cybertip.IncidentSummary(
            incident_type=IncidentType.CHILD_PORNOGRAPHY, incident_date_time=datetime(2000, 1, 1, tzinfo=UTC)
        ),
        reporter=Reporter(reporting_person=Person()),
    )
    found = find(strategies.persons(), lambda person: any("<" in one.value for one in person.emails), settings=SEARCH)
    # Which of the hostile texts is left depends on the search; nothing but one of them is.
    assert found == Person(emails=(Email(value=found.emails[0].value),))
    assert len(found.emails[0].value) <= 20
    aged = find(strategies.persons(), lambda person: person.age is not None and person.age > 150, settings=SEARCH)
    assert aged == Person(age=151)


def test_a_fault_deep_in_a_section_is_found_small() -> None:
    """A fault that needs one field deep inside a section is shown by a section with little else."""
    found = find(
        strategies.persons_or_users_reported(),
        lambda user: any(account.date_of_birth is not None for account in user.associated_accounts),
        settings=SEARCH,
    )
    given_ = [
        (type(part).__name__, field.python)
        for part, declared, *_ in walk(found)
        for field in declared.fields
        if not field.required and getattr(part, field.python) not in (None, (), False)
    ]
    assert given_ == [
        ("PersonOrUserReported", "associated_accounts"),
        ("AssociatedAccount", "date_of_birth"),
    ]


@given(data=st.data())
def test_an_edition_has_its_own_fields_only(data: st.DataObject) -> None:
    """No document of an edition has a field that came later, as the writer would say."""
    for part, declared, *_ in walk(data.draw(strategies.reports(edition="2025-11"))):
        later = [field for field in declared.fields if field.since > Edition.V2025_11]
        assert all(getattr(part, field.python) in (None, False) for field in later)


def test_an_unknown_edition_is_refused() -> None:
    """There is no strategy for an edition that nobody knows."""
    with pytest.raises(ValueError, match="2014"):
        strategies.reports(edition="2014")


def _finds(strategy: st.SearchStrategy[Any], wanted: Callable[[Any], bool]) -> Any:
    """Return what the strategy makes of some sort, and fail where it makes none."""
    return find(strategy, wanted, settings=SEARCH)


def test_text_is_hostile_and_within_bounds() -> None:
    """Text holds markup, line ends, marks of direction and characters beyond the first plane, and keeps to its length."""
    for wanted in ("<", "]]>", "\r", "\u202e", "\u0085", '"', "  "):
        assert wanted in _finds(strategies.texts(), partial(_holds, wanted))
    assert max(_finds(strategies.texts(), lambda text: any(character > "\uffff" for character in text))) > "\uffff"

    @given(text=strategies.texts(min_size=2, max_size=5))
    def bounded(text: str) -> None:
        assert 2 <= len(text) <= 5

    bounded()


def _holds(wanted: str, text: str) -> bool:
    return wanted in text


def test_times_come_with_any_offset() -> None:
    """Times have offsets up to fourteen hours on either side, and microseconds."""
    for offset in (timedelta(hours=14), -timedelta(hours=14), timedelta(hours=5, minutes=30)):
        found = _finds(strategies.times(), partial(_has_offset, offset))
        assert found.utcoffset() == offset
    assert _finds(strategies.times(), lambda time: time.microsecond > 0).microsecond == 1


def _has_offset(offset: timedelta, time: datetime) -> bool:
    return time.utcoffset() == offset


def test_documents_and_incidents_are_of_every_kind() -> None:
    """`documents` makes each of the four, and `incidents` each of the eight kinds."""
    for kind in (Report, FileDetails, cybertip.ReportResponse, cybertip.ReportDoneResponse):
        assert type(_finds(strategies.documents(), partial(_is, kind))) is kind
    choice: Any = part_of(Report).fields[2].type
    assert len(choice.parts) == 8
    for kind in choice.parts:
        assert type(_finds(strategies.incidents(), partial(_is, kind))) is kind


def _is(kind: type[Any], one: object) -> bool:
    return type(one) is kind


@given(data=st.data())
def test_replies_are_valid_and_so_have_no_unknown_elements(data: st.DataObject) -> None:
    """A valid reply holds nothing that its edition does not name; unknown elements are given to it on purpose."""
    reply = data.draw(strategies.report_responses() | strategies.report_done_responses())
    assert reply.unknown_elements == ()
    assert any(field.place is Place.UNKNOWN for field in part_of(type(reply)).fields)


@settings(max_examples=50)
@given(person=strategies.persons(acceptable=True))
def test_acceptable_data_is_nobodys(person: Person) -> None:
    """Addresses that look real are those set aside for documentation."""
    assert all(one.value.rpartition("@")[2].split(".")[-2] == "example" for one in person.emails)
    assert person.date_of_birth is None or person.date_of_birth < date(2025, 1, 1)
