"""Parts are values: they cannot be changed, and they can be compared, hashed, copied and pickled."""

import copy
import math
import pickle
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from cybertip import (
    CellPhoneIncident,
    ContactPerson,
    Email,
    InvalidReport,
    IpCaptureEvent,
    Person,
    PersonOrUserReported,
    Violation,
    evolve,
    read,
    write,
)
from cybertip.model.declaration import part_of
from cybertip.testing import strategies
from cybertip.xml.layout import parts

KINDS = sorted(parts(), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_part_is_a_frozen_slotted_class_with_keyword_only_fields(kind: type[Any]) -> None:
    """No part has a `__dict__`, a positional argument, a mutable default or an undocumented meaning."""
    assert kind.__doc__
    assert not any("__dict__" in vars(one) for one in kind.__mro__)
    assert all(field.kw_only for field in attrs.fields(kind))
    assert {field.default for field in attrs.fields(kind)} <= {attrs.NOTHING, None, False, ()}
    assert [field.name for field in attrs.fields(kind)] == [field.python for field in part_of(kind).fields]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=5)
@given(data=st.data())
def test_every_part_is_immutable(kind: type[Any], data: st.DataObject) -> None:
    """No field of any part can be set or deleted once it is made, however it was made, nor can one be added."""
    part = data.draw(strategies.built(kind, edition="2026-08"))
    for name in [field.python for field in part_of(kind).fields] + ["more"]:
        with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
            setattr(part, name, None)
        with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
            delattr(part, name)


@given(document=strategies.documents(edition="2026-08"))
def test_a_document_survives_pickling_and_copying(document: Any) -> None:
    """A copy of any kind is equal, has the same hash, and so finds the same place in a set."""
    read_back = read(write(document, edition="2026-08"))
    for original in (document, read_back):
        for other in (
            pickle.loads(pickle.dumps(original)),
            copy.copy(original),
            copy.deepcopy(original),
            evolve(original),
        ):
            assert other == document
            assert type(other) is type(document)
            assert hash(other) == hash(document)
            assert {other, document} == {document}


@given(event=strategies.ip_capture_events())
def test_a_changed_copy_leaves_the_original(event: IpCaptureEvent) -> None:
    """`evolve` gives a copy with one field changed, and the original is what it was."""
    before = pickle.dumps(event)
    changed = evolve(event, ip_address=event.ip_address + "0")
    assert changed != event
    assert changed.date_time == event.date_time
    assert pickle.dumps(event) == before


def test_a_changed_copy_is_checked() -> None:
    """`evolve` refuses what the constructor refuses, and fields that do not exist."""
    wrong: Any = "15"
    with pytest.raises(InvalidReport, match=r"Person.age: must be a whole number"):
        evolve(Person(), age=wrong)
    with pytest.raises(TypeError):
        evolve(Person(), agee=15)


def test_parts_of_different_kinds_are_never_equal() -> None:
    """Equality is of one kind: a contact and a person with the same name differ."""
    contact: Any = ContactPerson(first_name="Sam")
    assert contact != Person(first_name="Sam")
    assert contact != "Sam"


def test_what_is_not_a_number_equals_itself() -> None:
    """NCMEC's XSD lets a latitude be no number; a document that has one still equals its copy."""
    assert CellPhoneIncident(latitude=math.nan) == CellPhoneIncident(latitude=float("nan"))
    assert hash(CellPhoneIncident(latitude=math.nan)) == hash(CellPhoneIncident(latitude=float("nan")))
    assert CellPhoneIncident(latitude=math.nan) != CellPhoneIncident(latitude=0.0)


def test_the_same_instant_is_equal_at_any_offset() -> None:
    """Two events at one instant are equal, as times are in Python; their offsets remain what was said."""
    noon = datetime(2025, 1, 1, 12, tzinfo=UTC)
    elsewhere = noon.astimezone(timezone(timedelta(hours=5, minutes=30)))
    one, other = (IpCaptureEvent(ip_address="192.0.2.1", date_time=time) for time in (noon, elsewhere))
    assert one == other
    assert b"12:00:00+00:00" in repr(one.date_time and one.date_time.isoformat()).encode()
    assert other.date_time is not None
    assert other.date_time.isoformat() == "2025-01-01T17:30:00+05:30"


def test_errors_survive_pickling() -> None:
    """An error crosses to another process with all that it says."""
    with pytest.raises(InvalidReport) as caught:
        Email(value=1)  # type: ignore[arg-type] # the fault under test
    error = pickle.loads(pickle.dumps(caught.value))
    assert (
        error.violations
        == caught.value.violations
        == (Violation(path="Email.value", xpath="email", rule="type", message="must be text"),)
    )


class _Word(str, Enum):  # noqa: UP042 - the older kind, which formats itself as its name
    X = "Jane"


class _Number(int, Enum):
    X = 5


class _Moment(datetime):
    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        return "elsewhere"


class _Text(str):
    def __format__(self, spec: str) -> str:
        return "elsewhere"

    def __str__(self) -> str:
        return "elsewhere"

    def replace(self, *_: object) -> str:
        return "elsewhere"


def test_what_only_looks_plain_is_made_plain() -> None:
    """An enum, a markup string or a clever datetime is written as the value that it is, never as what it calls itself."""
    moment = _Moment(2025, 1, 1, 12, 30, tzinfo=UTC)
    person = Person(first_name=_Word.X, last_name=_Text("Roe & Co"), age=_Number.X)
    event = IpCaptureEvent(ip_address=_Text("192.0.2.1"), date_time=moment, port=_Number.X)
    user = PersonOrUserReported(
        person_or_user_reported_person=person, ip_capture_events=(event,), display_names=(_Word.X, _Text("R"))
    )
    for value in (person.first_name, person.last_name, person.age, event.ip_address, event.date_time):
        assert type(value) in (str, int, datetime)
    assert user.display_names == ("Jane", "R")
    assert (person.first_name, person.last_name, person.age) == ("Jane", "Roe & Co", 5)
    assert event.date_time == datetime(2025, 1, 1, 12, 30, tzinfo=UTC)
