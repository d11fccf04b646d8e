"""Signals are recorded in one spelling and read back as they were; what is not known is held, and nothing is shown."""

import json
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.cases import signals as s
from cybertip.cases.references import EvidenceId, ItemRef, ReviewerId, SignalId, ThreadId, UserRef
from cybertip.cases.signals import Signal, decode, encode
from cybertip.errors import InvalidReport, UnknownEvent
from cybertip.filing.manifest import canonical

KINDS: tuple[type[Any], ...] = Signal.__args__
FOLDER = Path(__file__).parent / "golden"
CANARY = "canary-4711"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
IMAGE = ItemRef(id="m1", type_id="image")
COMMON: dict[str, Any] = {
    "id": SignalId("s1"),
    "source": "chat",
    "at": AT,
    "basis": "invented",
    "item": ItemRef(id="i1", type_id="post"),
    "media": (s.Media(ref=IMAGE, evidence=EvidenceId("e1"), url="https://example.com/1", file_name="1.png"),),
    "creator": UserRef(id="u1", type_id="user"),
    "threads": (ThreadId("t1"),),
    "victims": (UserRef(id="u2", type_id="user"),),
    "recipients": (UserRef(id="u3", type_id="user"),),
}
#: Each form that was ever recorded, with its meaning. Neither is ever changed; a new form gets a new version and file.
GOLDEN: dict[str, Signal] = {
    "hashmatched-1": s.HashMatched(
        **COMMON, matches=(s.KnownMatch(media=IMAGE, bank="known", algorithm="PDQ", distance=3),)
    ),
    "classifierscored-1": s.ClassifierScored(**COMMON, classifier="invented", label="csam", score=0.75),
    "userreported-1": s.UserReported(**COMMON, csam=True, reporter=UserRef(id="u4", type_id="user")),
    "escalated-1": s.Escalated(**COMMON, moderator=ReviewerId("r1")),
    "contentremoved-1": s.ContentRemoved(**COMMON, removed_at=AT, moderator=ReviewerId("r1")),
    "noticed-1": s.Noticed(id=SignalId("s2"), source="chat", at=AT, basis="", name="grooming"),
}

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def load(name: str) -> Any:
    """Read a golden file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", GOLDEN)
def test_what_was_recorded_once_means_the_same_today(name: str) -> None:
    """A signal that any version of this program recorded is read as what it meant then, and today's form stands here."""
    recorded = load(name)
    assert decode(recorded["kind"], canonical(recorded["data"])) == GOLDEN[name]
    assert encode(GOLDEN[name]) == (recorded["kind"], canonical(recorded["data"]))


def test_no_kind_is_without_a_golden_file(kit: Any) -> None:
    """Each form that can be recorded is kept, and no kind is left out of these tests."""
    assert {path.stem for path in FOLDER.glob("*.json")} == GOLDEN.keys()
    assert {type(one) for one in GOLDEN.values()} == set(KINDS) == set(kit.SIGNALS)


@every_kind
@given(data=st.data())
def test_what_is_recorded_is_read_back(kit: Any, kind: type[Any], data: st.DataObject) -> None:
    """A signal that was recorded is the same signal when it is read, and is recorded in the same words again."""
    signal = data.draw(kit.SIGNALS[kind])
    name, text = encode(signal)
    assert decode(name, text) == signal
    assert encode(decode(name, text)) == (name, text)
    assert name == f"{kind.__name__.lower()}/1"


@every_kind
@given(data=st.data())
def test_whatever_is_spoiled_is_held_and_not_quoted(kit: Any, kind: type[Any], data: st.DataObject) -> None:
    """A field of another type, an unknown one and a missing one are held; nothing of them is in the error."""
    name, text = encode(data.draw(kit.SIGNALS[kind]))
    plain = json.loads(text)
    field = data.draw(st.sampled_from(sorted(plain)))
    without = {one: plain[one] for one in plain if one != "id"}
    for spoiled in (plain | {CANARY: True}, plain | {field: {CANARY: CANARY}}, plain | {"id": 7}, without):
        with pytest.raises(UnknownEvent, match="cannot be read") as caught:
            decode(name, canonical(spoiled), key="case-1")
        assert caught.value.key == "case-1"
        assert CANARY not in "".join(traceback.format_exception(caught.value))


@every_kind
def test_a_newer_version_is_held(kind: type[Any]) -> None:
    """A signal in the form of a newer program is held, even where it looks like one that is known."""
    for unknown in (f"{kind.__name__.lower()}/2", kind.__name__.lower(), "teleported/1"):
        with pytest.raises(UnknownEvent, match="newer program"):
            decode(unknown, "{}")


def test_nothing_is_bent_into_what_it_is_not() -> None:
    """A word is not taken for a mark, and text not for a number: "false" would be a user's report of abuse."""
    for name, change in (
        ("userreported-1", {"csam": "false"}),
        ("userreported-1", {"csam": 1}),
        ("classifierscored-1", {"score": "0.75"}),
        ("classifierscored-1", {"score": True}),
        ("classifierscored-1", {"score": 2}),
        ("noticed-1", {"at": "2026-01-01T00:00:00"}),
        ("noticed-1", {"threads": "t1"}),
        ("noticed-1", {"threads": {"t1": 1}}),
        ("noticed-1", {"source": 7}),
    ):
        recorded = load(name)
        with pytest.raises(UnknownEvent):
            decode(recorded["kind"], canonical(recorded["data"] | change))


def test_no_signal_shows_whom_it_is_about() -> None:
    """The names of people and files, and why something was noticed, are in no repr."""
    fields: dict[str, Any] = COMMON | {
        "id": CANARY,
        "basis": CANARY,
        "media": (
            s.Media(ref=ItemRef(id=CANARY, type_id="image"), url=CANARY, file_name=CANARY, evidence=EvidenceId(CANARY)),
        ),
        "creator": UserRef(id=CANARY, type_id="user"),
        "threads": (CANARY,),
    }
    reporter = UserRef(id=CANARY, type_id="user")
    assert CANARY not in repr(s.UserReported(**fields, csam=True, reporter=reporter))
    assert CANARY not in repr(s.Escalated(**fields, moderator=ReviewerId(CANARY)))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan"), float("inf"), True, "0.5", None])
def test_a_score_is_a_number_from_0_to_1(wrong: Any) -> None:
    """A score that is none could pass any threshold, or none."""
    with pytest.raises(InvalidReport, match=r"ClassifierScored\.score"):
        s.ClassifierScored(**COMMON, classifier="invented", label="csam", score=wrong)


def test_a_match_is_of_the_signals_own_media() -> None:
    """A match names what matched, among the files that came with it; no file comes twice."""
    other = s.KnownMatch(media=ItemRef(id="m2", type_id="image"), bank="known", algorithm="PDQ")
    for matches, rule in (((), "required"), ((other,), "unknown-media")):
        with pytest.raises(InvalidReport) as refused:
            s.HashMatched(**COMMON, matches=matches)
        assert refused.value.violations[0].rule == rule
    with pytest.raises(InvalidReport, match="twice"):
        s.Noticed(**COMMON | {"media": COMMON["media"] * 2}, name="grooming")
