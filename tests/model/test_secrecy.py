"""What is sensitive stays out of every repr and every error."""

import json
import logging
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given

from cybertip import (
    Edition,
    InvalidReport,
    Report,
    ReportId,
    Violation,
    from_json,
    read,
    to_json,
    write,
)
from cybertip.model.declaration import Choice, Field, Lexical, Simple, is_part, part_of
from cybertip.testing import strategies
from cybertip.xml import schema
from cybertip.xml.layout import parts, walk
from cybertip.xml.writer import unwritable

#: `filled(kind, value_of)`: a part with every field, see the fixture.
Filled = Callable[[type[Any], Callable[[Field], Any]], Any]

CANARY = "canary-4f1d"
#: A value for each type that can be told from all others wherever it turns up.
CANARIES: dict[Lexical, Any] = {
    Lexical.STRING: CANARY,
    Lexical.TOKEN: CANARY,
    Lexical.INT: 1987654321,
    Lexical.LONG: 1987654321,
    Lexical.DOUBLE: 19.87654321,
    Lexical.DATE: date(1987, 6, 5),
    Lexical.BOOLEAN: True,
    Lexical.DATETIME: datetime(1987, 6, 5, 4, 3, 21, tzinfo=UTC),
}
TRACES = (CANARY, "1987654321", "19.87654321", "1987-06-05", "1987, 6, 5")


def _sensitive() -> Iterator[Any]:
    for kind in parts():
        for field in part_of(kind).fields:
            if not field.public and not is_part(field.type) and not isinstance(field.type, Choice):
                yield pytest.param(kind, field, id=f"{kind.__name__}.{field.python}")


def _canary_of(field: Field) -> Any:
    kind = field.type
    if not isinstance(kind, Simple):
        words: Any = kind
        return list(words)[-1]
    if kind.pattern is not None:
        return "+987" if kind.pattern.startswith("\\+") else "1987654321"
    return CANARIES[kind.lexical]


SENSITIVE = list(_sensitive())
#: Those that hold any text at all, and so characters that XML cannot hold.
FREE = [
    one
    for one in SENSITIVE
    if isinstance(kind := one.values[1].type, Simple)
    and kind.pattern is None
    and isinstance(_canary_of(one.values[1]), str)
]


def _traces(text: str) -> list[str]:
    return [trace for trace in TRACES if trace in text]


def test_a_field_is_sensitive_unless_it_says_nothing_of_a_person() -> None:
    """Free text, numbers and times are sensitive; what is public is a word of a list, a yes or no, or NCMEC's own number."""
    public = {
        (kind.__name__, field.python)
        for kind in parts()
        for field in part_of(kind).fields
        if field.public and isinstance(field.type, Simple) and field.type.lexical is not Lexical.BOOLEAN
    }
    assert public == {
        ("FileDetails", "report_id"),
        ("FileDetails", "file_id"),
        ("ReportResponse", "response_code"),
        ("ReportResponse", "report_id"),
        ("ReportResponse", "file_id"),
        ("ReportResponse", "hash"),
        ("ReportDoneResponse", "response_code"),
        ("ReportDoneResponse", "report_id"),
        ("DoneFiles", "file_ids"),
    }


@pytest.mark.parametrize(("kind", "field"), SENSITIVE)
def test_no_sensitive_field_is_in_a_repr(kind: type[Any], field: Field, filled: Filled) -> None:
    """The repr of a part neither shows a sensitive value nor that there is one."""
    attribute = attrs.fields_dict(kind)[field.python]
    assert attribute.repr is False
    part = filled(kind, _canary_of)
    for shown in (repr(part), str(part), f"{part}", ascii(part)):
        assert f" {field.python}=" not in shown
        assert f"({field.python}=" not in shown


def test_no_canary_is_in_the_repr_of_a_whole_document(filled: Filled) -> None:
    """Documents with a canary in every sensitive field show none of them."""
    from cybertip import FileDetails

    for kind in (Report, FileDetails):
        document = attrs.evolve(
            filled(kind, _canary_of), **({} if kind is Report else {"report_id": ReportId(1), "file_id": "0a"})
        )
        assert len(_traces(write(document, edition="2026-08").decode())) >= 3
        assert _traces(repr(document)) == []


@pytest.mark.parametrize(("kind", "field"), SENSITIVE)
def test_no_error_of_a_constructor_quotes_a_value(kind: type[Any], field: Field, filled: Filled) -> None:
    """A value of the wrong type is refused without a word of it, neither in the message nor in what pickles of it."""
    wrong: Any = [CANARY.encode()]
    with pytest.raises(InvalidReport) as caught:
        attrs.evolve(filled(kind, _canary_of), **{field.python: wrong})
    _assert_silent(caught.value)


def _assert_silent(error: BaseException) -> None:
    """Neither an error nor the one it came from says anything of a value."""
    seen: BaseException | None = error
    while seen is not None:
        assert _traces(f"{seen} {seen!r} {seen.args!r} {getattr(seen, '__notes__', '')}") == []
        seen = seen.__cause__ if seen.__suppress_context__ else seen.__cause__ or seen.__context__
    assert _traces(repr(pickle.dumps(error))) == []


