"""Every documented limit of every field, just inside and just outside."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cybertip import (
    AccountPlatform,
    Country,
    Email,
    FileAnnotations,
    FileClassification,
    FileRelevance,
    Person,
    PersonOrUserReported,
    State,
    check,
    evolve,
)
from cybertip.model.declaration import Choice, Field, Lexical, Simple, Vocabulary, is_part, part_of
from cybertip.model.limits import Limit
from cybertip.rules.documented import RULES, UPHELD_BY_THE_XSD
from cybertip.xml.layout import parts

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
JUST_BEFORE = NOW - timedelta(microseconds=1)


def plain(kind: type[Any], **given: Any) -> Any:
    """Return the smallest part of a kind that breaks no rule, with some fields given."""
    required = {field.python: _value(field) for field in part_of(kind).fields if field.required}
    return kind(**(required | given))


def _value(field: Field) -> Any:
    if field.python == "ip_address":
        value: Any = "192.0.2.1"
    elif field.python == "reporting_person":
        value = Person(emails=(Email(value="safety@example.com"),))
    elif kind_is(field, Lexical.DATETIME):
        value = BEFORE
    elif isinstance(field.type, Simple):
        value = {Lexical.BOOLEAN: True, Lexical.INT: 1, Lexical.LONG: 1}.get(field.type.lexical, "a@example.com")
    elif is_part(field.type):
        value = plain(field.type)
    else:
        assert isinstance(field.type, type)
        assert issubclass(field.type, Vocabulary)
        value = next(iter(field.type))
    return (value,) if field.many else value


def kind_is(field: Field, lexical: Lexical) -> bool:
    """Tell whether a field holds values of a built-in type."""
    return isinstance(field.type, Simple) and field.type.lexical is lexical


def declared_limits() -> Iterator[tuple[type[Any], Field, Limit]]:
    """Yield every limit that `check` upholds, with the class and the field that it is declared for."""
    for kind in parts():
        for field in part_of(kind).fields:
            for limit in field.limits:
                if limit.rule in RULES:
                    yield kind, field, limit


def of_length(field: Field, size: int) -> Any:
    """Return a value of a length, in the form that the field needs."""
    if field.type is AccountPlatform:
        return AccountPlatform(value="x" * size)
    if "url" in field.xml.lower() or field.python == "location_of_file":
        return "https://example.com/".ljust(size, "x")
    if isinstance(field.type, Simple) and field.type.pattern == "[0-9]+":
        return "1" * size
    return "x" * size


def cases(kind: type[Any], field: Field, limit: Limit) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields to set for a part just inside, and just outside, of a limit."""
    name, operand = field.python, limit.operand
    sibling = {str(operand): NOW - timedelta(hours=2)}
    day = kind_is(field, Lexical.DATE)
    with_email = Person(emails=(Email(value="a@example.com"),))
    table: dict[str, Any] = {
        "past": ({name: date(2025, 5, 31)}, {name: date(2025, 6, 1)}) if day else ({name: JUST_BEFORE}, {name: NOW}),
        "not-blank": ({name: Country.US if field.type is Country else "x"}, {name: blank(field)}),
        "url": ({name: "https://example.com/a?b#c"}, {name: "example.com/a"}),
        "ip": ({name: "::ffff:192.0.2.1"}, {name: "192.0.2.256"}),
        "report-id": ({name: 1}, {name: 0}),
        "us-state": ({name: State.IL}, {name: State.UNSTATED}),
        "iso3166-alpha2": ({name: Country.XK}, {name: Country.UNSTATED}),
        "email": ({name: "a@example.com"}, {name: "a.example.com"}),
        "local-part": ({name: "x" * 64 + "@example.com"}, {name: "x" * 65 + "@example.com"}),
        "verified-if-dated": ({name: True, "verification_date": BEFORE}, {name: False, "verification_date": BEFORE}),
        "viewed-if-exif-viewed": ({name: True, "exif_viewed_by_esp": True}, {"exif_viewed_by_esp": True}),
        "calling-code-once": (
            {name: "555 0100", "country_calling_code": "+1"},
            {name: "+1 555 0100", "country_calling_code": "+1"},
        ),
        "at-or-after": (
            sibling | {name: NOW - timedelta(hours=2)},
            sibling | {name: NOW - timedelta(hours=2, seconds=1)},
        ),
        "after": (
            sibling | {name: NOW - timedelta(hours=2) + timedelta(microseconds=1)},
            sibling | {name: NOW - timedelta(hours=2)},
        ),
        "not-with": (
            {name: date(1990, 1, 1) if day else 30},
            {"approximate_age": 30, "date_of_birth": date(1990, 1, 1)},
        ),
        "region-if-us-city": (
            {"city": "Springfield", "country_code": Country.US, name: "IL"},
            {"city": "Springfield", "country_code": Country.US},
        ),
        "us-state-if-us": ({"country_code": Country.US, name: "IL"}, {"country_code": Country.US, name: "Illinois"}),
        "relevance": (
            {name: FileRelevance.SUPPLEMENTAL_REPORTED, "file_annotations": FileAnnotations(viral=True)},
            {name: FileRelevance.SUPPLEMENTAL_REPORTED, "industry_classification": FileClassification.A1},
        ),
        "needs-email": ({name: with_email}, {name: Person(first_name="Robin")}),
        "one-unless-batched": ({name: (PersonOrUserReported(),)}, {name: (PersonOrUserReported(),) * 2}),
    }
    if limit.rule == "max-length":
        assert isinstance(operand, int)
        return {name: of_length(field, operand)}, {name: of_length(field, operand + 1)}
    if limit.rule == "range":
        assert isinstance(operand, tuple)
        return {name: operand[1]}, {name: operand[1] + 1}
    found: tuple[dict[str, Any], dict[str, Any]] = table[limit.rule]
    return found


