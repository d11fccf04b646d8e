"""Events are recorded in one spelling and read back as they were; what is not known is held and never guessed."""

import json
import traceback
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.errors import UnknownEvent
from cybertip.filing.events import Event, Filed, Refused, Verdict, decode, encode
from cybertip.filing.manifest import canonical

KINDS: tuple[type[Any], ...] = Event.__args__
CANARY = "canary-4711"

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def spoiled(plain: Any, where: tuple[str | int, ...], change: dict[str, Any]) -> str:
    """Return canonical JSON with something changed in one of its objects."""
    plain = json.loads(canonical(plain))
    part = plain
    for step in where:
        part = part[step]
    part |= change
    return canonical(plain)


@every_kind
@given(data=st.data())
def test_what_is_recorded_is_read_back(kit: Any, kind: type[Any], data: st.DataObject) -> None:
    """An event that was recorded is the same event when it is read, and is recorded in the same words again."""
    event = data.draw(kit.EVENTS[kind])
    name, text = encode(event)
    read = decode(name, text)
    assert read == event
    assert encode(read) == (name, text)


@every_kind
@given(data=st.data())
def test_one_spelling(kit: Any, kind: type[Any], data: st.DataObject) -> None:
    """There is one way to record an event, so that its digest is the same wherever it is reckoned."""
    name, text = encode(data.draw(kit.EVENTS[kind]))
    assert name == f"{kind.__name__.lower()}/1"
    assert text == canonical(json.loads(text))
    assert text.isascii()


def test_there_is_a_strategy_for_each_kind(kit: Any) -> None:
    """No kind of event is left out of these tests."""
    assert set(kit.EVENTS) == set(KINDS)


@every_kind
def test_a_newer_version_is_held(kit: Any, kind: type[Any]) -> None:
    """An event in the form of a newer program is held, even where it looks like one that is known."""
    name = kind.__name__.lower()
    for unknown in (f"{name}/2", f"{name}/0", name, f"{kind.__name__}/1", f"{name}/1 "):
        with pytest.raises(UnknownEvent, match="newer program"):
            decode(unknown, "{}")


@pytest.mark.parametrize("kind", ["", "teleported/1", "/1", "event/1"])
def test_an_unknown_kind_is_held(kind: str) -> None:
    """What a newer program knows to have happened is not guessed by an older one, which names the submission."""
    with pytest.raises(UnknownEvent) as caught:
        decode(kind, "{}", key="case-1")
    assert caught.value.key == "case-1"


@every_kind
@given(data=st.data())
def test_an_unknown_field_is_held(kit: Any, kind: type[Any], data: st.DataObject) -> None:
    """A field that the form of this version does not have is not passed over: it may say the opposite of all the rest."""
    name, text = encode(data.draw(kit.EVENTS[kind]))
    with pytest.raises(UnknownEvent, match="cannot be read"):
        decode(name, spoiled(json.loads(text), (), {"unless": True}))


@pytest.mark.parametrize("where", [("filing",), ("filing", "files", 0), ("filing", "report")], ids=str)
def test_an_unknown_field_within_a_filing_is_held(kit: Any, where: tuple[str | int, ...]) -> None:
    """A filing in which something is not understood is not delivered without it."""
    name, text = encode(Filed(environment="test", filing=kit.filing(True)))
    assert isinstance(decode(name, text), Filed)
    with pytest.raises(UnknownEvent, match="cannot be read"):
        decode(name, spoiled(json.loads(text), where, {"unless": True}))


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ((), {"call": "teleport"}),
        ((), {"verdict": "perhaps"}),
        ((), {"code": "many"}),
        ((), {"retry_after_for": "soon"}),
        ((), {"observation": None}),
        (("observation",), {"unless": True}),
        (("observation",), {"raw": "not base64!"}),
        (("observation",), {"date": "yesterday"}),
        (("observation",), {"date": "2026-01-01T00:00:00"}),
    ],
    ids=lambda value: next(iter(value.items()))[0] if isinstance(value, dict) else "",
)
def test_a_value_of_another_kind_is_held(kit: Any, where: tuple[str, ...], change: dict[str, Any]) -> None:
    """A value that this program would not have written is not bent into one that it would."""
    observation = kit.e.Observation(status=200, date=kit.NOW)
    event = Refused(call=kit.e.Call.UPLOAD, verdict=Verdict.LATER, code=1000, observation=observation)
    name, text = encode(event)
    assert decode(name, text) == event
    with pytest.raises(UnknownEvent, match="cannot be read"):
        decode(name, spoiled(json.loads(text), where, change))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1", '"text"', "{}"])
def test_what_is_no_event_is_held(text: str) -> None:
    """Text that is no object, or lacks what an event must say, is held."""
    with pytest.raises(UnknownEvent, match="cannot be read"):
        decode("opened/1", text)


@pytest.mark.parametrize("field", ["call", "verdict", "code", "observation"])
def test_a_missing_field_is_held(kit: Any, field: str) -> None:
    """What an event must say is not made up where it is missing."""
    event = Refused(call=kit.e.Call.UPLOAD, verdict=Verdict.LATER, code=None, observation=kit.e.Observation())
    name, text = encode(event)
    plain = json.loads(text)
    del plain[field]
    with pytest.raises(UnknownEvent, match="cannot be read"):
        decode(name, canonical(plain))


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ((), {"priority": CANARY}),
        ((), {CANARY: 1}),
        (("filing",), {"edition": CANARY}),
        (("filing", "report"), {"incidentSummary": CANARY}),
        (("filing", "files", 0), {"size": CANARY, CANARY: 1}),
    ],
    ids=lambda value: "/".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_the_error_holds_nothing_of_the_event(kit: Any, where: tuple[str | int, ...], change: dict[str, Any]) -> None:
    """What could not be read may be sensitive: neither the error nor what is printed of its cause quotes it."""
    name, text = encode(Filed(environment="test", filing=kit.filing(True)))
    with pytest.raises(UnknownEvent) as caught:
        decode(name, spoiled(json.loads(text), where, change))
    assert CANARY not in "".join(traceback.format_exception(caught.value))
