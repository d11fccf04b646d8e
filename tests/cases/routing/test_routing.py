"""Rules send each signal somewhere, none of them files, and what nobody thought of is seen by a person."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.cases import signals as s
from cybertip.cases.references import ItemRef, ReviewerId, SignalId
from cybertip.cases.routing import DEFAULT, Destination, Routing, Rule, Rules, SignalKind
from cybertip.errors import InvalidReport

IMAGE = ItemRef(id="m1", type_id="image")
COMMON: dict[str, Any] = {
    "id": SignalId("s1"),
    "source": "chat",
    "at": datetime(2026, 1, 1, tzinfo=UTC),
    "basis": "invented",
    "media": (s.Media(ref=IMAGE),),
}


def scored(score: float, **changes: Any) -> s.ClassifierScored:
    """Return a signal with a score."""
    return s.ClassifierScored(**COMMON | {"classifier": "invented", "label": "csam"} | changes, score=score)


def matched(bank: str) -> s.HashMatched:
    """Return a match with a list."""
    return s.HashMatched(**COMMON, matches=(s.KnownMatch(media=IMAGE, bank=bank, algorithm="PDQ"),))


REPORTED, OTHER = (s.UserReported(**COMMON, csam=csam) for csam in (True, False))
ESCALATED = s.Escalated(**COMMON, moderator=ReviewerId("r1"))
ELSEWHERE = s.Escalated(**COMMON | {"source": "mail"}, moderator=ReviewerId("r1"))
REMOVED = s.ContentRemoved(**COMMON, removed_at=COMMON["at"])
NOTICED = s.Noticed(**COMMON, name="grooming")

signals = st.one_of(
    st.sampled_from([REPORTED, OTHER, ESCALATED, REMOVED, NOTICED, matched("known"), matched("other")]),
    st.floats(0, 1).map(scored),
)
rules = st.builds(
    Rule,
    kind=st.sampled_from(SignalKind),
    to=st.sampled_from(Destination),
    source=st.none() | st.sampled_from(["chat", "mail"]),
    priority=st.integers(0, 3),
) | st.builds(
    Rule,
    kind=st.just(SignalKind.CLASSIFIER_SCORED),
    to=st.sampled_from(Destination),
    at_least=st.floats(0, 1),
    label=st.none() | st.sampled_from(["csam", "other"]),
)


@given(rules=st.lists(rules, max_size=5), signal=signals)
def test_the_first_rule_that_fits_counts(rules: list[Rule], signal: s.Signal) -> None:
    """A signal goes where the first rule that fits sends it, whatever stands behind that; what none fits is triaged."""
    routing = Rules(rules=tuple(rules)).route(signal)
    fitting = [place for place, rule in enumerate(rules) if rule.fits(signal)]
    if not fitting:
        assert routing == Routing(to=Destination.TRIAGE)
    else:
        rule = rules[fitting[0]]
        assert routing == Routing(to=rule.to, queue=rule.queue, priority=rule.priority, rule=fitting[0])


@given(rules=st.lists(rules, max_size=5), low=st.floats(0, 1), high=st.floats(0, 1), threshold=st.floats(0, 1))
def test_a_threshold_parts_low_from_high(rules: list[Rule], low: float, high: float, threshold: float) -> None:
    """A score at the threshold fits, one below does not, and whatever a score is, it sends to people or nowhere."""
    rule = Rule(kind=SignalKind.CLASSIFIER_SCORED, at_least=threshold, to=Destination.REVIEW)
    for value in (low, high, threshold):
        assert rule.fits(scored(value)) == (value >= threshold)
    routed = Rules(rules=tuple(rules)).route(scored(high))
    assert routed.to in {"review", "triage", "noted"}


def test_there_is_nowhere_to_file_from_a_rule() -> None:
    """A rule sends to a person, or notes: no other destination exists, so that no score can file."""
    assert {str(one) for one in Destination} == {"review", "triage", "noted"}


@pytest.mark.parametrize(
    ("conditions", "fitting", "other"),
    [
        ({"kind": "classifier_scored", "label": "csam"}, scored(0.1), scored(0.9, label="other")),
        ({"kind": "classifier_scored", "classifier": "invented"}, scored(0.1), scored(0.9, classifier="other")),
        ({"kind": "hash_matched", "bank": "known"}, matched("known"), matched("other")),
        ({"kind": "user_reported", "csam": True}, REPORTED, OTHER),
        ({"kind": "user_reported", "csam": False}, OTHER, REPORTED),
        ({"kind": "noticed", "name": "grooming"}, NOTICED, s.Noticed(**COMMON, name="other")),
        ({"kind": "escalated", "source": "chat"}, ESCALATED, ELSEWHERE),
        ({"kind": "content_removed"}, REMOVED, ESCALATED),
    ],
)
def test_each_condition_counts(conditions: dict[str, Any], fitting: s.Signal, other: s.Signal) -> None:
    """A rule from plain values fits what meets its conditions and nothing else."""
    read = Rules.from_plain([conditions | {"to": "review", "queue": "q"}])
    assert read.route(fitting) == Routing(to=Destination.REVIEW, queue="q", rule=0)
    assert read.route(other) == Routing(to=Destination.TRIAGE)


@pytest.mark.parametrize(
    ("plain", "path", "rule"),
    [
        ({}, "routing", "type"),
        ([7], "routing[0]", "type"),
        ([{"to": "review"}], "routing[0].kind", "required"),
        ([{"kind": "escalated"}], "routing[0].to", "required"),
        ([{"kind": "escalated", "to": "file"}], "routing[0].to", "word"),
        ([{"kind": "escalate", "to": "review"}], "routing[0].kind", "word"),
        ([{"kind": "escalated", "to": "review", "queues": "q"}], "routing[0]", "unknown-key"),
        ([{"kind": "escalated", "to": "review", "queue": ""}], "routing[0].queue", "identifier"),
        ([{"kind": "escalated", "to": "review", "priority": True}], "routing[0].priority", "type"),
        ([{"kind": "classifier_scored", "to": "review", "at_least": 90}], "routing[0].at_least", "range"),
        ([{"kind": "classifier_scored", "to": "review", "at_least": "0.9"}], "routing[0].at_least", "range"),
        ([{"kind": "user_reported", "to": "review", "csam": "yes"}], "routing[0].csam", "type"),
        ([{"kind": "escalated", "to": "review", "at_least": 0.9}], "routing[0].at_least", "never"),
    ],
)
def test_a_rule_that_is_none_is_named(plain: Any, path: str, rule: str) -> None:
    """What is wrong with rules is named by its place when they are loaded, before any signal is lost to it."""
    with pytest.raises(InvalidReport) as refused:
        Rules.from_plain(plain)
    assert [(one.path, one.rule) for one in refused.value.violations] == [(path, rule)]


def test_everything_wrong_is_said_at_once() -> None:
    """Whoever mends rules learns of each fault the first time."""
    with pytest.raises(InvalidReport) as refused:
        Rules.from_plain([{"kind": "escalated"}, {"kind": "escalated", "to": "review"}, {"to": "review"}])
    assert [one.path for one in refused.value.violations] == ["routing[0].to", "routing[2].kind"]
    with pytest.raises(InvalidReport, match=r"is not TOML \(at"):
        Rules.from_toml("routing = canary")
    assert Rules.from_toml("[profile]\n") == Rules()


def test_what_nobody_thought_of_is_never_passed_over() -> None:
    """Signals that no rule fits cannot be sent nowhere."""
    with pytest.raises(InvalidReport, match="nobody"):
        Rules(otherwise=Destination.NOTED)
    assert Rules(otherwise=Destination.REVIEW).route(NOTICED).to is Destination.REVIEW


def test_out_of_the_box() -> None:
    """Escalations, matches and reports of abuse go to review, scores to triage, and other reports are noted."""
    sent = {one: DEFAULT.route(one).to for one in (ESCALATED, matched("any"), REPORTED, OTHER, scored(1.0), REMOVED)}
    assert list(sent.values()) == ["review", "review", "review", "noted", "triage", "triage"]