def blank(field: Field) -> Any:
    """Return what is there and says nothing."""
    if field.type is Country:
        return Country.UNSTATED
    return "" if kind_is(field, Lexical.TOKEN) else " \t"


def in_tuples(field: Field, values: dict[str, Any]) -> dict[str, Any]:
    """Return the same fields, with the value of a repeated one as its only member."""
    value = values.get(field.python)
    single = field.many and field.python in values and not isinstance(value, tuple)
    return values | {field.python: (value,)} if single else values


ALL = [one for one in declared_limits() if one[2].rule != "email-of-a-person"]


@pytest.mark.parametrize(
    ("kind", "field", "limit"), ALL, ids=[f"{one[0].__name__}.{one[1].python}:{one[2].rule}" for one in ALL]
)
def test_a_limit_holds_exactly_where_it_is_declared(kind: type[Any], field: Field, limit: Limit) -> None:
    """The last value that the documentation allows passes, and the first one that it forbids is named with its place."""
    inside, outside = cases(kind, field, limit)
    fine = check(plain(kind, **in_tuples(field, inside)), now=NOW)
    assert [one for one in fine if one.rule == limit.rule] == []
    found = [one for one in check(plain(kind, **in_tuples(field, outside)), now=NOW) if one.rule == limit.rule]
    place = part_of(kind).name + field.path(0 if field.many and limit.rule != "one-unless-batched" else None)[0]
    assert place in [one.path for one in found]
    assert all(one.message and one.xpath.startswith("/") for one in found)


@pytest.mark.parametrize(("kind", "field", "limit"), [one for one in ALL if one[2].rule == "range"], ids=str)
def test_a_range_has_a_lower_end_too(kind: type[Any], field: Field, limit: Limit) -> None:
    """The least number passes, the one below it does not."""
    assert isinstance(limit.operand, tuple)
    least = limit.operand[0]
    assert check(plain(kind, **{field.python: least}), now=NOW) == ()
    assert [one.rule for one in check(plain(kind, **{field.python: least - 1}), now=NOW)] == ["range"]


def test_every_declared_rule_has_a_meaning() -> None:
    """No demand is declared that nobody upholds, and no rule is kept that nobody declares."""
    declared = {limit for kind in parts() for field in part_of(kind).fields for limit in field.limits}
    assert {limit.rule for limit in declared if not limit.remote} == set(RULES) | UPHELD_BY_THE_XSD
    assert not {limit.rule for limit in declared if limit.remote} & set(RULES)


def test_the_smallest_parts_break_no_rule() -> None:
    """What these tests start from is sound, so that what they find is what they put in."""
    for kind in parts():
        # A choice has no smallest part of its own.
        assert not [field for field in part_of(kind).fields if field.required and isinstance(field.type, Choice)]
        assert check(plain(kind), now=NOW) == ()


def test_a_limit_is_found_in_the_depths_of_a_report() -> None:
    """Rules are checked wherever a part stands, and the path leads there."""
    from cybertip import Report, Victim

    victim = Victim(victim_person=Person(emails=(Email(value="fine@example.com"), Email(value="no address"))))
    report = plain(Report, victims=(plain(Victim), victim))
    (found,) = check(report, now=NOW)
    assert found.path == "report.victims[1].victim_person.emails[1].value"
    assert found.xpath == "/report/victim[2]/victimPerson/email[2]"
    assert found.rule == "email"
    assert check(evolve(report, victims=()), now=NOW) == ()
