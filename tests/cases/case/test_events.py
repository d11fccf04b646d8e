"""A case's events are recorded in one spelling and read back as they were; old forms stay readable for ever.

`golden/<kind>-<version>.json` holds one event as it was recorded once, and `GOLDEN` in conftest what it means. Neither is
ever changed: journals like it exist.
"""

import json
import re
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.cases import events as e
from cybertip.cases.events import Enriched, Event, decode, encode
from cybertip.errors import InvalidReport, UnknownEvent
from cybertip.filing.events import decode as decode_of_submission
from cybertip.filing.manifest import canonical

FOLDER = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
CANARY = "canary-4711"

every_name = pytest.mark.parametrize("name", NAMES)


def load(name: str) -> Any:
    """Read a golden file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@every_name
def test_what_was_recorded_once_means_the_same_today(kit: Any, name: str) -> None:
    """An event that any version of this program recorded is read as what it meant then, and today's form stands here."""
    recorded = load(name)
    assert decode(recorded["kind"], canonical(recorded["data"])) == kit.GOLDEN[name]
    assert encode(kit.GOLDEN[name]) == (recorded["kind"], canonical(recorded["data"]))
    assert name.startswith(recorded["kind"].replace("/", "-"))


def test_no_kind_is_without_a_golden_file(kit: Any) -> None:
    """Each form that can be recorded is kept, and each file that is kept is read."""
    assert kit.GOLDEN.keys() == set(NAMES)
    assert {type(event) for event in kit.GOLDEN.values()} == set(Event.__args__)
    assert all(re.fullmatch(r"case\.[a-z]+-[1-9](-[a-z]+)?", name) for name in NAMES)


@every_name
def test_no_event_of_a_case_is_taken_for_one_of_a_submission(name: str) -> None:
    """A reader of submissions holds what belongs to a case, and the other way round."""
    recorded = load(name)
    with pytest.raises(UnknownEvent, match="newer program"):
        decode_of_submission(recorded["kind"], canonical(recorded["data"]))
    with pytest.raises(UnknownEvent, match="newer program"):
        decode(recorded["kind"].removeprefix("case."), canonical(recorded["data"]))


def objects(plain: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of all objects within plain values."""
    found = [path] if isinstance(plain, dict) else []
    parts = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    return found + [place for step, part in parts for place in objects(part, (*path, step))]


@every_name
@given(data=st.data())
def test_an_unknown_field_anywhere_is_held_and_not_quoted(name: str, data: st.DataObject) -> None:
    """A field that this version does not have is not passed over, at any depth: it may say the opposite of all the rest."""
    recorded = load(name)
    part = recorded["data"]
    for step in data.draw(st.sampled_from(objects(recorded["data"]))):
        part = part[step]
    part[CANARY] = CANARY
    with pytest.raises(UnknownEvent, match="cannot be read") as caught:
        decode(recorded["kind"], canonical(recorded["data"]), key="case/1")
    assert caught.value.key == "case/1"
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@every_name
@given(data=st.data())
def test_a_value_of_another_type_is_held(name: str, data: st.DataObject) -> None:
    """No value is bent into what it is not: what says that somebody viewed a file wholly is true or false, and no word."""
    recorded = load(name)
    fields = [(place, field) for place in objects(recorded["data"]) for field in _at(recorded["data"], place)]
    if not fields:
        assert name in ("case.preserved-1", "case.retracted-1")
        return
    place, field = data.draw(st.sampled_from(fields))
    part = _at(recorded["data"], place)
    wrong: Any = 1.5 if not isinstance(part[field], float) else "x"
    part[field] = wrong
    with pytest.raises(UnknownEvent, match="cannot be read"):
        decode(recorded["kind"], canonical(recorded["data"]))


def _at(plain: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        plain = plain[step]
    return plain


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: e.Joined(signal=CANARY), "Joined.signal"),  # type: ignore[arg-type]
        (lambda: e.Decided(reviewer="r", decision=CANARY, needs_approval=False), "Decided.decision"),  # type: ignore[arg-type]
        (lambda: e.Claimed(reviewer="", until=CANARY), "Claimed.reviewer"),  # type: ignore[arg-type]
        (lambda: e.Claimed(reviewer="r", until=CANARY), "Claimed.until"),  # type: ignore[arg-type]
        (lambda: e.Filed(submission="k", digest=CANARY), "Filed.digest"),
        (lambda: e.Enriched(answer="{}", profile=CANARY), "Enriched.profile"),
    ],
)
def test_what_is_no_event_is_not_recorded(make: Any, path: str) -> None:
    """A value that cannot be meant is refused by its field, before anything is recorded, and is not quoted."""
    with pytest.raises(InvalidReport) as refused:
        make()
    assert refused.value.violations[0].path == path
    assert CANARY not in str(refused.value)


def test_endpoints_are_not_recorded(kit: Any) -> None:
    """Where an organisation's endpoints are does not go into a journal, which a report needs to know nothing of."""
    profile = kit.PROFILE
    assert profile.preservation_url is not None
    assert "platform.example" not in encode(Enriched(answer="{}", profile=profile))[1]


def test_no_event_shows_whom_it_is_about(kit: Any) -> None:
    """The names of reviewers, their reasons, what the platform answered and what was decided are in no repr."""
    shown = "".join(map(repr, kit.GOLDEN.values()))
    for secret in ("'ann'", "'bob'", "invented", "Invented", "users", "u1", "m1", "555"):
        assert secret not in shown