@pytest.mark.parametrize(("kind", "field"), FREE)
def test_no_error_of_the_writer_quotes_a_value(kind: type[Any], field: Field, filled: Filled) -> None:
    """A character that XML cannot hold is refused with its place and its number, and nothing of the text around it."""
    text = f"{CANARY}\x00"
    part = attrs.evolve(filled(kind, _canary_of), **{field.python: (text,) if field.many else text})
    (violation,) = unwritable(part, edition=Edition.V2026_08)
    assert violation.path.partition("[")[0].endswith(f".{field.python}")
    _assert_silent(InvalidReport((violation,)))


def test_no_error_of_writing_a_document_quotes_a_value(filled: Filled) -> None:
    """A document in which every text holds a forbidden character is refused with all the places and none of the texts."""
    unprintable = filled(Report, lambda field: f"{CANARY}\x00" if (value := _canary_of(field)) == CANARY else value)
    with pytest.raises(InvalidReport) as caught:
        write(unprintable, edition="2026-08")
    assert len(caught.value.violations) > 50
    _assert_silent(caught.value)


_BREAKS: list[Callable[[bytes], bytes]] = [
    lambda data: data[:-20],
    lambda data: data.replace(b"</report>", b"<canary/></report>"),
    lambda data: data.replace(b"<reporter>", b"<unforeseen/><reporter>"),
    lambda data: data.replace(b"1987654321", b"x1987654321"),
    lambda data: data.replace(b"1987-06-05", b"x1987-06-05"),
    lambda data: data.replace(b"1987-06-05", b"91987-06-05"),
    lambda data: data.replace(b"04:03:21+00:00", b"04:03:21"),
    lambda data: data.replace(b"19.87654321", b"19.87654321.0"),
    lambda data: data.replace(b"+987", b"+987canary-4f1d"),
    lambda data: data.replace(b'type="', b'type="canary-4f1d'),
    lambda data: data.replace(b"<state>", b"<state>canary-4f1d"),
    lambda data: data.replace(b"<platform", b'<platform canary="canary-4f1d"'),
    lambda data: data.replace(b"<reporter>", b"<reporter>canary-4f1d"),
    lambda data: data.replace(b"<firstName>", b"<firstName>&canary-4f1d;"),
    lambda data: data.replace(b"<report ", b"<!DOCTYPE report [<!ENTITY e 'canary-4f1d'>]><report "),
    lambda data: data.replace(b"canary-4f1d", b"canary-4f1d\xff"),
]


@pytest.mark.parametrize("break_it", _BREAKS)
def test_no_error_of_the_reader_quotes_a_value(
    break_it: Callable[[bytes], bytes], filled: Filled, caplog: pytest.LogCaptureFixture
) -> None:
    """However a document is broken, neither the errors nor the log quote a word of it; the XSD's judgement included."""
    caplog.set_level(logging.DEBUG)
    data = write(filled(Report, _canary_of), edition="2026-08")
    broken = break_it(data)
    assert broken != data
    with pytest.raises(InvalidReport) as caught:
        read(broken)
    _assert_silent(caught.value)
    assert all(_traces(str(violation)) == [] for violation in schema.validate(broken, edition="2026-08"))
    assert _traces(caplog.text) == []


@pytest.mark.parametrize("sign", ["x", [], {}, 1.5, None])
def test_no_error_of_the_json_reader_quotes_a_value(sign: object, filled: Filled) -> None:
    """However one value of the JSON form is broken, the error does not quote it or its neighbours."""
    plain = json.loads(to_json(filled(Report, _canary_of)))
    count = _break_json(plain, sign)
    assert count
    with pytest.raises(InvalidReport) as caught:
        from_json(plain)
    _assert_silent(caught.value)


def _break_json(value: Any, sign: object) -> int:
    """Put something wrong beside, or in place of, every canary that is not plain text."""
    found = 0
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(inner, dict | list):
            found += _break_json(inner, sign)
        elif inner is not True and _traces(str(inner)) and inner != CANARY:
            found += 1
            value[key] = f"{inner}{CANARY}" if sign == "x" else [sign, inner]
    return found


@given(report=strategies.reports(edition="2026-08"))
def test_the_repr_of_any_report_has_none_of_its_texts(report: Report) -> None:
    """Whatever text a report holds, its repr is made of public words alone."""
    marked = _with_canaries(report)
    assert _traces(repr(marked)) == []
    assert repr(marked) == repr(report)


def _with_canaries(report: Report) -> Any:
    """Put the canary before each sensitive text of a report."""

    def mark(part: Any) -> Any:
        changes = {}
        for field in part_of(type(part)).fields:
            value = getattr(part, field.python)
            plain = isinstance(field.type, Simple) and field.type.lexical is Lexical.STRING and not field.type.pattern
            if value is None or (not plain and not is_part(field.type) and not isinstance(field.type, Choice)):
                continue
            one: Callable[[Any], Any] = (lambda text: CANARY + text) if plain else mark
            changes[field.python] = tuple(map(one, value)) if field.many else one(value)
        return attrs.evolve(part, **changes)

    assert len(list(walk(report))) >= 3
    return mark(report)


def test_a_violation_is_all_that_an_error_says() -> None:
    """The text of an error is its violations, one a line."""
    one, other = (Violation(path=path, rule="type", message="must be text") for path in ("a.b", "a.c"))
    assert str(InvalidReport((one, other))) == "a.b: must be text [type]\na.c: must be text [type]"
